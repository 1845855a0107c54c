"""CIE Lab in which every grey of sRGB is exactly a = b = 0, and the colours that sRGB has. Pure functions.

The conversions of `ablate.colorization.color` follow the standard's rounded white point, which is off by up to 0.005:
here that would tell the real picture of a pair from the other one.
"""

import numpy as np
import numpy.typing as npt
from skimage.color.colorconv import xyz_from_rgb

Array = npt.NDArray[np.float64]
Pixels = npt.NDArray[np.uint8]

# The white point is that of the matrix, so that every grey of sRGB is exactly a = b = 0, and every such Lab in sRGB;
# rounded as in the standard, a and b would be off by up to 0.005.
TO_XYZ = (np.array(xyz_from_rgb) / np.sum(xyz_from_rgb, axis=1, keepdims=True)).T
_TO_RGB = np.linalg.inv(TO_XYZ)
_BYTES = np.arange(256) / 255
LINEAR = np.where(_BYTES <= 0.04045, _BYTES / 12.92, ((_BYTES + 0.055) / 1.055) ** 2.4)
"""Linear light of each 8-bit value."""
_BEND = 0.008856
"""Where the curve of Lab becomes a line."""
_CLOSE = 1e-9
"""What counts as inside sRGB, in linear light."""


def lightness(luminance: Array) -> Array:
    """Return L, 0..100, of luminance, 0..1: any shape."""
    return 116 * _bent(luminance) - 16


def to_lab(pixels: Pixels) -> Array:
    """Convert 8-bit sRGB to CIE Lab (D65): (..., 3) -> (..., 3)."""
    x, y, z = np.moveaxis(_bent(LINEAR[pixels] @ TO_XYZ), -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def to_linear(lab: Array) -> Array:
    """Convert CIE Lab to linear sRGB, outside 0..1 for what sRGB does not have: (..., 3) -> (..., 3)."""
    L, a, b = np.moveaxis(lab, -1, 0)
    y = (L + 16) / 116
    f = np.stack([y + a / 500, y, y - b / 200], axis=-1)
    xyz: Array = np.where(f > np.cbrt(_BEND), f**3, (f - 16 / 116) / 7.787)
    return xyz @ _TO_RGB


def _bent(xyz: Array) -> Array:
    return np.where(xyz > _BEND, np.cbrt(xyz), 7.787 * xyz + 16 / 116)


def in_srgb(lab: Array) -> npt.NDArray[np.bool_]:
    """Say which colours sRGB has: (..., 3) -> (...)."""
    linear = to_linear(lab)
    return np.asarray(((linear >= -_CLOSE) & (linear <= 1 + _CLOSE)).all(axis=-1))


def fit_srgb(lab: Array) -> Array:
    """Bring colours into sRGB: chroma is reduced as far as needed, L and hue stay.

    Clipping RGB instead would change L, and the picture that was clipped more would look different in grey, too.

    Args:
        lab: (..., 3), L in 0..100.

    Returns:
        (..., 3), on the boundary of sRGB where it was outside.
    """
    fitted = lab.copy()
    outside = ~in_srgb(lab)
    L, ab = lab[outside][:, :1], lab[outside][:, 1:]
    low, high = np.zeros_like(L), np.ones_like(L)
    for _ in range(24):
        middle = (low + high) / 2
        inside = in_srgb(np.concatenate([L, middle * ab], axis=-1))[:, None]
        low, high = np.where(inside, middle, low), np.where(inside, high, middle)
    fitted[outside] = np.concatenate([L, low * ab], axis=-1)
    return fitted
