"""A pilot's runs as a model of the errors of a larger study of the same variants. Pure functions on arrays."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from ablate.statistics.contrast_parts import of_examples, of_whole_set
from ablate.statistics.error_model import ErrorModel, error_model_of
from ablate.statistics.moderation import BASELINE_PRIOR_DF, PRIOR_DF, Level, Variances, level_of, run_variances

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Pilot:
    """What is known of the variances of runs.

    Attributes:
        seen: Each variant's variance over seeds, the baseline first, but for what a seed does to all variants alike.
        level: What they say of their level, see `moderation`; None where none is above 0.
        common: Variance of what a seed does to all variants alike.
        common_df: Degrees of freedom of it.
        residual: (num_variants,), the variance that single seeds on single examples give to the difference of two
            runs, MS_E / n_p.
        of_examples: (num_variants,), the variance that examples give to a difference however many seeds there are.
        num_examples: How many there are, 1 where that is not known.
    """

    seen: Variances
    level: Level | None
    common: float
    common_df: int
    residual: Array
    of_examples: Array
    num_examples: int

    @property
    def prior_df(self) -> Array:
        """Degrees of freedom of each variance's prior: (num_variants + 1,)."""
        return np.array([BASELINE_PRIOR_DF] + [PRIOR_DF] * (len(self.seen.seen) - 1))

    @property
    def moderated(self) -> Array:
        """The variances, drawn towards their level: (num_variants + 1,)."""
        if len(self.seen.seen) == 2:
            return self.seen.seen
        level = self.level.typical if self.level else 0.0
        return np.asarray(
            (self.prior_df * level + self.seen.df * self.seen.seen) / (self.prior_df + self.seen.df), np.float64
        )

    def model(self, seeds: int, baseline_seeds: int | None = None) -> ErrorModel:
        """Return what the errors of a study will be made of, if it sees the variances as they are known.

        Args:
            seeds: Of each variant.
            baseline_seeds: Of the baseline, where runs are not paired; None: the same seeds, paired.
        """
        variants, paired = len(self.seen.seen) - 1, baseline_seeds is None
        counts = np.array([baseline_seeds or seeds] + [seeds] * variants, dtype=np.float64)
        # A variance of one difference stands on all of its seeds.
        share = variants / (variants + 1) if paired else 1.0
        variances, prior_df = self.moderated + (0.0 if paired else self.common), self.prior_df
        weights = np.column_stack([-np.ones(variants), np.eye(variants)]) / np.sqrt(counts)
        if paired and variants == 1:
            # As in a study: the variance of the difference is seen as it is.
            variances, prior_df, weights = variances.sum(keepdims=True), np.zeros(1), weights[:, 1:]
            counts, share = counts[:1], 1.0
        residual = self.residual / seeds if paired else self.residual * (1 / seeds + 1 / counts[0]) / 2
        return error_model_of(
            Variances(variances, (counts - 1) * share),
            prior_df,
            weights[:, :, None],
            residual,
            self.of_examples,
            self.num_examples,
        )


def pilot_of(values: npt.ArrayLike, replicates: npt.ArrayLike | None = None, examples: int = 0) -> Pilot | None:
    """Return what the runs of a pilot say.

    Args:
        values: (num_variants + 1, num_seeds, num_examples), the baseline first, NaN where there is no run; see
            `many_to_one`.
        replicates: (num_variants + 1, num_seeds, num_replicates), of a metric of the whole set.
        examples: How many were resampled, 0 where that is not known.

    Returns:
        None where no variant has two seeds, or all runs of each have the same value.
    """
    table = np.asarray(values, dtype=np.float64)
    table = np.where(np.isfinite(table).all(axis=2, keepdims=True), table, np.nan)
    means = table.mean(axis=2)
    seen = run_variances(means)
    if len(table) == 2 and (seen.df > 0).all():
        # Two variants' variances cannot be told apart: half of that of the difference each.
        own = run_variances(means[1:] - means[:1], paired=False)
        seen = Variances(np.repeat(own.seen / 2, 2), np.repeat(own.df, 2))
    if not (seen.df > 0).any():
        # Without a seed that two variants share, each is seen alone.
        seen = run_variances(means, paired=False)
    if not ((seen.df > 0) & (seen.seen > 0)).any():
        return None
    there = ~np.isnan(means)
    drawn = None if replicates is None else np.asarray(replicates, dtype=np.float64)
    if drawn is not None:
        drawn = drawn[:, :, np.isfinite(drawn[there]).all(axis=0)]
        drawn = drawn if drawn.shape[2] > 1 else None
    residual, of_each = _of_examples(table, there, drawn, examples)
    count = table.shape[2] if drawn is None else min(examples or drawn.shape[2], drawn.shape[2])
    common_df = max(int(there.any(axis=0).sum()) - 1, 1)
    return Pilot(seen, level_of(seen), _common(means), common_df, residual, of_each, count)


def _of_examples(table: Array, there: Mask, replicates: Array | None, examples: int) -> tuple[Array, Array]:
    """Return `Pilot.residual` and `Pilot.of_examples`: the median where a variant shares fewer than two seeds."""
    residual, of_each = np.full(len(table) - 1, np.nan), np.full(len(table) - 1, np.nan)
    for variant in range(1, len(table)):
        shared = there[variant] & there[0]
        if shared.sum() < 2 or (table.shape[2] == 1 and replicates is None):
            continue
        weights, used = np.array([-1.0, 1.0]), np.stack([shared, shared])
        own = table[[0, variant]]
        part = (
            of_examples(own, weights, used, paired=True)
            if replicates is None
            else of_whole_set(own[:, :, 0], replicates[[0, variant]], weights, used, examples, paired=True)
        )
        residual[variant - 1], of_each[variant - 1] = part.residual * shared.sum(), part.examples
    if np.isnan(residual).all():
        return np.zeros(len(residual)), np.zeros(len(residual))
    known = ~np.isnan(residual)
    return (
        np.where(known, residual, np.median(residual[known])),
        np.where(known, of_each, np.median(of_each[known])),
    )


def _common(means: Array) -> float:
    """Return the mean covariance of two variants over the seeds that both have, at least 0."""
    total = weight = 0.0
    for one, other in combinations(means, 2):
        both = ~np.isnan(one) & ~np.isnan(other)
        if both.sum() > 1:
            total += float(((one[both] - one[both].mean()) * (other[both] - other[both].mean())).sum())
            weight += float(both.sum() - 1)
    return max(total / weight, 0.0) if weight else 0.0
