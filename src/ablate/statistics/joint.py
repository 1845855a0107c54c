"""Simultaneous intervals and tests of several means whose errors are drawn jointly. Pure functions on arrays.

The error of comparison c is, for one draw of the runs' variances sigma^2,

    e_c = floor_c sum_j L[c, j] sigma_j z_j + sqrt(Q_c G) sum_r W[c, r] u_r

with z and u standard normal. What z and u do is integrated: an error alone is normal, and all of them, being linear
in m = (z, u), exceed t times their half widths h if |m| > t |m| / max_c(|e_c| / h_c), where |m|^2 is chi2 and
independent of m's direction (spherical-radial integration, Genz and Bretz 2009, doi:10.1007/978-3-642-01689-9). The
rest is averaged over quasi-random points.
"""

from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import special

from ablate.statistics.error_model import LEAST, ErrorModel
from ablate.statistics.quasi_random import chi2_quantiles, normal_deviates
from ablate.statistics.tails import Maximum, solved

Array = npt.NDArray[np.float64]

POINTS, FEWEST_POINTS = 2**14, 2**11
"""Quasi-random points up to 16 comparisons, and at least."""
POWER = 0.8


class JointErrors:
    """The joint distribution of the errors of several comparisons.

    Args:
        model: What they are made of.
        points: How many quasi-random points; by default as many as `POINTS` allows.
    """

    def __init__(self, model: ErrorModel, points: int | None = None):
        self._model = model
        comparisons, rows, normals = len(model.loadings), len(model.seen), model.loadings.shape[1]
        if points is None:
            points = max(POINTS >> max(0, int(np.ceil(np.log2(max(comparisons, 1) / 16)))), FEWEST_POINTS)
        self.points = points
        with_examples = bool((model.examples > 0).any())
        deviates = normal_deviates(points, 2 + rows + normals + (rows if with_examples else 0))
        self._normals = deviates[:, 2 + rows :]
        variances = self._run_variances(deviates[:, 0], deviates[:, 2 : 2 + rows])
        of_runs = variances[:, model.row] @ (model.loadings**2).T
        of_examples = model.examples[None, :]
        floor = np.sqrt(np.maximum(model.residual / np.maximum(of_runs, 1e-290), 1))
        errors = floor * ((np.sqrt(variances[:, model.row]) * self._normals[:, :normals]) @ model.loadings.T)
        total = floor**2 * of_runs
        if with_examples:
            if np.isfinite(model.examples_df):
                ratio = model.examples_df / chi2_quantiles(deviates[:, 1], model.examples_df)
                of_examples = of_examples * ratio[:, None]
            errors = errors + np.sqrt(of_examples) * (self._normals[:, normals:] @ model.directions.T)
            total = total + of_examples
        self._errors, self._deviations = errors, np.sqrt(total)
        self._repeated = self._deviations
        if model.level is None and rows == 1 and model.df[0] > 0:
            # The level's numbers are free, as there is none.
            again = of_runs * (chi2_quantiles(deviates[:, 0], model.df[0]) / model.df[0])[:, None]
            self._repeated = np.sqrt(np.maximum(again, model.residual) + of_examples)

    def _run_variances(self, of_level: Array, of_rows: Array) -> Array:
        """Draw the rows' variances: (num_points, num_rows)."""
        model = self._model
        scale = np.broadcast_to(model.df * model.seen, of_rows.shape)
        if model.level is not None:
            scale = scale + model.prior_df * model.level.quantiles(special.ndtr(of_level))[:, None]
        drawn = np.empty_like(of_rows)
        for row, df in enumerate(model.df + model.prior_df):
            drawn[:, row] = scale[:, row] / chi2_quantiles(of_rows[:, row], df) if df > 0 else 0.0
        # Where all runs agree, the residual may still say that they need not: it needs a direction to raise.
        return np.maximum(drawn, LEAST) if (model.residual > 0).any() else drawn

    @cached_property
    def medians(self) -> Array:
        """The median standard deviation of each error: (num_comparisons,)."""
        return np.asarray(np.median(self._deviations, axis=0), np.float64)

    def half_widths(self, level: float) -> Array:
        """Return what each error alone stays within with a probability: (num_comparisons,)."""
        widths = np.zeros(len(self.medians))
        known = self.medians > 0
        deviations = self._deviations[:, known]

        def tail(width: Array) -> tuple[Array, Array]:
            standard = width / deviations
            return 2 * special.ndtr(-standard).mean(axis=0), 2 * (_density(standard) / deviations).mean(axis=0)

        widths[known] = solved(tail, 1 - level, 2 * self.medians[known])
        return widths

    def survival(self, half_widths: Array) -> Maximum:
        """Return the distribution of the largest of all errors, each in units of its half width."""
        known = half_widths > 0
        largest = np.abs(self._errors[:, known] / half_widths[known]).max(axis=1, initial=0.0)
        lengths = np.sqrt((self._normals**2).sum(axis=1))
        shares = np.divide(largest, lengths, out=np.zeros(self.points), where=largest > 0)
        return Maximum(shares, self._normals.shape[1])

    def detectable(self, half_widths: Array, power: float = POWER) -> Array:
        """Return the true differences that a repetition finds with a probability: (num_comparisons,).

        A repetition has half widths of its own. If variances are moderated they are taken to vary as the standard
        deviation of the error does. A single variance, which is not, is estimated anew by the repetition.

        Args:
            half_widths: Simultaneous ones, of this study.
            power: The probability.
        """
        found = np.zeros(len(self.medians))
        known = self.medians > 0
        deviations = self._deviations[:, known]
        usual = self.medians if self._repeated is self._deviations else np.sqrt(self._model.moderated()[0])
        needed = half_widths[known] * self._repeated[:, known] / usual[known]

        def missed(difference: Array) -> tuple[Array, Array]:
            standard = (difference - needed) / deviations
            return special.ndtr(-standard).mean(axis=0), (_density(standard) / deviations).mean(axis=0)

        found[known] = solved(missed, 1 - power, half_widths[known] + self.medians[known])
        return found


def _density(standard: Array) -> Array:
    return np.asarray(np.exp(-(standard**2) / 2) / np.sqrt(2 * np.pi), np.float64)
