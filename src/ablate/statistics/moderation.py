"""Moderated variances: each variant's own, drawn towards the level of its study. Pure functions on arrays.

After Smyth (2004, doi:10.2202/1544-6115.1027), with a prior that is weak and fixed. A variant's variance sigma^2 is
taken to be a s0^2 / chi2(a), where s0^2 is the study's level and a the prior's degrees of freedom. Having seen s^2 on
d degrees of freedom it is (a s0^2 + d s^2) / chi2(a + d).
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import special

Array = npt.NDArray[np.float64]

PRIOR_DF = 3.0
"""Degrees of freedom of the prior of a variant's variance: what the study's level is worth."""
BASELINE_PRIOR_DF = 1.0
"""Of the baseline's: its error is in all differences, so that it leans less on the others."""
_NODES = np.linspace(-8, 8, 65)


@dataclass(frozen=True)
class Variances:
    """Variances of runs as they were seen.

    Attributes:
        seen: (num_variants,), 0 where a variant has no degree of freedom.
        df: (num_variants,), degrees of freedom that they stand on; they need not be whole.
    """

    seen: Array
    df: Array


def run_variances(means: Array, *, paired: bool = True) -> Variances:
    """Estimate each variant's variance over seeds, by least squares of variant + seed.

    With residuals r and leverages h, d_v = sum over s of (1 - h_vs), and s_v^2 = sum over s of r_vs^2 / d_v. Without
    a missing run d_v = (S - 1) V / (V + 1) for V + 1 variants and S seeds.

    Args:
        means: (num_variants, num_seeds), a run's value; NaN where there is none.
        paired: Whether a seed does the same to all variants. If not, least squares of the variant alone.
    """
    there = ~np.isnan(means)
    hat = _hat_matrix(there.tobytes(), there.shape, paired)
    values = means[there]
    # What is left of values that do not vary is rounding.
    smallest = 64 * np.finfo(np.float64).eps * np.abs(values).max(initial=0.0)
    residuals = values - hat @ values
    residuals[np.abs(residuals) <= smallest] = 0.0
    variant = np.nonzero(there)[0]
    # Without what is rounding, so that equal ones are equal.
    df = np.asarray(np.round(np.bincount(variant, 1 - np.diag(hat), len(means)), 9), np.float64)
    squares = np.bincount(variant, residuals**2, len(means))
    return Variances(np.divide(squares, df, out=np.zeros(len(means)), where=df > 0), df)


@lru_cache(maxsize=16)
def _hat_matrix(there: bytes, shape: tuple[int, int], paired: bool) -> Array:
    """Return what projects the values of runs on their fit: (num_runs, num_runs)."""
    variant, seed = np.nonzero(np.frombuffer(there, dtype=bool).reshape(shape))
    columns = [np.equal.outer(variant, np.arange(shape[0]))]
    if paired:
        columns.append(np.equal.outer(seed, np.arange(shape[1])))
    left, singular, _ = np.linalg.svd(np.hstack(columns).astype(np.float64), full_matrices=False)
    basis = left[:, singular > 1e-9 * singular.max(initial=1.0)]
    return np.asarray(basis @ basis.T, np.float64)


@dataclass(frozen=True)
class Level:
    """The distribution of a study's level of variance.

    Attributes:
        logarithms: log s0^2, ascending.
        cumulated: Probability of at most that, from 0 to 1.
    """

    logarithms: Array
    cumulated: Array

    def quantiles(self, probabilities: Array) -> Array:
        """Return s0^2 at these probabilities."""
        return np.asarray(np.exp(np.interp(probabilities, self.cumulated, self.logarithms)), np.float64)

    @property
    def typical(self) -> float:
        """The median of s0^2."""
        return float(self.quantiles(np.array(0.5)))


def level_of(variances: Variances, prior_df: float = PRIOR_DF) -> Level | None:
    """Return what variances say of their level, log s0^2 having a flat prior.

    s_v^2 / s0^2 has the distribution F(d_v, a), so that the logarithm of the density is, but for a constant,

        sum over v of -(d_v / 2) l - ((d_v + a) / 2) log(1 + (d_v / a) s_v^2 / e^l),   l = log s0^2

    It is concave: its peak is found by Newton's method, and its width from the curvature there. The peak rather than
    a mean of logarithms, which a single variance of nearly 0 pulls away from all others.

    Args:
        variances: As seen. Those of exactly 0 tell nothing of the others' level, and do not count.
        prior_df: a.

    Returns:
        None where no variance is above 0.
    """
    counts = (variances.df > 0) & (variances.seen > 0)
    if not counts.any():
        return None
    seen, df = np.log(variances.seen[counts]), variances.df[counts]
    sizes = (df + prior_df) / 2

    def share(level: Array) -> Array:
        return np.asarray(special.expit(seen - level + np.log(df / prior_df)), np.float64)

    low, high = float(seen.min()) - 5, float(seen.max()) + 5
    level = float(np.median(seen))
    for _ in range(100):
        own = share(np.array(level))
        slope = float(sizes @ own - df.sum() / 2)
        low, high = (level, high) if slope > 0 else (low, level)
        step = level + slope / max(float(sizes @ (own * (1 - own))), 1e-12)
        new = step if low < step < high else (low + high) / 2
        if abs(new - level) < 1e-10:
            break
        level = new
    own = share(np.array(level))
    nodes = level + _NODES / np.sqrt(sizes @ (own * (1 - own)))
    # log1p((d / a) e^x) = -log(1 - share)
    logarithm = -nodes * df.sum() / 2 + np.log1p(-share(nodes[:, None])) @ sizes
    density = np.exp(logarithm - logarithm.max())
    cumulated = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2)])
    return Level(nodes, cumulated / cumulated[-1])
