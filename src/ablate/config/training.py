"""The sections `training` and `hardware` of the configuration, validated. No TensorFlow."""

import math
import re
from typing import Any, Literal

from pydantic import PositiveInt, field_validator

from ablate.config.schema import Schema


class TrainingConfig(Schema):
    """Length of training, and its batches."""

    epochs: PositiveInt
    steps_per_epoch: PositiveInt | None
    batch_size: PositiveInt
    deterministic: bool
    log_points: PositiveInt

    def steps_in_epoch(self, examples: int) -> int:
        """Return the steps of an epoch: `steps_per_epoch`, or one pass over the examples."""
        return self.steps_per_epoch or max(1, math.ceil(examples / self.batch_size))

    def total_steps(self, examples: int) -> int:
        """Return the steps of all epochs, given the examples of one pass."""
        return self.steps_in_epoch(examples) * self.epochs

    def total_examples(self, examples: int) -> int:
        """Return the number of examples in all epochs, given those of one pass."""
        return self.total_steps(examples) * self.batch_size


NO_TRAINING = TrainingConfig(epochs=1, steps_per_epoch=1, batch_size=1, deterministic=True, log_points=100)
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
