"""The sections `training` and `hardware` of the configuration, validated. No TensorFlow."""

import math
import re
from typing import Any, Literal

from pydantic import PositiveFloat, PositiveInt, field_validator

from ablate.config.schema import Schema


class TrainingConfig(Schema):
    """How long and how a model is trained."""

    epochs: PositiveInt
    steps_per_epoch: PositiveInt | None
    batch_size: PositiveInt
    deterministic: bool
    learning_rate_drops: list[tuple[PositiveInt, PositiveFloat]]
    log_points: PositiveInt

    @field_validator("learning_rate_drops")
    @classmethod
    def _in_order(cls, drops: list[tuple[int, float]]) -> list[tuple[int, float]]:
        steps = [step for step, _ in drops]
        if steps != sorted(set(steps)):
            raise ValueError("the steps of training.learning_rate_drops must ascend")
        return drops

    def steps_in_epoch(self, examples: int) -> int:
        """Return the configured number of steps, or as many as one pass over the examples has."""
        return self.steps_per_epoch or max(1, math.ceil(examples / self.batch_size))

    def total_examples(self, examples: int) -> int:
        """Return how many examples all epochs train on, if one pass has so many."""
        return self.steps_in_epoch(examples) * self.epochs * self.batch_size


class HardwareConfig(Schema):
    """What a run computes with.

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
        """How many devices share every batch."""
        if isinstance(self.devices, str):
            return int(self.devices.partition(":")[2] or 1)
        return self.devices or 1
