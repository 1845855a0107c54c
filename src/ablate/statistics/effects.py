"""Main effects and two-way interactions of a factorial study. Pure functions on frames."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd

from ablate.statistics.corrections import holm
from ablate.statistics.intervals import crossed_mean, resampled_mean

Array = npt.NDArray[np.float64]

MAIN, INTERACTION = "main", "interaction"
COLUMNS = ("effect", "kind", "estimate", "low", "high", "p", "p_corrected")


@dataclass(frozen=True)
class Contrasts:
    """Effects as weighted sums of the variants' means.

    Attributes:
        weights: Index effect, one column a variant: an effect is the sum of the variants' means, weighted.
        kinds: Of each effect, `main` or `interaction`.
        aliased: Effects that the variants confound with those before them.
    """

    weights: pd.DataFrame
    kinds: Sequence[str]
    aliased: Sequence[str]


def contrasts(levels: pd.DataFrame, baseline: Mapping[str, str]) -> Contrasts:
    """Return the effects that a set of variants identifies.

    The main effect of a level is its mean over all combinations of the other factors less that of the baseline's
    level; a two-way interaction is by how much more one level does where another is chosen than where it is not. Both
    are the coefficients of a linear model by least squares, whose columns are a level's indicator less
    1 / (number of levels), and the products of two of them.

    Args:
        levels: Index variant, one column a factor: the chosen level, as text.
        baseline: By factor, the baseline's level.

    Returns:
        The effects, main ones first.
    """
    columns: dict[str, dict[str, Array]] = {}
    for factor in map(str, levels.columns):
        known = levels[factor].unique()
        columns[factor] = {
            f"{factor}={level}": (levels[factor] == level).to_numpy(np.float64) - 1 / len(known)
            for level in known
            if level != baseline[str(factor)]
        }
    mains = [(name, MAIN, column) for own in columns.values() for name, column in own.items()]
    products = [
        (f"{name} × {other}", INTERACTION, column * another)
        for first, second in combinations(columns.values(), 2)
        for name, column in first.items()
        for other, another in second.items()
    ]
    kept, matrix, aliased = list[tuple[str, str]](), np.ones((len(levels), 1)), list[str]()
    for name, kind, column in [*mains, *products]:
        wider = np.column_stack([matrix, column])
        if np.linalg.matrix_rank(wider) == wider.shape[1]:
            kept.append((name, kind))
            matrix = wider
        else:
            aliased.append(name)
    weights = pd.DataFrame(
        np.linalg.pinv(matrix)[1:], index=pd.Index([name for name, _ in kept], name="effect"), columns=levels.index
    )
    return Contrasts(weights, [kind for _, kind in kept], aliased)


def estimate_effects(
    scores: pd.Series, found: Contrasts, replicates: pd.Series | None = None, examples: int = 0
) -> pd.DataFrame:
    """Estimate effects with intervals over seeds and examples, see `intervals.crossed_mean`.

    Args:
        scores: Of one metric, index (variant, seed, example), or (variant, seed) for one of the whole set; of every
            variant the seeds that all have count.
        found: The effects.
        replicates: Of a metric of the whole set, index (variant, seed, replicate), see `intervals.resampled_mean`.
        examples: How many were resampled, 0 where that is not known.

    Returns:
        Columns effect, kind, estimate, low, high, p, and p_corrected, by Holm's method over all effects. Empty where
        the variants share no seed.
    """
    shared = set.intersection(
        *(set(own.index.unique("seed")) for _, own in scores.groupby(level="variant")),
    )
    if not shared:
        return pd.DataFrame(columns=list(COLUMNS))
    cube = _cube(scores, found.weights.columns, shared)
    resampled = None if replicates is None else _cube(replicates, found.weights.columns, shared)
    rows = []
    for (effect, weights), kind in zip(found.weights.iterrows(), found.kinds, strict=True):
        weighted = np.einsum("v,vse->se", weights.to_numpy(np.float64), cube)
        if resampled is None:
            estimate = crossed_mean(weighted)
        else:
            drawn = np.einsum("v,vsr->sr", weights.to_numpy(np.float64), resampled)
            estimate = resampled_mean(weighted[:, 0], drawn, examples)
        low, high = estimate.interval()
        rows.append((effect, kind, estimate.mean, low, high, estimate.p_value))
    frame = pd.DataFrame(rows, columns=list(COLUMNS[:-1]))
    return frame.assign(p_corrected=holm(frame["p"].tolist()))


def _cube(scores: pd.Series, variants: pd.Index, seeds: Collection[int]) -> Array:
    """Return scores as an array: (num_variants, num_seeds, num_examples)."""
    of_variant = {variant: own.droplevel("variant") for variant, own in scores.groupby(level="variant")}
    return np.stack(
        [of_variant[name].loc[sorted(seeds)].to_numpy(np.float64).reshape(len(seeds), -1) for name in variants]
    )
