"""Rendering of a crop: its pictures share their L and everything else but the colour. Pure functions.

Eight bits a channel hold few colours of a given L: rounded to the nearest one, a picture's luminance gets noise whose
strength depends on its colours, so that it says which picture is which. Here L is divided into cells of `CELL`. For
every pixel the cells around the photograph's L are found that each picture can reach, by an 8-bit colour near its own.
Each picture takes one of these, drawn at random. So L to the nearest cell is drawn from the same distribution for
all pictures of a crop, whatever their colours are, and no statistic of it tells them apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from ablate.turing.build.exact_lab import LINEAR, TO_XYZ, Array, Pixels, fit_srgb, in_srgb, lightness, to_linear

CELL = 0.001
"""Width of a cell of L. A step of eight bits is about 0.4."""
REACH_OF_L = 0.2
"""How far from the photograph's L a picture's may be."""
DITHER = 1.0
"""Largest dither of a and b."""
ENOUGH = 6
"""Cells that all pictures can reach, at which the search for more ends. More hide better which is which, and are of
colours farther away."""
_REACH = (6, 3, 9)
"""How far from the nearest colour another is sought, in steps of eight bits of red, green and blue: farthest in blue,
which changes luminance least and is seen least."""
_STEPS = np.array(
    sorted(product(*(range(-reach, reach + 1) for reach in _REACH)), key=lambda step: sum(part**2 for part in step))
)
"""(steps, 3), the nearest first."""
_SHELL = 32
"""Steps after which is looked which pixels have enough."""
_CELLS = round(2 * REACH_OF_L / CELL)
_NONE = np.iinfo(np.uint16).max
_LUMINANCE = TO_XYZ[:, 1]
_EDGE = max(_REACH)
_OUTSIDE = np.full(_EDGE, 9.0)
"""Luminance of what no byte holds: brighter than all that is sought."""
_LIGHTS = [weight * np.concatenate([_OUTSIDE / weight, LINEAR, _OUTSIDE / weight]) for weight in _LUMINANCE]
"""By channel, the luminance of each byte; the first of `_EDGE` is that of 0."""
_EXACT = 1e-9
"""What counts as the same L; black and white are not exactly 0 and 100."""
_BLOCK = 4096


@dataclass(frozen=True)
class Noise:
    """What a picture's rounding draws on.

    Attributes:
        dither: (side, side, 2), what is added to a and b.
        draws: (side, side), uniform in 0..1: which cell of L is taken.
    """

    dither: Array
    draws: Array


def draw_noise(random: np.random.Generator, side: int) -> Noise:
    """Draw the noise of a picture."""
    return Noise(
        dither=random.uniform(-DITHER, DITHER, (side, side, 2)),
        draws=random.random((side, side)),
    )


def render(L: Array, colors: Sequence[Array], noises: Sequence[Noise]) -> list[Pixels]:
    """Make the pictures of a crop, of colours and the L that they share.

    Args:
        L: (side, side), 0..100.
        colors: (side, side, 2) each, the ab of each picture.
        noises: Of each picture.

    Returns:
        (side, side, 3) each, sRGB, whose L is `L` to `REACH_OF_L`. Of two pictures with the same draws it is in the
        same cell, but for the few pixels where there is no cell that all pictures reach: these have the L that is
        nearest to `L`.
    """
    flat = L.ravel()
    linear = np.stack([_in_linear_light(L, ab, noise) for ab, noise in zip(colors, noises, strict=True)])
    draws = np.stack([noise.draws.ravel() for noise in noises])
    rendered = np.empty(linear.shape, np.uint8)
    # As many at a time as stay in the processor's cache.
    for start in range(0, len(flat), _BLOCK):
        block = slice(start, start + _BLOCK)
        rendered[:, block] = _round_block(flat[block], linear[:, block], draws[:, block])
    return [picture.reshape(*L.shape, 3) for picture in rendered]


def cell_of(L: Array) -> npt.NDArray[np.int64]:
    """Return the cell that each L is in: any shape."""
    return np.floor((L + _EXACT) / CELL).astype(np.int64)


def _in_linear_light(L: Array, ab: Array, noise: Noise) -> Array:
    lab = fit_srgb(np.concatenate([L[..., None], ab], axis=-1))
    dithered = lab.copy()
    dithered[..., 1:] += noise.dither
    # Where sRGB ends in a point, as at yellow, a little of another hue would have to lose nearly all its chroma.
    kept = np.where(in_srgb(dithered)[..., None], dithered, lab)
    return np.clip(to_linear(kept), 0, 1).reshape(-1, 3)


def _round_block(L: Array, linear: Array, draws: Array) -> npt.NDArray[np.int64]:
    """Round to 8 bits a channel: (n,), (pictures, n, 3), (pictures, n) -> (pictures, n, 3)."""
    curved = np.where(linear > 0.0031308, 1.055 * np.maximum(linear, 0.0031308) ** (1 / 2.4) - 0.055, 12.92 * linear)
    nearest = np.rint(255 * curved).astype(np.int64)
    steps, shared = _reach_cells(L, nearest)
    # Of the cells that a pixel shares, the same number is drawn from the same number, whatever the picture.
    order = shared.cumsum(axis=1, dtype=np.int16)
    count = order[:, -1]
    rounded = np.empty_like(nearest)
    for picture, own in enumerate(nearest):
        cell = (order > (draws[picture] * count).astype(np.int16)[:, None]).argmax(axis=1)
        step = steps[picture, np.arange(len(L)), cell].astype(np.int64)
        if (without := np.flatnonzero(count == 0)).size:
            step[without] = _closest(L[without], own[without])
        rounded[picture] = own + _STEPS[step]
    return np.asarray(rounded)


def _reach_cells(L: Array, nearest: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.bool_]]:
    """Find which cells around L each picture reaches, and by which step from its nearest colour.

    Returns:
        (pictures, n, cells), the nearest of the steps to each cell; and (n, cells), which cells all pictures reach.
    """
    pictures = len(nearest)
    # Flat, one pixel after the other.
    steps = np.full((pictures, len(L) * _CELLS), _NONE, np.uint16)
    reached = np.zeros(len(L) * _CELLS, np.uint8)
    shared = np.zeros(len(L), np.int16)
    first = cell_of(L - REACH_OF_L)
    left = np.arange(len(L))
    for shell in range(0, len(_STEPS), _SHELL):
        lights = [_lights(own[left]) for own in nearest]
        first_left, start_left = first[left], left * _CELLS
        for place in range(shell, min(shell + _SHELL, len(_STEPS))):
            for picture in range(pictures):
                cell = cell_of(lightness(_luminance(lights[picture], place))) - first_left
                inside = (cell >= 0) & (cell < _CELLS)
                flat = (cell + start_left)[inside]
                new = flat[steps[picture, flat] == _NONE]
                steps[picture, new] = place
                reached[new] += 1
                shared[new[reached[new] == pictures] // _CELLS] += 1
        left = left[shared[left] < ENOUGH]
        if not left.size:
            break
    return steps.reshape(pictures, len(L), _CELLS), (reached == pictures).reshape(len(L), _CELLS)


def _lights(nearest: npt.NDArray[np.int64]) -> list[Array]:
    """Return the luminance of the bytes around each pixel's, by channel: (2 reach + 1, n)."""
    return [
        lights[nearest[:, channel] + np.arange(-reach, reach + 1)[:, None] + _EDGE]
        for channel, (lights, reach) in enumerate(zip(_LIGHTS, _REACH, strict=True))
    ]


def _luminance(lights: Sequence[Array], place: int) -> Array:
    red, green, blue = (
        around[step + reach] for around, step, reach in zip(lights, _STEPS[place], _REACH, strict=True)
    )
    return np.asarray(red + green + blue)


def _closest(L: Array, nearest: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the step to the colour whose L is nearest: (n,), (n, 3) -> (n,)."""
    lights = _lights(nearest)
    errors = np.stack([np.abs(lightness(_luminance(lights, place)) - L) for place in range(len(_STEPS))])
    return np.asarray(errors.argmin(axis=0))
