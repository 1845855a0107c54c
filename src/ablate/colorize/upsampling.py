"""Upsampling of a network's colours to a photograph's size: bilinear, or along the edges of L.

Bilinear is the paper's. The edge-aware one adds to it what L tells (after the guided filter of He et al. 2013 and
joint upsampling of Kopf et al. 2007): in a window around each output pixel, ab is regressed on L, and

    ab(x) = up(ab) + up(slope) (L(x) - up(L)),   slope = cov(L, ab) / (var(L) + EPSILON)

so that colours change where L does. No back-projection to what the network said (Irani and Peleg 1991): it brings true
colours nearer to the truth, and takes those of networks away from it, `benchmarks/color_edges.py`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d

from ablate.colorize.join import offsets
from ablate.colorize.space import Floats

Method = Literal["edge_aware", "bilinear"]
METHODS: tuple[Method, ...] = get_args(Method)

_WINDOW = 0.6
"""Standard deviation of the window in output pixels."""
_EPSILON = 150.0
"""Variance of L below which it tells little; a step of L = 12 across a window."""


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
        self._grids, self._across = grids, _steps(grids, 2)
        self._left, self._share_right = _places(width, grids.shape[2])
        self._above, self._share_below = _places(height, grids.shape[1])
        self._kept: tuple[slice, Floats, Floats] | None = None

    def strip(self, top: int, bottom: int) -> Floats:
        """Return some rows of the photograph: (2 or 4, bottom - top, width)."""
        above = self._above[top:bottom]
        rows = slice(int(above[0]), int(above[-1]) + 2)
        if self._kept is None or self._kept[0] != rows:
            self._kept = (rows, *self._widened(rows))
        _, starts, steps = self._kept
        places = above - above[0]
        found: Floats = steps.take(places, axis=1)
        found *= self._share_below[top:bottom, None]
        found += starts.take(places, axis=1)
        return found

    def _widened(self, rows: slice) -> tuple[Floats, Floats]:
        """Return rows of the grids in the photograph's width, and what each lacks to the next one."""
        # No products with `bilinear_weights`, for which OpenBLAS wakes threads.
        found = self._across[:, rows].take(self._left, axis=2)
        found *= self._share_right
        found += self._grids[:, rows].take(self._left, axis=2)
        return found, _steps(found, 1)


def _steps(grids: Floats, axis: int) -> Floats:
    """Return what each lacks to the next one; the last one has none, and lacks nothing."""
    return np.diff(grids, axis=axis, append=grids.take([-1], axis=axis))


def color_grids(ab: Floats, L: Floats, method: Method) -> Floats:
    """Return what `Upsampled` enlarges.

    Args:
        ab: (output_size, output_size, 2), the network's.
        L: (image_size, image_size), what it saw.
        method: Of upsampling.

    Returns:
        (2, rows, columns) or, edge-aware, (4, rows, columns).
    """
    planes = np.ascontiguousarray(np.moveaxis(ab, -1, 0))
    if method == "bilinear":
        return offsets(planes)
    base, slope = _on_lightness(planes, L)
    # L = 116 f - 16.
    return np.concatenate([offsets(base - 16 * slope), offsets(116 * slope)])


def _on_lightness(ab: Floats, L: Floats) -> tuple[Floats, Floats]:
    """Return base and slope of ab = base + slope * L: (2, image_size, image_size) each."""
    side, small = len(L), ab.shape[-1]
    up, down = _resizing(side, small)
    L_small = _resized(L, down)
    slope = _resized(_slope(L_small, ab), up)
    return _resized(ab, up) - slope * _resized(L_small, up), slope


def _resized(grids: Floats, weights: Floats) -> Floats:
    """Resize rows and columns alike: (..., from, from), (to, from) -> (..., to, to)."""
    return np.asarray(weights @ grids @ weights.T, np.float32)


@lru_cache(8)
def _resizing(side: int, small: int) -> tuple[Floats, Floats]:
    """Return the matrices that resize a column between two sides: up bilinearly, down by means."""
    down = np.repeat(np.eye(small, dtype=np.float32), side // small, axis=1) * np.float32(small / side)
    return bilinear_weights(side, small), down


def _slope(L: Floats, ab: Floats) -> Floats:
    mean_L, mean_square, *means = _resized(np.stack([L, L * L, *ab, *(L * ab)]), _window(len(L)))
    variance = np.maximum(mean_square - mean_L**2, 0)
    covariance = np.stack(means[2:]) - mean_L * np.stack(means[:2])
    return np.asarray(covariance / (variance + np.float32(_EPSILON)), np.float32)


@lru_cache(8)
def _window(side: int) -> Floats:
    """Return the matrix that takes the means of a column in a window around each place."""
    return np.asarray(gaussian_filter1d(np.eye(side), _WINDOW, axis=0, mode="nearest"), np.float32)
