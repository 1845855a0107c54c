"""Tail probabilities of the largest of several errors, and where they have a value. Pure functions on arrays."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Maximum:
    """The distribution of a largest error.

    Attributes:
        shares: (num_points,), the largest error over the length of its normal numbers.
        dimensions: Of the normal numbers.
    """

    shares: Array
    dimensions: int

    def survival(self, values: Array) -> tuple[Array, Array]:
        """Return the probabilities to exceed some values, and minus their derivatives: (num_values,) each."""
        probabilities, slopes = np.empty(len(values)), np.empty(len(values))
        half = self.dimensions / 2
        shares = self.shares[self.shares > 0]
        for place, value in enumerate(values):
            squares = (value / shares) ** 2 / 2
            probabilities[place] = special.gammaincc(half, squares).sum() / len(self.shares)
            # The density of chi2 at 2 x, times what 2 x gains where the value does.
            logarithms = half * np.log(np.maximum(squares, 1e-300)) - squares - special.gammaln(half)
            slopes[place] = 2 * np.exp(logarithms).sum() / len(self.shares) / max(value, 1e-300)
        return probabilities, slopes

    def quantile(self, level: float) -> float:
        """Return what the largest error stays within with a probability; 1 if none is above 0."""
        return float(solved(self.survival, 1 - level, np.array([1.2]))[0]) if (self.shares > 0).any() else 1.0


def solved(tail: Callable[[Array], tuple[Array, Array]], probability: float, start: Array) -> Array:
    """Return where tail probabilities have a value, by Newton's method on both logarithms.

    Args:
        tail: Gives the probabilities at some positive places, and minus their derivatives.
        probability: The value.
        start: A place for each to start from, above 0.
    """
    places = np.array(start, dtype=np.float64)
    for _ in range(60):
        reached, slope = tail(places)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            steps = np.log(reached / probability) * reached / (slope * places)
        steps = np.where(np.isnan(steps), -0.5, np.clip(steps, -0.5, 0.5))
        places = places * np.exp(steps)
        if (np.abs(steps) < 1e-9).all():
            break
    return places
