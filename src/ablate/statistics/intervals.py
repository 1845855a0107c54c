"""The mean of two crossed samples: its interval, for the human evaluation, and its effect size. Pure functions.

The model of a difference, of seed or participant s and example i:

    d[s, i] = mu + S[s] + P[i] + E[s, i]

with independent effects of seeds, of examples, and of both together. Seeds and examples are samples: the
interval for mu is about other seeds and other examples of the same kind. docs/statistics.md says more; `simultaneous`
has the intervals of variants.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ablate.statistics.error_distribution import ErrorDistribution

Array = npt.NDArray[np.float64]

LEVEL = 0.95
ALPHA = 1 - LEVEL
"""Level of a test: of family-wise error where p-values are corrected."""


@dataclass(frozen=True)
class Estimate:
    """A mean difference, how surely it is known, and what makes single differences vary.

    Attributes:
        mean: Its estimate; NaN where a difference is not finite.
        error: How far it may lie from the truth; None where a single number, or one not finite, tells nothing.
        seed_variance: Estimated variance of S, at least 0; NaN for one seed.
        example_variance: Of P, at least 0, with E for one seed; NaN for one example.
        residual_variance: Of E; NaN for one seed or one example.
    """

    mean: float
    error: ErrorDistribution | None = None
    seed_variance: float = np.nan
    example_variance: float = np.nan
    residual_variance: float = np.nan

    def interval(self, level: float = LEVEL) -> tuple[float, float]:
        """Return the interval that covers the true mean in `level` of all studies; NaN where nothing is known."""
        half_width = np.nan if self.error is None else self.error.half_width(1 - level)
        return self.mean - half_width, self.mean + half_width

    @property
    def p_value(self) -> float:
        """Two-sided p-value of a true mean of 0; 0 for a difference that varies not at all."""
        if self.error is None:
            return np.nan
        return min(1.0, 2 * self.error.tail_probability(abs(self.mean)))

    @property
    def effect_size(self) -> float:
        """The mean over the standard deviation of a single difference: one example, one seed.

        Cohen's d for crossed samples of participants and stimuli, here seeds and examples, of paired differences
        (Westfall, Kenny and Judd 2014, doi:10.1037/xge0000014).
        """
        parts = (self.seed_variance, self.example_variance, self.residual_variance)
        deviation = float(np.sqrt(np.nansum(parts)))
        return self.mean / deviation if deviation else np.nan


def crossed_mean(differences: npt.ArrayLike) -> Estimate:
    """Estimate the mean of differences over seeds and examples, both of them random.

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
            ErrorDistribution(variance / table.size, table.size - 1),
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
        ErrorDistribution(
            ms_seeds / table.size, seeds - 1, above / table.size, ErrorDistribution.df_of_examples(examples)
        ),
        seed_variance=max(ms_seeds - ms_rest, 0.0) / examples,
        example_variance=above / seeds,
        residual_variance=ms_rest,
    )
