"""The sections `training` and `hardware` of the configuration, validated. No TensorFlow."""

import math
import re
from typing import Any, Literal

from pydantic import PositiveFloat, PositiveInt, field_validator

from ablate.config.schema import Schema


class TrainingConfig(Schema):
    """Length and schedule of training."""

    epochs: PositiveInt
    steps_per_epoch: PositiveInt | None
    batch_size: PositiveInt
    deterministic: bool
    learning_rate_drops: list[tuple[PositiveInt, PositiveFloat]]
    log_points: PositiveInt

    @field_validator("learning_rate_drops")
    @classmethod
    def _ascending_steps(cls, drops: list[tuple[int, float]]) -> list[tuple[int, float]]:
        steps = [step for step, _ in drops]
        if steps != sorted(set(steps)):
            raise ValueError("the steps of training.learning_rate_drops must ascend")
        return drops

    def steps_in_epoch(self, examples: int) -> int:
        """Return the steps of an epoch: `steps_per_epoch`, or one pass over the examples."""
        return self.steps_per_epoch or max(1, math.ceil(examples / self.batch_size))

    def total_examples(self, examples: int) -> int:
        """Return the number of examples in all epochs, given those of one pass."""
        return self.steps_in_epoch(examples) * self.epochs * self.batch_size


NO_TRAINING = TrainingConfig(
    epochs=1, steps_per_epoch=1, batch_size=1, deterministic=True, learning_rate_drops=[], log_points=100
)
"""Of a task that trains itself, to which the section `training` belongs: the whole training is one step."""


class HardwareConfig(Schema):
    """Devices, precision and compilation.

    Attributes:
        devices: None: one GPU, or the CPU where there is none; `cpu`; `cpu:n`: the CPU as n devices; n: so many GPUs.
    """

    precision: Literal["float32", "mixed_bfloat16", "mixed_float16"]
    devices: int | str | None
    compile: Literal["auto", "graph", "xla"]
    onednn: bool
    threads: PositiveInt | None

    @field_validator("devices", mode="before")
    @classmethod
    def _known(cls, devices: Any) -> Any:
        if type(devices) is int and devices >= 0:
            return devices or "cpu"
        if devices is None or re.fullmatch("cpu(:[1-9][0-9]?)?", str(devices)):
            return devices
        raise ValueError(
            "input should be null (one GPU, or the CPU), a number of GPUs, cpu, or cpu:N to try N devices"
        )

    @property
    def replicas(self) -> int:
        """Number of devices that share every batch."""
        if isinstance(self.devices, str):
            return int(self.devices.partition(":")[2] or 1)
        return self.devices or 1
