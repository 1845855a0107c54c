"""The two pictures of a pair: they share their L and everything else but the colour. Pure functions. No TensorFlow.

Eight bits a channel hold few colours of a given L: rounded to the nearest one, a picture's luminance gets noise whose
strength depends on its colours, so that it says which picture is which. Here every pixel of both pictures aims at the
photograph's L, give or take a dither of less than one step of eight bits, and takes one of the colours around it whose
luminance is that. Each picture has a dither of its own: it is stronger than what rounding leaves, and hides it.
"""

import struct
import zlib
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt
from skimage.color.colorconv import xyz_from_rgb

Array = npt.NDArray[np.float64]
Pixels = npt.NDArray[np.uint8]

DITHER = (0.2, 1.0, 1.0)
"""Largest dither of L, a and b. A step of eight bits is about 0.4 in L."""
GREY_CHROMA, GREY_SHARE = 6.0, 0.99
"""A photograph is grey where this share of its pixels has less chroma than that."""
CHECK_CHROMA = 60.0
"""Chroma of an obvious fake, where sRGB has it."""

# The white point is that of the matrix, so that every grey of sRGB is exactly a = b = 0, and every such Lab in sRGB;
# rounded as in the standard, a and b would be off by up to 0.005.
_TO_XYZ = (np.array(xyz_from_rgb) / np.sum(xyz_from_rgb, axis=1, keepdims=True)).T
_TO_RGB = np.linalg.inv(_TO_XYZ)
_BYTES = np.arange(256) / 255
_LINEAR = np.where(_BYTES <= 0.04045, _BYTES / 12.92, ((_BYTES + 0.055) / 1.055) ** 2.4)
"""Linear light of each 8-bit value."""
_BEND = 0.008856
"""Where the curve of Lab becomes a line."""
_CLOSE = 1e-9
"""What counts as inside sRGB, in linear light."""

_REACH = (3, 1, 4)
"""How far from the nearest colour another is sought, in steps of eight bits of red, green and blue: farthest in blue,
which changes luminance least and is seen least."""
_NEAR_ENOUGH = 0.01
"""Difference in L at which the search ends."""
_STEPS = sorted(
    product(*(range(-reach, reach + 1) for reach in _REACH)), key=lambda step: sum(part**2 for part in step)
)
_LUMINANCE = _TO_XYZ[:, 1]
_EDGE = max(_REACH)
_LIGHTS = np.concatenate([np.full(_EDGE, np.inf), _LINEAR, np.full(_EDGE, np.inf)])
"""Linear light of what is `_EDGE` less."""
_BLOCK = 8192


@dataclass(frozen=True)
class Noise:
    """What a picture's rounding draws on.

    Attributes:
        dither: (side, side, 3), what is added to L, a and b.
        draws: (side, side), uniform in 0..1: which of two colours is taken.
    """

    dither: Array
    draws: Array


def draw_noise(random: np.random.Generator, side: int) -> Noise:
    """Draw the noise of a picture."""
    return Noise(
        dither=random.uniform(-1, 1, (side, side, 3)) * DITHER,
        draws=random.random((side, side)),
    )


