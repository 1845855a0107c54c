"""Power and cost of a study with more seeds: `python -m ablate.plan power=true`."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ablate.errors import ConfigError
from ablate.statistics.pilot import Pilot
from ablate.statistics.planned_power import detectable, looked_at
from ablate.statistics.power import POWER
from ablate.statistics.seed_plan import SeedPlan
from ablate.statistics.seeds import predicted_detectable
from ablate.study.definition import LOOKED_AT, StudyFile
from ablate.study.pilot import PilotRuns, read_pilot
from ablate.study.planning import PlannedRun
from ablate.task import Metric

Array = npt.NDArray[np.float64]

SEEDS = tuple(range(3, 13))
_PAYS = 0.95
"""More seeds of the baseline pay where they find this share of the difference that as much time for all finds."""
_FEWEST_FOR_LOOKS = 5
"""Seeds from which looks between the third and the last one are tried."""
_NEARLY = 1.3
"""Times the wanted difference that the formula may say of a plan that is simulated."""
_MOST_BASELINE = 4
"""Times as many seeds of the baseline as of a variant are tried at most."""


@dataclass(frozen=True)
class Costs:
    """What runs take.

    Attributes:
        seconds: Of a run of each variant, the baseline first; NaN where unknown.
        done: By variant, how many seeds have finished already.
    """

    seconds: Array
    done: Sequence[int]

    def counts(self, seeds: int, baseline_seeds: int | None = None) -> Array:
        """Return the runs of each variant: (num_variants + 1,)."""
        return np.array([baseline_seeds or seeds] + [seeds] * (len(self.seconds) - 1))

    def of(self, seeds: int, baseline_seeds: int | None = None) -> dict[str, Any]:
        """Return `runs`, `hours` and `hours_left` of a plan; None where unknown."""
        counts = self.counts(seeds, baseline_seeds)
        left = np.maximum(counts - np.array(self.done), 0)
        return {
            "runs": int(counts.sum()),
            "hours": _known(float(counts @ self.seconds) / 3600),
            "hours_left": _known(float(left @ np.where(left > 0, self.seconds, 0.0)) / 3600),
        }

    @cached_property
    def _weights(self) -> Array:
        return np.ones(len(self.seconds)) if np.isnan(self.seconds).any() else self.seconds

    def order(self, seeds: int, baseline_seeds: int | None = None) -> float:
        """Return what plans are ordered by: seconds, or runs where they are unknown."""
        return self.order_of(self.counts(seeds, baseline_seeds))

    def order_of(self, counts: Array) -> float:
        """Return that of so many runs of each variant: (num_variants + 1,)."""
        return float(counts @ self._weights)


def study_power(
    study: StudyFile,
    planned: Sequence[PlannedRun],
    table: pd.DataFrame,
    *,
    difference: float | None,
    progress: Callable[[Iterable[int]], Iterable[int]],
) -> dict[str, Any]:
    """Return what `python -m ablate.plan power=true` says of a study.

    Args:
        study: The study.
        planned: Its runs.
        table: See `plan_table`.
        difference: See `plan_power`.
        progress: See `plan_power`.

    Raises:
        ConfigError: No runs say how much variants vary.
        TrackingError: The store cannot be read.
    """
    runs, metric = read_pilot(study, planned), _metric(study, planned)
    known_pilot(runs)
    return {
        "study": planned[0].study,
        "question": study.question,
        "metric": metric.name,
        "label": metric.label,
        "unit": metric.unit,
        "pilot": {"runs": runs.count, "variants": sum(map(bool, runs.seeds)), "seeds": max(map(len, runs.seeds))},
        "difference": difference,
        **plan_power(
            runs,
            _costs(runs, table),
            seeds=study.seed_plan.looks[-1],
            baseline_seeds=study.baseline_seeds,
            difference=difference,
            with_looks=study.design in LOOKED_AT,
            margin=study.metric.margin,
            progress=progress,
        ),
    }


def study_baseline(study: StudyFile, planned: Sequence[PlannedRun], table: pd.DataFrame) -> dict[str, Any] | None:
    """Return what `predicted_baseline` says of a study; None where it has such a plan, or too few runs tell."""
    if study.baseline_seeds is not None:
        return None
    runs = read_pilot(study, planned)
    found = predicted_baseline(runs, _costs(runs, table), study.seed_plan.looks[-1]) if runs.pilot else None
    return {**found, "unit": _metric(study, planned).unit} if found else None


def _metric(study: StudyFile, planned: Sequence[PlannedRun]) -> Metric:
    return next(metric for metric in planned[0].config.task.metrics if metric.name == study.metric.name)


def _costs(runs: PilotRuns, table: pd.DataFrame) -> Costs:
    seconds = table.groupby("variant")["seconds"].mean()
    return Costs(seconds.reindex(list(runs.variants)).to_numpy(np.float64), [len(seeds) for seeds in runs.seeds])


def plan_power(
    runs: PilotRuns,
    costs: Costs,
    *,
    seeds: int,
    baseline_seeds: int | None = None,
    difference: float | None = None,
    with_looks: bool = False,
    margin: float | None = None,
    progress: Callable[[Iterable[int]], Iterable[int]] = iter,
) -> dict[str, Any]:
    """Return what a study finds with 3 to 12 seeds.

    Args:
        runs: What there is.
        costs: Of the study's runs.
        seeds: That the study's file asks for.
        baseline_seeds: Likewise, None where it does not.
        difference: The one that every variant's should be found of; None: no plan is looked for.
        with_looks: Whether the design allows for looks.
        margin: Up to which a difference does not matter.
        progress: Shows how far it is.

    Returns:
        `plans`, one a number of seeds: seeds, runs, hours, hours_left, and `detectable` by variant; `baseline`, the
        plan with more seeds for the baseline, the study's own (`planned`) or that which pays best, None where none
        does; `alike`, the variants of which nothing is known; `cheapest`, the cheapest plan that finds `difference`
        in every variant; `looks`, one that looks at its results, where it takes less time than that of as many seeds
        of all: runs and hours on average, runs_at_most, and `found`, the share of such differences.
    """
    pilot = known_pilot(runs)
    plans = [_plan(runs, costs, detectable(pilot, count), count) for count in progress(SEEDS)]
    own = max(seeds, 2)
    more = baseline_seeds or more_baseline_seeds(pilot, costs, own)
    found: dict[str, Any] = {
        "plans": plans,
        "baseline": _plan(runs, costs, detectable(pilot, own, more), own, more) if more else None,
        "planned": baseline_seeds is not None,
        "alike": [name for name, seen in zip(runs.variants, pilot.seen.df, strict=True) if not seen],
    }
    if difference is not None:
        found["cheapest"] = _cheapest(runs, pilot, costs, plans, difference)
        enough = [plan["seeds"] for plan in plans if max(plan["detectable"].values()) <= difference]
        found["looks"] = _looks(pilot, costs, enough[0], difference, margin) if with_looks and enough else None
    return found


def known_pilot(runs: PilotRuns) -> Pilot:
    """Return what the runs say.

    Raises:
        ConfigError: They say nothing.
    """
    if runs.pilot is None:
        raise ConfigError(
            f"power=true needs finished runs of this study's variants, two seeds of one at least; there are "
            f"{runs.count}. A pilot is a copy of the study's file under another name, with two seeds: its runs are "
            "cache hits of the study"
        )
    return runs.pilot


def predicted_baseline(runs: PilotRuns, costs: Costs, seeds: int) -> dict[str, Any] | None:
    """Return by formula what `plan_power` simulates of more seeds for the baseline.

    Returns:
        The plan, and the `plans` with as many seeds, and with one more, of all; None where more do not pay.
    """
    pilot, own = known_pilot(runs), max(seeds, 2)
    more = more_baseline_seeds(pilot, costs, own)
    if more is None:
        return None
    same = [_plan(runs, costs, predicted_detectable(pilot, count), count) for count in (own, own + 1)]
    return {**_plan(runs, costs, predicted_detectable(pilot, own, more), own, more), "plans": same}


def more_baseline_seeds(pilot: Pilot, costs: Costs, seeds: int) -> int | None:
    """Return how many seeds of the baseline pay best, by formula: they find more than as much time for all variants.

    The formula takes what a seed does to all variants alike to be part of the variance where runs are not paired.

    Args:
        pilot: What is known.
        costs: Of the study's runs.
        seeds: Of each variant.

    Returns:
        Their number, for no more time than one more seed of all takes; None where none pays.
    """
    most = _most_within(costs, seeds, costs.order(seeds + 1))
    tried = sorted(
        {seeds + max(1, round(share * (most - seeds))) for share in (0.25, 0.5, 1.0)} if most > seeds else ()
    )
    same = np.log([np.median(predicted_detectable(pilot, count)) for count in (seeds, seeds + 1)])
    ends = [costs.order(seeds), costs.order(seeds + 1)]
    gains = {
        more: np.median(predicted_detectable(pilot, seeds, more))
        / np.exp(np.interp(costs.order(seeds, more), ends, same))
        for more in tried
    }
    best = min(gains, key=lambda more: gains[more], default=None)
    return best if best is not None and gains[best] < _PAYS else None


def _plan(
    runs: PilotRuns, costs: Costs, found: Array, seeds: int, baseline_seeds: int | None = None
) -> dict[str, Any]:
    return {
        "seeds": seeds,
        "baseline_seeds": baseline_seeds,
        **costs.of(seeds, baseline_seeds),
        "detectable": dict(zip(runs.variants[1:], map(float, found), strict=True)),
    }


def _cheapest(
    runs: PilotRuns, pilot: Pilot, costs: Costs, plans: Sequence[Mapping[str, Any]], difference: float
) -> dict[str, Any] | None:
    """Return the cheapest plan whose detectable differences are all at most the one wanted; None where none is.

    Of plans with as many seeds of the baseline as of the others the first that does; with fewer seeds of the others,
    the fewest of the baseline that do.
    """
    enough = [plan for plan in plans if max(plan["detectable"].values()) <= difference]
    best = dict(enough[0]) if enough else None
    for seeds in reversed([count for count in SEEDS if best is None or count < best["seeds"]]):
        limit = costs.order(best["seeds"], best["baseline_seeds"]) if best else np.inf
        low, high = seeds, _most_within(costs, seeds, limit)
        if high == seeds or predicted_detectable(pilot, seeds, high).max() > _NEARLY * difference:
            continue
        found = detectable(pilot, seeds, high)
        if found.max() > difference:
            continue
        while high - low > 1:
            middle = (low + high) // 2
            with_fewer = detectable(pilot, seeds, middle)
            low, high, found = (low, middle, with_fewer) if with_fewer.max() <= difference else (middle, high, found)
        best = _plan(runs, costs, found, seeds, high)
    return best


def _looks(pilot: Pilot, costs: Costs, seeds: int, difference: float, margin: float | None) -> dict[str, Any] | None:
    """Return a plan with looks that finds the difference with 80 %, with as many seeds at most, or one more.

    Args:
        pilot: What is known.
        costs: Of the study's runs.
        seeds: That find it with a single look.
        difference: The true one.
        margin: See `plan_power`.
    """
    if seeds < _FEWEST_FOR_LOOKS:
        return None
    for last in (seeds, seeds + 1):
        plan = SeedPlan((3, round(np.sqrt(3 * last)), last))
        runs, found = looked_at(pilot, difference, plan, margin=margin)
        if found >= POWER and costs.order_of(runs) < costs.order(seeds):
            return {
                "seeds": list(plan.looks),
                "runs": float(runs.sum()),
                "runs_at_most": last * len(runs),
                "hours": _known(float(runs @ costs.seconds) / 3600),
                "found": found,
            }
    return None


def _most_within(costs: Costs, seeds: int, limit: float) -> int:
    """Return the most seeds of the baseline that cost less than a limit; `seeds` where none do."""
    affordable = [more for more in range(seeds, _MOST_BASELINE * seeds + 1) if costs.order(seeds, more) < limit]
    return max(affordable, default=seeds)


def _known(value: float) -> float | None:
    return None if np.isnan(value) else value
