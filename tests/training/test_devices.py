"""Devices, XLA and oneDNN change the speed of a run alone."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from ablate.config.training import HardwareConfig
from ablate.config.validation import ValidConfig
from ablate.errors import ConfigError
from ablate.training.checkpoint import Checkpoints
from ablate.training.devices import choose, driver_version
from ablate.training.fit import ONE_DEVICE, Training, train
from ablate.training.hardware import Hardware, _xla, configure
from tests.support.commands import TINY
from tests.support.configs import valid_config

ROOT = Path(__file__).parents[2]
# One photograph evaluates: a batch with nothing for the second device.
SMALL = [
    *TINY,
    *("data=folder", "data.image_size=16", "optimizer=sgd", "regularizer=l2", "loss=unweighted"),
    *("training.epochs=2", "training.steps_per_epoch=3", "training.batch_size=4", "training.deterministic=false"),
]


class Stopped(Exception):
    """What asked the training to end."""


def hardware(**arguments: object) -> HardwareConfig:
    defaults = {"precision": "float32", "devices": None, "compile": "auto", "onednn": True, "threads": None}
    return HardwareConfig.model_validate({**defaults, **arguments})


def small(photographs: Path, *overrides: str) -> ValidConfig:
    return valid_config(*SMALL, f"data.root={photographs}", *overrides)


def trained(
    config: ValidConfig,
    computed: Hardware,
    losses: dict[str, float],
    file: Path | None = None,
    stop_at: int | None = None,
) -> Training | None:
    """Train, from a checkpoint where there is one, and stop after a step."""

    def log(metrics: Mapping[str, float], step: int) -> None:
        losses.update({f"{name} {step}": value for name, value in metrics.items()})

    done: list[Mapping[str, float]] = []
    checkpoints = file and Checkpoints(
        file, 1000, lambda: None, lambda: Stopped() if done and done[-1]["step"] == stop_at else None
    )
    keras.backend.clear_session()
    keras.utils.set_random_seed(0)
    config.task.load_data()
    run = config.run
    arguments = {"optimizer": run.optimizer, "training": run.training, "seed": run.seed, "log_metrics": log}
    try:
        return train(config.task, hardware=computed, checkpoints=checkpoints, report_progress=done.append, **arguments)
    except Stopped:
        return None


def in_another_way(photographs: Path, folder: Path) -> None:
    """Train without oneDNN: two steps by XLA on one device, and the others on two devices, which are stopped too."""
    two = configure(hardware(devices="cpu:2", onednn=False), seed=0, deterministic=False)
    config, file, losses = small(photographs), folder / "checkpoint.npz", dict[str, float]()
    assert trained(config, Hardware({}, xla=True), losses, file, stop_at=2) is None
    assert trained(config, two, losses, file, stop_at=4) is None
    training = trained(config, two, losses, file)
    assert training is not None
    assert not any(getattr(layer, "synchronized", False) for layer in training.model.layers)
    np.savez(folder / "weights.npz", *training.model.get_weights())

    averaged, whole, resumed = small(photographs, "+optimizer.use_ema=true"), dict[str, float](), dict[str, float]()
    expected = trained(averaged, two, whole)
    assert trained(averaged, two, resumed, folder / "averaged.npz", stop_at=2) is None
    found = trained(averaged, two, resumed, folder / "averaged.npz")
    assert resumed == whole
    assert expected is not None
    assert found is not None
    for one, other in zip(expected.model.get_weights(), found.model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)

    keras.config.set_dtype_policy("mixed_float16")
    dropped = dict[str, float]()
    assert trained(small(photographs, "dropout=heavy", "training.epochs=1"), two, dropped) is not None
    (folder / "said.json").write_text(json.dumps({"losses": losses, "dropped": dropped, "facts": dict(two.facts)}))


@pytest.mark.slow
def test_every_way_gives_the_same_result(photographs: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from tests.training.test_devices import in_another_way\n"
        "in_another_way(*map(Path, sys.argv[1:]))"
    )
    path = os.pathsep.join([str(ROOT), os.environ["PYTHONPATH"]])
    environment = {name: value for name, value in os.environ.items() if name != "TF_ENABLE_ONEDNN_OPTS"}
    subprocess.run(
        [sys.executable, "-c", code, str(photographs), str(tmp_path)],
        env={**environment, "PYTHONPATH": path, "TF_CPP_MIN_LOG_LEVEL": "2"}, check=True, timeout=240,
    )  # fmt: skip
    said = json.loads((tmp_path / "said.json").read_text())
    assert (said["facts"]["onednn"], said["facts"]["compile"]) == ("0", "graph")
    assert said["facts"]["devices"].endswith(" as 2 devices")

    losses: dict[str, float] = {}
    training = trained(small(photographs), ONE_DEVICE, losses)
    assert training is not None
    assert len(losses) == 10
    assert said["losses"] == pytest.approx(losses, rel=1e-5)
    with np.load(tmp_path / "weights.npz") as weights:
        for one, other in zip(training.model.get_weights(), weights.values(), strict=True):
            np.testing.assert_allclose(one, other, atol=1e-5)
    assert np.isfinite(list(said["dropped"].values())).all()
    parameters = sum(weight.size for weight in training.model.get_weights()) - 2 * 4  # the means and variances
    assert training.gradient_memory_mib == pytest.approx(4 * parameters / 2**20)
    # SGD with momentum: the momenta, the step and the learning rate.
    assert 0 < training.optimizer_memory_mib - training.gradient_memory_mib < 20 / 2**20
    assert said["dropped"].keys() == {name for name in losses if int(name.split()[1]) <= 3}


@pytest.mark.parametrize(
    ("arguments", "gpu", "deterministic", "expected"),
    [
        ({}, False, False, False),
        ({}, True, False, True),
        ({}, True, True, False),
        ({"devices": 2}, True, False, False),
        ({"compile": "xla"}, False, False, True),
        ({"compile": "graph"}, True, False, False),
    ],
)
def test_xla_compiles_where_it_is_the_fastest_that_is_allowed(
    arguments: dict[str, object], gpu: bool, deterministic: bool, expected: bool
) -> None:
    assert _xla(hardware(**arguments), gpu=gpu, deterministic=deterministic) == expected


def test_more_gpus_than_there_are_is_an_error() -> None:
    with pytest.raises(ConfigError, match=r"hardware.devices=4, but this machine has 0 GPUs .* hardware.devices=cpu"):
        choose(hardware(devices=4), [])


@pytest.mark.parametrize(
    ("wanted", "visible", "names"),
    [(None, ["a"], ("GPU:0",)), (2, ["a", "b"], ("GPU:0", "GPU:1")), ("cpu", [], ("CPU:0",))],
)
def test_gpus_that_are_not_chosen_are_hidden(
    wanted: object, visible: list[str], names: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    gpus = [SimpleNamespace(name=name) for name in "abc"]
    shown, growing = list(gpus), list[str]()

    def show(devices: list[SimpleNamespace], kind: str) -> None:
        shown[:] = devices

    experimental = "tensorflow.config.experimental"
    monkeypatch.setattr("tensorflow.config.get_visible_devices", lambda kind: shown)
    monkeypatch.setattr("tensorflow.config.set_visible_devices", show)
    monkeypatch.setattr(f"{experimental}.get_memory_growth", lambda gpu: False)
    monkeypatch.setattr(f"{experimental}.set_memory_growth", lambda gpu, grows: growing.append(gpu.name))
    monkeypatch.setattr(f"{experimental}.get_device_details", lambda gpu: {"device_name": f"GPU {gpu.name}"})
    devices = choose(hardware(devices=wanted), gpus)
    assert [gpu.name for gpu in shown] == visible == growing
    assert devices.names == names
    assert devices.description == ", ".join(f"GPU {name}" for name in visible) or devices.description.startswith(
        "CPU: "
    )


@pytest.mark.parametrize(
    "said",
    [
        "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 01:15:15 UTC 2023\nGCC version: 11\n",
        "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  535.104.05  Release Build\n",
    ],
)
def test_the_driver_says_its_version(said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert driver_version(tmp_path) is None
    (tmp_path / "version").write_text(said)
    assert driver_version(tmp_path) == "535.104.05"
