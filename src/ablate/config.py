"""The configuration as a whole: where its files are, what it must look like, and the task that it names.

Imports neither TensorFlow nor MLflow.
"""

from __future__ import annotations

import importlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, cast

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.config_search_path_impl import ConfigSearchPathImpl
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.core.plugins import Plugins
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from pydantic import BeforeValidator, Field, PositiveFloat, SerializeAsAny, model_validator

from ablate.errors import ConfigError
from ablate.names import STORED
from ablate.optimizers import ONE_DEVICE_ALONE, SCHEMAS, OptimizerConfig, OtherOptimizer
from ablate.paths import absolute, start_folder
from ablate.resolution import plain, resolved
from ablate.schema import Schema, unknown, validate
from ablate.task import Task
from ablate.training.config import HardwareConfig, TrainingConfig
from ablate.training.environment import fix_environment

_PACKAGE = Path(__file__).resolve().parent
_CHECKOUT = _PACKAGE.parents[1]

NOT_TASK = ("_target_",)
_METHODS = {name for name, member in vars(Task).items() if callable(member) and not name.startswith("_")} - {
    "layer_table",
    "prepare",
}
"""What a task must have for a run; the other two are for commands of their own."""
UNUSED_BY_RUNS = ("scale",)
"""Sections that only other sections refer to."""


def conf_dir() -> Path:
    """Return the folder of the configuration: the checkout's `conf`, or the one inside the installed package."""
    checkout = _CHECKOUT / "conf"
    return checkout if (checkout / "config.yaml").is_file() else _PACKAGE / "conf"


def experiment_folders() -> list[Path]:
    """Return where study files are: `experiments` where the command was given, and that of the checkout or package."""
    shipped = _CHECKOUT if (_CHECKOUT / "conf" / "config.yaml").is_file() else _PACKAGE
    return [folder for folder in (start_folder() / "experiments", shipped / "experiments") if folder.is_dir()]


def project_dir() -> Path:
    """Return where results are kept: the checkout, or where the command was given if `ablate` is installed."""
    return _CHECKOUT if (_CHECKOUT / "conf" / "config.yaml").is_file() else start_folder()


def _name(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise ValueError("a name is text: in a file it needs quotes where it looks like something else")
    return value


StudyName = Annotated[str, BeforeValidator(_name), Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$")]
"""Name of a study: that of an experiment in MLflow, and of folders."""


class StudyConfig(Schema):
    """The study that a run belongs to."""

    name: StudyName
    variant: Annotated[str, Field(min_length=1, max_length=STORED)] | None = None


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


def check(config: DictConfig | Mapping[str, Any]) -> Checked:
    """Validate a composed configuration and construct its task.

    Args:
        config: As Hydra composes it, or `plain`.

    Raises:
        ConfigError: Something is unknown, missing or impossible; one line for each.
    """
    unresolved = plain(config) if isinstance(config, DictConfig) else config
    missing = sorted(key for key in _missing(unresolved) if not key.startswith("task."))
    if missing:
        raise ConfigError(f"{', '.join(missing)} must be given, as in {missing[0]}=VALUE")
    values = resolved(config)
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
    fix_environment()  # a task's module may import Keras
    try:
        named = getattr(importlib.import_module(module), name)
    except Exception as error:  # whatever the code of a module raises
        raise ConfigError(f"task._target_={target} cannot be imported: {error}") from error
    # Nothing else is called: a configuration may come from somebody else's study or store.
    missing = sorted(method for method in _METHODS if not callable(getattr(named, method, None)))
    if not isinstance(named, type) or missing:
        lacks = f": it has no {', '.join(missing)}" if isinstance(named, type) else f": it is a {type(named).__name__}"
        raise ConfigError(f"task._target_={target} is no task, see ablate.task.Task{lacks}")
    try:
        return cast(Task, named(**{key: value for key, value in section.items() if key not in NOT_TASK}))
    except TypeError as error:
        raise ConfigError(f"task._target_={target} cannot be constructed: {error}") from error


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
    groups = chosen_levels()
    overrides = [
        str(override.input_line)
        for override in OverridesParser.create().parse_overrides(task_overrides())
        if chooses_level(override, groups) and (kept is None or override.key_or_group in kept)
    ]
    # The folders are all among the job's sources already.
    config = loader_of_job().load_configuration(
        HydraConfig.get().job.config_name, overrides=[*overrides, "hydra.searchpath=[]"], run_mode=RunMode.RUN
    )
    levels = _levels(config.hydra.runtime.choices)
    own = OmegaConf.masked_copy(config, [str(key) for key in config if key not in ("hydra", "task")])
    return levels, cast(dict[str, Any], OmegaConf.to_container(own, resolve=True))


def task_overrides() -> list[str]:
    """Return the overrides of the current Hydra job as they were given, with their interpolations."""
    return cast(list[str], OmegaConf.to_container(HydraConfig.get().overrides.task, resolve=False))


def loader_of_job() -> ConfigLoaderImpl:
    """Return what composes from where the current Hydra job was composed, in whichever process and folder it runs."""
    Plugins.instance()  # they store configurations of their own
    search_path = ConfigSearchPathImpl()
    for source in HydraConfig.get().runtime.config_sources:
        path = str(absolute(source.path)) if source.schema == "file" else source.path
        search_path.append(source.provider, f"{source.schema}://{path}")
    return ConfigLoaderImpl(search_path)


def chooses_level(override: Override, groups: Iterable[str]) -> bool:
    """Say whether an override chooses a level of a config group, as `optimizer=adam`, or else sets values.

    Args:
        override: Any; `optimizer={learning_rate: 0.1}` sets values, as Hydra has it.
        groups: The config groups of which a level is chosen, with their packages, as in `dropout@second`.
    """
    key = override.key_or_group
    named = any(group.partition("@")[0] == key for group in groups)
    return named and not override.is_delete() and not isinstance(override.value(), dict)


def _levels(choices: Mapping[str, Any]) -> dict[str, str]:
    return {
        group: level for group, level in choices.items() if isinstance(level, str) and not group.startswith("hydra/")
    }
