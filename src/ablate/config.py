"""The configuration as a whole: where its files are, what it must look like, and the task that it names.

Imports neither TensorFlow nor MLflow.
"""

from __future__ import annotations

import importlib
import math
import os
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, cast

from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from pydantic import Field, PositiveFloat, PositiveInt, SerializeAsAny, field_validator, model_validator

from ablate.errors import ConfigError
from ablate.optimizers import SCHEMAS, OptimizerConfig, OtherOptimizer
from ablate.schema import Schema, unknown, validate
from ablate.task import Task

_PACKAGE = Path(__file__).resolve().parent
_CHECKOUT = _PACKAGE.parents[1]

NOT_TASK = ("_target_",)
UNUSED_BY_RUNS = ("scale",)
"""Sections that only other sections refer to."""


def conf_dir() -> Path:
    """Return the folder of the configuration: the checkout's `conf`, or the one inside the installed package."""
    checkout = _CHECKOUT / "conf"
    return checkout if (checkout / "config.yaml").is_file() else _PACKAGE / "conf"


def experiment_folders() -> list[Path]:
    """Return where study files are: `experiments` in the current folder, and that of the checkout or package."""
    shipped = _CHECKOUT if (_CHECKOUT / "conf" / "config.yaml").is_file() else _PACKAGE
    return [folder for folder in (Path.cwd() / "experiments", shipped / "experiments") if folder.is_dir()]


def project_dir() -> Path:
    """Return where results are kept: the checkout, or the current folder where `ablate` is an installed package."""
    return _CHECKOUT if (_CHECKOUT / "conf" / "config.yaml").is_file() else Path.cwd()


class StudyConfig(Schema):
    """The study that a run belongs to."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$")]
    variant: Annotated[str, Field(min_length=1, max_length=500)] | None = None


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

    def steps_of_an_epoch(self, examples: int) -> int:
        """Return the configured number of steps, or as many as one pass over the examples has."""
        return self.steps_per_epoch or max(1, math.ceil(examples / self.batch_size))

    def examples_in_all(self, examples: int) -> int:
        """Return how many examples all epochs train on, if one pass has so many."""
        return self.steps_of_an_epoch(examples) * self.epochs * self.batch_size


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


class TrackingConfig(Schema):
    """Where runs are recorded."""

    name: str
    uri: str | None
    model: bool
    system_metrics: bool


class CheckpointConfig(Schema):
    """What is kept of runs that have not finished."""

    dir: Path | None
    minutes: PositiveFloat
    takeover_minutes: Annotated[float, Field(ge=1)]


class RunConfig(Schema):
    """The sections that the framework itself reads."""

    seed: Annotated[int, Field(ge=0, lt=2**31)]
    experiment: None = None
    study: StudyConfig
    optimizer: SerializeAsAny[OptimizerConfig]
    training: TrainingConfig
    hardware: HardwareConfig
    tracking: TrackingConfig
    checkpoint: CheckpointConfig
    rerun: Literal["never", "failed", "all"]

    @model_validator(mode="after")
    def _fit_each_other(self) -> RunConfig:
        devices, batch = self.hardware.replicas, self.training.batch_size
        if batch % devices:
            raise ValueError(
                f"training.batch_size={batch} is split over hardware.devices={self.hardware.devices}: "
                f"it must be a multiple of {devices}"
            )
        if self.hardware.compile == "xla" and devices > 1:
            raise ValueError(
                f"hardware.compile=xla is for one device, not for hardware.devices={self.hardware.devices}: "
                "take graph or auto"
            )
        if self.hardware.compile == "xla" and self.training.deterministic:
            raise ValueError(
                "hardware.compile=xla needs training.deterministic=false: not everything that XLA compiles gives the "
                "same bits every time"
            )
        return self


@dataclass(frozen=True)
class Checked:
    """A configuration that has passed validation.

    Attributes:
        values: All of it as plain values, resolved.
        run: The framework's sections.
        task: The task, constructed, its data not yet loaded.
    """

    values: Mapping[str, Any]
    run: RunConfig
    task: Task


def plain(config: DictConfig) -> dict[str, Any]:
    """Return a composed configuration without Hydra's own section as plain values, interpolations as they stand."""
    own = OmegaConf.masked_copy(config, [str(key) for key in config if key != "hydra"])
    return cast(dict[str, Any], OmegaConf.to_container(own, resolve=False))


