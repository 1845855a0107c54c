"""Pictures and archives as bytes: good ones, to be damaged, and bombs."""

import io
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    """Return an image as a file."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def picture(mode: str = "RGB", seed: int = 7) -> Image.Image:
    """Return a small colourful picture."""
    coarse = np.random.default_rng(seed).integers(0, 256, (4, 5, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((50, 40), Image.Resampling.BICUBIC).convert(mode)


def chunk(kind: bytes, content: bytes) -> bytes:
    """Return a chunk of a PNG file (ISO/IEC 15948, 5.3)."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int, depth: int, color: int, rows: bytes, *more: bytes) -> bytes:
    """Return a PNG file of compressed rows, with more chunks before them."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(more) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def deflated(size: int, byte: bytes = b"\0") -> bytes:
    """Return so many equal bytes, compressed, without ever holding them."""
    packer, packed, block = zlib.compressobj(9), [], byte * 2**20
    for start in range(0, size, len(block)):
        packed.append(packer.compress(block[: size - start]))
    return b"".join([*packed, packer.flush()])


def flat_png(side: int) -> bytes:
    """Return a black PNG file of side x side pixels: a thousandth of what it inflates to."""
    return png(side, side, 8, 2, deflated(side * (1 + 3 * side)))


def rgb_16(side: int = 40) -> bytes:
    """Return a PNG file of 16 bits a channel, which Pillow reads and does not write."""
    deep = np.random.default_rng(3).integers(0, 2**16, (side, side, 3)).astype(">u2")
    rows = b"".join(b"\0" + row.tobytes() for row in deep)
    return png(side, side, 16, 2, zlib.compress(rows))
