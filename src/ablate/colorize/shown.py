"""Pictures of photographs as a screen shows them: upright, in sRGB, eight bits, no larger than asked for."""

from __future__ import annotations

import numpy as np
from PIL import Image

from ablate.colorize.join import joiner
from ablate.colorize.photograph import Photograph, planes_of
from ablate.colorize.space import SRGB, SRGB_CURVE, Values


def picture(photograph: Photograph, side: int) -> Image.Image:
    """Return a photograph in its colours.

    Args:
        photograph: Any.
        side: The longer side has no more pixels.
    """
    small = _small(photograph, side)
    if small.mode == "L":
        return grey_picture(photograph, side)
    if photograph.space is not SRGB:
        curves, values = photograph.space.curves, np.moveaxis(np.asarray(small), -1, 0)
        light = np.stack([curve.decoded(256)[value] for curve, value in zip(curves, values, strict=True)])
        xyz = np.tensordot(np.asarray(photograph.space.matrix), light, 1)
        small = _encoded(np.tensordot(SRGB.from_xyz, xyz, 1))
    return photograph.upright(small)


def grey_picture(photograph: Photograph, side: int) -> Image.Image:
    """Return the L of a photograph as grey, see `picture`."""
    small = _small(photograph, side)
    joins = joiner(photograph.space, "uint8", photograph.grey)
    light = joins.luminance(planes_of(small, 0, small.height)).astype(np.float64)
    return photograph.upright(_encoded(np.broadcast_to(light, (3, *light.shape))))


def _small(photograph: Photograph, side: int) -> Image.Image:
    small = photograph.image.copy()
    small.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=3)
    return small


def _encoded(light: Values) -> Image.Image:
    """Return linear sRGB, (3, height, width), as an image."""
    values = np.rint(255 * SRGB_CURVE.values(np.clip(light, 0, 1))).astype(np.uint8)
    return Image.fromarray(np.ascontiguousarray(np.moveaxis(values, 0, -1)))
