"""Simulated studies: how often intervals, tests and minimum detectable effects keep what they promise.

A study is simulated as its scores: for every variant, seed and example the sum of what the example, the seed, the
variant on that example, the variant with that seed, and chance make of it, all of them normal. The truth is known, so
that the share of intervals that cover it can be counted.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ablate.statistics.corrections import holm
from ablate.statistics.intervals import ALPHA, Estimate, crossed_mean
from ablate.statistics.power import minimum_detectable_effect

EXAMPLES, VARIANTS = 100, 8


@dataclass(frozen=True)
class Components:
    """Standard deviations of a variant's score by what makes it; those of a difference are sqrt(2) times as large."""

    name: str
    of_seeds: float
    of_examples: float
    of_both: float


COMPONENTS = (
    Components("seeds make no difference", 0.0, 1.5, 1.0),
    Components("seeds and examples alike", 0.15, 1.5, 1.0),
    Components("seeds alone make one", 0.5, 0.5, 1.0),
)


@dataclass(frozen=True)
class Validity:
    """What was counted.

    Attributes:
        coverage: Share of 95 % intervals, of all variants, that cover the true difference.
        false_alarms: Share of studies without any difference in which some variant has one.
        power: Share of studies in which a variant is found to differ that differs as much as another study of the same
            kind says that it could have found.
    """

    coverage: float
    false_alarms: float
    power: float


def draw_scores(
    components: Components, truth: npt.ArrayLike, *, seeds: int, random: np.random.Generator, examples: int = EXAMPLES
) -> npt.NDArray[np.float64]:
    """Draw a study's scores.

    Args:
        components: How much each part varies.
        truth: (num_variants,): each variant's true mean; the first is the baseline's.
        seeds: How many.
        random: Where they are drawn from.
        examples: How many.

    Returns:
        (num_variants, num_seeds, num_examples).
    """
    means = np.asarray(truth, dtype=np.float64)[:, None, None]
    count = len(means)
    # What all variants share, such as how hard an example is, is larger than any difference, and cancels.
    of_examples, initial = random.normal(0, 10, (1, 1, examples)), random.normal(0, 1, (1, seeds, 1))
    return (
        means
        + of_examples
        + initial
        + random.normal(0, components.of_seeds, (count, seeds, 1))
        + random.normal(0, components.of_examples, (count, 1, examples))
        + random.normal(0, components.of_both, (count, seeds, examples))
    )


def simulate(components: Components, *, seeds: int, studies: int, seed: int) -> Validity:
    """Simulate studies of `VARIANTS` variants and a baseline.

    Args:
        components: How much each part of a score varies.
        seeds: Of each study.
        studies: How many.
        seed: Of the random numbers.
    """
    random = np.random.default_rng(seed)
    covered, alarms, found = 0, 0, 0
    for _ in range(studies):
        null = estimates(draw_scores(components, np.zeros(VARIANTS + 1), seeds=seeds, random=random))
        # An interval covers 0 exactly where p is at least alpha; p takes a fifth of the time.
        covered += sum(estimate.p_value >= ALPHA for estimate in null)
        alarms += bool((holm([estimate.p_value for estimate in null]) < ALPHA).any())
        assert null[0].error is not None
        truth = np.zeros(VARIANTS + 1)
        truth[1] = minimum_detectable_effect(null[0].error, alpha=ALPHA / VARIANTS)
        other = estimates(draw_scores(components, truth, seeds=seeds, random=random))
        found += bool(holm([estimate.p_value for estimate in other])[0] < ALPHA)
    return Validity(covered / studies / VARIANTS, alarms / studies, found / studies)


def estimates(drawn: npt.NDArray[np.float64]) -> list[Estimate]:
    """Estimate each variant's difference from the baseline, the first one of the scores."""
    return [crossed_mean(own - drawn[0]) for own in drawn[1:]]
