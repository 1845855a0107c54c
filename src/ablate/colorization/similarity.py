"""SSIM: the structural similarity of pictures, of many at a time. NumPy, in float64."""

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.floating]
Float64 = npt.NDArray[np.float64]

WINDOW = 7
_PIXELS = WINDOW**2
_C1, _C2 = 0.01**2, 0.03**2


def structural_similarity(one: Array, other: Array) -> Float64:
    """Return the SSIM of pairs of pictures in 0..1, (n, height, width, channels) each -> (n,): channels' mean.

    Wang et al. (2004) with a uniform window of side 7 and the sample covariance, as
    `skimage.metrics.structural_similarity(one, other, data_range=1, channel_axis=-1)`.

    Raises:
        ValueError: A picture is smaller than the window.
    """
    count, height, width, channels = one.shape
    if min(height, width) < WINDOW:
        raise ValueError(f"pictures must be at least {WINDOW}x{WINDOW}. Received: {height}x{width}")
    planes = ((one[..., channel], other[..., channel]) for channel in range(channels))
    return sum((_channel(x, y) for x, y in planes), np.zeros(count)) / channels


def _channel(x: Array, y: Array) -> Float64:
    """Return the SSIM of one channel, (n, height, width) each -> (n,)."""
    # Pictures last: the rows of small ones are short for NumPy.
    x, y = (np.ascontiguousarray(np.moveaxis(each, 0, -1), np.float64) for each in (x, y))
    mean_x, mean_y = _window_means(x), _window_means(y)
    product, squares = mean_x * mean_y, mean_x * mean_x + mean_y * mean_y
    sample = _PIXELS / (_PIXELS - 1)
    covariance = sample * (_window_means(x * y) - product)
    variances = sample * (_window_means(x * x + y * y) - squares)
    similarity = (2 * product + _C1) * (2 * covariance + _C2) / ((squares + _C1) * (variances + _C2))
    return similarity.mean(axis=(0, 1))


def _window_means(values: Float64) -> Float64:
    """Return the mean of every whole window, (height, width, n) -> (height - 6, width - 6, n)."""
    pairs = values[:-1] + values[1:]
    rows = pairs[:-5] + pairs[2:-3] + pairs[4:-1] + values[6:]
    pairs = rows[:, :-1] + rows[:, 1:]
    return (pairs[:, :-5] + pairs[:, 2:-3] + pairs[:, 4:-1] + rows[:, 6:]) / _PIXELS
