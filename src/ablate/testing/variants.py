"""The variants that a trial takes: every level of every factor once. Imports no TensorFlow."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from ablate.cli.command_line import CommandLine
from ablate.config.hydra_job import chosen_levels, job_environment
from ablate.config.interpolation import resolve
from ablate.config.result_keys import is_varied_group
from ablate.config.schedules import CONSTANT
from ablate.config.validation import ValidConfig, validate_config
from ablate.config.variant import BASELINE
from ablate.errors import ConfigError
from ablate.study.compose import SET_AFTERWARDS, compose_runs
from ablate.study.planning import distinguishing_overrides
from ablate.study.sweep import expand_sweep

_BASE = "base"
"""The configuration that all tasks share: its groups are the framework's."""


@dataclass(frozen=True)
class TrialVariant:
    """A variant to be tried.

    Attributes:
        name: What it is called.
        compose: Composes its configuration.
    """

    name: str
    compose: Callable[[], Mapping[str, Any]]

    def config(self) -> ValidConfig:
        """Return its configuration, made short by the task's `trial_settings`.

        Raises:
            AblateError: It is wrong.
        """
        config = validate_config(self.compose())
        short = getattr(config.task, "trial_settings", None)
        if not short:
            return config
        values = OmegaConf.create(dict(config.values))
        for key, value in short.items():
            OmegaConf.update(values, key, value)
        return validate_config(resolve(values))


def trial_variants(command: CommandLine) -> list[TrialVariant]:
    """Return a few variants, such that every level of every factor is in one of them, the baseline first.

    Those of a study (`experiment=NAME`) or a sweep (`key=a,b`); else every level of the config groups that the
    project's own configuration uses.
    """
    config = command.compose_sweep()
    if command.multirun or _is_sweep(command.overrides):
        _, runs = expand_sweep(config)
    else:
        runs = [command.overrides, *([*command.overrides, line] for line in _other_levels(command, config))]
    runs = [runs[place] for place in covering(runs)]

    def composed(overrides: Sequence[str]) -> Callable[[], Mapping[str, Any]]:
        @cache
        def compose() -> Mapping[str, Any]:
            with job_environment(config):
                return compose_runs(lambda lines: command.loader.load_sweep_config(config, lines), [overrides])[0]

        return compose

    names = distinguishing_overrides([_without_names(run) for run in runs])
    return [TrialVariant(name or BASELINE, composed(run)) for run, name in zip(runs, names, strict=True)]


def covering(runs: Sequence[Sequence[str]]) -> list[int]:
    """Return the places of a few runs that hold every override that any holds; seeds and names do not count."""
    seen, places = set[str](), list[int]()
    for place, run in enumerate(runs):
        new = set(_without_names(run)) - seen
        if new or not places:
            places.append(place)
            seen |= new
    return places


def _without_names(overrides: Sequence[str]) -> list[str]:
    return [line for line in overrides if line.partition("=")[0].lstrip("+") not in SET_AFTERWARDS]


def _is_sweep(overrides: Sequence[str]) -> bool:
    parsed = OverridesParser.create().parse_overrides(list(overrides))
    return any(each.is_sweep_override() or each.key_or_group == "experiment" for each in parsed)


def _other_levels(command: CommandLine, config: DictConfig) -> list[str]:
    """Return an override for every level that is not chosen, of the groups that are not the framework's."""
    with job_environment(config):
        chosen = chosen_levels()
    with job_environment(command.loader.load_configuration(_BASE, [], run_mode=RunMode.RUN)):
        framework = chosen_levels().keys()
    given = {line.partition("=")[0] for line in command.overrides}
    return [
        f"{group}={level}"
        for group, used in sorted(chosen.items())
        if is_varied_group(group) and group not in framework and group not in given
        for level in sorted(command.loader.get_group_options(group.partition("@")[0]))
        if level != used
    ]


def short_run(config: ValidConfig, *, steps: int, examples: int) -> ValidConfig:
    """Return a configuration that trains for a few steps, in a study of its own.

    Args:
        config: A whole one.
        steps: Its steps.
        examples: How many an epoch of the whole one has.

    Raises:
        ConfigError: Its schedule does not suit the steps of the whole training.
    """
    whole, schedule = config.run.training, config.run.schedule
    schedule.check(whole.steps_in_epoch(examples) * whole.epochs)
    try:
        schedule.check(steps)
    except ConfigError:
        schedule = CONSTANT
    training = config.run.training.model_copy(update={"epochs": 1, "steps_per_epoch": steps})
    study = config.run.study.model_copy(update={"name": "check"})
    tracking = config.run.tracking.model_copy(update={"model": False, "system_metrics": False})
    run = config.run.model_copy(
        update={"training": training, "schedule": schedule, "study": study, "tracking": tracking, "rerun": "never"}
    )
    return replace(config, run=run)
