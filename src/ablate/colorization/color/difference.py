"""CIEDE2000: the perceptual difference of colours, of many at a time. NumPy, in float64."""

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.floating]
Float64 = npt.NDArray[np.float64]

_BLOCK = 8192
_TURN = 2 * np.pi


def ciede2000(one: Array, other: Array) -> Float64:
    """Return the CIEDE2000 difference of Lab colours, (..., 3) each -> (...).

    Sharma, Wu and Dalal (2005), with unit weights, as `skimage.color.deltaE_ciede2000`.
    """
    first, second = one.reshape(-1, 3), other.reshape(-1, 3)
    difference = np.empty(len(first))
    # As many at a time as stay in the processor's cache.
    for start in range(0, len(first), _BLOCK):
        part = slice(start, start + _BLOCK)
        planes = (np.ascontiguousarray(lab[part].T, np.float64) for lab in (first, second))
        difference[part] = _difference(*planes)
    return difference.reshape(one.shape[:-1])


def _difference(one: Float64, other: Float64) -> Float64:
    """Return the difference of colours by planes, (3, n) each -> (n,); primes of the paper's symbols are left out."""
    (L1, a1, b1), (L2, a2, b2) = one, other
    C = (np.sqrt(a1 * a1 + b1 * b1) + np.sqrt(a2 * a2 + b2 * b2)) / 2
    stretched = 1.5 - _compression(C) / 2
    a1, a2 = a1 * stretched, a2 * stretched
    C1, C2 = np.sqrt(a1 * a1 + b1 * b1), np.sqrt(a2 * a2 + b2 * b2)
    C, product = (C1 + C2) / 2, C1 * C2
    half_turn, h = _hues(np.arctan2(b1, a1), np.arctan2(b2, a2), product == 0)

    L = ((L1 + L2) / 2 - 50) ** 2
    d_lightness = (L2 - L1) / (1 + 0.015 * L / np.sqrt(20 + L))
    d_chroma = (C2 - C1) / (1 + 0.045 * C)
    d_hue = 2 * np.sqrt(product) * np.sin(half_turn) / (1 + 0.015 * C * _hue_weight(h))
    degrees = (np.rad2deg(h) - 275) / 25
    rotation = -np.sin(np.deg2rad(60) * np.exp(-degrees * degrees)) * 2 * _compression(C)
    squared = d_lightness * d_lightness + d_chroma * d_chroma + d_hue * d_hue + rotation * d_chroma * d_hue
    # Of nearly equal colours, rounding may make it negative.
    return np.sqrt(np.maximum(squared, 0))


def _compression(C: Float64) -> Float64:
    """Return sqrt(C^7 / (C^7 + 25^7))."""
    squared = C * C
    power = squared * squared * squared * C
    return np.sqrt(power / (power + 25.0**7))


def _hues(h1: Float64, h2: Float64, grey: npt.NDArray[np.bool_]) -> tuple[Float64, Float64]:
    """Return half the turn between two hues, and their mean on the shorter arc; where one is grey, 0 and the sum."""
    h1, h2 = np.where(h1 < 0, h1 + _TURN, h1), np.where(h2 < 0, h2 + _TURN, h2)
    turn, total = h2 - h1, h1 + h2
    far = np.where(grey, False, np.abs(turn) > np.pi)
    mean = np.where(far, total + np.where(total < _TURN, _TURN, -_TURN), total) / 2
    turn = np.where(far, turn - np.copysign(_TURN, turn), turn)
    return np.where(grey, 0, turn / 2), np.where(grey, total, mean)


def _hue_weight(h: Float64) -> Float64:
    """Return 1 - 0.17 cos(h - 30) + 0.24 cos(2h) + 0.32 cos(3h + 6) - 0.20 cos(4h - 63), in degrees."""
    # Of multiples of an angle, from its cosine and sine: those take most of the time.
    c, s = np.cos(h), np.sin(h)
    c2, s2 = 1 - 2 * s * s, 2 * s * c
    c3, s3 = c * c2 - s * s2, s * c2 + c * s2
    c4, s4 = 1 - 2 * s2 * s2, 2 * s2 * c2
    first = 0.17 * (c * _COS[30] + s * _SIN[30])
    third = 0.32 * (c3 * _COS[6] - s3 * _SIN[6])
    fourth = 0.20 * (c4 * _COS[63] + s4 * _SIN[63])
    return 1 - first + 0.24 * c2 + third - fourth


_COS = {degrees: float(np.cos(np.deg2rad(degrees))) for degrees in (6, 30, 63)}
_SIN = {degrees: float(np.sin(np.deg2rad(degrees))) for degrees in (6, 30, 63)}
