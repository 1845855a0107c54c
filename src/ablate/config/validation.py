"""Validation of a complete configuration, and construction of its task.

Imports neither TensorFlow nor MLflow.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from omegaconf import DictConfig

from ablate.config.environment import fix_environment
from ablate.config.hydra_job import unresolved_values
from ablate.config.interpolation import resolve
from ablate.config.optimizers import SCHEMAS, OptimizerConfig, OtherOptimizer
from ablate.config.schema import unknown_key, validate
from ablate.config.sections import RunConfig
from ablate.errors import ConfigError
from ablate.task import Task

_TARGET = "_target_"
_METHODS = {name for name, member in vars(Task).items() if callable(member) and not name.startswith("_")} - {
    "layer_table",
    "prepare",
}
"""The methods of a task that a run needs; the other two are for commands of their own."""
REFERRED_SECTIONS = ("scale",)
"""Sections that only other sections refer to."""


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
    values = resolve(config)
    if values.get("experiment") is not None:
        name = values["experiment"]
        raise ConfigError(f"experiment={name} is many runs: add -m, as in `python -m ablate.run -m experiment={name}`")
    task = values.get("task", {})
    fields = tuple(RunConfig.model_fields)
    allowed = {*fields, *task, "task", *REFERRED_SECTIONS}.difference({_TARGET})
    for key in values:
        if key not in allowed:
            raise ConfigError(unknown_key(key, allowed))
    sections = {key: values[key] for key in fields if key in values}
    if isinstance(sections.get("optimizer"), Mapping):
        target = sections["optimizer"].get(_TARGET)
        schema = SCHEMAS.get(target, OtherOptimizer) if isinstance(target, str) else OptimizerConfig
        sections["optimizer"] = validate(schema, sections["optimizer"], prefix="optimizer")
    run = validate(RunConfig, sections)
    return ValidConfig(values, run, _task(task))


def _missing(values: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _missing(value, f"{prefix}{key}.")
        elif value == "???":
            yield f"{prefix}{key}"


def _task(section: Mapping[str, Any]) -> Task:
    target = section.get(_TARGET, "")
    module, _, name = str(target).rpartition(".")
    fix_environment()  # a task's module may import Keras
    try:
        named = getattr(importlib.import_module(module), name)
    except Exception as error:  # whatever the code of a module raises
        raise ConfigError(f"task._target_={target} cannot be imported: {error}") from error
    # Nothing but a task is called: a configuration may come from somebody else's study or store.
    missing = sorted(method for method in _METHODS if not callable(getattr(named, method, None)))
    if not isinstance(named, type) or missing:
        lacks = f": it has no {', '.join(missing)}" if isinstance(named, type) else f": it is a {type(named).__name__}"
        raise ConfigError(f"task._target_={target} is no task, see ablate.task.Task{lacks}")
    try:
        return cast(Task, named(**{key: value for key, value in section.items() if key != _TARGET}))
    except TypeError as error:
        raise ConfigError(f"task._target_={target} cannot be constructed: {error}") from error
