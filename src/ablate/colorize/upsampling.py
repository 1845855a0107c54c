"""Upsampling of a network's colours to a photograph's size: bilinear, or along the edges of L.

Bilinear is the paper's. The edge-aware one adds to it what L tells (after the guided filter of He et al. 2013 and
joint upsampling of Kopf et al. 2007): in a window around each output pixel, ab is regressed on L, and

    ab(x) = up(ab) + up(slope) (L(x) - up(L)),   slope = cov(L, ab) / (var(L) + EPSILON)

so that colours change where L does. The mean of the result over an output pixel is brought back to what the network
said (back-projection, Irani and Peleg 1991), at the side of the network's input.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

from ablate.colorize.join import offsets
from ablate.colorize.space import Floats

Method = Literal["edge_aware", "bilinear"]
METHODS: tuple[Method, ...] = get_args(Method)

_WINDOW = 0.6
"""Standard deviation of the window in output pixels."""
_EPSILON = 150.0
"""Variance of L below which it tells little; a step of L = 12 across a window."""
_ROUNDS = 3
"""Of back-projection."""


def bilinear_weights(to: int, side: int) -> Floats:
    """Return the matrix that resizes a side as `tf.image.resize` does, bilinearly: (to, side)."""
    low, share = _places(to, side)
    weights = np.zeros((to, side), np.float32)
    rows = np.arange(to)
    weights[rows, low] = 1 - share
    weights[rows, np.minimum(low + 1, side - 1)] += share
    return weights


def _places(to: int, side: int) -> tuple[npt.NDArray[np.intp], Floats]:
    """Return for each place the one of two neighbours with the lower number, and the share of the other."""
    at = np.clip((np.arange(to) + 0.5) * side / to - 0.5, 0, side - 1)
    low = np.minimum(at.astype(np.intp), max(side - 2, 0))
    return low, (at - low).astype(np.float32)


class Upsampled:
    """Colours at any size, computed strip by strip.

    Args:
        grids: (2 or 4, rows, columns): `offsets` of ab, then, if any, what Lab's curve of Y adds to them, both as the
            photograph's pixels are stored.
        width: Of the photograph.
        height: Of the photograph.
    """

    def __init__(self, grids: Floats, width: int, height: int):
        low, share = _places(width, grids.shape[2])
        start = grids[..., low]  # not a product with `bilinear_weights`, for which OpenBLAS wakes threads
        self._rows = start + share * (grids[..., np.minimum(low + 1, grids.shape[2] - 1)] - start)
        self._low, self._share = _places(height, grids.shape[1])

    def strip(self, top: int, bottom: int) -> Floats:
        """Return some rows of the photograph: (2 or 4, bottom - top, width)."""
        found = np.empty((len(self._rows), bottom - top, self._rows.shape[2]), np.float32)
        for first, last in self._runs(top, bottom):
            low = self._low[first]
            start = self._rows[:, None, low]
            step = self._rows[:, None, min(low + 1, self._rows.shape[1] - 1)] - start
            rows = found[:, first - top : last - top]
            np.multiply(step, self._share[first:last, None], out=rows)
            rows += start
        return found

    def _runs(self, top: int, bottom: int) -> Iterator[tuple[int, int]]:
        """Return the rows that lie between the same two rows of the grids."""
        changes = np.flatnonzero(np.diff(self._low[top:bottom])) + top + 1
        ends = [top, *changes.tolist(), bottom]
        yield from pairwise(ends)


def color_grids(ab: Floats, L: Floats, method: Method) -> Floats:
    """Return what `Upsampled` enlarges.

    Args:
        ab: (output_size, output_size, 2), the network's.
        L: (image_size, image_size), what it saw.
        method: Of upsampling.

    Returns:
        (rows, columns, 2) or, edge-aware, (rows, columns, 4).
    """
    if method == "bilinear":
        return np.moveaxis(offsets(ab), 0, -1)
    base, slope = _on_lightness(ab, L)
    # L = 116 f - 16.
    return np.moveaxis(np.concatenate([offsets(base - 16 * slope), offsets(116 * slope)]), 0, -1)


def _on_lightness(ab: Floats, L: Floats) -> tuple[Floats, Floats]:
    """Return base and slope of ab = base + slope * L: (image_size, image_size, 2) each."""
    side, small = len(L), len(ab)
    up = bilinear_weights(side, small)
    down = np.repeat(np.eye(small, dtype=np.float32), side // small, axis=1) * np.float32(small / side)
    L_small = down @ L @ down.T
    slope = _resized(_slope(L_small, ab), up)
    fine: Floats = _resized(ab, up) + slope * (L - up @ L_small @ up.T)[..., None]
    for _ in range(_ROUNDS):
        fine = fine + _resized(ab - _resized(fine, down), up)
    return np.asarray(fine - slope * L[..., None], np.float32), slope


def _resized(grid: Floats, weights: Floats) -> Floats:
    return np.asarray(np.moveaxis(weights @ np.moveaxis(grid, -1, 0) @ weights.T, 0, -1), np.float32)


def _slope(L: Floats, ab: Floats) -> Floats:
    def mean(values: Floats) -> Floats:
        return np.asarray(gaussian_filter(values, _WINDOW, mode="nearest"), np.float32)

    mean_L = mean(L)
    variance = np.maximum(mean(L * L) - mean_L**2, 0)
    covariance = [mean(L * ab[..., channel]) - mean_L * mean(ab[..., channel]) for channel in range(2)]
    return np.stack([each / (variance + np.float32(_EPSILON)) for each in covariance], axis=-1)
