"""The parts of linear contrasts' errors: variances over seeds, and who shares which runs. Pure functions."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ablate.statistics import contrast_parts
from ablate.statistics.contrast_parts import Part
from ablate.statistics.moderation import Level, Variances, level_of, run_variances

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.intp]

LEAST = 1e-60
"""In the place of a variance of 0, where the residual says that there is one."""


@dataclass(frozen=True)
class ErrorModel:
    """What the errors of comparisons are made of.

    Attributes:
        seen: (num_rows,), variances over seeds: of variants, or of a difference.
        df: (num_rows,), their degrees of freedom.
        prior_df: (num_rows,), the prior's.
        level: The study's; None where no variance is above 0 or there is no prior.
        loadings: (num_comparisons, num_normals), L.
        row: (num_normals,), the row whose variance each normal has.
        residual: (num_comparisons,), the least variance of `sum_j L[c, j] sigma_j z_j` that the residuals allow.
        examples: (num_comparisons,), the variance that examples add, Q.
        examples_df: Degrees of freedom of Q, G being df / chi2(df); infinite where it is known.
        directions: (num_comparisons, num_rows), W: its rows have length 1.
    """

    seen: Array
    df: Array
    prior_df: Array
    level: Level | None
    loadings: Array
    row: IntArray
    residual: Array
    examples: Array
    examples_df: float
    directions: Array

    def moderated(self) -> tuple[Array, Array]:
        """Return the estimated variance of each comparison and its degrees of freedom, by Satterthwaite's formula."""
        level = self.level.typical if self.level else 0.0
        df = self.df + self.prior_df
        of_row = np.divide(self.prior_df * level + self.df * self.seen, df, out=np.zeros(len(df)), where=df > 0)
        shares = self.loadings**2 * np.maximum(of_row, LEAST)[self.row]
        seen = np.maximum(shares.sum(axis=1), 1e-290)
        varies = (self.loadings**2 @ of_row[self.row]) > 0
        of_runs = np.where(varies, np.maximum(seen, self.residual), self.residual)
        own = shares @ np.equal.outer(self.row, np.arange(len(df)))
        # Where the residual is larger it has the degrees of freedom of what it stands in for.
        own = own * (of_runs / seen)[:, None]
        total = of_runs + self.examples
        squares = (own**2 / np.maximum(df, 1e-9)).sum(axis=1) + self.examples**2 / self.examples_df
        return total, np.divide(total**2, squares, out=np.full(len(total), np.inf), where=squares > 0)


@dataclass(frozen=True)
class Contrasts:
    """Linear contrasts.

    Attributes:
        weights: (num_contrasts, num_variants).
        used: (num_contrasts, num_variants, num_seeds), the runs that each is made of.
        paired: Whether a contrast's variants have the same seeds.
    """

    weights: Array
    used: Mask
    paired: bool

    def parts(self, values: Array, replicates: Array | None, examples: int) -> list[Part]:
        """Return the estimates and what examples do to them; see `contrast_parts`."""
        if replicates is None:
            return [
                contrast_parts.of_examples(values, weights, used, paired=self.paired)
                for weights, used in zip(self.weights, self.used, strict=True)
            ]
        return [
            contrast_parts.of_whole_set(values[:, :, 0], replicates, weights, used, examples, paired=self.paired)
            for weights, used in zip(self.weights, self.used, strict=True)
        ]

    def error_model(
        self, means: Array, same: IntArray, parts: list[Part], prior_df: Array, examples: int
    ) -> ErrorModel:
        """Return what the errors are made of.

        Args:
            means: (num_variants, num_seeds), of the runs.
            same: (num_variants,), see `originals`.
            parts: One a contrast.
            prior_df: (num_variants,).
            examples: How many there are.
        """
        loadings = self.weights[:, :, None] * self.used / np.maximum(self.used.sum(axis=2, keepdims=True), 1)
        # A variant with the values of another is no further one: its errors are the other's.
        rows = np.unique(same)
        loadings = np.einsum("cvs,vr->crs", loadings, np.equal.outer(same, rows).astype(float), optimize=True)
        variances = run_variances(means[rows], paired=self.paired)
        # What is in no contrast and has no degree of freedom tells nothing.
        kept = (variances.df > 0) | loadings.any(axis=(0, 2))
        rows, loadings = rows[kept], loadings[:, kept]
        variances, prior_df = Variances(variances.seen[kept], variances.df[kept]), prior_df[rows]
        if self.paired and len(rows) == 2:
            # Two variants' variances cannot be told apart; that of their difference is seen as it is.
            variances = run_variances(means[rows[1:]] - means[rows[:1]], paired=False)
            loadings, prior_df = loadings[:, 1:], np.zeros(1)
        if not (variances.df > 0).any():
            prior_df = np.zeros(len(prior_df))
        residual = np.array([part.residual for part in parts])
        of_examples = np.array([part.examples for part in parts])
        return error_model_of(variances, prior_df, loadings, residual, of_examples, examples)


