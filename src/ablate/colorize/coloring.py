"""Colouring of photographs: each part of the way from a file's bytes to a coloured file's, and all of it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from PIL import Image

from ablate.colorize.colorizer import Colorizer
from ablate.colorize.join import Planes
from ablate.colorize.photograph import Photograph, read_photograph
from ablate.colorize.save import QUALITY, save_photograph
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


def color_bytes(
    content: bytes, colorizer: Colorizer, method: Method = "edge_aware", *, quality: int = QUALITY
) -> bytes:
    """Colour the photograph of a file, and return the coloured one's: the same format, depth and metadata.

    Raises:
        DataError: It cannot be used, see `read_photograph`.
    """
    file = io.BytesIO()
    save_photograph(color_photograph(read_photograph(content), colorizer, method), file, quality=quality)
    return file.getvalue()


def color_pixels(pictures: Sequence[Planes], colorizer: Colorizer, method: Method = "edge_aware") -> list[Planes]:
    """Colour pictures in memory, all in one batch.

    Args:
        pictures: (height, width), (height, width, 1) or (height, width, 3) each, uint8, in sRGB.
        colorizer: What colours them.
        method: Of upsampling.

    Returns:
        (height, width, 3) each, uint8.
    """
    photographs = [read_pixels(pixels) for pixels in pictures]
    squares = np.stack([photograph.square(colorizer.image_size) for photograph in photographs])
    predicted = colorizer.predict_ab(squares)
    return [
        np.asarray(join_colors(photograph, L, ab, method).image)
        for photograph, L, ab in zip(photographs, squares, predicted, strict=True)
    ]


def read_pixels(pixels: Planes) -> Photograph:
    """Take pixels in memory as a photograph, see `color_pixels`."""
    from ablate.colorize.space import SRGB, SRGB_CURVE

    grey = pixels.ndim == 2 or pixels.shape[-1] == 1
    image = Image.fromarray(np.ascontiguousarray(pixels.reshape(pixels.shape[:2]) if grey else pixels))
    return Photograph("PNG", image, None, None, SRGB, SRGB_CURVE if grey else None, 1)
