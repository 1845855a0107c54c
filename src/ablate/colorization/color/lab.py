"""sRGB <-> CIE Lab under D65, 2 degrees: the conversion of `skimage.color`, in TensorFlow and NumPy.

Constants: IEC 61966-2-1 (sRGB) and CIE 15 (Lab), with the rounding that scikit-image uses, so that both agree.
"""

import numpy as np
import numpy.typing as npt
import tensorflow as tf

_XYZ_FROM_RGB = np.array(
    [[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]]
)
_WHITE = np.array([0.95047, 1.0, 1.08883])
_TO_XYZ = (_XYZ_FROM_RGB / _WHITE[:, None]).T.astype(np.float32)
_TO_RGB = np.linalg.inv(_XYZ_FROM_RGB / _WHITE[:, None]).T.astype(np.float32)


_CURVE_END = 0.04045
_LINEAR = np.array(
    [x / 12.92 if x <= _CURVE_END else ((x + 0.055) / 1.055) ** 2.4 for x in np.arange(256) / 255], "f4"
)
"""Linear light of each 8-bit value."""

_TO_LAB = np.array([[0, 500, 0], [116, -500, 200], [0, 0, -200]], np.float32)
"""L + 16, a and b of f(X), f(Y) and f(Z)."""
_LINE_END, _SLOPE = np.float32(0.0031308), np.float32(12.92)
_ROUNDING = np.float32(1e-6)
"""Linear light that is so far outside of 0..1 is a rounding error."""
_BLOCK = 4096

Colors = npt.NDArray[np.float32]


def pixels_to_lab(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Convert 8-bit sRGB to Lab, in NumPy: with a table for the curve, several times as fast as `rgb_to_lab`.

    Args:
        pixels: (..., 3).

    Returns:
        (..., 3): L in 0..100, a and b in about -108..99.
    """
    flat = pixels.reshape(-1, 3)
    lab = np.empty(flat.shape, np.float32)
    # As many at a time as stay in the processor's cache: of large photographs, memory would take most of the time.
    for start in range(0, len(flat), _BLOCK):
        _light_to_lab(np.take(_LINEAR, flat[start : start + _BLOCK]), lab[start : start + _BLOCK])
    return lab.reshape(pixels.shape)


def _light_to_lab(light: Colors, lab: Colors) -> None:
    """Write the Lab of linear light, (n, 3), into `lab`."""
    f = light @ _TO_XYZ
    # The line is the cube root's tangent at 0.008856, and nowhere below it.
    line = 7.787 * f + np.float32(16 / 116)
    np.log(np.maximum(f, 0.008856, out=f), out=f)
    f /= 3
    np.matmul(np.minimum(np.exp(f, out=f), line, out=f), _TO_LAB, out=lab)
    lab[:, 0] -= 16


def clip_lab(lab: Colors) -> tuple[Colors, Colors]:
    """Return Lab as a screen shows it, clipped to sRGB, in NumPy: several times as fast as `lab_to_rgb`.

    Args:
        lab: (..., 3), L in 0..100.

    Returns:
        (..., 3), sRGB in 0..1; and (..., 3), its Lab: what lies in sRGB stays as it is.
    """
    flat = np.asarray(lab, np.float32).reshape(-1, 3)
    rgb, clipped = np.empty((3, len(flat)), np.float32), flat.copy()
    for start in range(0, len(flat), _BLOCK):
        part = slice(start, start + _BLOCK)
        light = _lab_to_light(flat[part])
        outside = ((light < -_ROUNDING) | (light > 1 + _ROUNDING)).any(axis=0)
        np.clip(light, 0, 1, out=light)
        if outside.any():
            seen = np.empty((np.count_nonzero(outside), 3), np.float32)
            _light_to_lab(light[:, outside].T, seen)
            clipped[part][outside] = seen
        curved = np.maximum(light, _LINE_END)
        np.log(curved, out=curved)
        curved /= np.float32(2.4)
        np.exp(curved, out=curved)
        rgb[:, part] = np.where(light > _LINE_END, np.float32(1.055) * curved - np.float32(0.055), _SLOPE * light)
    # Each channel lies in memory by itself: metrics take them one by one.
    return np.moveaxis(rgb.reshape(3, *lab.shape[:-1]), 0, -1), clipped.reshape(lab.shape)


def _lab_to_light(lab: Colors) -> Colors:
    """Return the linear light of Lab, (n, 3) -> (3, n), not clipped."""
    lightness, a, b = np.ascontiguousarray(lab.T)
    y = (lightness + 16) / 116
    f = np.stack([y + a / 500, y, np.maximum(y - b / 200, 0)])
    xyz = np.where(f > np.float32(0.2068966), f * f * f, (f - np.float32(16 / 116)) / np.float32(7.787))
    return _TO_RGB.T @ xyz


def rgb_to_lab(rgb: tf.Tensor) -> tf.Tensor:
    """Convert sRGB of any float to Lab, in TensorFlow, with gradients; `pixels_to_lab` is for 8-bit pixels alone.

    Args:
        rgb: (..., 3), float, sRGB in 0..1.

    Returns:
        (..., 3), float32: L in 0..100, a and b in about -108..99.
    """
    rgb = tf.cast(rgb, tf.float32)
    curved = tf.pow((tf.maximum(rgb, _CURVE_END) + 0.055) / 1.055, 2.4)
    xyz = tf.tensordot(tf.where(rgb > _CURVE_END, curved, rgb / 12.92), _TO_XYZ, 1)
    f = tf.where(xyz > 0.008856, tf.pow(tf.maximum(xyz, 0.008856), 1 / 3), 7.787 * xyz + 16 / 116)
    return tf.tensordot(f, _TO_LAB, 1) - [16.0, 0.0, 0.0]


def lab_to_rgb(lab: tf.Tensor) -> tf.Tensor:
    """Convert Lab to sRGB; colours outside sRGB are clipped to it.

    Args:
        lab: (..., 3), float, L in 0..100.

    Returns:
        (..., 3), float32, sRGB in 0..1.
    """
    light, a, b = tf.unstack(tf.cast(lab, tf.float32), axis=-1)
    y = (light + 16) / 116
    f = tf.stack([y + a / 500, y, tf.maximum(y - b / 200, 0)], axis=-1)
    xyz = tf.where(f > 0.2068966, tf.pow(f, 3), (f - 16 / 116) / 7.787)
    linear = tf.tensordot(xyz, _TO_RGB, 1)
    curved = 1.055 * tf.pow(tf.maximum(linear, 0.0031308), 1 / 2.4) - 0.055
    return tf.clip_by_value(tf.where(linear > 0.0031308, curved, 12.92 * linear), 0, 1)
