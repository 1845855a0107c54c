"""Soft encoding of ab in its nearest colour classes, sparse and exact (paper, section 2.1, H^-1)."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from ablate.colorization.color.gamut import ab_gamut

AB_LIMIT = 128
"""Every ab of an sRGB colour, and every 8-bit Lab value, lies within this distance of 0 on each axis."""

_CELL = 5
_FAR = 1e18


@lru_cache
def _candidates(step: int, k: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    """For each square cell of the ab plane, list every class that can be among the k nearest of a point in it.

    A class can be only if its smallest distance to the cell is no larger than the k-th smallest of the
    classes' largest distances to the cell. So the search over a list is exact, and short.

    Returns:
        indices: (cells, cells, candidates), ascending, filled up with num_bins.
        candidate_ab: (cells, cells, candidates, 2), their ab, filled up with a point that is never near.
    """
    bins = ab_gamut(step).astype(np.float64)
    low = np.arange(-AB_LIMIT, AB_LIMIT, _CELL, dtype=np.float64)
    # Distances along one axis of (cell, class): to the nearest and to the farthest point of the cell.
    offset = bins[None, :, :] - low[:, None, None]
    nearest = np.maximum(np.maximum(-offset, offset - _CELL), 0)
    farthest = np.maximum(np.abs(offset), np.abs(offset - _CELL))
    smallest = nearest[:, None, :, 0] ** 2 + nearest[None, :, :, 1] ** 2
    largest = farthest[:, None, :, 0] ** 2 + farthest[None, :, :, 1] ** 2
    bound = np.partition(largest, k - 1, axis=-1)[..., k - 1 : k]
    possible = smallest <= bound + 1e-6
    width = int(possible.sum(axis=-1).max())
    order = np.argsort(~possible, axis=-1, kind="stable")[..., :width]
    indices = np.where(np.take_along_axis(possible, order, -1), order, len(bins)).astype(np.int32)
    candidate_ab = np.append(bins, [[_FAR, _FAR]], axis=0).astype(np.float32)[indices]
    return indices, candidate_ab


def nearest_bins(ab: tf.Tensor, *, step: int = 10, k: int = 5) -> tuple[tf.Tensor, tf.Tensor]:
    """Find the k colour classes nearest to each ab, nearest first; of equally near ones, the lower index first.

    Args:
        ab: (..., 2), float, within `AB_LIMIT` of 0 on each axis.
        step: Grid step of the classes, see `ab_gamut`.
        k: How many classes, 1..num_bins.

    Returns:
        indices: (..., k), int32, rows of `ab_gamut(step)`.
        squared_distances: (..., k), float32, in ab units squared.

    Raises:
        ValueError: `k` is out of range.
    """
    num_bins = len(ab_gamut(step))
    if not 1 <= k <= num_bins:
        raise ValueError(f"`k` must lie in 1..{num_bins} for step={step}. Received: k={k}")
    indices, candidate_ab = _candidates(step, k)
    ab = tf.cast(ab, tf.float32)
    # Along the row of flattened cells: one gather instead of a gather over two axes.
    cell = tf.clip_by_value(tf.cast(tf.floor((ab + AB_LIMIT) / _CELL), tf.int32), 0, len(indices) - 1)
    row = cell[..., 0] * len(indices) + cell[..., 1]
    candidates = tf.gather(indices.reshape(-1, indices.shape[-1]), row)
    offsets = tf.gather(candidate_ab.reshape(-1, *candidate_ab.shape[-2:]), row) - ab[..., None, :]
    negative, chosen = tf.math.top_k(-tf.reduce_sum(tf.square(offsets), axis=-1), k)
    return tf.gather(candidates, chosen, batch_dims=candidates.shape.rank - 1), -negative


def nearest_bin(ab: tf.Tensor, *, step: int = 10) -> tf.Tensor:
    """Return the index of the colour class nearest to each ab: (..., 2) -> (...), int32."""
    return nearest_bins(ab, step=step, k=1)[0][..., 0]


def soft_encode(ab: tf.Tensor, *, step: int = 10, k: int = 5, sigma: float = 5.0) -> tuple[tf.Tensor, tf.Tensor]:
    """Encode ab as weights on its k nearest colour classes.

    weight_i = exp(-d_i^2 / (2 sigma^2)) / sum_j exp(-d_j^2 / (2 sigma^2)), with d_i the distance to class i.

    Args:
        ab: (..., 2), float, within `AB_LIMIT` of 0 on each axis.
        step: Grid step of the classes, see `ab_gamut`.
        k: Classes a pixel: 5 in the paper, 10 in its released code.
        sigma: Width of the Gaussian in ab units.

    Returns:
        indices: (..., k), int32, nearest first.
        weights: (..., k), float32, summing to 1.
    """
    indices, squared_distances = nearest_bins(ab, step=step, k=k)
    # A softmax subtracts the largest exponent, so that colours far outside the gamut do not underflow to 0 / 0.
    return indices, tf.nn.softmax(-squared_distances / (2 * sigma**2), axis=-1)
