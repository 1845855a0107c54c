"""Intervals and tests for a difference seen with few seeds and many photographs. Pure functions on arrays.

The model of a variant's difference from the baseline, seed s and photograph i being the same for both (docs/statistics.md):

    d[s, i] = mu + S[s] + P[i] + E[s, i]

with independent effects of seeds, of photographs, and of both together. Seeds and photographs are samples: the interval
for mu is about other seeds and other photographs of the same kind.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import optimize, stats

Array = npt.NDArray[np.float64]

LEVEL = 0.95
POWER = 0.8
_NORMAL = 1e6
"""Degrees of freedom from which t is as good as normal."""
_NODES = 64
"""Points of the quadrature over the standard error's own uncertainty."""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A mean difference and how surely it is known.

    Attributes:
        mean: Its estimate.
        standard_error: Of the mean, over seeds and photographs; over photographs alone for one seed.
        df: Degrees of freedom of the standard error.
        seed_variance: Estimated variance of S, at least 0; NaN for one seed.
        example_variance: Of P, at least 0; with E for one seed; NaN for one example.
        residual_variance: Of E, at least 0; NaN for one seed or one example.
    """

    mean: float
    standard_error: float
    df: float
    seed_variance: float
    example_variance: float
    residual_variance: float

    def interval(self, level: float = LEVEL) -> tuple[float, float]:
        """Return the interval that covers the true mean in `level` of all studies."""
        reach = self.standard_error * self._quantile((1 + level) / 2)
        return self.mean - reach, self.mean + reach

    @property
    def p_value(self) -> float:
        """Two-sided p-value of a true mean of 0."""
        if self.standard_error == 0:
            return 1.0 if self.mean == 0 else 0.0
        return float(2 * stats.t.sf(abs(self.mean) / self.standard_error, self.df))

    @property
    def effect_size(self) -> float:
        """The mean over the standard deviation of one difference: one photograph, one seed.

        Cohen's d for crossed samples of participants and stimuli, here seeds and photographs (Westfall, Kenny and Judd
        2014, doi:10.1037/xge0000014, equation 3), for paired differences.
        """
        parts = (self.seed_variance, self.example_variance, self.residual_variance)
        spread = float(np.sqrt(np.nansum(parts)))
        return self.mean / spread if spread else float("nan") if self.mean else 0.0

    def p_outside(self, margin: float) -> float:
        """Return the p-value of a true mean outside of -margin..margin: two one-sided tests (Schuirmann 1987)."""
        inside = margin - abs(self.mean)
        if self.standard_error == 0:
            return 0.0 if inside > 0 else 1.0
        return float(stats.t.sf(inside / self.standard_error, self.df))

    def detectable(self, *, alpha: float, power: float = POWER) -> float:
        """Return the smallest true difference that a repetition of the study finds with a given power.

        A repetition has a standard error of its own, as uncertain as this one: both are averaged over, which asks for
        more than the usual multiple of the standard error where it stands on few degrees of freedom.

        Args:
            alpha: Two-sided level at which the repetition tests.
            power: Share of repetitions that find it.
        """
        if not np.isfinite(self.standard_error) or not np.isfinite(self.df):
            return float("nan")
        return self.standard_error * _detectable_factor(self.df, alpha, power)

    def _quantile(self, probability: float) -> float:
        return float(stats.t.ppf(probability, self.df))


def crossed_mean(differences: npt.ArrayLike) -> Estimate:
    """Estimate the mean of differences over seeds and photographs, both of them random.

    With MS the mean squares of the two-way table, Var(mean) is estimated by (MS_S + max(MS_P - MS_E, 0)) / (n_s n_p)
    on df = (MS_S + max(MS_P - MS_E, 0))^2 / (MS_S^2 / (n_s - 1)) degrees of freedom: Hillis' for studies of few readers
    and many cases (2007, doi:10.1002/sim.2532), which are built as few seeds and many photographs are.

    Args:
        differences: (num_seeds, num_examples). One seed: examples alone are random. One example, as for quantities of
            a whole run: seeds alone are.

    Returns:
        The estimate; NaN where there is one number alone, or one that is not finite.
    """
    table = np.atleast_2d(np.asarray(differences, dtype=np.float64))
    seeds, examples = table.shape
    mean = float(table.mean())
    if table.size < 2 or not np.isfinite(table).all():
        return Estimate(
            mean=mean,
            standard_error=np.nan,
            df=np.nan,
            seed_variance=np.nan,
            example_variance=np.nan,
            residual_variance=np.nan,
        )
    if seeds == 1 or examples == 1:
        variance = float(table.var(ddof=1))
        return Estimate(
            mean=mean,
            standard_error=float(np.sqrt(variance / table.size)),
            df=table.size - 1,
            seed_variance=variance if examples == 1 else np.nan,
            example_variance=variance if seeds == 1 else np.nan,
            residual_variance=np.nan,
        )
    of_seeds, of_examples = table.mean(axis=1), table.mean(axis=0)
    rest = table - of_seeds[:, None] - of_examples + mean
    ms_seeds = examples * float(of_seeds.var(ddof=1))
    ms_examples = seeds * float(of_examples.var(ddof=1))
    ms_rest = float((rest**2).sum()) / ((seeds - 1) * (examples - 1))
    above = max(ms_examples - ms_rest, 0.0)
    return Estimate(
        mean=mean,
        standard_error=float(np.sqrt((ms_seeds + above) / table.size)),
        df=min((seeds - 1) * (1 + above / ms_seeds) ** 2, _NORMAL) if ms_seeds else _NORMAL,
        seed_variance=max(ms_seeds - ms_rest, 0.0) / examples,
        example_variance=above / seeds,
        residual_variance=ms_rest,
    )


def _detectable_factor(df: float, alpha: float, power: float) -> float:
    """Return a difference in standard errors, see `Estimate.detectable`."""
    limit = float(stats.t.isf(alpha / 2, df))
    # Of the standard error, as a multiple of its true value: sqrt(chi2_df / df), at the middles of equal shares.
    spread = np.sqrt(stats.chi2.ppf((np.arange(_NODES) + 0.5) / _NODES, df) / df)

    def short_of(factor: float) -> float:
        # Given the repetition's own standard error, whether it finds the difference is a matter of a normal variable.
        true, tested = factor * spread[:, None], limit * spread
        found = stats.norm.sf(tested - true) + stats.norm.cdf(-tested - true)
        return float(found.mean()) - power

    upper = 2.0 * limit + 2
    while short_of(upper) < 0:
        upper *= 2
    return float(optimize.brentq(short_of, 0.0, upper))