def check(config: DictConfig | Mapping[str, Any]) -> Checked:
    """Validate a composed configuration and construct its task.

    Args:
        config: As Hydra composes it, or `plain`.

    Raises:
        ConfigError: Something is unknown, missing or impossible; one line for each.
    """
    try:
        # Hydra's own section, present when a sweep is being planned, is not complete before a job starts.
        unresolved = plain(config) if isinstance(config, DictConfig) else config
        missing = sorted(key for key in _missing(unresolved) if not key.startswith("task."))
        if missing:
            raise ConfigError(f"{', '.join(missing)} must be given, as in {missing[0]}=VALUE")
        own = OmegaConf.create(dict(unresolved))
        values = cast(dict[str, Any], OmegaConf.to_container(own, resolve=True, throw_on_missing=True))
    except OmegaConfBaseException as error:
        raise ConfigError(str(error).splitlines()[0]) from None
    if values.get("experiment") is not None:
        name = values["experiment"]
        raise ConfigError(f"experiment={name} is many runs: add -m, as in `python -m ablate.run -m experiment={name}`")
    task = values.get("task", {})
    fields = tuple(RunConfig.model_fields)
    allowed = {*fields, *task, "task", *UNUSED_BY_RUNS}.difference(NOT_TASK)
    for key in values:
        if key not in allowed:
            raise ConfigError(unknown(key, allowed))
    sections = {key: values[key] for key in fields if key in values}
    if isinstance(sections.get("optimizer"), Mapping):
        target = sections["optimizer"].get("_target_")
        schema = SCHEMAS.get(target, OtherOptimizer) if isinstance(target, str) else OptimizerConfig
        sections["optimizer"] = validate(schema, sections["optimizer"], prefix="optimizer")
    run = validate(RunConfig, sections)
    return Checked(values, run, _task(task))


def _missing(values: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _missing(value, f"{prefix}{key}.")
        elif value == "???":
            yield f"{prefix}{key}"


def _task(section: Mapping[str, Any]) -> Task:
    target = section.get("_target_", "")
    module, _, name = str(target).rpartition(".")
    try:
        constructor = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(f"task._target_={target} cannot be imported: {error}") from error
    try:
        return cast(Task, constructor(**{key: value for key, value in section.items() if key not in NOT_TASK}))
    except TypeError as error:
        raise ConfigError(f"task._target_={target} is no task, see ablate.task.Task: {error}") from error


def chosen_levels() -> dict[str, str]:
    """Return the level chosen in each config group, inside a Hydra job."""
    return _levels(HydraConfig.get().runtime.choices)


def levels_alone(kept: Collection[str] | None = None) -> tuple[dict[str, str], dict[str, Any]]:
    """Return what a Hydra job would have had without its overrides of keys.

    Args:
        kept: Groups whose level is the job's own, the others have their defaults; None keeps them all. One of them may
            choose other defaults, as `scale=paper` does.

    Returns:
        The level of each config group; and the configuration, resolved as far as nothing is missing.
    """
    given, groups = HydraConfig.get().overrides, chosen_levels()
    overrides = [
        str(override.input_line)
        for override in OverridesParser.create().parse_overrides([*given.task, *given.hydra])
        if override.key_or_group == "hydra.searchpath"
        or (override.key_or_group in groups and (kept is None or override.key_or_group in kept))
    ]
    config = (
        GlobalHydra.instance()
        .config_loader()
        .load_configuration(HydraConfig.get().job.config_name, overrides=overrides, run_mode=RunMode.RUN)
    )
    levels = _levels(config.hydra.runtime.choices)
    own = OmegaConf.masked_copy(config, [str(key) for key in config if key not in ("hydra", "task")])
    return levels, cast(dict[str, Any], OmegaConf.to_container(own, resolve=True))


def _levels(choices: Mapping[str, Any]) -> dict[str, str]:
    return {
        group: level for group, level in choices.items() if isinstance(level, str) and not group.startswith("hydra/")
    }


def set_before_tensorflow() -> None:
    """Set the environment that TensorFlow reads once, when it is imported; what the user has set stays."""
    # Below warnings: one line a start says that oneDNN is on, others that there is no GPU.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


_ONEDNN = "TF_ENABLE_ONEDNN_OPTS"
_onednn_of_the_shell = os.environ.get(_ONEDNN)


def set_onednn(onednn: bool) -> str:
    """Say whether TensorFlow, once it is imported, uses oneDNN; what the user's shell says stays.

    It is off by default on CPUs without AVX512, where it makes a training step up to twice as fast.

    Returns:
        What holds: 0 or 1.
    """
    os.environ[_ONEDNN] = _onednn_of_the_shell or str(int(onednn))
    return os.environ[_ONEDNN]
