"""What a sweep's arguments mean: the combinations of `key=a,b`, or the runs of a study file."""

from collections.abc import Sequence

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.types import Override

from ablate.errors import ConfigError
from ablate.schema import unknown
from ablate.study.definition import StudyFile, load_study, study_runs
from ablate.study.planned import PlannedRun


def expand_arguments(overrides: list[Override]) -> tuple[StudyFile | None, list[list[str]]]:
    """List the overrides of every run of a sweep.

    Returns:
        The study that `experiment=NAME` names, if it does; and the overrides.

    Raises:
        ConfigError: There is no such study, something in its file is wrong, or an override contradicts it.
    """
    named = [override for override in overrides if override.key_or_group == "experiment"]
    if not named:
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
