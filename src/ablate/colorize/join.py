"""The join of a photograph's own L with colours: pure functions on strips of pixels, in its colour space and depth.

A colour that the space does not have at that L loses chroma until it has one: clipped instead, it would change L. So
L is that of the photograph, to what rounding to 8 or 16 bits leaves.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from ablate.colorize.space import Curve, Floats, RgbSpace

Planes = npt.NDArray[Any]
"""(channels, height, width), uint8 or uint16."""

_BEND = np.float32(0.008856)
"""Y below which Lab's curve is a line, its tangent there."""
_ROOT = np.float32(_BEND ** (1 / 3))
_SLOPE = np.float32(7.787)
_CLOSE = {np.dtype(np.uint8): np.float32(1e-4), np.dtype(np.uint16): np.float32(2e-6)}
"""What counts as inside a space, in linear light: less than rounding changes."""
_TINY = np.float32(1e-9)
_ROUNDS = {np.dtype(np.uint8): 3, np.dtype(np.uint16): 8}
"""In which chroma is brought to the boundary, along a curve that is almost a line."""
_STEPS = {np.dtype(np.uint8): 4096, np.dtype(np.uint16): 65536}
"""Entries of the tables over the root of linear light, by depth: some for each value of a channel."""
_BLOCK = 2**14
"""Pixels at a time: their numbers stay in the processor's cache, and OpenBLAS multiplies in the thread that asks."""


def offsets(ab: Floats) -> Floats:
    """Return what a and b add to Lab's curve of Y for that of X and of Z: (..., 2) -> (2, ...)."""
    return np.stack([ab[..., 0] / np.float32(500), ab[..., 1] / np.float32(-200)])


class Joiner:
    """The tables of one colour space at one depth.

    Args:
        space: Of the result; and of the pixels, unless they are grey.
        dtype: Of the pixels and the result, uint8 or uint16.
        grey: The curve of grey pixels.
    """

    def __init__(self, space: RgbSpace, dtype: npt.DTypeLike, grey: Curve | None = None):
        self._dtype = np.dtype(dtype)
        steps = _STEPS[self._dtype]
        # Scaled such that the root of light is a place in the tables.
        self._matrix = space.from_xyz * np.float32(steps**2)
        self._white = np.float32(steps**2)
        count = int(np.iinfo(self._dtype).max) + 1
        curves = space.curves if grey is None else (grey,)
        weights = space.luminance if grey is None else (1.0,)
        pairs = zip(curves, weights, strict=True)
        self._decode = [(float(weight) * curve.decoded(count)).astype(np.float32) for curve, weight in pairs]
        tables = [_encoding(curve, self._dtype) for curve in space.curves]
        self._encode = tables[:1] if len(set(space.curves)) == 1 else tables

    def luminance(self, planes: Planes) -> Floats:
        """Return Y: (1 or 3, ...) -> (...), 0..1."""
        y: Floats = np.take(self._decode[0], planes[0], mode="wrap")
        for table, plane in zip(self._decode[1:], planes[1:], strict=True):
            y += np.take(table, plane, mode="wrap")
        return y

    def lightness(self, planes: Planes) -> Floats:
        """Return L: (1 or 3, ...) -> (...), 0..100."""
        return np.asarray(116 * _root(self.luminance(planes)) - 16, np.float32)

    def join(self, planes: Planes, added: Floats) -> Planes:
        """Give pixels colours, and leave them their L.

        Args:
            planes: (1 or 3, height, width).
            added: (2, height, width), the `offsets` of ab; or (4, height, width), with what Lab's curve of Y adds to
                them, times itself.

        Returns:
            (3, height, width), of the same depth.
        """
        flat, added = planes.reshape(len(planes), -1), added.reshape(len(added), -1)
        joined = np.empty((3, flat.shape[1]), self._dtype)
        left = list[tuple[npt.NDArray[Any], ...]]()
        for start in range(0, flat.shape[1], _BLOCK):
            block = slice(start, start + _BLOCK)
            y = self.luminance(flat[:, block])
            root = _root(y)
            own = added[:2, block]
            if len(added) == 4:
                own = own + root * added[2:, block]
            light = self._light(own + root, y)
            joined[:, block] = self._encoded(light)
            outside = self._outside(light)
            if len(outside):
                taken = (np.take(each, outside, axis=-1) for each in (root, own, light))
                left.append((outside + start, *taken))
        if left:
            places, root, some, light = (np.concatenate(parts, axis=-1) for parts in zip(*left, strict=True))
            joined[:, places] = self._encoded(self._brought_inside(root, some, light))
        return joined.reshape(3, *planes.shape[1:])

    def _light(self, f: Floats, y: Floats) -> Floats:
        """Return linear RGB of Lab's curve of X and Z, (2, n), and of Y: (3, n), white being that of the tables."""
        xyz = np.empty((3, len(y)), np.float32)
        _unrooted(f, out=xyz[::2])
        xyz[1] = y
        light: Floats = np.matmul(self._matrix, xyz)
        return light

    def _outside(self, light: Floats) -> npt.NDArray[np.intp]:
        low, high = _extremes(light)
        close = _CLOSE[self._dtype] * self._white
        return np.flatnonzero((low < -close) | (high > self._white + close))

    def _brought_inside(self, root: Floats, added: Floats, light: Floats) -> Floats:
        """Return the linear RGB of colours with less chroma, such that all of it is inside: (n,), (2, n), (3, n)."""
        y = np.clip(_unrooted(root), 0, 1)
        grey = y * self._white
        up, down = self._white - grey + _TINY, grey + _TINY
        for _ in range(_ROUNDS[self._dtype]):
            # On the way from grey each channel is almost a line: so far it goes before the first one leaves.
            low, high = _extremes(light)
            above, below = np.maximum(high - grey, up), np.maximum(grey - low, down)
            added = added * np.minimum(up / above, down / below)
            light = self._light(added + root, y)
        return np.clip(light, 0, self._white, out=light)

    def _encoded(self, light: Floats) -> Planes:
        """Return the values of linear RGB: (3, n) -> (3, n)."""
        # What is not clipped is inside but for rounding errors.
        places = np.abs(light)
        np.sqrt(places, out=places)
        places = places.astype(np.intp)
        if len(self._encode) == 1:
            return np.take(self._encode[0], places, mode="clip")
        return np.stack([np.take(table, at, mode="clip") for table, at in zip(self._encode, places, strict=True)])


