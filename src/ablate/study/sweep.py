"""Expansion of a sweep's arguments: the combinations of `key=a,b`, or the runs of a study file."""

from collections.abc import Sequence
from typing import cast

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf

from ablate.cli.arguments import quote_names
from ablate.config.hydra_job import job_config_loader, job_environment
from ablate.config.paths import results_dir
from ablate.config.schema import unknown_key
from ablate.config.short_names import shorten
from ablate.errors import ConfigError
from ablate.study.compose_variants import Load
from ablate.study.definition import StudyFile, load_study, study_files, study_runs
from ablate.study.planning import PlannedRun, plan_runs


def expand_overrides(overrides: list[Override], load: Load) -> tuple[StudyFile | None, list[list[str]]]:
    """List the overrides of every run of a sweep.

    Args:
        overrides: The arguments, see also `arguments.quote_names`.
        load: Hydra's composition of one list of overrides.

    Returns:
        The study of `experiment=NAME`, if given, under the name of its file, see `validate_study`; and the overrides.

    Raises:
        ConfigError: There is no such study, something in its file is wrong, or an override contradicts it.
    """
    others = [override for override in overrides if override.key_or_group != "experiment"]
    name = _experiment([override for override in overrides if override.key_or_group == "experiment"], others, load)
    if name is None:
        for override in others:
            if override.is_sweep_override() and not any(True for _ in override.sweep_string_iterator()):
                raise ConfigError(f"{override.input_line} stands for no value at all")
        (combinations,) = BasicSweeper.split_arguments(others, None)
        return None, combinations
    study = load_study(name)
    for override in others:
        _check_shared(override, study)
    names = [override.input_line for override in others if override.key_or_group == "study.name"]
    shared = [override.input_line for override in others if override.key_or_group != "study.name"]
    runs = study_runs(study, [line for line in shared if line], name=names[-1] if names else None)
    return study, [list(run.overrides) for run in runs]


def expand_sweep(config: DictConfig) -> tuple[StudyFile | None, list[list[str]]]:
    """List the overrides of every run of a sweep, see `expand_overrides`.

    Args:
        config: The sweep's configuration, as Hydra composes it before it sweeps.
    """
    params = config.hydra.sweeper.get("params") or {}
    lines = [f"{key}={value}" for key, value in params.items()]
    lines += cast(list[str], OmegaConf.to_container(config.hydra.overrides.task, resolve=False))
    with job_environment(config):
        loader = job_config_loader()
        overrides = OverridesParser.create(config_loader=loader).parse_overrides(quote_names(lines))
        return expand_overrides(overrides, lambda lines: loader.load_sweep_config(config, lines))


def plan_sweep(loader: ConfigLoader, config: DictConfig) -> tuple[StudyFile | None, list[PlannedRun]]:
    """Compose, validate and identify the runs of a sweep: `expand_sweep`, `plan_runs`.

    Args:
        loader: The loader of the configuration.
        config: As of `expand_sweep`.

    Raises:
        ConfigError: A run's configuration is wrong, or its study's file.
        DataError: The data set of one is not there.
    """
    study, runs = expand_sweep(config)
    with job_environment(config):
        planned = plan_runs(lambda lines: loader.load_sweep_config(config, lines), runs, results_dir())
    return validate_study(study, planned) if study is not None else None, planned


def _experiment(given: Sequence[Override], others: Sequence[Override], load: Load) -> str | None:
    """Return the name of the study to run, as Hydra resolves it."""
    if not given or given[-1].is_delete():
        return None
    line = str(given[-1].input_line)
    if given[-1].is_sweep_override():
        raise ConfigError(f"{line}: one study at a time")
    value = given[-1].value()
    if value is None:
        # null means none, unless there is a study of that name.
        return "null" if "null" in study_files() else None
    name = str(getattr(value, "text", value))
    if "${" in name:
        fixed = [str(override.input_line) for override in others if not override.is_sweep_override()]
        name = str(OmegaConf.select(load([*fixed, line]), "experiment"))
    return name


def validate_study(study: StudyFile, planned: Sequence[PlannedRun]) -> StudyFile:
    """Check what only the composed runs of a study show.

    Returns:
        The study, under the name that its runs have.

    Raises:
        ConfigError: The task has no such metric, two variants are the same, or the runs are of several studies.
    """
    names = sorted({run.study for run in planned})
    if len(names) > 1:
        raise ConfigError(f"study.name must be the same for all runs of a study. Received: {', '.join(names)}")
    metrics = [metric.name for metric in planned[0].config.task.metrics]
    if study.metric.name not in metrics:
        raise ConfigError(
            f"{study.name}: metric.name is no metric of the task: {unknown_key(study.metric.name, metrics)}"
        )
    seen: dict[str, PlannedRun] = {}
    for run in planned:
        same = seen.setdefault(run.identity, run)
        if same is not run:
            one, other = shorten(same.name), shorten(run.name)
            raise ConfigError(f"{study.name}: {one} and {other} are the same: their levels set the same values")
    return study.model_copy(update={"name": names[0]})


def _check_shared(override: Override, study: StudyFile) -> None:
    key = override.key_or_group
    if override.is_sweep_override():
        raise ConfigError(
            f"{override.input_line}: experiment={study.name} says what varies; other overrides hold for all"
        )
    if key in study.factors:
        raise ConfigError(f"{override.input_line}: {key} is a factor of experiment={study.name}")
    if study.tune is not None and study.tune.sets(key):
        raise ConfigError(f"{override.input_line}: experiment={study.name} sets {key} by its search, see its `tune`")
    if key in ("study", "study.variant"):
        raise ConfigError(
            f"{override.input_line}: experiment={study.name} names its variants; study.name=NAME names the study"
        )
    if key == "seed":
        raise ConfigError(
            f"{override.input_line}: experiment={study.name} has seeds of its own; change them in its file"
        )
