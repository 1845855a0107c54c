"""Looking more than once: at which level to test each time, so that all looks together keep theirs. Pure functions.

An estimate over n seeds of variance 1 / n, looked at when n is a share t of what it may become, is a Brownian motion
at time t once divided by what it will be in the end: W(t), with increments that are independent and normal. Its path
is followed from look to look by integration over where it is (Armitage, McPherson and Rowe 1969,
doi:10.2307/2343787).
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import optimize, special

Array = npt.NDArray[np.float64]

_NODES = 400


def spending_levels(shares: Sequence[float], alpha: float = 0.05) -> list[float]:
    """Return the nominal levels of two-sided tests at each look, by O'Brien and Fleming's spending of alpha.

    By a share t of the information 2 - 2 Phi(z(1 - alpha / 2) / sqrt(t)) of alpha is spent (Lan and DeMets 1983,
    doi:10.1093/biomet/70.3.659): little at first, so that the last look keeps nearly all.

    Args:
        shares: Of the information that each look has, growing, the last one 1.
        alpha: Probability that some look finds what is not there.

    Returns:
        One level a look.
    """
    return [*_levels(tuple(shares), alpha)]


@lru_cache(maxsize=64)
def _levels(shares: tuple[float, ...], alpha: float) -> tuple[float, ...]:
    if not shares or np.any(np.diff([0.0, *shares]) <= 0) or shares[-1] != 1:
        raise ValueError(f"`shares` must grow from above 0 to 1. Received: {list(shares)}")
    spent = [2 * special.ndtr(special.ndtri(alpha / 2) / np.sqrt(share)) for share in shares]
    path, levels = _Path(), list[float]()
    for share, until, before in zip(shares, spent, [0.0, *spent], strict=False):
        bound = path.bound(share, until - before)
        levels.append(float(2 * special.ndtr(-bound / np.sqrt(share))))
        path.go_on(share, bound)
    return tuple(levels)


def false_alarm(shares: Sequence[float], levels: Sequence[float]) -> float:
    """Return the probability that some look finds what is not there.

    Args:
        shares: Of the information that each look has, growing.
        levels: Of the two-sided test at each.
    """
    path, found = _Path(), 0.0
    for share, level in zip(shares, levels, strict=True):
        bound = -special.ndtri(level / 2) * np.sqrt(share)
        found += path.crossing(share, bound)
        path.go_on(share, bound)
    return float(found)


class _Path:
    """Where a Brownian motion is that has stayed within all bounds so far."""

    def __init__(self) -> None:
        self._share = 0.0
        self._places, self._masses = np.zeros(1), np.ones(1)

    def _beyond(self, share: float, bound: float) -> Array:
        step = np.sqrt(share - self._share)
        return np.asarray(
            special.ndtr((self._places - bound) / step) + special.ndtr((-self._places - bound) / step), np.float64
        )

    def crossing(self, share: float, bound: float) -> float:
        """Return the probability to be beyond a bound at a later time, on either side."""
        return float(self._masses @ self._beyond(share, bound))

    def bound(self, share: float, probability: float) -> float:
        """Return the bound that is crossed with a probability."""
        return float(optimize.brentq(lambda bound: self.crossing(share, bound) - probability, 0.0, 40.0, xtol=1e-12))

    def go_on(self, share: float, bound: float) -> None:
        """Go on to a later time, within a bound."""
        nodes, weights = np.polynomial.legendre.leggauss(_NODES)
        places, step = nodes * bound, np.sqrt(share - self._share)
        density = np.exp(-(((places[:, None] - self._places) / step) ** 2) / 2) / (step * np.sqrt(2 * np.pi))
        self._share, self._places, self._masses = share, places, bound * weights * (density @ self._masses)
