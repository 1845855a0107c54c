from collections.abc import Sequence
from pathlib import Path

import pytest

from ablate.config.sections import RunConfig
from ablate.config.validation import validate_config
from ablate.errors import ConfigError
from tests.support.configs import valid_config


@pytest.mark.slow
def test_the_defaults_are_valid() -> None:
    run = valid_config().run
    assert (run.seed, run.study.name, run.training.deterministic) == (0, "adhoc", True)


def test_a_relative_root_survives(tmp_path: Path) -> None:
    assert valid_config("data=folder", "data.root=here").task.config.data.root == "here"  # the colourisation task's


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["data.image_size=36"], "data.image_size=36: the input side must be a multiple of 8"),
        (["data.image_size=40", "output_res=quarter"], "a multiple of 16 for depth=full and output_res=quarter"),
        (["data=folder"], "data.root"),
        (["training.epochs=0"], "training.epochs=0: input should be greater than 0"),
        (["training.batch_size=many"], "training.batch_size=many: input should be a valid integer"),
        (
            ["schedule=steps", "schedule.drops=[[5,0.1],[3,0.1]]"],
            "[3, 0.1]]: the steps must ascend",
        ),
        (["schedule=steps", "schedule.drops=[[0.5,0.1],[3,0.1]]"], "shares of training, below 1, or numbers of steps"),
        (
            ["schedule=cosine", "schedule.warmup=1.5"],
            "warmup=1.5: input should be a share of training, below 1, or",
        ),
        (["schedule=linear", "schedule.floor=1"], "schedule.floor=1: input should be less than 1"),
        (
            ["schedule=constant", "+schedule.floor=0.1"],
            "unknown key: schedule.floor. Allowed: schedule.name, schedule.shape",
        ),
        (
            ["schedule=constant", "schedule.shape=square"],
            "=square: input should be 'constant', 'linear', 'cosine' or 'steps'",
        ),
        (["seed=-1"], "seed=-1: input should be greater than or equal to 0"),
        (["optimizer.learning_rate=0"], "optimizer.learning_rate=0: input should be greater than 0"),
        (["dropout.rate=1.0"], "dropout.rate=1.0: input should be less than 1"),
        (["loss.mix=2"], "loss.mix=2: input should be less than or equal to 1"),
        (["color.soft_bins=400"], "color.soft_bins=400 exceeds the 313 classes"),
        (["backbone.batch_norm=maybe"], "input should be 'affine', 'plain' or 'none'"),
        (["study.name=a/b"], "study.name=a/b"),
        (["+depth.block=3"], "unknown key: depth.block. Allowed: depth.blocks, depth.name"),
        (["+training.epoch=3"], "Did you mean training.epochs?"),
        (["+extra=1"], "unknown key: extra. Allowed: backbone, color"),
        (["hardware.precision=float8"], "'float32', 'mixed_bfloat16' or 'mixed_float16'"),
        (
            ["hardware.devices=cpu:0"],
            "hardware.devices=cpu:0: input should be null (one GPU, or the CPU), a number of",
        ),
        (["hardware.devices=-1"], "hardware.devices=-1: input should be null"),
        (["hardware.devices=3", "scale=smoke"], "is split over hardware.devices=3: it must be a multiple of 3"),
        (["hardware.compile=xla"], "hardware.compile=xla needs training.deterministic=false"),
        (["hardware.compile=xla", "hardware.devices=cpu:2"], "xla is for one device, not for hardware.devices=cpu:2"),
        *(
            (
                [f"+optimizer.{key}={value}", "hardware.devices=cpu:2"],
                f"optimizer.{key}={value} is for one device, not for hardware.devices=cpu:2: Keras",
            )
            for key, value in (
                ("clipnorm", 0.5),
                ("clipvalue", 0.5),
                ("global_clipnorm", 0.5),
                ("gradient_accumulation_steps", 2),
                ("ema_overwrite_frequency", 2),
            )
        ),
        (
            ["+optimizer.loss_scale_factor=1024", "hardware.precision=mixed_float16"],
            "optimizer.loss_scale_factor=1024 would do nothing under hardware.precision=mixed_float16",
        ),
        (["task._target_=nowhere.Task"], "task._target_=nowhere.Task cannot be imported"),
        (["task._target_=__main__.Mine"], "write it to a file, as in task._target_=digits.Mine"),
        (["seed=${nowhere}"], "nowhere"),
    ],
)
def test_impossible_values_are_named(overrides: Sequence[str], message: str) -> None:
    with pytest.raises(ConfigError) as error:
        valid_config(*overrides)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_every_mistake_gets_its_line() -> None:
    with pytest.raises(ConfigError) as error:
        valid_config("training.epochs=0", "training.batch_size=-1")
    assert len(str(error.value).splitlines()) == 2


def test_paper_scale_is_the_published_one() -> None:
    values = valid_config("scale=paper").values
    assert values["optimizer"]["learning_rate"] == 3e-5
    assert values["regularizer"]["l2"] == 5e-4
    assert values["training"]["epochs"] * values["training"]["steps_per_epoch"] == 450_000
    assert (values["training"]["batch_size"], values["data"]["image_size"]) == (40, 256)
    drops = {step: round(factor * 3e-5, 7) for step, factor in values["schedule"]["drops"]}
    assert drops == {200_000: 1e-5, 375_000: 3e-6}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("os.system", "is no task: it is a builtin_function_or_method"),
        ("builtins.eval", "is no task: it is a builtin_function_or_method"),
        ("shutil.rmtree", "is no task: it is a "),
        ("subprocess.run", "is no task: it is a function"),
        ("os.path", "is no task: it is a module"),
        ("os.environ", "is no task: it is a _Environ"),
        ("subprocess.Popen", "is no task: it has no build_loss, build_model, comparison_config"),
        ("os", "must be MODULE.CLASS, as in task._target_=digits.Digits"),
        ("", "must be MODULE.CLASS, as in task._target_=digits.Digits"),
        ("digitz.Mine", "No module named 'digitz'. Looked in "),
        ("broken_task.Mine", "cannot be imported: invalid syntax (broken_task.py, line 1)"),
        ("failing_task.Mine", "failing_task.py:1: no GPU here"),
    ],
)
def test_what_is_no_task_is_refused_and_never_called(
    target: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken_task.py").write_text("class :")
    (tmp_path / "failing_task.py").write_text("raise RuntimeError('no GPU here')")
    monkeypatch.syspath_prepend(tmp_path)
    canary = tmp_path / "canary"
    values = {
        **valid_config().values,
        "task": {
            "_target_": target,
            "command": f"touch {canary}",
            "args": ["touch", str(canary)],
            "path": str(canary),
        },
    }
    with pytest.raises(ConfigError) as error:
        validate_config({key: value for key, value in values.items() if key in (*RunConfig.model_fields, "task")})
    assert f"task._target_={target} " in str(error.value)
    assert message in str(error.value)
    assert not canary.exists()
