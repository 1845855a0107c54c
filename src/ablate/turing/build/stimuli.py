"""Stimuli: grey photographs, the same picture, the obvious fake, and files that tell nothing. Pure functions."""

import struct
import zlib

import numpy as np

from ablate.turing.build.exact_lab import Array, Pixels

GREY_CHROMA, GREY_SHARE = 6.0, 0.99
"""A photograph is grey where this share of its pixels has less chroma than that."""
CHECK_CHROMA = 60.0
"""Chroma of an obvious fake, where sRGB has it."""


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
