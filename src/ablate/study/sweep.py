"""What a sweep's arguments mean: the combinations of `key=a,b`, or the runs of a study file."""

from collections.abc import Sequence
from typing import cast

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf

from ablate.config import loader_of_job, project_dir
from ablate.errors import ConfigError
from ablate.resolution import as_in_job
from ablate.schema import unknown
from ablate.study.definition import StudyFile, load_study, study_runs
from ablate.study.planned import PlannedRun, plan_runs


def expand_arguments(overrides: list[Override]) -> tuple[StudyFile | None, list[list[str]]]:
    """List the overrides of every run of a sweep.

    Returns:
        The study that `experiment=NAME` names, if it does; and the overrides.

    Raises:
        ConfigError: There is no such study, something in its file is wrong, or an override contradicts it.
    """
    named = [override for override in overrides if override.key_or_group == "experiment"]
    if not named:
        for override in overrides:
            if override.is_sweep_override() and not any(True for _ in override.sweep_string_iterator()):
                raise ConfigError(f"{override.input_line} stands for no value at all")
        (runs,) = BasicSweeper.split_arguments(overrides, None)
        return None, runs
    name = str(named[-1].value())
    others = [override for override in overrides if override.key_or_group != "experiment"]
    study = load_study(name)
    for override in others:
        _check_shared(override, study)
        if override.key_or_group == "study.name":
            study = study.model_copy(update={"name": override.get_value_element_as_str()})
    shared = [override.input_line for override in others if override.key_or_group != "study.name"]
    return study, [list(run.overrides) for run in study_runs(study, [line for line in shared if line])]


def expand_sweep(config: DictConfig) -> tuple[StudyFile | None, list[list[str]]]:
    """List the overrides of every run of a sweep, see `expand_arguments`.

    Args:
        config: What its runs have in common and were asked for with, as Hydra composes it before it sweeps.
    """
    params = config.hydra.sweeper.get("params") or {}
    lines = [f"{key}={value}" for key, value in params.items()]
    lines += cast(list[str], OmegaConf.to_container(config.hydra.overrides.task, resolve=False))
    with as_in_job(config):
        return expand_arguments(OverridesParser.create(config_loader=loader_of_job()).parse_overrides(lines))


def plan_sweep(loader: ConfigLoader, config: DictConfig) -> tuple[StudyFile | None, list[PlannedRun]]:
    """Compose, check and identify the runs of a sweep: `expand_sweep`, `plan_runs`.

    Args:
        loader: What has composed the configuration.
        config: As of `expand_sweep`.

    Raises:
        ConfigError: A run's configuration is wrong, or its study's file.
        DataError: The data set of one is not there.
    """
    study, runs = expand_sweep(config)
    with as_in_job(config):
        planned = plan_runs(lambda lines: loader.load_sweep_config(config, lines), runs, project_dir())
    if study is not None:
        check_study(study, planned)
    return study, planned


def check_study(study: StudyFile, planned: Sequence[PlannedRun]) -> None:
    """Check what only the composed runs of a study tell.

    Raises:
        ConfigError: The task has no such metric, or two variants are the same.
    """
    names = [metric.name for metric in planned[0].checked.task.metrics]
    if study.metric.name not in names:
        raise ConfigError(
            f"{study.name}: metric.name is none that the task measures: {unknown(study.metric.name, names)}"
        )
    seen: dict[str, PlannedRun] = {}
    for run in planned:
        same = seen.setdefault(run.identity, run)
        if same is not run:
            raise ConfigError(f"{study.name}: {same.name} and {run.name} are the same: their levels set the same")


def _check_shared(override: Override, study: StudyFile) -> None:
    key = override.key_or_group
    if override.is_sweep_override():
        raise ConfigError(
            f"{override.input_line}: experiment={study.name} says what varies; other overrides hold for all"
        )
    if key in study.factors:
        raise ConfigError(f"{override.input_line}: {key} is a factor of experiment={study.name}")
    if key == "seed":
        raise ConfigError(
            f"{override.input_line}: experiment={study.name} has seeds of its own; change them in its file"
        )
