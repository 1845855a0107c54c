"""The number of seeds that makes a difference detectable, by formula. Pure functions on arrays."""

import numpy as np
import numpy.typing as npt

from ablate.statistics.joint import FEWEST_POINTS, JointErrors
from ablate.statistics.pilot import Pilot, pilot_of

Array = npt.NDArray[np.float64]

LEVEL = 0.95
MOST_SEEDS = 30
_STEPS = 5


def seeds_needed(
    values: npt.ArrayLike,
    detectable: npt.ArrayLike,
    difference: npt.ArrayLike,
    level: float = LEVEL,
    *,
    replicates: npt.ArrayLike | None = None,
    examples: int = 0,
    most: int = MOST_SEEDS,
) -> Array:
    """Return how many seeds in all each variant of a finished study needs to make a difference detectable.

    The variances are taken to be as they are known now: the true number may well be a third less or half more. Seeds
    do not help against what examples do.

    Args:
        values: The study's, (num_variants + 1, num_seeds, num_examples), see `many_to_one`.
        detectable: (num_variants,), what the study calls detectable, see `many_to_one`. What is predicted for more
            seeds is in proportion to it.
        difference: The one wanted, or one for each variant: (num_variants,).
        level: Of the intervals.
        replicates: See `many_to_one`.
        examples: See `many_to_one`.
        most: Seeds; more are not tried.

    Returns:
        (num_variants,): infinite where not even `most` seeds suffice, NaN where nothing is known of the variant.
    """
    table, now = np.asarray(values, dtype=np.float64), np.asarray(detectable, dtype=np.float64)
    wanted = np.broadcast_to(np.abs(np.asarray(difference, dtype=np.float64)), now.shape)
    pilot = pilot_of(table, replicates, examples)
    if pilot is None:
        return np.full(len(now), np.nan)
    there = ~np.isnan(table[:, :, 0])
    shared = np.maximum((there[1:] & there[0]).sum(axis=1), 2)
    nodes = np.unique(np.geomspace(2, max(most, 3), _STEPS + 2).round())
    curves = np.log([predicted_detectable(pilot, int(seeds), level=level) for seeds in nodes]).T
    counts = np.arange(2, max(most, 3) + 1)
    needed = np.full(len(now), np.nan)
    for place, curve in enumerate(curves):
        predicted = np.exp(np.interp(np.log(counts), np.log(nodes), curve))
        predicted = predicted / predicted[min(shared[place], len(counts) + 1) - 2] * now[place]
        enough = (predicted <= wanted[place]) & (counts <= most)
        if not np.isnan([now[place], wanted[place]]).any():
            needed[place] = counts[np.argmax(enough)] if enough.any() else np.inf
    return needed


def predicted_detectable(
    pilot: Pilot, seeds: int, baseline_seeds: int | None = None, *, level: float = LEVEL, points: int = FEWEST_POINTS
) -> Array:
    """Return what a study will call detectable if it sees the variances as they are known: (num_variants,).

    Args:
        pilot: What is known.
        seeds: Of each variant, two or more.
        baseline_seeds: Of the baseline, where runs are not paired; None: the same seeds, paired.
        level: Of the intervals.
        points: How many quasi-random points, a power of 2.
    """
    errors = JointErrors(pilot.model(seeds, baseline_seeds), points)
    alone = errors.half_widths(level)
    return errors.detectable(alone * errors.survival(alone).quantile(level))