def to_lab(pixels: Pixels) -> Array:
    """Convert 8-bit sRGB to CIE Lab (D65): (..., 3) -> (..., 3)."""
    xyz = _LINEAR[pixels] @ _TO_XYZ
    f = np.where(xyz > _BEND, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    x, y, z = np.moveaxis(f, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def to_linear(lab: Array) -> Array:
    """Convert CIE Lab to linear sRGB, outside 0..1 for what sRGB does not have: (..., 3) -> (..., 3)."""
    L, a, b = np.moveaxis(lab, -1, 0)
    y = (L + 16) / 116
    f = np.stack([y + a / 500, y, y - b / 200], axis=-1)
    xyz: Array = np.where(f > np.cbrt(_BEND), f**3, (f - 16 / 116) / 7.787)
    return xyz @ _TO_RGB


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


def render(L: Array, ab: Array, noise: Noise) -> Pixels:
    """Make a picture of colours and the L that it shares with others.

    Args:
        L: (side, side), 0..100.
        ab: (side, side, 2).
        noise: The picture's own.

    Returns:
        (side, side, 3), sRGB. Its L is that of `L` and the dither to 0.01 for most pixels; on the boundary of sRGB
        there are fewer colours to choose from. On average over pixels it is the same.
    """
    lab = np.concatenate([L[..., None], ab], axis=-1) + noise.dither
    lab[..., 0] = np.clip(lab[..., 0], 0, 100)
    return round_to_bytes(to_linear(fit_srgb(lab)), noise.draws)


def round_to_bytes(linear: Array, draws: Array) -> Pixels:
    """Round colours to 8 bits a channel, so that luminance stays.

    Among the colours a few steps away, the nearest that is hardly lighter and the nearest that is hardly darker are
    found; either is taken, with such odds that luminance is right on average. So no error has a sign, whatever the
    colour is.

    Args:
        linear: (..., 3), linear sRGB.
        draws: (...), uniform in 0..1.

    Returns:
        (..., 3).
    """
    flat, odds = np.clip(linear.reshape(-1, 3), 0, 1), draws.ravel()
    rounded = np.empty(flat.shape, np.uint8)
    # As many at a time as stay in the processor's cache.
    for start in range(0, len(flat), _BLOCK):
        block = slice(start, start + _BLOCK)
        rounded[block] = _round_block(flat[block], odds[block])
    return rounded.reshape(linear.shape)


def _round_block(linear: Array, draws: Array) -> npt.NDArray[np.int64]:
    curved = np.where(linear > 0.0031308, 1.055 * np.maximum(linear, 0.0031308) ** (1 / 2.4) - 0.055, 12.92 * linear)
    nearest = np.rint(255 * curved).astype(np.int64)
    luminance = linear @ _LUMINANCE
    slope = np.where(luminance > _BEND, 3 * np.cbrt(luminance) ** 2, 1 / 7.787) / 116
    enough = (_NEAR_ENOUGH * slope).astype(np.float32)
    # What each step changes, infinitely much where it leaves 0..255; then the error of each pair of red and green.
    red, green, blue = (
        {
            step: (_LIGHTS[nearest[:, channel] + step + _EDGE] - _LINEAR[nearest[:, channel]]) * _LUMINANCE[channel]
            for step in range(-reach, reach + 1)
        }
        for channel, reach in enumerate(_REACH)
    )
    start = _LINEAR[nearest] @ _LUMINANCE - luminance
    pairs = {(r, g): (start + red[r] + green[g]).astype(np.float32) for r in red for g in green}
    blues = {step: change.astype(np.float32) for step, change in blue.items()}
    lighter, darker = _Closest(len(linear), enough), _Closest(len(linear), enough)
    for place, (r, g, b) in enumerate(_STEPS):
        error = pairs[r, g] + blues[b]
        lighter.offer(place, error, error >= 0)
        darker.offer(place, -error, error < 0)
    # Black has nothing darker, white nothing lighter.
    both = np.isfinite(lighter.errors) & np.isfinite(darker.errors)
    whole = np.where(both, lighter.errors + darker.errors, 1)
    share = np.where(both, darker.errors / whole, np.isfinite(lighter.errors))
    chosen = np.array(_STEPS)[np.where(draws < share, lighter.places, darker.places)]
    return np.asarray(nearest + chosen, np.int64)


class _Closest:
    """For each pixel the first step whose error is near enough, else the one with the smallest."""

    def __init__(self, count: int, enough: npt.NDArray[np.float32]):
        self._enough = enough
        self._smallest = np.full(count, np.inf, np.float32)
        self.errors = np.full(count, np.inf, np.float32)
        self.places = np.zeros(count, np.uint8)

    def offer(self, place: int, error: npt.NDArray[np.float32], allowed: npt.NDArray[np.bool_]) -> None:
        """Take a step where it is better than those before it."""
        counted = np.maximum(error, self._enough)
        better = allowed & (counted < self._smallest)
        np.copyto(self._smallest, counted, where=better)
        np.copyto(self.errors, error, where=better)
        np.copyto(self.places, np.uint8(place), where=better)


def rainbow(side: int, start: float) -> Array:
    """Return the ab of an obvious fake: hue runs once round from left to right.

    Args:
        side: Of the picture.
        start: Hue at the left, in turns.

    Returns:
        (side, side, 2).
    """
    hue = 2 * np.pi * (start + np.arange(side) / side)
    row = CHECK_CHROMA * np.stack([np.cos(hue), np.sin(hue)], axis=-1)
    return np.broadcast_to(row, (side, side, 2)).copy()


def is_grey(ab: Array) -> bool:
    """Say whether a photograph has no colour to speak of: (..., 2).

    The paper's released code asks whether any |a| or |b| is above 5; a few noisy pixels would do. Here all but one
    pixel in a hundred count.
    """
    return bool(np.quantile(np.hypot(ab[..., 0], ab[..., 1]), GREY_SHARE) < GREY_CHROMA)


def correlation(one: Array, other: Array) -> float:
    """Return the correlation of two L channels of one shape; 0 where one of them is even."""
    first, second = one - one.mean(), other - other.mean()
    norm = np.sqrt((first**2).sum() * (second**2).sum())
    return float((first * second).sum() / norm) if norm > 0 else 0.0


def png(pixels: Pixels) -> bytes:
    """Return pixels as a PNG file, not compressed and with nothing but pixels: one size for all of one shape.

    Args:
        pixels: (height, width, 3).
    """
    height, width, _ = pixels.shape
    rows = np.zeros((height, 1 + 3 * width), np.uint8)  # each opens with its filter, 0: none
    rows[:, 1:] = pixels.reshape(height, -1)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), level=0)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks
    )
