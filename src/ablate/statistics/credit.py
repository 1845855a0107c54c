"""Credit: what each factor adds on the way from the baseline to the full method. Pure functions on arrays and frames.

A full factorial of k factors of two levels has a variant for each set of factors that are changed. With y(A) the mean
of the variant in which the factors A are changed, and N all factors, the credit of factor j is

- its Shapley value (Shapley 1953, doi:10.1515/9781400881970-018), the mean of y(A + j) - y(A) over all orders in which
  factors can be changed one after the other, A being those before j: the values of all factors sum to y(N) - y({});
- added alone: y({j}) - y({});
- left out: y(N) - y(N - j).
"""

from math import comb

import numpy as np
import numpy.typing as npt
import pandas as pd

from ablate.statistics.simultaneous import linear_contrasts

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

SHAPLEY, ADDED, LEFT_OUT, TOTAL = "shapley", "added_alone", "left_out", "total"
COLUMNS = ("factor", "kind", "estimate", "low", "high", "p")
ALL_FACTORS = "all factors"
"""What stands in the place of a factor's name at the total."""


def shapley_weights(changed: npt.ArrayLike) -> Array:
    """Return the Shapley values of factors as weighted sums of the variants' means.

    A variant with n of k factors changed has the weight 1 / (k C(k - 1, n - 1)) for a factor that is, and
    -1 / (k C(k - 1, n)) for one that is not.

    Args:
        changed: (num_variants, num_factors), which factors each variant changes: all 2^num_factors sets, in any order.

    Returns:
        (num_factors, num_variants); the sum over factors is `total_weights`.

    Raises:
        ValueError: Some set is missing, or is there twice.
    """
    sets = _checked(changed)
    factors, counts = sets.shape[1], sets.sum(axis=1)
    # Of the variant that changes nothing, or all, only one of the two is used.
    own = [1 / (factors * comb(factors - 1, count - 1)) if count else 0.0 for count in counts]
    others = [1 / (factors * comb(factors - 1, count)) if count < factors else 0.0 for count in counts]
    return np.where(sets, np.array(own)[:, None], -np.array(others)[:, None]).T


def added_alone_weights(changed: npt.ArrayLike) -> Array:
    """Return the weights of each factor alone, less the baseline; see `shapley_weights`."""
    sets = _checked(changed)
    counts = sets.sum(axis=1)
    return np.asarray((sets & (counts == 1)[:, None]).T * 1.0 - (counts == 0), np.float64)


def left_out_weights(changed: npt.ArrayLike) -> Array:
    """Return the weights of the full method, less it without each factor; see `shapley_weights`."""
    sets = _checked(changed)
    counts, factors = sets.sum(axis=1), sets.shape[1]
    return np.asarray((counts == factors) - (~sets & (counts == factors - 1)[:, None]).T * 1.0, np.float64)


def total_weights(changed: npt.ArrayLike) -> Array:
    """Return the weights of the full method less the baseline: (num_variants,); see `shapley_weights`."""
    sets = _checked(changed)
    return np.asarray(sets.all(axis=1) * 1.0 - ~sets.any(axis=1), np.float64)


def estimate_credit(
    values: npt.ArrayLike, changed: pd.DataFrame, replicates: npt.ArrayLike | None = None, examples: int = 0
) -> pd.DataFrame:
    """Estimate the credit of factors with simultaneous intervals, see `linear_contrasts`.

    There are three families, each of whose intervals hold at once: the Shapley values with the total that they sum to,
    the factors added alone, and those left out. The first is over the seeds that all variants have, so that the sum is
    exact; the others over those that the two variants of a difference have.

    Args:
        values: (num_variants, num_seeds, num_examples), NaN where there is no run.
        changed: Index variant, in the order of values; one column a factor: whether the variant changes it.
        replicates: (num_variants, num_seeds, num_replicates), of a metric of the whole set.
        examples: How many were resampled, 0 where that is not known.

    Returns:
        Columns factor, kind (`shapley`, `added_alone`, `left_out` or `total`), estimate, low, high and p, adjusted for
        the number in the family. Without what variants share no seed for.
    """
    table, sets = np.asarray(values, dtype=np.float64), changed.to_numpy(bool)
    drawn = None if replicates is None else np.asarray(replicates, dtype=np.float64)
    names = [*map(str, changed.columns)]

    def family(weights: Array, factors: list[str], kinds: list[str], seeds: Mask) -> pd.DataFrame:
        if not seeds.any():
            return pd.DataFrame(columns=list(COLUMNS))
        resampled = None if drawn is None else drawn[:, seeds]
        found = linear_contrasts(table[:, seeds], weights, replicates=resampled, examples=examples)
        found = found.assign(factor=factors, kind=kinds).rename(columns={"difference": "estimate"})
        return found.loc[found["n_paired"] > 0, list(COLUMNS)]

    of_all = np.vstack([shapley_weights(sets), total_weights(sets)])
    everywhere = np.all(~np.isnan(table[:, :, 0]), axis=0)
    any_seed = np.ones(table.shape[1], dtype=bool)
    families = [
        family(of_all, [*names, ALL_FACTORS], [SHAPLEY] * len(names) + [TOTAL], everywhere),
        family(added_alone_weights(sets), names, [ADDED] * len(names), any_seed),
        family(left_out_weights(sets), names, [LEFT_OUT] * len(names), any_seed),
    ]
    known = [each for each in families if len(each)]
    return pd.concat(known, ignore_index=True) if known else families[0]


def _checked(changed: npt.ArrayLike) -> Mask:
    sets = np.asarray(changed, dtype=bool)
    distinct = len(np.unique(sets, axis=0)) if sets.ndim == 2 and sets.shape[1] else 0
    if not distinct or not distinct == len(sets) == 2 ** sets.shape[1]:
        raise ValueError(
            "`changed` must have one row for each of the 2^num_factors sets of factors. "
            f"Received: {distinct} sets, shape {sets.shape}"
        )
    return sets
