"""Rendering of a pair: its two pictures share their L and everything else but the colour. Pure functions.

Eight bits a channel hold few colours of a given L: rounded to the nearest one, a picture's luminance gets noise whose
strength depends on its colours, so that it says which picture is which. Here every pixel of both pictures aims at the
photograph's L, give or take a dither of less than one step of eight bits, and takes one of the colours around it whose
luminance is that. Each picture has a dither of its own: it is stronger than what rounding leaves, and hides it.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from ablate.turing.build.exact_lab import BEND, LINEAR, TO_XYZ, Array, Pixels, fit_srgb, to_linear

DITHER = (0.2, 1.0, 1.0)
"""Largest dither of L, a and b. A step of eight bits is about 0.4 in L."""
_REACH = (3, 1, 4)
"""How far from the nearest colour another is sought, in steps of eight bits of red, green and blue: farthest in blue,
which changes luminance least and is seen least."""
_NEAR_ENOUGH = 0.01
"""Difference in L at which the search ends."""
_STEPS = sorted(
    product(*(range(-reach, reach + 1) for reach in _REACH)), key=lambda step: sum(part**2 for part in step)
)
_LUMINANCE = TO_XYZ[:, 1]
_EDGE = max(_REACH)
_LIGHTS = np.concatenate([np.full(_EDGE, np.inf), LINEAR, np.full(_EDGE, np.inf)])
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
    slope = np.where(luminance > BEND, 3 * np.cbrt(luminance) ** 2, 1 / 7.787) / 116
    enough = (_NEAR_ENOUGH * slope).astype(np.float32)
    # What each step changes, infinitely much where it leaves 0..255; then the error of each pair of red and green.
    red, green, blue = (
        {
            step: (_LIGHTS[nearest[:, channel] + step + _EDGE] - LINEAR[nearest[:, channel]]) * _LUMINANCE[channel]
            for step in range(-reach, reach + 1)
        }
        for channel, reach in enumerate(_REACH)
    )
    start = LINEAR[nearest] @ _LUMINANCE - luminance
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
