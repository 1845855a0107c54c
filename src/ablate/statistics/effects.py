"""Main effects and two-way interactions of a factorial study. Pure functions on arrays and frames."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd

from ablate.statistics.simultaneous import linear_contrasts

Array = npt.NDArray[np.float64]

MAIN, INTERACTION = "main", "interaction"
COLUMNS = ("effect", "kind", "estimate", "low", "high", "p")


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
    values: npt.ArrayLike, found: Contrasts, replicates: npt.ArrayLike | None = None, examples: int = 0
) -> pd.DataFrame:
    """Estimate effects with simultaneous intervals, see `linear_contrasts`.

    Args:
        values: (num_variants, num_seeds, num_examples), variants in the order of the columns of weights; NaN where
            there is no run. An effect is over the seeds that all of its variants have.
        found: The effects.
        replicates: (num_variants, num_seeds, num_replicates), of a metric of the whole set.
        examples: How many were resampled, 0 where that is not known.

    Returns:
        Columns effect, kind, estimate, low, high (intervals that hold all effects at once in 95 % of studies) and p,
        adjusted for the number of effects. Without effects whose variants share no seed.
    """
    if found.weights.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    estimated = linear_contrasts(values, found.weights, replicates=replicates, examples=examples).assign(
        effect=found.weights.index, kind=list(found.kinds)
    )
    shared = estimated[estimated["n_paired"] > 0].rename(columns={"difference": "estimate"})
    return shared[list(COLUMNS)].reset_index(drop=True)
