"""Intervals and tests for a difference seen with few seeds and many photographs. Pure functions on arrays.

The model of a variant's difference from the baseline, seed s and photograph i being the same for both:

    d[s, i] = mu + S[s] + P[i] + E[s, i]

with independent effects of seeds, of photographs, and of both together. Seeds and photographs are samples: the
interval for mu is about other seeds and other photographs of the same kind. docs/statistics.md says more.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import optimize, special

Array = npt.NDArray[np.float64]

LEVEL = 0.95
POWER = 0.8
MANY = 50
"""Photographs from which Student's t is as good as normal, within 3 % of an interval's width."""
DAMPING = 0.25
"""How the uncertainty of the seeds' variance counts where photographs vary too, see `Spread`; chosen by simulation."""


@dataclass(frozen=True)
class Spread:
    """How far a mean lies from the truth: normal, with a variance that is known only as well as the seeds tell it.

    With MS the mean squares of the two-way table of n_s seeds and n_p photographs, the variance of its mean is
    estimated by (MS_S + max(MS_P - MS_E, 0)) / (n_s n_p). The first part stands on n_s - 1 degrees of freedom, so that
    the true value of MS_S may be g MS_S, with g = (n_s - 1) / chi2(n_s - 1): a generalised pivotal quantity
    (Weerahandi 1993, doi:10.2307/2290779; Hannig, Iyer and Patterson 2006, doi:10.1198/016214505000000736). Averaging
    over g gives Student's t where photographs make no difference, and the normal distribution where seeds make none.
    In between it is known to err on the safe side; g - 1 is therefore multiplied by w^`DAMPING`, w being the first
    part's share.

    The second part stands on n_p - 1 degrees of freedom. Of `MANY` photographs and more it is taken as known; with
    fewer, Student's t takes the normal distribution's place, its degrees of freedom by Satterthwaite's formula for a
    sum of which only that part is estimated: (n_p - 1) / (1 - w)^2.

    Attributes:
        seeds: MS_S / (n_s n_p), with one seed or one example all of the estimated variance.
        df: Degrees of freedom that it stands on.
        examples: max(MS_P - MS_E, 0) / (n_s n_p), 0 with one seed or one example.
        examples_df: Degrees of freedom that this part stands on; infinite where it is taken as known.
    """

    seeds: float
    df: float
    examples: float = 0.0
    examples_df: float = np.inf

    @property
    def standard_error(self) -> float:
        """Estimated standard deviation of the mean."""
        return float(np.sqrt(self.seeds + self.examples))

    @property
    def share(self) -> float:
        """The seeds' part of the variance: exactly 1 where photographs have none."""
        return self.seeds / (self.seeds + self.examples)

    def beyond(self, distance: float) -> float:
        """Return the probability that a mean exceeds the truth by at least so much."""
        if self.standard_error == 0:
            return float(distance < 0) if distance else 0.5
        return float(_beyond(distance / self.standard_error, self.share, self.df, self.examples_df))

    def reach(self, alpha: float) -> float:
        """Return how far the interval of level 1 - alpha reaches to either side."""
        if self.standard_error == 0:
            return 0.0
        return self.standard_error * _limit(self.share, self.df, self.examples_df, alpha)

    def detectable(self, *, alpha: float, power: float = POWER) -> float:
        """Return the smallest true difference that a repetition of the study finds with a given power.

        The seeds' variance is not known, and a repetition estimates its own: both are averaged over. That asks for
        more than the usual multiple of the standard error, much more with three seeds.

        Args:
            alpha: Two-sided level at which the repetition tests.
            power: Share of repetitions that find it.
        """
        if self.standard_error == 0:
            return 0.0
        scale = self.standard_error
        seeds, examples = self.share, 1 - self.share
        nodes, weights = _nodes(self.df)
        true = seeds * nodes[:, None]
        estimated = true / nodes
        limit = np.sqrt(estimated + examples) * np.interp(
            estimated / (estimated + examples), _SHARES, _limits(self.df, self.examples_df, alpha)
        )
        deviation = np.sqrt(true + examples)

        def short_of(difference: float) -> float:
            found = special.ndtr((difference - limit) / deviation) + special.ndtr(-(difference + limit) / deviation)
            return float(weights @ found @ weights) - power

        upper = 4.0
        while short_of(upper) < 0:
            upper *= 2
        return scale * float(optimize.brentq(short_of, 0.0, upper, xtol=1e-6))


