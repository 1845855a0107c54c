"""Environment variables and settings of TensorFlow and Keras, fixed for every run. Imports no TensorFlow."""

import json
import logging
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ablate.errors import ConfigError

log = logging.getLogger(__name__)

FLOATX, EPSILON, DATA_FORMAT = "float32", 1e-7, "channels_last"
"""Keras' defaults, for every run, in place of `keras.json`."""

_SET = {"KERAS_BACKEND": "tensorflow", "TF_USE_LEGACY_KERAS": "0"}
_REMOVED = (
    # Keras would end a training early.
    *("KERAS_MAX_EPOCHS", "KERAS_MAX_STEPS_PER_EPOCH", "KERAS_NNX_ENABLED"),
    # Another cluster, and other compilation than configured. TF2_BEHAVIOR has no effect: TensorFlow sets it at import.
    *("TF_CONFIG", "TF_XLA_FLAGS", "TF_FUNCTION_JIT_COMPILE_DEFAULT", "AUTOGRAPH_STRICT_CONVERSION"),
    # Lower precision than `hardware.precision`.
    *("NVIDIA_TF32_OVERRIDE", "TF_SET_ONEDNN_FPMATH_MODE", "ONEDNN_DEFAULT_FPMATH_MODE", "DNNL_DEFAULT_FPMATH_MODE"),
    *("TF_CONV2D_USE_FP16_ACCUMULATE", "TF_FP16_CONV_USE_FP32_COMPUTE", "TF_FP16_MATMUL_USE_FP32_COMPUTE"),
    *(
        "TF_FP16_RNN_USE_FP32_COMPUTE",
        "TF_ENABLE_AUTO_MIXED_PRECISION",
        "TF_ENABLE_AUTO_MIXED_PRECISION_GRAPH_REWRITE",
    ),
    # Other kernels and algorithms, or less determinism than `training.deterministic`.
    *("TF_ENABLE_ZENDNN_OPTS", "TF_USE_DEEP_CONV2D", "TF_DETERMINISTIC_OPS", "TF_CUDNN_DETERMINISTIC"),
    *("TF_DISABLE_SCATTER_OP_DETERMINISM", "TF_DISABLE_SEGMENT_REDUCTION_OP_DETERMINISM_EXCEPTIONS"),
)
_XLA_FLAGS = "XLA_FLAGS"
_XLA_KEPT = ("--xla_gpu_cuda_data_dir", "--xla_dump_")
"""XLA's flags that change no number: the folder of CUDA, and dumps."""
_ONEDNN = "TF_ENABLE_ONEDNN_OPTS"
_warned = set[str]()
_shell_onednn = os.environ.get(_ONEDNN)


def fix_environment() -> None:
    """Set the environment variables that change what TensorFlow and Keras compute; a warning names the changed ones.

    Call it before either is imported, even by a task's module. Variables for paths, output and memory stay.

    Raises:
        ConfigError: Keras is imported with another backend already, or its `keras.json` would make its import fail.
    """
    # Below warnings: one line a start says that oneDNN is on, others that there is no GPU.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    ignored = []
    for name in (*_SET, *_REMOVED, _XLA_FLAGS):
        value = os.environ.get(name, "")
        kept = _kept(name, value)
        if kept:
            os.environ[name] = kept
        else:
            os.environ.pop(name, None)
        # TF_USE_LEGACY_KERAS=false is as good as 0.
        if value not in ("", kept) and not (name in _SET and value.lower() in ("false", "tensorflow")):
            ignored.append(f"{name}={value}")
    if "keras" in sys.modules:
        backend = sys.modules["keras"].config.backend()
        if backend != "tensorflow":
            raise ConfigError(f"Keras is imported with the backend {backend}; ablate trains with tensorflow")
    else:
        ignored += _ignored_in_file()
    new = [one for one in ignored if one not in _warned]
    if new:
        _warned.update(new)
        log.warning("Ignored settings of the environment, which would change results: %s", ", ".join(new))


def check_job_environment(environment: Mapping[str, str]) -> None:
    """Refuse fixed variables in `hydra.job.env_set`.

    Raises:
        ConfigError: It sets one; the message names it.
    """
    fixed = [
        f"{name}={environment[name]}"
        for name in (*_SET, *_REMOVED, _XLA_FLAGS)
        if name in environment and _kept(name, environment[name]) != environment[name]
    ]
    if fixed:
        raise ConfigError(f"hydra.job.env_set: {', '.join(fixed)} would change results: leave it out")


def set_onednn(onednn: bool) -> str:
    """Set whether TensorFlow, imported afterwards, uses oneDNN; a value from the user's shell has priority.

    It is off by default on CPUs without AVX512, where it makes a training step up to twice as fast.

    Returns:
        The value in use: 0 or 1.
    """
    os.environ[_ONEDNN] = _shell_onednn or str(int(onednn))
    return os.environ[_ONEDNN]


def _kept(name: str, value: str) -> str:
    if name == _XLA_FLAGS:
        return " ".join(flag for flag in value.split() if flag.startswith(_XLA_KEPT))
    return _SET.get(name, "")


def _ignored_in_file() -> list[str]:
    """Return the settings of `keras.json` that differ from those of every run."""
    path = _keras_file()
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    except ValueError:
        return []  # Keras reads a file that is no JSON as an empty one
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}; fix or remove it, or set KERAS_HOME") from None
    allowed: dict[str, Any] = {
        "floatx": ("float16", "float32", "float64"),
        "image_data_format": ("channels_last", "channels_first"),
    }
    if not isinstance(settings, dict):
        raise ConfigError(f"{path} must hold an object with keys such as floatx; fix or remove it")
    for key, values in allowed.items():
        if key in settings and settings[key] not in values:
            raise ConfigError(
                f"{path}: {key} must be one of {', '.join(values)}. Received: {settings[key]}; fix or remove the file"
            )
    if not isinstance(settings.get("epsilon", EPSILON), float):
        raise ConfigError(f"{path}: epsilon must be a float. Received: {settings['epsilon']}; fix or remove the file")
    fixed = {"floatx": FLOATX, "epsilon": EPSILON, "image_data_format": DATA_FORMAT, "backend": "tensorflow"}
    return [f"{key}={settings[key]} in {path}" for key, value in fixed.items() if settings.get(key, value) != value]


def _keras_file() -> Path:
    """Return the path of Keras' settings, see `keras/src/backend/config.py`."""
    home = Path("~").expanduser()
    folder = Path(os.environ["KERAS_HOME"]) if "KERAS_HOME" in os.environ else home / ".keras"
    if "KERAS_HOME" not in os.environ and not os.access(home, os.W_OK):
        folder = Path("/tmp/.keras")
    return folder.expanduser() / "keras.json"
