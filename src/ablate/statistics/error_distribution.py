"""The distribution of a mean's error where two variances are estimated, of seeds and of examples. Pure functions."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import optimize, special

Array = npt.NDArray[np.float64]

KNOWN_VARIANCE_FROM = 50
"""Examples from which on their variance counts as known: the normal distribution is as good as Student's t, within 3 %
of an interval's width."""
DAMPING = 0.25
"""How the uncertainty of the seeds' variance counts where examples vary too, see `ErrorDistribution`; chosen by
simulation."""


@dataclass(frozen=True)
class ErrorDistribution:
    """How far a mean lies from the truth: normal, with a variance that is known only as well as the seeds tell it.

    With MS the mean squares of the two-way table of n_s seeds and n_p examples, the variance of its mean is
    estimated by (MS_S + max(MS_P - MS_E, 0)) / (n_s n_p). The first part stands on n_s - 1 degrees of freedom, so that
    the true value of MS_S may be g MS_S, with g = (n_s - 1) / chi2(n_s - 1): a generalised pivotal quantity
    (Weerahandi 1993, doi:10.2307/2290779; Hannig, Iyer and Patterson 2006, doi:10.1198/016214505000000736). Averaging
    over g gives Student's t where examples make no difference, and the normal distribution where seeds make none.
    In between it is known to err on the safe side; g - 1 is therefore multiplied by w^`DAMPING`, w being the first
    part's share.

    The second part stands on n_p - 1 degrees of freedom. From `KNOWN_VARIANCE_FROM` examples on it is taken as known;
    with fewer, Student's t takes the normal distribution's place, its degrees of freedom by Satterthwaite's formula
    for a sum of which only that part is estimated: (n_p - 1) / (1 - w)^2.

    Attributes:
        seeds: MS_S / (n_s n_p), with one seed or one example all of the estimated variance.
        df: Degrees of freedom that it stands on.
        examples: max(MS_P - MS_E, 0) / (n_s n_p), 0 with one seed or one example.
        example_df: Degrees of freedom that this part stands on; infinite where it is taken as known.
    """

    seeds: float
    df: float
    examples: float = 0.0
    example_df: float = np.inf

    @staticmethod
    def df_of_examples(examples: int) -> float:
        """Return the degrees of freedom of the examples' part; infinite where it is taken as known."""
        return examples - 1 if 1 < examples < KNOWN_VARIANCE_FROM else np.inf

    @property
    def standard_error(self) -> float:
        """Estimated standard deviation of the mean."""
        return float(np.sqrt(self.seeds + self.examples))

    @property
    def seed_share(self) -> float:
        """The seeds' part of the variance: exactly 1 where examples have none."""
        return self.seeds / (self.seeds + self.examples)

    def tail_probability(self, distance: float) -> float:
        """Return the probability that a mean exceeds the truth by at least so much."""
        if self.standard_error == 0:
            return float(distance < 0) if distance else 0.5
        return float(_tail_probability(distance / self.standard_error, self.seed_share, self.df, self.example_df))

    def half_width(self, alpha: float) -> float:
        """Return half the width of the interval of level 1 - alpha."""
        if self.standard_error == 0:
            return 0.0
        return self.standard_error * _critical_value(self.seed_share, self.df, self.example_df, alpha)


SHARES = np.concatenate([[0.0], np.logspace(-6, 0, 121)])
"""Shares of the seeds in a variance at which `critical_values` is known."""
_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(48)
"""Gauss and Legendre's, on -1..1."""


@lru_cache
def chi2_ratio_nodes(df: float) -> tuple[Array, Array]:
    """Return values of df / chi2(df), and weights that sum to 1: Gauss and Legendre's, dense where it is large."""
    # With x in 0..1, u = x^4 (5 - 4 x) is a probability whose small values, those of large g, get most of the points.
    x = (_POINTS + 1) / 2
    probability, density = x**4 * (5 - 4 * x), 20 * x**3 * (1 - x)
    mass = _WEIGHTS / 2 * density
    return np.asarray(df / special.chdtri(df, 1 - probability), np.float64), mass / mass.sum()


def _tail_probability(multiple: npt.ArrayLike, share: npt.ArrayLike, df: float, example_df: float) -> Array:
    """Return the probability of at least so many standard errors, by the seeds' share in the variance."""
    multiples, shares = np.broadcast_arrays(np.asarray(multiple, np.float64), np.asarray(share, np.float64))
    if (shares == 1).all():
        return np.asarray(special.stdtr(df, -multiples))
    g, weights = chi2_ratio_nodes(df)
    part = shares[..., None]
    variance = 1 + part ** (1 + DAMPING) * (g - 1)
    deviations = -multiples[..., None] / np.sqrt(variance)
    if np.isinf(example_df):
        return np.asarray(special.ndtr(deviations) @ weights)
    # A share that is 1 but for rounding leaves nothing to estimate.
    return np.asarray(special.stdtr(example_df / np.maximum(1 - part, 1e-6) ** 2, deviations) @ weights)


def _critical_value(share: float, df: float, example_df: float, alpha: float) -> float:
    """Return how many standard errors an interval reaches."""
    if share == 1:
        return float(special.stdtrit(df, 1 - alpha / 2))

    def excess(multiple: float) -> float:
        return float(_tail_probability(multiple, share, df, example_df)) - alpha / 2

    upper = 4.0
    while excess(upper) > 0:
        upper *= 2
    return float(optimize.brentq(excess, 0.0, upper, xtol=1e-9))


@lru_cache
def critical_values(df: float, example_df: float, alpha: float) -> Array:
    """Return `_critical_value` at each of `SHARES`."""
    return np.array([_critical_value(float(share), df, example_df, alpha) for share in SHARES])
