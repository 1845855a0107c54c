"""The search of a study's `tune`: its runs, and the values that their results choose."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from hydra.core.config_loader import ConfigLoader
from omegaconf import DictConfig

from ablate.config.hydra_job import job_environment
from ablate.config.paths import results_dir
from ablate.config.short_names import shorten
from ablate.errors import AblateError
from ablate.execution.status import RunState, Status
from ablate.study.definition import StudyFile, override_value
from ablate.study.planning import PlannedRun, plan_runs, read_statuses
from ablate.study.sweep import validate_study
from ablate.study.tuning import Choice, Tuned, Tuning, Values, best, with_values
from ablate.tracking.names import DIVERGED, EVALUATED, EVALUATION_GROUP, metric_name

_OWN = ("seed", "study.name", "study.variant")

AFTER_SEARCH = RunState(Status.TODO, reason="after the search")
"""The status of a study's own runs before their values are chosen."""


@dataclass(frozen=True)
class Search:
    """The search of a study.

    Attributes:
        study: The study, with the section `tune`.
        candidates: By variant, what it tries.
        runs: Seed by seed, variant by variant, candidate by candidate.
    """

    study: StudyFile
    candidates: dict[str, list[Values]]
    runs: list[PlannedRun]

    @property
    def tuning(self) -> Tuning:
        """The study's section `tune`."""
        assert self.study.tune is not None
        return self.study.tune

    @property
    def question(self) -> str:
        """What its runs answer."""
        keys = " and ".join(key.lstrip("+") for key in self.tuning.grid)
        return f"Which {keys} does each variant of {self.study.name} run with?"


def plan_search(
    loader: ConfigLoader, config: DictConfig, study: StudyFile, planned: Sequence[PlannedRun]
) -> Search | None:
    """Compose, validate and identify the runs of a study's search; None where it has none.

    They are runs of another study, which is called as this one with `.tune` behind.

    Args:
        loader: The loader of the configuration.
        config: As of `sweep.expand_sweep`.
        study: The study.
        planned: Its own runs.

    Raises:
        ConfigError: A run's configuration is wrong.
    """
    if study.tune is None:
        return None
    own = {run.label: run for run in reversed(planned)}
    variants = [(study.variant_of(levels), levels) for levels in study.expansion().variants]
    candidates = {variant.name: study.tune.candidates(levels) for variant, levels in variants}
    replaced = (*_OWN, *study.tune.grid)
    lines = []
    for seed in study.tune.seeds:
        for variant, _ in variants:
            kept = [line for line in own[variant.name].overrides if line.partition("=")[0] not in replaced]
            lines += [
                [
                    *kept,
                    *(f"{key}={override_value(value)}" for key, value in values.items()),
                    f"validation_fraction={study.tune.fraction}",
                    f"seed={seed}",
                    f"study.name={override_value(f'{study.name}.tune')}",
                    f"study.variant={override_value(with_values(variant, values).name)}",
                ]
                for values in candidates[variant.name]
            ]
    return Search(study, candidates, _planned(loader, config, lines))


def unfinished(search: Search, found: Sequence[RunState]) -> bool:
    """Tell whether a run of a search has still to come to its end: to a result, or to a loss that is not finite."""
    return any(not one.finished and not _diverged(one) for one in found)


def _diverged(one: RunState) -> bool:
    return one.status == Status.FAILED and one.reason.partition(":")[0] == DIVERGED


def chosen(search: Search) -> Tuned | None:
    """Return what the results of a search choose for each variant: the best mean over seeds, of equal ones the first.

    Returns:
        What it has found; None where it is not finished.

    Raises:
        AblateError: All candidates of a variant diverged.
    """
    found = read_statuses(search.runs)
    if unfinished(search, found):
        return None
    scores, examples = _measured(search, found)
    choices = list[Choice]()
    for levels in search.study.expansion().variants:
        name = search.study.variant_of(levels).name
        candidates = search.candidates[name]
        own, scores = scores[: len(candidates)], scores[len(candidates) :]
        place = best(own, maximize=search.study.metric.direction == "maximize")
        if place is None:
            raise AblateError(f"{search.study.name}: of {shorten(name)} all values diverged: `tune` needs others")
        choices.append(Choice(name, candidates[place], search.tuning.grid_of(levels), own))
    return Tuned(choices, examples)


def _measured(search: Search, found: Sequence[RunState]) -> tuple[list[float], int]:
    """Return the metric of each candidate, and the number of examples that it is a mean over."""
    from ablate.tracking.run_records import values_of

    metric = metric_name(EVALUATION_GROUP, search.study.metric.name)
    table = values_of([one.run_id for one in found if one.finished and one.run_id], [metric, *EVALUATED])
    measured = table[metric].to_dict()
    values = [measured[one.run_id] if one.finished else np.nan for one in found]
    # NaN with one seed is NaN: a value that diverges now and then is none to choose.
    scores = np.reshape(values, (len(search.tuning.seeds), -1)).mean(axis=0).tolist()
    counts = table[EVALUATED].to_numpy(np.float64)
    return scores, int(np.nan_to_num(counts).max(initial=0))


def plan_chosen(
    loader: ConfigLoader, config: DictConfig, search: Search, choices: Sequence[Choice], planned: Sequence[PlannedRun]
) -> list[PlannedRun]:
    """Plan a study's own runs anew, each with the values that were chosen for its variant.

    Args:
        loader: The loader of the configuration.
        config: As of `sweep.expand_sweep`.
        search: The study's search.
        choices: What it has chosen.
        planned: The runs, with other values of the same keys.
    """
    lines = {
        choice.variant: {key: f"{key}={override_value(value)}" for key, value in choice.values.items()}
        for choice in choices
    }
    overrides = [[lines[run.label].get(line.partition("=")[0], line) for line in run.overrides] for run in planned]
    runs = _planned(loader, config, overrides)
    validate_study(search.study, runs)
    return runs


def _planned(loader: ConfigLoader, config: DictConfig, overrides: Sequence[Sequence[str]]) -> list[PlannedRun]:
    with job_environment(config):
        return plan_runs(lambda lines: loader.load_sweep_config(config, lines), overrides, results_dir())
