"""Sections of the configuration that the framework reads, validated. Imports neither TensorFlow nor MLflow."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PositiveFloat, SerializeAsAny, model_validator

from ablate.config.optimizers import ONE_DEVICE_ALONE, OptimizerConfig
from ablate.config.paths import absolute
from ablate.config.schedules import ScheduleConfig
from ablate.config.schema import Schema
from ablate.config.short_names import MAX_STORED
from ablate.config.training import HardwareConfig, TrainingConfig


def _name(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise ValueError("a name is text: quote it in a file where it looks like a number")
    return value


StudyName = Annotated[str, BeforeValidator(_name), Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$")]
"""Name of a study, of its experiment in MLflow and of its folders."""


class StudyConfig(Schema):
    """The study that a run belongs to."""

    name: StudyName
    variant: Annotated[str, Field(min_length=1, max_length=MAX_STORED)] | None = None


class TrackingConfig(Schema):
    """Where runs are recorded."""

    uri: str | None
    model: bool
    system_metrics: bool


class CheckpointConfig(Schema):
    """Checkpoints and leases of unfinished runs."""

    dir: Annotated[Path, AfterValidator(absolute)] | None
    minutes: PositiveFloat
    lease_timeout_minutes: Annotated[float, Field(ge=1)]


class RunConfig(Schema):
    """The sections that the framework itself reads."""

    seed: Annotated[int, Field(ge=0, lt=2**31)]
    experiment: None = None
    study: StudyConfig
    optimizer: SerializeAsAny[OptimizerConfig]
    schedule: SerializeAsAny[ScheduleConfig]
    training: TrainingConfig
    hardware: HardwareConfig
    tracking: TrackingConfig
    checkpoint: CheckpointConfig
    check: bool = True
    validation_fraction: Annotated[float, Field(gt=0, lt=1)] | None = None
    rerun: Literal["never", "failed", "all"]

    @model_validator(mode="after")
    def _batches_fit_devices(self) -> RunConfig:
        devices, batch = self.hardware.replicas, self.training.batch_size
        if batch % devices:
            raise ValueError(
                f"training.batch_size={batch} is split over hardware.devices={self.hardware.devices}: "
                f"it must be a multiple of {devices}"
            )
        if self.hardware.compile == "xla" and devices > 1:
            raise ValueError(
                f"hardware.compile=xla is for one device, not for hardware.devices={self.hardware.devices}: "
                "use graph or auto"
            )
        if self.hardware.compile == "xla" and self.training.deterministic:
            raise ValueError(
                "hardware.compile=xla needs training.deterministic=false: not everything that XLA compiles gives the "
                "same bits every time"
            )
        return self

    @model_validator(mode="after")
    def _optimizer_fits_the_hardware(self) -> RunConfig:
        optimizer, hardware = self.optimizer, self.hardware
        for key, why in ONE_DEVICE_ALONE.items():
            if hardware.replicas > 1 and getattr(optimizer, key) is not None:
                raise ValueError(
                    f"optimizer.{key}={getattr(optimizer, key)} is for one device, not for "
                    f"hardware.devices={hardware.devices}: {why}"
                )
        if hardware.precision == "mixed_float16" and optimizer.loss_scale_factor is not None:
            raise ValueError(
                f"optimizer.loss_scale_factor={optimizer.loss_scale_factor:g} would do nothing under "
                "hardware.precision=mixed_float16, where Keras finds the factor itself: leave it out"
            )
        return self
