"""Validation of a complete configuration, and construction of its task.

Imports neither TensorFlow nor MLflow.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from omegaconf import DictConfig

from ablate.config.environment import fix_environment
from ablate.config.hydra_job import unresolved_values
from ablate.config.interpolation import resolve
from ablate.config.optimizers import NO_OPTIMIZER, SCHEMAS, OtherOptimizer
from ablate.config.paths import current_project
from ablate.config.precision import with_chosen_precision
from ablate.config.schedules import CONSTANT, SCHEDULES, ScheduleConfig
from ablate.config.schema import Schema, validate
from ablate.config.sections import RunConfig
from ablate.config.training import NO_TRAINING
from ablate.config.user_code import user_place
from ablate.errors import ConfigError
from ablate.system.native_log import native_log
from ablate.task import KerasTask, OwnLoopTask, Task, holding_out, trains_itself

_TARGET = "_target_"
REFERRED_SECTIONS = ("scale",)
"""Sections that only other sections refer to."""
OWN_LOOP_SECTIONS = ("optimizer", "schedule", "training")
"""Sections that are the task's where it trains itself."""


@dataclass(frozen=True)
class ValidConfig:
    """A configuration that has passed validation.

    Attributes:
        values: All values, resolved.
        run: The framework's sections.
        task: The task, its data not loaded.
    """

    values: Mapping[str, Any]
    run: RunConfig
    task: Task


def validate_config(config: DictConfig | Mapping[str, Any]) -> ValidConfig:
    """Validate a composed configuration and construct its task.

    Args:
        config: As Hydra composes it, or its `unresolved_values`.

    Raises:
        ConfigError: A key is unknown or missing, or a value impossible; one line for each.
    """
    unresolved = unresolved_values(config) if isinstance(config, DictConfig) else config
    missing = sorted(key for key in _missing(unresolved) if not key.startswith("task."))
    if missing:
        raise ConfigError(f"{', '.join(missing)} must be given, as in {missing[0]}=VALUE")
    values = with_chosen_precision(resolve(config))
    if values.get("experiment") is not None:
        name = values["experiment"]
        raise ConfigError(f"experiment={name} is many runs: add -m, as in `python -m ablate.run -m experiment={name}`")
    named = _task_class(values.get("task", {}))
    fields = tuple(RunConfig.model_fields)
    sections = {key: values[key] for key in fields if key in values}
    if trains_itself(named):
        sections |= {"optimizer": NO_OPTIMIZER, "schedule": CONSTANT, "training": NO_TRAINING}
    else:
        sections |= _with_own_schemas(sections)
    run = validate(RunConfig, sections)
    task = _build(named, values)
    fraction = run.validation_fraction
    return ValidConfig(values, run, task if fraction is None else holding_out(task, fraction))


def _with_own_schemas(sections: Mapping[str, Any]) -> Iterator[tuple[str, Schema]]:
    """Validate the sections that have a schema for each class or shape that they name."""
    for name, key, schemas, other in (
        ("optimizer", _TARGET, SCHEMAS, OtherOptimizer),
        ("schedule", "shape", SCHEDULES, ScheduleConfig),
    ):
        section = sections.get(name)
        if isinstance(section, Mapping):
            yield name, validate(schemas.get(str(section.get(key)), other), section, prefix=name)


def _missing(values: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _missing(value, f"{prefix}{key}.")
        elif value == "???":
            yield f"{prefix}{key}"


def _task_class(section: Mapping[str, Any]) -> type[Task]:
    target = section.get(_TARGET, "")
    module, _, name = str(target).rpartition(".")
    if not module:
        raise ConfigError(f"task._target_={target} must be MODULE.CLASS, as in task._target_=digits.Digits")
    if module == "__main__":
        raise ConfigError(
            f"task._target_={target} is defined in a notebook or a script that runs, which the processes of runs "
            f"cannot import: write it to a file, as in task._target_=digits.{name}"
        )
    fix_environment()  # a task's module may import Keras
    try:
        with nullcontext() if "tensorflow" in sys.modules else native_log(of="tensorflow"):
            named = getattr(importlib.import_module(module), name)
    except Exception as error:  # whatever the code of a module raises
        not_found = isinstance(error, ModuleNotFoundError) and error.name == module.partition(".")[0]
        where = f". Looked in {', '.join(map(str, _import_folders()))}" if not_found else ""
        place = user_place(error)
        said = f"{place}: {error}" if place else error
        raise ConfigError(f"task._target_={target} cannot be imported: {said}{where}") from error
    # Nothing but a task is called: a configuration may come from somebody else's study or store.
    if not isinstance(named, type):
        raise ConfigError(f"task._target_={target} is no task: it is a {type(named).__name__}")
    protocol: type = OwnLoopTask if trains_itself(named) else KerasTask
    missing = sorted(method for method in _methods(protocol) if not callable(getattr(named, method, None)))
    if missing:
        raise ConfigError(
            f"task._target_={target} is no task: it has no {', '.join(missing)}. Inherit from ablate.ArrayTask, "
            "ablate.DatasetTask or ablate.FunctionTask, or see ablate.task.KerasTask"
        )
    return cast(type[Task], named)


def _import_folders() -> list[Path]:
    """Return where a user's modules are looked for, beside the installed ones."""
    project = current_project()
    own = project.import_folders if project else []
    return list(dict.fromkeys([Path.cwd(), *own]))


def _methods(protocol: type) -> set[str]:
    return {
        name
        for cls in (Task, protocol)
        for name, member in vars(cls).items()
        if callable(member) and not name.startswith("_")
    }


def _build(named: type[Task], values: Mapping[str, Any]) -> Task:
    """Construct the task from its own section, and from all that are not the framework's."""
    framework = {"task", *RunConfig.model_fields, *REFERRED_SECTIONS}
    if trains_itself(named):
        framework.difference_update(OWN_LOOP_SECTIONS)
    own = {key: value for key, value in values.items() if key not in framework}
    section = {key: value for key, value in values["task"].items() if key != _TARGET}
    for key in section:
        if key in own and section[key] != own[key]:
            raise ConfigError(f"task.{key} and the section {key} are both given to the task: rename one of them")
    try:
        return named(**{**own, **section})
    except TypeError as error:
        raise ConfigError(f"task._target_={values['task'][_TARGET]} cannot be constructed: {error}") from error
