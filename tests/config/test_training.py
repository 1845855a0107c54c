"""The sections `training` and `hardware`."""

import pytest

from ablate.config.training import TrainingConfig
from tests.support.configs import valid_config


@pytest.mark.parametrize(
    ("given", "devices", "replicas"), [("null", None, 1), ("0", "cpu", 1), ("cpu:2", "cpu:2", 2), ("4", 4, 4)]
)
def test_devices_are_gpus_or_the_processor(given: str, devices: object, replicas: int) -> None:
    hardware = valid_config(f"hardware.devices={given}").run.hardware
    assert (hardware.devices, hardware.replicas) == (devices, replicas)


def training(**arguments: object) -> TrainingConfig:
    defaults = {"epochs": 1, "steps_per_epoch": None, "batch_size": 4, "deterministic": True, "log_points": 1}
    return TrainingConfig.model_validate({**defaults, **arguments})


def test_an_epoch_is_one_pass_over_the_photographs() -> None:
    assert training(batch_size=4).steps_in_epoch(9) == 3
    assert training(batch_size=4).steps_in_epoch(0) == 1
    assert training(steps_per_epoch=7).steps_in_epoch(9) == 7
    assert training(batch_size=4, epochs=2).total_examples(9) == 24
