"""Environment and files that TensorFlow and Keras read: fixed or refused."""

import json
import logging
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from ablate.config import environment
from ablate.config.environment import check_job_environment, fix_environment
from ablate.errors import ConfigError


@pytest.fixture
def keras_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The place of `keras.json`, for a process that has not imported Keras yet."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.delitem(sys.modules, "keras", raising=False)
    monkeypatch.setattr(environment, "_warned", set())
    return tmp_path / "keras.json"


@pytest.mark.parametrize(
    ("name", "value", "left"),
    [
        ("KERAS_BACKEND", "torch", "tensorflow"),
        ("KERAS_BACKEND", "jax", "tensorflow"),
        ("TF_USE_LEGACY_KERAS", "1", "0"),
        ("TF_USE_LEGACY_KERAS", "True", "0"),
        ("KERAS_MAX_EPOCHS", "1", None),
        ("KERAS_MAX_STEPS_PER_EPOCH", "2", None),
        ("KERAS_NNX_ENABLED", "true", None),
        ("TF_CONFIG", "{}", None),
        ("TF_XLA_FLAGS", "--tf_xla_auto_jit=2", None),
        ("TF_SET_ONEDNN_FPMATH_MODE", "BF16", None),
        ("ONEDNN_DEFAULT_FPMATH_MODE", "ANY", None),
        ("NVIDIA_TF32_OVERRIDE", "1", None),
        ("TF_DISABLE_SCATTER_OP_DETERMINISM", "1", None),
        ("XLA_FLAGS", "--xla_cpu_enable_fast_math=true", None),
        ("XLA_FLAGS", "--xla_gpu_cuda_data_dir=/cuda --xla_allow_excess_precision", "--xla_gpu_cuda_data_dir=/cuda"),
    ],
)
def test_a_variable_that_changes_numbers_is_not_used_and_named(
    name: str,
    value: str,
    left: str | None,
    keras_json: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv(name, value)
    with caplog.at_level(logging.WARNING):
        fix_environment()
        fix_environment()
    assert os.environ.get(name) == left
    assert caplog.text.count(f"{name}={value}") == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TF_FORCE_GPU_ALLOW_GROWTH", "true"),
        ("TF_CPP_MIN_LOG_LEVEL", "0"),
        ("TF_CLI_CONFIG_FILE", "terraform.rc"),
        # TensorFlow sets it: what is started by a process that has imported it has it.
        ("TF2_BEHAVIOR", "1"),
        ("XLA_FLAGS", "--xla_gpu_cuda_data_dir=/cuda"),
        ("KERAS_BACKEND", "tensorflow"),
    ],
)
def test_a_variable_that_changes_none_stays(
    name: str, value: str, keras_json: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(name, value)
    with caplog.at_level(logging.WARNING):
        fix_environment()
    assert os.environ[name] == value
    assert not caplog.records


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ({"floatx": "float16"}, "floatx=float16"),
        ({"floatx": "float64", "epsilon": 1e-3}, "epsilon=0.001"),
        ({"image_data_format": "channels_first"}, "image_data_format=channels_first"),
        ({"backend": "jax"}, "backend=jax"),
        ({"floatx": "float32", "epsilon": 1e-7, "backend": "tensorflow", "image_data_format": "channels_last"}, ""),
        ({"something": "else"}, ""),
    ],
)
def test_what_keras_json_says_otherwise_is_named(
    said: dict[str, object], named: str, keras_json: Path, caplog: pytest.LogCaptureFixture
) -> None:
    keras_json.write_text(json.dumps(said))
    with caplog.at_level(logging.WARNING):
        fix_environment()
    assert named in caplog.text
    assert bool(caplog.records) == bool(named)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ('{"floatx": "float8"}', "floatx must be one of float16, float32, float64. Received: float8"),
        ('{"image_data_format": "last"}', "image_data_format must be one of"),
        ('{"epsilon": 1}', "epsilon must be a float. Received: 1"),
        ("[1]", "must hold an object"),
    ],
)
def test_a_keras_json_that_keras_fails_at_is_refused_in_a_line(text: str, match: str, keras_json: Path) -> None:
    keras_json.write_text(text)
    with pytest.raises(ConfigError, match=match) as refused:
        fix_environment()
    assert "\n" not in str(refused.value)
    assert str(keras_json) in str(refused.value)


def test_one_that_cannot_be_read_is_refused_and_one_that_is_no_json_counts_as_keras_has_it(keras_json: Path) -> None:
    keras_json.write_text("{")
    fix_environment()
    keras_json.unlink()
    keras_json.mkdir()
    with pytest.raises(ConfigError, match="cannot be read"):
        fix_environment()


def test_keras_that_is_there_with_another_backend_is_refused(
    keras_json: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    imported = SimpleNamespace(config=SimpleNamespace(backend=lambda: "jax"))
    monkeypatch.setitem(sys.modules, "keras", imported)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="imported with the backend jax; ablate trains with tensorflow"):
        fix_environment()


@pytest.mark.parametrize(
    ("name", "value", "fixed"),
    [
        ("TF_XLA_FLAGS", "--tf_xla_auto_jit=2", True),
        ("KERAS_BACKEND", "torch", True),
        ("KERAS_BACKEND", "tensorflow", False),
        ("XLA_FLAGS", "--xla_gpu_deterministic_ops=false", True),
        ("XLA_FLAGS", "--xla_dump_to=dump", False),
        ("CUDA_VISIBLE_DEVICES", "1", False),
    ],
)
def test_a_job_s_environment_cannot_set_what_is_fixed(name: str, value: str, fixed: bool) -> None:
    if fixed:
        with pytest.raises(ConfigError, match=f"^hydra.job.env_set: {name}={value} would change results"):
            check_job_environment({name: value})
    else:
        check_job_environment({name: value})