def _extremes(light: Floats) -> tuple[Floats, Floats]:
    """Return the least and the largest of the three channels."""
    red, green, blue = light
    return np.minimum(np.minimum(red, green), blue), np.maximum(np.maximum(red, green), blue)


def _root(y: Floats) -> Floats:
    """Return Lab's curve of Y, f = (L + 16) / 116."""
    upper = np.maximum(y, _BEND)
    np.log(upper, out=upper)
    upper *= np.float32(1 / 3)
    np.exp(upper, out=upper)
    line = np.minimum(y, _BEND)
    line -= _BEND
    line *= _SLOPE
    upper += line
    return upper


def _unrooted(f: Floats, out: Floats | None = None) -> Floats:
    """Return the inverse of Lab's curve: the cube, and its tangent below the bend."""
    upper = np.maximum(f, _ROOT)
    cube = np.multiply(upper, upper, out=out)
    cube *= upper
    line = np.minimum(f, _ROOT, out=upper)
    line -= _ROOT
    line *= 1 / _SLOPE
    cube += line
    return cube


def _encoding(curve: Curve, dtype: np.dtype[Any]) -> Planes:
    """Return a channel's values over the root of linear light, from 0 to a little above 1."""
    steps = _STEPS[dtype]
    light = ((np.arange(steps + steps // 256) + 0.5) / steps) ** 2
    largest = np.iinfo(dtype).max
    return np.rint(largest * np.clip(curve.values(np.minimum(light, 1)), 0, 1)).astype(dtype)


@lru_cache(8)
def joiner(space: RgbSpace, dtype: str, grey: Curve | None = None) -> Joiner:
    """Return the tables of a colour space, made once."""
    return Joiner(space, dtype, grey)
