"""Simultaneous intervals for the differences of many variants from one baseline, and for other linear contrasts.

Each interval holds its true value, and so do all of them together, in 95 % of studies. A verdict is read off the
interval. docs/statistics.md has the method and its limits; `moderation`, `contrast_parts` and `joint` its three steps.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

from ablate.statistics.contrast_parts import Part, seeds_of_contrasts
from ablate.statistics.error_model import Contrasts, ErrorModel, originals
from ablate.statistics.joint import JointErrors
from ablate.statistics.moderation import BASELINE_PRIOR_DF, PRIOR_DF

Array = npt.NDArray[np.float64]

LEVEL = 0.95
COLUMNS = (
    "difference", "low", "high", "low_individual", "high_individual", "p", "detectable", "df", "standard_error",
    "standard_error_of_examples", "n_paired", "over",
)  # fmt: skip
SEEDS, EXAMPLES, BOTH, NOTHING = "seeds", "examples", "seeds and examples", ""
"""What a comparison is a sample of; nothing where it is not comparable."""


def many_to_one(
    values: npt.ArrayLike,
    level: float = LEVEL,
    *,
    paired: bool = True,
    replicates: npt.ArrayLike | None = None,
    examples: int = 0,
    points: int | None = None,
) -> pd.DataFrame:
    """Compare variants with a baseline: differences with simultaneous intervals.

    Variances over seeds are moderated (Smyth 2004, doi:10.2202/1544-6115.1027) with a prior of 3 degrees of freedom,
    of 1 for the baseline. The errors of all differences are drawn jointly, as they share the baseline (Dunnett 1955,
    doi:10.1080/01621459.1955.10501294). It is deterministic.

    Args:
        values: (num_variants + 1, num_seeds, num_examples), the baseline first; NaN all over a run that there is not.
            Seeds are in the same order for all. A metric of the whole set has one value a run: num_examples = 1. A
            run with an infinite value makes what needs it incomparable: give a finished run's NaN as infinity.
        level: Of the intervals.
        paired: Whether a variant is compared over the seeds that the baseline has too. If not, over all runs of both,
            as if seeds were different ones: for a baseline with more seeds than the variants. To be chosen before
            the runs.
        replicates: (num_variants + 1, num_seeds, num_replicates): of a metric of the whole set, its values on
            bootstrapped examples, the same ones in all runs. Those that are not finite in some run do not count.
        examples: How many were resampled for them, 0 where that is not known.
        points: How many quasi-random points, a power of 2; by default by the number of variants.

    Returns:
        Index `variant` from 1, and the columns

        - difference: the variant's mean less the baseline's;
        - low, high: hold all true differences at once in `level` of studies. The variant differs if 0 is outside; it
          is equivalent within a margin if both lie in it;
        - low_individual, high_individual: hold this one;
        - p: adjusted for the number of variants: below 1 - level exactly if 0 is outside of low..high, and at least
          1 / points unless nothing varies;
        - detectable: the true difference that a repetition of the study finds with a probability of 80 %;
        - df: degrees of freedom of the standard error, by Satterthwaite's formula;
        - standard_error: of the difference, with moderated variances; standard_error_of_examples: the part of it that
          more seeds do not make smaller;
        - n_paired: seeds that it was compared over; if not paired, of the two the fewer;
        - over: what the interval is about: `seeds`, `examples` (with one seed: nothing is said of other seeds),
          `seeds and examples`, or nothing where the two cannot be compared. All else is NaN then, but the difference
          of single numbers.

    Raises:
        ValueError: A shape is wrong, or a run has NaN beside numbers.
    """
    table = _checked(values, level)
    weights = np.column_stack([-np.ones(len(table) - 1), np.eye(len(table) - 1)])
    prior_df = np.array([BASELINE_PRIOR_DF] + [PRIOR_DF] * (len(table) - 1))
    frame = _compared(table, weights, prior_df, level, paired, _replicates(replicates, table), examples, points)
    return frame.set_axis(pd.RangeIndex(1, len(table), name="variant"), axis=0)


def linear_contrasts(
    values: npt.ArrayLike,
    weights: npt.ArrayLike,
    level: float = LEVEL,
    *,
    paired: bool = True,
    replicates: npt.ArrayLike | None = None,
    examples: int = 0,
    points: int | None = None,
) -> pd.DataFrame:
    """Estimate weighted sums of variants' means, such as effects of factors, with simultaneous intervals.

    As `many_to_one`, but that no variant is the baseline of all: each variance has a prior of 3 degrees of freedom.

    Args:
        values: (num_variants, num_seeds, num_examples), see `many_to_one`.
        weights: (num_contrasts, num_variants), each row with the sum 0. A contrast is over the seeds that all variants
            have whose weight is not 0.
        level: Of the intervals.
        paired: See `many_to_one`.
        replicates: (num_variants, num_seeds, num_replicates), see `many_to_one`.
        examples: See `many_to_one`.
        points: See `many_to_one`.

    Returns:
        One row a contrast, columns as `many_to_one`'s.

    Raises:
        ValueError: A shape is wrong, weights do not sum to 0, or a run has NaN beside numbers.
    """
    table = _checked(values, level)
    factors = np.asarray(weights, dtype=np.float64)
    if factors.ndim != 2 or factors.shape[1] != len(table):
        raise ValueError(f"`weights` must have one column a variant, here {len(table)}. Received: {factors.shape}")
    # What is 0 but for rounding needs no runs of the variant.
    largest = np.abs(factors).max(axis=1, keepdims=True, initial=0.0)
    factors = np.where(np.abs(factors) > 1e-12 * largest, factors, 0.0)
    if (np.abs(factors.sum(axis=1)) > 1e-9 * largest[:, 0]).any():
        raise ValueError(f"`weights` must sum to 0 in each row. Received sums: {factors.sum(axis=1)}")
    prior_df = np.full(len(table), PRIOR_DF)
    return _compared(table, factors, prior_df, level, paired, _replicates(replicates, table), examples, points)


def _checked(values: npt.ArrayLike, level: float) -> Array:
    table = np.asarray(values, dtype=np.float64)
    if table.ndim != 3 or 0 in table.shape or len(table) < 2:
        raise ValueError(
            "`values` must have the shape (num_variants, num_seeds, num_examples), with two variants or more. "
            f"Received: {table.shape}"
        )
    if not 0 < level < 1:
        raise ValueError(f"`level` must be between 0 and 1. Received: {level}")
    missing = np.isnan(table)
    broken = missing.any(axis=2) & ~missing.all(axis=2)
    if broken.any():
        variant, seed = (int(place) for place in np.argwhere(broken)[0])
        raise ValueError(
            f"A run must have a number for every example, or NaN for all if there is no run. Received: "
            f"{int(missing[variant, seed].sum())} NaN of {table.shape[2]} values at variant {variant}, seed {seed}"
        )
    return table


def _replicates(replicates: npt.ArrayLike | None, table: Array) -> Array | None:
    if replicates is None:
        return None
    drawn = np.asarray(replicates, dtype=np.float64)
    if table.shape[2] != 1 or drawn.ndim != 3 or drawn.shape[:2] != table.shape[:2]:
        raise ValueError(
            "`replicates` must have the shape (num_variants, num_seeds, num_replicates), of values with one example. "
            f"Received: {drawn.shape}, for values of the shape {table.shape}"
        )
    return drawn


def _compared(
    values: Array,
    weights: Array,
    prior_df: Array,
    level: float,
    paired: bool,
    replicates: Array | None,
    examples: int,
    points: int | None,
) -> pd.DataFrame:
    """Return the table of contrasts; see `linear_contrasts`."""
    there = ~np.isnan(values[:, :, 0])
    used = seeds_of_contrasts(there, weights, paired=paired)
    finite: npt.NDArray[np.bool_] = np.all(np.isfinite(np.where(there[:, :, None], values, 0.0)), axis=2)
    known: npt.NDArray[np.bool_] = np.any(used, axis=(1, 2)) & ~np.any(used & ~finite, axis=(1, 2))
    values = np.where(finite[:, :, None], values, np.nan)
    columns: dict[str, Array | list[str]] = {name: np.full(len(weights), np.nan) for name in COLUMNS}
    columns["n_paired"] = np.where(weights != 0, used.sum(axis=2), values.shape[1]).min(axis=1)
    columns["over"] = [NOTHING] * len(weights)
    if not known.any():
        return pd.DataFrame(columns)
    # Each example is measured from one run, and in units of a power of 2: neither a constant nor a scale matters.
    finite_runs = np.argwhere(finite & there)
    values = values - values[tuple(finite_runs[0])]
    largest = float(np.nanmax(np.abs(values)))
    exponent = int(np.frexp(largest)[1]) if largest > 0 else 0
    values = np.ldexp(values, -exponent)
    contrasts = Contrasts(weights[known], used[known], paired)
    count = values.shape[2]
    if replicates is not None:
        replicates = np.ldexp(replicates, -exponent)
        replicates = replicates[:, :, np.isfinite(replicates[np.any(contrasts.used, axis=0)]).all(axis=0)]
        drawn = replicates.shape[2]
        count = min(examples or drawn, drawn) if drawn > 1 else 1
    parts = contrasts.parts(values, replicates if count > 1 else None, examples)
    same = originals(values if replicates is None else np.concatenate([values, replicates], axis=2))
    model = contrasts.error_model(values.mean(axis=2), same, parts, prior_df, count)
    has_seeds, has_examples = bool((model.df > 0).any()), count > 1
    np.asarray(columns["difference"])[known] = np.ldexp([part.estimate for part in parts], exponent)
    if has_seeds or has_examples:
        for name, numbers in _intervals(model, parts, level, exponent, points).items():
            np.asarray(columns[name])[known] = numbers
        over = BOTH if has_seeds and has_examples else SEEDS if has_seeds else EXAMPLES
        columns["over"] = [over if one else NOTHING for one in known]
    return pd.DataFrame(columns)


def _intervals(
    model: ErrorModel, parts: list[Part], level: float, exponent: int, points: int | None
) -> dict[str, Array]:
    """Return the columns that hold numbers, by their name."""
    errors = JointErrors(model, points)
    difference = np.array([part.estimate for part in parts])
    alone = errors.half_widths(level)
    maximum = errors.survival(alone)
    joint = alone * maximum.quantile(level)
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = np.where(difference == 0, 0.0, np.abs(difference) / alone)
    p = np.where(distance == 0, 1.0, 0.0)
    varies = (distance > 0) & np.isfinite(distance)
    p[varies] = np.maximum(maximum.survival(distance[varies])[0], 1 / errors.points)
    # Of comparisons that are one, the two are the same but for the integration.
    individual = joint if len(parts) == 1 else np.minimum(alone, joint)
    variance, df = model.moderated()
    columns = {
        "difference": difference,
        "low": difference - joint,
        "high": difference + joint,
        "low_individual": difference - individual,
        "high_individual": difference + individual,
        "detectable": errors.detectable(joint),
        "standard_error": np.sqrt(variance),
        "standard_error_of_examples": np.sqrt(model.examples),
    }
    return {**{name: np.ldexp(column, exponent) for name, column in columns.items()}, "p": p, "df": df}
