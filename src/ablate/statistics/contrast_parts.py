"""Estimates of linear contrasts of variants, and what examples add to their variance. Pure functions on arrays.

The values of variant v, seed s and example i are, seeds and examples being samples,

    y[v, s, i] = mu[v] + seed[s] + S[v, s] + P[v, i] + E[v, s, i]    and what an example and a seed do to all variants

and a contrast is a sum of mu, weighted with numbers that sum to 0.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Part:
    """One contrast.

    Attributes:
        estimate: The weighted sum of the variants' means.
        residual: Estimated variance that E alone gives to it: seeds cannot give it less.
        examples: Estimated variance that P gives to it, at least 0. With one seed, E's is in it and `residual` is 0.
    """

    estimate: float
    residual: float = 0.0
    examples: float = 0.0


def seeds_of_contrasts(there: Mask, weights: Array, *, paired: bool) -> npt.NDArray[np.bool_]:
    """Return the runs that each contrast is made of: (num_contrasts, num_variants, num_seeds); none if one lacks all.

    Args:
        there: (num_variants, num_seeds), which runs there are.
        weights: (num_contrasts, num_variants).
        paired: Whether only seeds count that all variants of a contrast have.
    """
    used = np.zeros((*weights.shape, there.shape[1]), dtype=bool)
    for own, row in zip(used, weights, strict=True):
        variants = row != 0
        runs = np.broadcast_to(there[variants].all(axis=0), there[variants].shape) if paired else there[variants]
        if runs.any(axis=1).all():
            own[variants] = runs
    return used


def of_examples(values: Array, weights: Array, used: Mask, *, paired: bool) -> Part:
    """Estimate a contrast of values that examples have one by one.

    With T[s, i] the contrast of seed s and example i, n_s seeds and n_p examples, and the mean squares of T's two-way
    table, the residual part is MS_E / (n_s n_p), the examples' max(MS_P - MS_E, 0) / (n_s n_p). If seeds are not
    paired, MS_E / n_s is the sum of the variants' own, weighted.

    Args:
        values: (num_variants, num_seeds, num_examples).
        weights: (num_variants,).
        used: (num_variants, num_seeds).
        paired: Whether all variants have the same seeds.
    """
    variants = np.nonzero(weights)[0]
    count = values.shape[2]
    if paired:
        seeds = used[variants[0]]
        tables = [np.tensordot(weights[variants], values[variants][:, seeds], axes=1)]
    else:
        tables = [weights[variant] * values[variant, used[variant]] for variant in variants]
    of_each = sum((table.mean(axis=0) for table in tables), np.zeros(count))
    estimate = float(of_each.mean())
    if count == 1:
        return Part(estimate)
    smallest = (64 * np.finfo(np.float64).eps * max(np.abs(table).max() for table in tables)) ** 2
    residual = sum(_mean_square(table) / len(table) for table in tables if len(table) > 1)
    spread = float(of_each.var(ddof=1))
    above = spread - residual
    return Part(
        estimate,
        residual / count if residual > smallest else 0.0,
        above / count if above > 0 and spread > smallest else 0.0,
    )


def _mean_square(table: Array) -> float:
    """Return MS_E of a two-way table: (num_seeds, num_examples)."""
    rest = table - table.mean(axis=1, keepdims=True) - table.mean(axis=0) + table.mean()
    return float((rest**2).sum() / ((table.shape[0] - 1) * (table.shape[1] - 1)))


def of_whole_set(values: Array, replicates: Array, weights: Array, used: Mask, examples: int, *, paired: bool) -> Part:
    """Estimate a contrast of a measure that only the whole set has, with its bootstrap replicates.

    With S seeds, V1 the variance over replicates of the contrast's mean over seeds, and V2 the mean over seeds of the
    variance over replicates, V1 estimates v_P + v_E / S and V2 v_P + v_E, where v_P is what examples do to the measure
    with every seed and v_E what they do with one. Seeds that are not paired have V1 and V2 of every variant.

    Args:
        values: (num_variants, num_seeds).
        replicates: (num_variants, num_seeds, num_replicates), those of all runs on the same examples, two or
            more.
        weights: (num_variants,).
        used: (num_variants, num_seeds).
        examples: How many were resampled; 0 where that is not known.
        paired: Whether all variants have the same seeds.
    """
    variants = np.nonzero(weights)[0]
    estimate = float(sum(weights[variant] * values[variant, used[variant]].mean() for variant in variants))
    # A bootstrap's variance falls short of the sample's by this factor.
    factor = examples / (examples - 1) if examples > 1 else 1.0
    if paired:
        seeds = used[variants[0]]
        tables = [np.tensordot(weights[variants], replicates[variants][:, seeds], axes=1)]
    else:
        tables = [weights[variant] * replicates[variant, used[variant]] for variant in variants]
    total = sum((table.mean(axis=0) for table in tables), np.zeros(tables[0].shape[1:]))
    of_mean = factor * float(total.var(ddof=1))
    residual = 0.0
    for table in tables:
        if len(table) > 1:
            own, one = factor * table.mean(axis=0).var(ddof=1), factor * table.var(axis=1, ddof=1).mean()
            residual += max(float(one - own), 0.0) / (len(table) - 1)
    return Part(estimate, residual, max(of_mean - residual, 0.0))
