"""Colour spaces of photographs: between their pixels, linear light, and L and ab, by the profile that they carry.

An RGB space is three curves and a matrix (ICC.1:2022, 8.3.3); what has no profile is sRGB (IEC 61966-2-1). L and ab
are those of training: CIE Lab under D65, in which every grey is exactly a = b = 0.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]

_SRGB_TO_XYZ = np.array(
    [[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]]
)
_D50_TO_D65 = np.array(
    [[0.9555766, -0.0230393, 0.0631636], [-0.0282895, 1.0099416, 0.0210077], [0.0122982, -0.0204830, 1.3299098]]
)
"""Bradford's adaptation: profiles are relative to D50."""
_SAMPLES = 4096
_MAX_SAMPLES = 2**16
"""Of a curve in a profile: with more, as one of 16 bits can use, each takes memory and tells nothing."""
_NAMES = {*(f"{color}{kind}".encode() for color in "rgb" for kind in ("XYZ", "TRC")), b"kTRC"}
"""The tags that are read. Of others there may be thousands, each of which is all of the profile."""


@dataclass(frozen=True, eq=False)
class Curve:
    """The tone curve of a channel: linear light of values from 0 to 1, as samples at equal distances."""

    samples: tuple[float, ...]

    def decoded(self, count: int) -> Values:
        """Return the linear light of `count` values at equal distances from 0 to 1."""
        return self.light(np.linspace(0, 1, count))

    def light(self, values: Values) -> Values:
        """Return the linear light of values."""
        return np.interp(values, np.linspace(0, 1, len(self.samples)), self.samples)

    def values(self, light: Values) -> Values:
        """Return the values of linear light: the inverse."""
        ascending = np.maximum.accumulate(self.samples)
        return np.interp(light, ascending, np.linspace(0, 1, len(self.samples)))


def _srgb(values: Values) -> Values:
    return np.where(values <= 0.04045, values / 12.92, ((np.maximum(values, 0.04045) + 0.055) / 1.055) ** 2.4)


SRGB_CURVE = Curve(tuple(_srgb(np.linspace(0, 1, 65536))))


@dataclass(frozen=True, eq=False)
class RgbSpace:
    """An RGB space.

    Attributes:
        curves: Of red, green and blue.
        matrix: Rows of the matrix from linear RGB to XYZ over that of white.
    """

    curves: tuple[Curve, Curve, Curve]
    matrix: tuple[tuple[float, ...], ...]

    @cached_property
    def luminance(self) -> Floats:
        """Weights of linear red, green and blue in Y, (3,); their sum is 1."""
        return np.asarray(self.matrix[1], np.float32)

    @cached_property
    def from_xyz(self) -> Floats:
        """The matrix from XYZ over that of white to linear RGB, (3, 3)."""
        return np.linalg.inv(np.asarray(self.matrix)).astype(np.float32)


def _normalised(matrix: Values) -> tuple[tuple[float, ...], ...]:
    """Scale the rows such that white is 1, 1, 1."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return tuple(tuple(row) for row in matrix / matrix.sum(axis=1, keepdims=True))


SRGB = RgbSpace((SRGB_CURVE,) * 3, _normalised(_SRGB_TO_XYZ))


@lru_cache(16)
def rgb_space(profile: bytes) -> RgbSpace | None:
    """Return the space of an ICC profile; None where it is damaged, or no RGB space of curves and a matrix."""
    tags = _tags(profile)
    names = [(f"{color}XYZ".encode(), f"{color}TRC".encode()) for color in "rgb"]
    if profile[16:20] != b"RGB " or not all(tag in tags for pair in names for tag in pair):
        return None
    try:
        columns = [np.array(struct.unpack(">3i", tags[xyz][8:20])) / 65536 for xyz, _ in names]
        red, green, blue = (_curve(tags[trc]) for _, trc in names)
        matrix = _normalised(_D50_TO_D65 @ np.stack(columns, axis=1))
        if not np.isfinite([np.asarray(matrix), np.linalg.inv(np.asarray(matrix))]).all():
            return None
    except (struct.error, ValueError, np.linalg.LinAlgError):
        return None
    return RgbSpace((red, green, blue), matrix)


@lru_cache(16)
def grey_curve(profile: bytes) -> Curve | None:
    """Return the tone curve of an ICC profile of grey pixels; None where it is damaged, or no such profile."""
    tags = _tags(profile)
    if profile[16:20] != b"GRAY" or b"kTRC" not in tags:
        return None
    try:
        return _curve(tags[b"kTRC"])
    except (struct.error, ValueError):
        return None


def _tags(profile: bytes) -> dict[bytes, bytes]:
    """Return the tags of a profile that matter here, by their signatures."""
    if len(profile) < 132 or profile[36:40] != b"acsp":
        return {}
    (count,) = struct.unpack(">I", profile[128:132])
    found = {}
    for place in range(132, min(132 + 12 * count, len(profile) - 11), 12):
        name, start, size = struct.unpack(">4sII", profile[place : place + 12])
        if name in _NAMES:
            found[name] = profile[start : start + size]
    return found


def _curve(tag: bytes) -> Curve:
    """Read a tag of the type `curv` or `para` (ICC.1:2022, 10.6 and 10.18)."""
    kind = tag[:4]
    if kind == b"curv":
        (count,) = struct.unpack(">I", tag[8:12])
        if count == 0:
            return Curve((0.0, 1.0))
        if count > _MAX_SAMPLES:
            raise ValueError("a curve has too many samples")
        values = np.frombuffer(tag[12 : 12 + 2 * count], ">u2")
        if len(values) != count:
            raise ValueError("a curve is cut off")
        if count == 1:
            return Curve(tuple(np.linspace(0, 1, _SAMPLES) ** (int(values[0]) / 256)))
        return Curve(tuple(values / 65535))
    if kind == b"para":
        return _parametric(tag)
    raise ValueError(f"a curve of the type {kind!r}")


_PARAMETERS = {0: "g", 1: "gab", 2: "gabc", 3: "gabcd", 4: "gabcdef"}


def _parametric(tag: bytes) -> Curve:
    (kind,) = struct.unpack(">H", tag[8:10])
    if kind not in _PARAMETERS:
        raise ValueError(f"a parametric curve of the kind {kind}")
    names = _PARAMETERS[kind]
    numbers = struct.unpack(f">{len(names)}i", tag[12 : 12 + 4 * len(names)])
    given = dict(zip(names, (number / 65536 for number in numbers), strict=True))
    g, a, b = given["g"], given.get("a", 1.0), given.get("b", 0.0)
    x = np.linspace(0, 1, _SAMPLES)
    power = np.maximum(a * x + b, 0) ** g
    if kind <= 2:
        # Below -b / a the power ends, and the constant c remains.
        offset = given.get("c", 0.0)
        curve = np.where(x >= (-b / a if a else 0), power + offset, offset)
    else:
        e, f = given.get("e", 0.0), given.get("f", 0.0)
        curve = np.where(x >= given["d"], power + e, given["c"] * x + f)
    return Curve(tuple(np.clip(curve, 0, 1)))
