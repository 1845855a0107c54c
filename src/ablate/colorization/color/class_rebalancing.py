"""Class rebalancing: the data set's prior over colour classes and the weights from it (paper, section 2.2)."""

import numpy as np
import numpy.typing as npt

from ablate.colorization.color.gamut import ab_gamut

Vector = npt.NDArray[np.float64]


def empirical_prior(counts: npt.ArrayLike) -> Vector:
    """Normalise counts of nearest colour classes, (num_bins,), to a distribution p, (num_bins,).

    Raises:
        ValueError: A count is negative, or all are zero.
    """
    counts = np.asarray(counts, dtype=np.float64)
    if counts.min() < 0 or counts.sum() <= 0:
        raise ValueError("`counts` must be non-negative, with at least one pixel counted.")
    return counts / counts.sum()


def smooth_prior(prior: npt.ArrayLike, *, step: int = 10, sigma: float = 5.0) -> Vector:
    """Smooth a prior with a Gaussian in the ab plane, over the classes of the gamut, and renormalise it.

    Args:
        prior: (num_bins,), a distribution over `ab_gamut(step)`.
        step: Grid step of the classes.
        sigma: Width of the Gaussian in ab units (not in class indices).

    Returns:
        (num_bins,), summing to 1.
    """
    bins = ab_gamut(step).astype(np.float64)
    squared = ((bins[:, None, :] - bins[None, :, :]) ** 2).sum(axis=-1)
    smoothed = np.exp(-squared / (2 * sigma**2)) @ np.asarray(prior, dtype=np.float64)
    return smoothed / smoothed.sum()


def class_weights(smoothed: npt.ArrayLike, *, mix: float = 0.5) -> Vector:
    """Return the weight of each colour class in the rebalanced loss (paper, equation 4).

    w = c / ((1 - mix) p~ + mix / num_bins), with c such that sum(p~ w) = 1.

    Args:
        smoothed: (num_bins,), the smoothed prior p~.
        mix: The paper's lambda in 0..1: share of the uniform distribution. 1 weights all classes alike.

    Returns:
        (num_bins,), positive.

    Raises:
        ValueError: `mix` is out of range, or 0 while a class has no probability.
    """
    smoothed = np.asarray(smoothed, dtype=np.float64)
    if not 0 <= mix <= 1:
        raise ValueError(f"`mix` must lie in 0..1. Received: mix={mix}")
    mixed = (1 - mix) * smoothed + mix / len(smoothed)
    if mixed.min() <= 0:
        raise ValueError("`mix` must be above 0 where a colour class has no probability: its weight is infinite.")
    weights = 1 / mixed
    return weights / (smoothed * weights).sum()