@dataclass(frozen=True)
class Estimate:
    """A mean difference, how surely it is known, and what makes single differences vary.

    Attributes:
        mean: Its estimate; NaN where a difference is not finite.
        spread: How far it may lie from the truth; None where a single number, or one not finite, tells nothing.
        seed_variance: Estimated variance of S, at least 0; NaN for one seed.
        example_variance: Of P, at least 0, with E for one seed; NaN for one example.
        residual_variance: Of E; NaN for one seed or one example.
    """

    mean: float
    spread: Spread | None = None
    seed_variance: float = np.nan
    example_variance: float = np.nan
    residual_variance: float = np.nan

    def interval(self, level: float = LEVEL) -> tuple[float, float]:
        """Return the interval that covers the true mean in `level` of all studies; NaN where nothing is known."""
        reach = np.nan if self.spread is None else self.spread.reach(1 - level)
        return self.mean - reach, self.mean + reach

    @property
    def p_value(self) -> float:
        """Two-sided p-value of a true mean of 0; 0 for a difference that varies not at all."""
        if self.spread is None:
            return np.nan
        return min(1.0, 2 * self.spread.beyond(abs(self.mean)))

    def p_outside(self, margin: float) -> float:
        """Return the p-value of a true mean outside of -margin..margin: two one-sided tests (Schuirmann 1987)."""
        return np.nan if self.spread is None else self.spread.beyond(margin - abs(self.mean))

    @property
    def effect_size(self) -> float:
        """The mean over the standard deviation of a single difference: one photograph, one seed.

        Cohen's d for crossed samples of participants and stimuli, here seeds and photographs, of paired differences
        (Westfall, Kenny and Judd 2014, doi:10.1037/xge0000014).
        """
        parts = (self.seed_variance, self.example_variance, self.residual_variance)
        deviation = float(np.sqrt(np.nansum(parts)))
        return self.mean / deviation if deviation else np.nan


def crossed_mean(differences: npt.ArrayLike) -> Estimate:
    """Estimate the mean of differences over seeds and photographs, both of them random.

    Args:
        differences: (num_seeds, num_examples). One seed: examples alone are random. One example, as for quantities of
            a whole run: seeds alone are.
    """
    table = np.atleast_2d(np.asarray(differences, dtype=np.float64))
    seeds, examples = table.shape
    if not np.isfinite(table).all():
        return Estimate(np.nan)
    # Measured from the first one, equal differences vary not at all, whatever their sum rounds to.
    origin = float(table[0, 0])
    table = table - origin
    centre = float(table.mean())
    mean = origin + centre
    if table.size == 1:
        return Estimate(mean)
    if seeds == 1 or examples == 1:
        variance = float(table.var(ddof=1))
        return Estimate(
            mean,
            Spread(variance / table.size, table.size - 1),
            seed_variance=variance if examples == 1 else np.nan,
            example_variance=variance if seeds == 1 else np.nan,
        )
    of_seeds, of_examples = table.mean(axis=1), table.mean(axis=0)
    rest = table - of_seeds[:, None] - of_examples + centre
    ms_seeds = examples * float(of_seeds.var(ddof=1))
    ms_examples = seeds * float(of_examples.var(ddof=1))
    ms_rest = float((rest**2).sum()) / ((seeds - 1) * (examples - 1))
    above = max(ms_examples - ms_rest, 0.0)
    return Estimate(
        mean,
        Spread(ms_seeds / table.size, seeds - 1, above / table.size, examples - 1 if examples < MANY else np.inf),
        seed_variance=max(ms_seeds - ms_rest, 0.0) / examples,
        example_variance=above / seeds,
        residual_variance=ms_rest,
    )


_SHARES = np.concatenate([[0.0], np.logspace(-6, 0, 121)])
"""Shares of the seeds in a variance at which `_limits` is known."""
_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(48)
"""Gauss and Legendre's, on -1..1."""


@lru_cache
def _nodes(df: float) -> tuple[Array, Array]:
    """Return values of df / chi2(df), and weights that sum to 1: Gauss and Legendre's, dense where it is large."""
    # With x in 0..1, u = x^4 (5 - 4 x) is a probability whose small values, those of large g, get most of the points.
    x = (_POINTS + 1) / 2
    probability, density = x**4 * (5 - 4 * x), 20 * x**3 * (1 - x)
    mass = _WEIGHTS / 2 * density
    return np.asarray(df / special.chdtri(df, 1 - probability), np.float64), mass / mass.sum()


def _beyond(multiple: npt.ArrayLike, share: npt.ArrayLike, df: float, examples_df: float) -> Array:
    """Return the probability of at least so many standard errors, by the seeds' share in the variance."""
    multiples, shares = np.broadcast_arrays(np.asarray(multiple, np.float64), np.asarray(share, np.float64))
    if (shares == 1).all():
        return np.asarray(special.stdtr(df, -multiples))
    g, weights = _nodes(df)
    part = shares[..., None]
    variance = 1 + part ** (1 + DAMPING) * (g - 1)
    deviations = -multiples[..., None] / np.sqrt(variance)
    if np.isinf(examples_df):
        return np.asarray(special.ndtr(deviations) @ weights)
    # A share that is 1 but for rounding leaves nothing to estimate.
    return np.asarray(special.stdtr(examples_df / np.maximum(1 - part, 1e-6) ** 2, deviations) @ weights)


def _limit(share: float, df: float, examples_df: float, alpha: float) -> float:
    """Return how many standard errors an interval reaches."""
    if share == 1:
        return float(special.stdtrit(df, 1 - alpha / 2))

    def too_near(multiple: float) -> float:
        return float(_beyond(multiple, share, df, examples_df)) - alpha / 2

    upper = 4.0
    while too_near(upper) > 0:
        upper *= 2
    return float(optimize.brentq(too_near, 0.0, upper, xtol=1e-9))


@lru_cache
def _limits(df: float, examples_df: float, alpha: float) -> Array:
    """Return `_limit` at each of `_SHARES`."""
    return np.array([_limit(float(share), df, examples_df, alpha) for share in _SHARES])