def originals(values: Array) -> IntArray:
    """Return for each variant the first one that has its values in all runs that both have: (num_variants,).

    Args:
        values: (num_variants, num_seeds, num_values), NaN for missing runs.
    """
    found = np.arange(len(values))
    there = ~np.isnan(values[:, :, 0])
    for variant, own in enumerate(values):
        both = there[variant] & there[:variant]
        same = both.any(axis=1) & ((values[:variant] == own).all(axis=2) | ~both).all(axis=1)
        found[variant] = found[np.argmax(same)] if same.any() else variant
    return found


def error_model_of(
    variances: Variances,
    prior_df: Array,
    loadings: Array,
    residual: Array,
    of_examples: Array,
    num_examples: int,
) -> ErrorModel:
    """Return the model of errors, its rows in an order that does not depend on the variants' order.

    Args:
        variances: Of the rows, over seeds.
        prior_df: (num_rows,).
        loadings: (num_comparisons, num_rows, num_seeds), what each run adds to each comparison.
        residual: (num_comparisons,), see `ErrorModel`.
        of_examples: (num_comparisons,), the variance that examples add.
        num_examples: How many there are.
    """
    level = level_of(variances) if prior_df.any() else None
    used = np.nonzero(loadings.any(axis=(0, 2)))[0]
    order = used[
        np.lexsort([key[used] for key in (np.abs(loadings).sum(axis=(0, 2)), variances.seen, variances.df, prior_df)])
    ]
    loadings, prior_df = loadings[:, order], prior_df[order]
    seen, df = variances.seen[order], variances.df[order]
    keys = seen @ (loadings**2).sum(axis=2).T
    columns = [_of_normals(loadings[:, place], keys) for place in range(len(order))]
    sums = loadings.sum(axis=2)
    lengths = np.sqrt((sums**2).sum(axis=1, keepdims=True))
    return ErrorModel(
        seen=seen,
        df=df,
        prior_df=prior_df,
        level=level,
        loadings=np.hstack([np.zeros((len(loadings), 0)), *columns]),
        row=np.repeat(np.arange(len(order)), [column.shape[1] for column in columns]),
        residual=residual,
        examples=of_examples,
        examples_df=max(num_examples - 1, 1),
        directions=sums / np.where(lengths > 0, lengths, 1.0),
    )


def _of_normals(loadings: Array, keys: Array) -> Array:
    """Return what comparisons have of normal numbers in the place of a variant's runs: as few as it takes.

    Comparisons over the same seeds have the same number, times a factor. Several sets of seeds have as many numbers,
    and the symmetric square root of how they go together, so that no order matters.

    Args:
        loadings: (num_comparisons, num_seeds), of one variant.
        keys: (num_comparisons,), what to order by.

    Returns:
        (num_comparisons, num_normals).
    """
    lengths = np.sqrt((loadings**2).sum(axis=1))
    directions = np.round(loadings / np.where(lengths > 0, lengths, 1.0)[:, None], 12)
    signs = np.where(directions.sum(axis=1) < 0, -1.0, 1.0)
    patterns: dict[bytes, int] = {}
    # Adding 0 makes -0 to 0.
    of_comparison = {place: (signs[place] * directions[place] + 0.0).tobytes() for place in np.nonzero(lengths)[0]}
    for place in np.argsort(keys, kind="stable"):
        if place in of_comparison:
            patterns.setdefault(of_comparison[place], len(patterns))
    unique = np.array([np.frombuffer(pattern) for pattern in patterns]).reshape(len(patterns), loadings.shape[1])
    values, vectors = np.linalg.eigh(unique @ unique.T)
    root = vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T
    found = np.zeros((len(loadings), len(patterns)))
    for place, pattern in of_comparison.items():
        found[place] = lengths[place] * signs[place] * root[patterns[pattern]]
    return found
