"""Quasi-random numbers, the same ones each time: scrambled Sobol points and what is made of them."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import special
from scipy.stats import qmc

Array = npt.NDArray[np.float64]

_SEED = 18
_DEVIATES = np.linspace(-6.75, 6.75, 1081)
"""Standard normal deviates at which quantiles are tabulated; Sobol points of 32 bits stay within."""


@lru_cache(maxsize=8)
def normal_deviates(count: int, dimensions: int) -> Array:
    """Return standard normal deviates that fill space evenly, scrambled Sobol points (Owen 1998): read-only.

    Args:
        count: How many points, a power of 2.
        dimensions: Of each point.

    Returns:
        (count, dimensions).
    """
    points = qmc.Sobol(dimensions, bits=32, rng=np.random.default_rng(_SEED)).random(count)
    deviates = np.asarray(special.ndtri(points + 2.0**-33), np.float64)
    deviates.setflags(write=False)
    return deviates


@lru_cache(maxsize=64)
def _log_chi2_table(df: float) -> Array:
    lower, upper = special.ndtr(_DEVIATES), special.ndtr(-_DEVIATES)
    left = special.gammaincinv(df / 2, lower)
    quantiles = np.where(_DEVIATES < 0, left, special.gammainccinv(df / 2, upper))
    # Of the smallest probabilities the quantile is the power of its distribution function's first term.
    first = np.exp((np.log(lower) + special.gammaln(df / 2 + 1)) / (df / 2))
    return np.asarray(np.log(2 * np.where(quantiles > 0, quantiles, first)), np.float64)


def chi2_quantiles(deviates: Array, df: float) -> Array:
    """Return the values of chi2(df) that have the probabilities of standard normal deviates, to 1e-4 of themselves."""
    return np.asarray(np.exp(np.interp(deviates, _DEVIATES, _log_chi2_table(df))), np.float64)
