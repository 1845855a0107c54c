"""Colouring of a photograph: by a network at its side, and joined with L at the photograph's own size."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PIL import Image

from ablate.colorize.colorizer import Colorizer
from ablate.colorize.join import Planes
from ablate.colorize.photograph import Photograph
from ablate.colorize.space import Floats
from ablate.colorize.upsampling import Method, Upsampled, color_grids

_STRIP = 2**18
"""Pixels that are joined at a time, about."""


def join_colors(photograph: Photograph, L: Floats, ab: Floats, method: Method = "edge_aware") -> Photograph:
    """Give a photograph colours at its own size, and leave it its L.

    Args:
        photograph: Of any size.
        L: (image_size, image_size), its `square`.
        ab: (output_size, output_size, 2), the network's colours of that.
        method: Of upsampling.

    Returns:
        Another photograph, RGB of the same size and depth, with all that came with it.
    """
    width, height = photograph.size
    grids = photograph.as_stored(color_grids(ab, L, method))
    upsampled = Upsampled(grids, width, height)
    joiner = photograph.joiner
    image = Image.new("RGB", photograph.size)
    deep = None if photograph.deep is None else np.empty((3, height, width), np.uint16)
    rows = max(1, _STRIP // width)
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        joined = joiner.join(photograph.planes(top, bottom), upsampled.strip, top)
        if deep is None:
            image.paste(_image(joined), (0, top))
        else:
            deep[:, top:bottom] = joined
            image.paste(_image((joined >> 8).astype(np.uint8)), (0, top))
    return replace(photograph, image=image, deep=deep, grey=None)


def _image(planes: Planes) -> Image.Image:
    return Image.merge("RGB", [Image.fromarray(plane) for plane in planes])


def color_photograph(photograph: Photograph, colorizer: Colorizer, method: Method = "edge_aware") -> Photograph:
    """Colour one photograph, see `join_colors`."""
    L = photograph.square(colorizer.image_size)
    return join_colors(photograph, L, colorizer.predict_ab(L[None])[0], method)
