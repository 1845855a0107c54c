"""Corrections of p-values for the number of comparisons. Pure functions on arrays."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def holm(p_values: Sequence[float]) -> Array:
    """Correct p-values of several comparisons by Holm's method (1979, doi:10.2307/4615733).

    The smallest of m is multiplied by m, the next by m - 1, and so on; none becomes smaller than one before it. The
    same as statsmodels' `multipletests`, which takes no NaN and collects garbage at every call, a quarter of a second.

    Args:
        p_values: NaN where nothing was compared: these do not count, and stay.

    Returns:
        (num_p_values,), at most 1.
    """
    given = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(given)[: np.count_nonzero(~np.isnan(given))]
    corrected = np.full(len(given), np.nan)
    corrected[order] = np.minimum(np.maximum.accumulate(given[order] * np.arange(len(order), 0, -1)), 1)
    return corrected
