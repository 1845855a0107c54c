"""The power of a planned study: the study is simulated from what a pilot says, and analysed by `many_to_one`.

What a pilot says of the variances is uncertain: each simulated study draws its own from their distribution, see
`moderation`. Power is thus averaged over what is not known.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from ablate.statistics.moderation import level_of
from ablate.statistics.pilot import Pilot
from ablate.statistics.power import POWER
from ablate.statistics.quasi_random import chi2_quantiles, normal_deviates
from ablate.statistics.seed_plan import SeedPlan
from ablate.statistics.sequential import looks
from ablate.statistics.simultaneous import LEVEL, many_to_one

Array = npt.NDArray[np.float64]

STUDIES, FEW_VARIANTS = 64, 6
"""Simulated studies, twice as many of few variants: a detectable difference is known to 3 % of itself."""
POINTS = 2**10
"""Quasi-random points of the analysis of each."""
EXAMPLES = 40
"""Most examples of a simulated study; their variance is that of as many as there are."""

SEED = 18
PRIOR_DF, BASELINE_PRIOR_DF = 12.0, 6.0
"""Of variances here. With those of the analysis, which has to hold in bad cases, more is found than is promised."""


@dataclass(frozen=True)
class Truth:
    """What the runs of a study are made of, as variances of a run's mean.

    Attributes:
        of_seeds: (num_variants + 1,), of seeds, but for single examples.
        common: Of what a seed does to all variants alike.
        of_both: (num_variants + 1,), of seeds on single examples.
        of_examples: (num_variants + 1,), of examples, whatever the seed.
        num_examples: How many there are, 1 for none.
    """

    of_seeds: Array
    common: float
    of_both: Array
    of_examples: Array
    num_examples: int

    def error_variance(self, seeds: int, baseline_seeds: int | None = None) -> Array:
        """Return the variance of each difference from the baseline: (num_variants,)."""
        counts = np.array([baseline_seeds or seeds] + [seeds] * (len(self.of_seeds) - 1))
        own = (self.of_seeds + self.of_both) / counts + self.of_examples
        return np.asarray(own[1:] + own[0] + self.common * (1 / seeds - 1 / counts[0]), np.float64)

    def draw(self, seeds: int, baseline_seeds: int | None, random: np.random.Generator) -> Array:
        """Draw the values of a study whose true differences are 0: (num_variants + 1, num_seeds, num_examples)."""
        shape = (len(self.of_seeds), baseline_seeds or seeds, min(self.num_examples, EXAMPLES))
        values = random.normal(size=(*shape[:2], 1)) * np.sqrt(self.of_seeds)[:, None, None]
        values = values + random.normal(size=(1, shape[1], 1)) * np.sqrt(self.common)
        if shape[2] > 1:
            values = values + random.normal(size=shape) * np.sqrt(self.of_both * shape[2])[:, None, None]
            of_each = random.normal(size=(shape[0], 1, shape[2]))
            values = values + of_each * np.sqrt(self.of_examples * shape[2])[:, None, None]
        values[1:, seeds:] = np.nan
        return np.asarray(values, np.float64)


def likely_truths(pilot: Pilot, studies: int | None = None) -> Iterator[Truth]:
    """Draw what a pilot's variances may truly be.

    Args:
        pilot: What is known.
        studies: How many, a power of 2; None: see `STUDIES`.
    """
    rows = len(pilot.seen.seen)
    studies = studies or (STUDIES if rows - 1 > FEW_VARIANTS else 2 * STUDIES)
    deviates = normal_deviates(studies, rows + 3)
    if rows == 2:
        # The two are half of one difference's variance.
        df = np.repeat(pilot.seen.df[:1], 2)
        scale = np.broadcast_to(df * pilot.seen.seen, (studies, 2))
        of_rows = np.repeat(deviates[:, 3:4], 2, axis=1)
    else:
        prior_df = np.array([BASELINE_PRIOR_DF] + [PRIOR_DF] * (rows - 1))
        known = level_of(pilot.seen, PRIOR_DF)
        df = prior_df + pilot.seen.df
        level = known.quantiles(special.ndtr(deviates[:, 0])) if known else np.zeros(studies)
        scale = prior_df * level[:, None] + pilot.seen.df * pilot.seen.seen
        of_rows = deviates[:, 3:]
    drawn = np.column_stack([scale[:, row] / chi2_quantiles(of_rows[:, row], df[row]) for row in range(rows)])
    common = pilot.common * pilot.common_df / chi2_quantiles(deviates[:, 1], pilot.common_df)
    examples_df = max(pilot.num_examples - 1, 1)
    ratio = examples_df / chi2_quantiles(deviates[:, 2], examples_df)
    of_both, of_examples = _of_each_variant(pilot.residual), _of_each_variant(pilot.of_examples)
    for variances, alike, factor in zip(drawn, common, ratio, strict=True):
        seeds_alone = np.maximum(variances - of_both, 0.0)
        yield Truth(seeds_alone, float(alike), of_both, factor * of_examples, pilot.num_examples)


def _of_each_variant(of_differences: Array) -> Array:
    """Divide the variances of differences between the variants and the baseline, whose share is the same in all."""
    baseline = of_differences.min() / 2
    return np.concatenate([[baseline], of_differences - baseline])


def power_of(
    truths: Iterable[Truth],
    differences: Array,
    seeds: int,
    baseline_seeds: int | None = None,
    *,
    level: float = LEVEL,
    seed: int = SEED,
) -> Array:
    """Return with which probability a study finds true differences: (num_variants,).

    Args:
        truths: What its runs may be made of.
        differences: (num_variants,).
        seeds: Of each variant.
        baseline_seeds: Of the baseline, where runs are not paired; None: the same seeds, paired.
        level: Of the intervals.
        seed: Of the random numbers.
    """
    widths, deviations = _simulated(truths, seeds, baseline_seeds, level, seed)
    return np.asarray(special.ndtr((differences - widths) / deviations).mean(axis=0), np.float64)


def detectable(
    pilot: Pilot,
    seeds: int,
    baseline_seeds: int | None = None,
    *,
    level: float = LEVEL,
    power: float = POWER,
    studies: int | None = None,
) -> Array:
    """Return the true differences that a study finds with a probability: (num_variants,).

    Args:
        pilot: What is known.
        seeds: Of each variant, two or more.
        baseline_seeds: Of the baseline, where runs are not paired; None: the same seeds, paired.
        level: Of the intervals.
        power: The probability.
        studies: How many are simulated, see `likely_truths`.
    """
    widths, deviations = _simulated(likely_truths(pilot, studies), seeds, baseline_seeds, level, SEED)
    low, high = np.zeros(widths.shape[1]), (widths + 10 * deviations).max(axis=0)
    for _ in range(50):
        middle = (low + high) / 2
        enough = special.ndtr((middle - widths) / deviations).mean(axis=0) >= power
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return np.asarray(high, np.float64)


def looked_at(
    pilot: Pilot,
    difference: float,
    seeds: SeedPlan,
    *,
    level: float = LEVEL,
    margin: float | None = None,
    studies: int = STUDIES,
) -> tuple[Array, float]:
    """Return what a study takes and finds that looks at its results more than once, see `sequential.looks`.

    Half of the variants, others in each study, differ by a true difference, and half do not differ.

    Args:
        pilot: What is known.
        difference: The true one.
        seeds: The plan, paired.
        level: Of all looks together.
        margin: Within which a variant is equivalent; None without one.
        studies: How many are simulated, a power of 2.

    Returns:
        The mean number of runs of each variant, (num_variants + 1,), and the share of the differences that is found.
    """
    variants = len(pilot.seen.seen) - 1
    runs, found = list[Array](), list[Array]()
    for study, truth in enumerate(likely_truths(pilot, studies)):
        values = truth.draw(seeds.most, None, np.random.default_rng([SEED, study]))
        differs = np.arange(variants) % 2 == study % 2
        values[1:] += np.where(differs, difference, 0.0)[:, None, None]
        *_, last = looks(values, seeds, level, margin=margin, points=POINTS)
        runs.append(last.asked.sum(axis=1).astype(np.float64))
        found.append((last.table["low"].to_numpy(np.float64) > 0)[differs])
    return np.mean(runs, axis=0), float(np.concatenate(found).mean())


def _simulated(
    truths: Iterable[Truth], seeds: int, baseline_seeds: int | None, level: float, seed: int
) -> tuple[Array, Array]:
    """Return half widths of intervals, and the errors' true standard deviations: (num_studies, num_variants) each.

    An estimate and the variances that its interval is made of are independent: of the former no draw is needed.
    """
    widths, deviations = list[Array](), list[Array]()
    for study, truth in enumerate(truths):
        values = truth.draw(seeds, baseline_seeds, np.random.default_rng([seed, study]))
        found = many_to_one(values, level, paired=baseline_seeds is None, points=POINTS)
        widths.append((found["high"] - found["difference"]).to_numpy(np.float64))
        deviations.append(np.sqrt(truth.error_variance(seeds, baseline_seeds)))
    return np.array(widths), np.maximum(np.array(deviations), 1e-290)
