"""The join of a photograph's own L with colours: pure functions on strips of pixels, in its colour space and depth.

A colour that the space does not have at that L loses chroma until it has one: clipped instead, it would change L. So
L is that of the photograph, to what rounding to 8 or 16 bits leaves.
"""

from __future__ import annotations

from collections.abc import Callable
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
_CUT = {np.dtype(np.uint8): 13, np.dtype(np.uint16): 8}
"""Bits that are cut off a float32 of linear light: the others are its place in a table, by depth."""
_DARKEST = 2.0**-32
"""Linear light below which every channel is 0."""
_BLOCK = 28_000
"""Pixels at a time, about: their numbers stay in the processor's cache; from 29,128 on OpenBLAS wakes its threads."""


def offsets(ab: Floats) -> Floats:
    """Return what a and b add to Lab's curve of Y for that of X and of Z: (2, ...) -> (2, ...)."""
    return np.stack([ab[0] / np.float32(500), ab[1] / np.float32(-200)])


class Joiner:
    """The tables of one colour space at one depth.

    Args:
        space: Of the result; and of the pixels, unless they are grey.
        dtype: Of the pixels and the result, uint8 or uint16.
        grey: The curve of grey pixels.
    """

    def __init__(self, space: RgbSpace, dtype: npt.DTypeLike, grey: Curve | None = None):
        self._dtype = np.dtype(dtype)
        self._matrix = space.from_xyz
        count = int(np.iinfo(self._dtype).max) + 1
        curves = space.curves if grey is None else (grey,)
        weights = space.luminance if grey is None else (1.0,)
        pairs = zip(curves, weights, strict=True)
        self._decode = [(float(weight) * curve.decoded(count)).astype(np.float32) for curve, weight in pairs]
        tables = {curve: _encoding(curve, self._dtype) for curve in set(space.curves)}
        self._tables = [tables[curve] for curve in space.curves]

    def luminance(self, planes: Planes) -> Floats:
        """Return Y: (1 or 3, ...) -> (...), 0..1."""
        y: Floats = self._decode[0].take(planes[0], mode="wrap")
        for table, plane in zip(self._decode[1:], planes[1:], strict=True):
            y += table.take(plane, mode="wrap")
        return y

    def lightness(self, planes: Planes) -> Floats:
        """Return L: (1 or 3, ...) -> (...), 0..100."""
        return np.asarray(116 * _root(self.luminance(planes)) - 16, np.float32)

    def join(self, planes: Planes, added: Callable[[int, int], Floats], top: int = 0) -> Planes:
        """Give pixels colours, and leave them their L.

        Args:
            planes: (1 or 3, height, width).
            added: Of the photograph's rows from a first up to a last one: (2, rows, width), the `offsets` of ab; or
                (4, rows, width), with what Lab's curve of Y adds to them, times itself.
            top: Which of the photograph's rows is the first of these.

        Returns:
            (3, height, width), of the same depth.
        """
        height, width = planes.shape[1:]
        joined = np.empty((3, height * width), self._dtype)
        left = list[tuple[npt.NDArray[Any], ...]]()
        rows = max(1, _BLOCK // width)
        for first in range(0, height, rows):
            last = min(first + rows, height)
            start, end = first * width, last * width
            y = self.luminance(planes[:, first:last]).ravel()
            root = _root(y)
            own = added(top + first, top + last).reshape(-1, len(y))
            if len(own) == 4:
                own = own[:2] + root * own[2:]
            light = self._light(own + root, y)
            self._encode(light, joined[:, start:end])
            outside = self._outside(light)
            if len(outside):
                left.append((outside + start, *(each.take(outside, axis=-1) for each in (root, own, light))))
        if left:
            places, root, own, light = (np.concatenate(parts, axis=-1) for parts in zip(*left, strict=True))
            inside = np.empty(light.shape, self._dtype)
            self._encode(self._brought_inside(root, own, light), inside)
            for plane, values in zip(joined, inside, strict=True):
                plane[places] = values
        return joined.reshape(3, height, width)

    def _light(self, f: Floats, y: Floats) -> Floats:
        """Return linear RGB of Lab's curve of X and Z, (2, n), and of Y: (3, n)."""
        xyz = np.empty((3, len(y)), np.float32)
        _unrooted(f, out=xyz[::2])
        xyz[1] = y
        light = np.empty_like(xyz)
        for start in range(0, len(y), _BLOCK):
            block = slice(start, start + _BLOCK)
            np.matmul(self._matrix, xyz[:, block], out=light[:, block])
        return light

    def _outside(self, light: Floats) -> npt.NDArray[np.intp]:
        low, high = _extremes(light)
        close = _CLOSE[self._dtype]
        return np.flatnonzero((low < -close) | (high > 1 + close))

    def _brought_inside(self, root: Floats, added: Floats, light: Floats) -> Floats:
        """Return the linear RGB of colours with less chroma, such that all of it is inside: (n,), (2, n), (3, n)."""
        grey = np.clip(_unrooted(root), 0, 1)
        up, down = 1 - grey + _TINY, grey + _TINY
        for _ in range(_ROUNDS[self._dtype]):
            # On the way from grey each channel is almost a line: so far it goes before the first one leaves.
            low, high = _extremes(light)
            above, below = np.maximum(high - grey, up), np.maximum(grey - low, down)
            added = added * np.minimum(up / above, down / below)
            light = self._light(added + root, grey)
        return light

    def _encode(self, light: Floats, out: Planes) -> None:
        """Write the values of linear RGB: (3, n), what is outside of 0 to 1 clipped."""
        places = light.view(np.int32) >> _CUT[self._dtype]
        for table, at, plane in zip(self._tables, places, out, strict=True):
            table.take(at, mode="clip", out=plane)


def _extremes(light: Floats) -> tuple[Floats, Floats]:
    """Return the least and the largest of the three channels."""
    red, green, blue = light
    return np.minimum(np.minimum(red, green), blue), np.maximum(np.maximum(red, green), blue)


def _root(y: Floats) -> Floats:
    """Return Lab's curve of Y, f = (L + 16) / 116."""
    upper = np.maximum(y, _BEND)
    line = y - upper
    line *= _SLOPE
    np.log(upper, out=upper)
    upper *= np.float32(1 / 3)
    np.exp(upper, out=upper)
    upper += line
    return upper


def _unrooted(f: Floats, out: Floats | None = None) -> Floats:
    """Return the inverse of Lab's curve: the cube, and its tangent below the bend."""
    upper = np.maximum(f, _ROOT)
    cube = np.multiply(upper, upper, out=out)
    cube *= upper
    line = np.subtract(f, upper, out=upper)
    line *= 1 / _SLOPE
    cube += line
    return cube


def _encoding(curve: Curve, dtype: np.dtype[Any]) -> Planes:
    """Return a channel's values over the first bits of linear light from 0 to 1."""
    cut, largest = _CUT[dtype], np.iinfo(dtype).max
    first, last = (np.array([_DARKEST, 1], np.float32).view(np.int32) >> cut).tolist()
    places = np.arange(first, last + 1, dtype=np.int32)
    light = ((places << cut) + (1 << (cut - 1))).view(np.float32)
    table = np.zeros(last + 1, dtype)
    table[first:] = np.rint(largest * np.clip(curve.values(np.minimum(light, 1)), 0, 1))
    return table


@lru_cache(8)
def joiner(space: RgbSpace, dtype: str, grey: Curve | None = None) -> Joiner:
    """Return the tables of a colour space, made once."""
    return Joiner(space, dtype, grey)
