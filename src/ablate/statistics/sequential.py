"""Looking at a study more than once: variants are trained with more seeds only while it is not decided what they do.

At each look the simultaneous intervals of all variants have a level that lets all looks together keep theirs, see
`spending`. A variant is decided where its interval excludes 0 or lies within the margin. It is dropped for futility
where it will hardly ever be decided; what it has stays in the maximum of all later looks. docs/statistics.md has more.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import optimize, special, stats

from ablate.statistics.seed_plan import SeedPlan
from ablate.statistics.simultaneous import LEVEL, many_to_one
from ablate.statistics.spending import spending_levels

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

FUTILE = 0.10
"""Predictive probability of ever being decided below which a variant is dropped."""


class Outcome(StrEnum):
    """What a look says of a variant."""

    DECIDED = "decided"
    DROPPED = "dropped"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Look:
    """What a look at a study finds.

    Attributes:
        place: From 0.
        level: Of its simultaneous intervals.
        asked: (num_variants + 1, num_seeds), the runs that it rests on.
        table: Of each variant, what `many_to_one` finds at this look, or found at that at which it was decided or
            dropped. Further columns: `look`, the place of that look, and `outcome`.
    """

    place: int
    level: float
    asked: Mask
    table: pd.DataFrame


def looks(
    values: npt.ArrayLike,
    seeds: SeedPlan,
    level: float = LEVEL,
    *,
    margin: float | None = None,
    replicates: npt.ArrayLike | None = None,
    examples: int = 0,
    points: int | None = None,
) -> Iterator[Look]:
    """Look at a study as often as it says, and as long as something is undecided.

    Args:
        values: (num_variants + 1, num_seeds, num_examples), see `many_to_one`; seeds in the order in which they are
            trained. What a look does not ask for is not looked at. A look at which runs are missing says what is
            known; whoever wants the next look has to train them.
        seeds: The plan.
        level: Of all looks together.
        margin: Within which a variant is equivalent.
        replicates: See `many_to_one`.
        examples: See `many_to_one`.
        points: See `many_to_one`.
    """
    table = np.asarray(values, dtype=np.float64)
    drawn = None if replicates is None else np.asarray(replicates, dtype=np.float64)
    alphas = spending_levels([count / seeds.looks[-1] for count in seeds.looks], 1 - level)
    variants = len(table) - 1
    last, before = [len(seeds.looks) - 1] * variants, pd.DataFrame()
    for place, alpha in enumerate(alphas):
        asked = seeds.asked(place, last)[:, : table.shape[1]]
        seen = np.where(asked[:, :, None], table[:, : asked.shape[1]], np.nan)
        found = many_to_one(
            seen,
            1 - alpha,
            paired=seeds.paired,
            replicates=None if drawn is None else np.where(asked[:, :, None], drawn[:, : asked.shape[1]], np.nan),
            examples=examples,
            points=points,
        )
        outcomes = _outcomes(found, seeds, place, alphas[-1], margin)
        found = found.assign(look=place, outcome=outcomes)
        closed = [stopped < place for stopped in last]
        if any(closed):
            found = pd.concat([before[closed], found[[not one for one in closed]]]).sort_index()
        yield Look(place, 1 - alpha, asked, found)
        last = [
            int(row["look"]) if row["outcome"] != Outcome.UNDECIDED else len(seeds.looks) - 1
            for row in found.to_dict("records")
        ]
        if all(outcome != Outcome.UNDECIDED for outcome in found["outcome"]):
            return
        before = found


def _outcomes(found: pd.DataFrame, seeds: SeedPlan, place: int, alpha: float, margin: float | None) -> list[Outcome]:
    """Return what a look says of each variant; none is dropped at the last one."""
    decided = (found["low"] > 0) | (found["high"] < 0)
    if margin is not None:
        decided |= (found["low"] >= -margin) & (found["high"] <= margin)
    futile = np.zeros(len(found), dtype=bool)
    if place < len(seeds.looks) - 1:
        # What cannot be compared has no chance at all.
        futile = ~(decision_chances(found, seeds, place, alpha, margin) >= FUTILE)
    return [
        Outcome.DECIDED if one else Outcome.DROPPED if other else Outcome.UNDECIDED
        for one, other in zip(decided, futile, strict=True)
    ]


def decision_chances(found: pd.DataFrame, seeds: SeedPlan, place: int, alpha: float, margin: float | None) -> Array:
    """Return the predictive probability that each variant is decided at the last look: (num_variants,).

    Given what a look saw, with a share t of the seeds, the last estimate has Student's t distribution around today's,
    with the scale sqrt(1 - t) of the part of the standard error that seeds have. It is decided where it is as far from
    0 as the standard error of then times the critical value of many normal errors, or that far within the margin. NaN
    for a variant that cannot be compared, as where all of its runs failed or one is not finite.

    Args:
        found: What `many_to_one` found.
        seeds: The plan.
        place: Of the look.
        alpha: Nominal level of the last look.
        margin: See `looks`.
    """
    share = seeds.looks[place] / seeds.looks[-1]
    of_examples = found["standard_error_of_examples"].to_numpy(np.float64)
    of_seeds = np.sqrt(np.maximum(found["standard_error"].to_numpy(np.float64) ** 2 - of_examples**2, 0))
    last = np.sqrt(share * of_seeds**2 + of_examples**2)
    of_baseline = seeds.looks[-1] if seeds.paired else seeds.most
    limit = critical_value(len(found), alpha, seeds.looks[-1] / (seeds.looks[-1] + of_baseline)) * last
    difference, df = (found[name].to_numpy(np.float64) for name in ("difference", "df"))
    spread = np.sqrt(1 - share) * of_seeds

    def below(value: Array) -> Array:
        with np.errstate(divide="ignore", invalid="ignore"):
            distance = np.where(spread > 0, (value - difference) / spread, np.sign(value - difference) * np.inf)
        return np.asarray(stats.t.cdf(distance, np.maximum(df, 1)), np.float64)

    chance = 1 - below(limit) + below(-limit)
    if margin is not None:
        within = np.maximum(margin - limit, 0)
        chance = chance + np.where(limit < margin, below(within) - below(-within), 0.0)
    return chance


def critical_value(count: int, alpha: float, correlation: float) -> float:
    """Return what the largest of several standard normal errors stays within, with one correlation of all pairs.

    Args:
        count: How many.
        alpha: Probability that it does not.
        correlation: At least 0.
    """
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    weights = weights / weights.sum()
    shared, own = np.sqrt(correlation) * nodes, np.sqrt(1 - correlation)

    def beyond(value: float) -> float:
        within = special.ndtr((value - shared) / own) - special.ndtr((-value - shared) / own)
        return float(1 - weights @ within**count) - alpha

    return float(optimize.brentq(beyond, 0.0, 40.0))
