"""Sixteen bits a channel, which Pillow reads and writes for grey pixels alone: PNG and TIFF files of coloured ones."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO

import numpy as np
from PIL import Image
from PIL.ImageFile import ImageFile
from PIL.TiffImagePlugin import ImageFileDirectory_v2, TiffImageFile

from ablate.colorize.join import Planes

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_BITS_PER_SAMPLE, _COMPRESSION, _PHOTOMETRIC, _STRIPS, _SAMPLES = 258, 259, 262, 273, 277
_WHITE_IS_ZERO, _RGB, _DEFLATE = 0, 2, 8
_ROWS = 64
"""Of pixels that are filtered and compressed at a time."""


def is_deep(opened: ImageFile) -> bool:
    """Return whether a picture that is open, and not yet read, has 16 bits a channel."""
    return opened.mode.startswith("I;16") or any(";16" in _raw_mode(tile) for tile in opened.tile)


def deep_planes(opened: ImageFile, content: bytes) -> tuple[Planes, Planes | None]:
    """Read pixels with 16 bits a channel.

    Args:
        opened: The picture, not yet read.
        content: Its file.

    Returns:
        (1 or 3, height, width), uint16; and opacity, (height, width), where it has any.
    """
    transparent = opened.info.get("transparency")
    if opened.mode.startswith("I;16"):
        grey: Planes = np.asarray(opened).astype(np.uint16)
        if isinstance(opened, TiffImageFile) and opened.tag_v2.get(_PHOTOMETRIC) == _WHITE_IS_ZERO:
            grey = np.uint16(65535) - grey
        planes = grey[None]
    elif _raw_mode(opened.tile[0]).startswith("LA"):
        # Two bytes of a channel are taken for two channels.
        high_low = _read_as(content, "RGBA", "RGBA")
        both = high_low[..., ::2].astype(np.uint16) << 8 | high_low[..., 1::2]
        return both[None, ..., 0], both[..., 1]
    else:
        # Pillow keeps the first byte of a number in one order, and so the second one in the other.
        mode, (first, second) = opened.mode, _orders(opened)
        high, low = (_read_as(content, mode, f"{mode};16{order}") for order in (first, second))
        planes = np.moveaxis(high, -1, 0).astype(np.uint16) << 8
        planes |= np.moveaxis(low, -1, 0)
    alpha = planes[3] if len(planes) == 4 else None
    planes = np.ascontiguousarray(planes[:3])
    if transparent is not None and opened.format == "PNG":
        wanted = np.reshape(transparent, (-1, 1, 1))
        alpha = np.where((planes == wanted).all(axis=0), 0, 65535).astype(np.uint16)
    return planes, alpha


def _orders(opened: ImageFile) -> tuple[str, str]:
    """Return the order of bytes in which Pillow reads a picture, and the other one."""
    first = _raw_mode(opened.tile[0])[-1]
    little = first == "L" or (first == "N" and struct.pack("=H", 1) == b"\x01\x00")
    return ("L", "B") if little else ("B", "L")


def _raw_mode(tile: Any) -> str:
    args = tile[3]
    return str(args[0] if isinstance(args, tuple) else args)


def _read_as(content: bytes, mode: str, raw_mode: str) -> Planes:
    """Read a picture's bytes as those of another kind of pixel: (height, width, bands), uint8."""
    with Image.open(io.BytesIO(content)) as opened:
        image: Any = opened
        image._mode = mode
        image.tile = [
            tile._replace(args=(raw_mode, *tile.args[1:]) if isinstance(tile.args, tuple) else raw_mode)
            for tile in image.tile
        ]
        image.load()
        return np.asarray(image)


def write_png(file: BinaryIO, planes: Planes, chunks: Iterable[tuple[bytes, bytes]]) -> None:
    """Write pixels with 16 bits a channel as a PNG file.

    Args:
        file: Where to.
        planes: (3 or 4, height, width), uint16: the last of four is opacity.
        chunks: What else it has, by kind: profile, EXIF, text.
    """
    bands, height, width = planes.shape
    file.write(PNG_SIGNATURE)
    _write_chunk(file, b"IHDR", struct.pack(">IIBBBBB", width, height, 16, 2 if bands == 3 else 6, 0, 0, 0))
    for kind, data in chunks:
        _write_chunk(file, kind, data)
    compress = zlib.compressobj(6, strategy=zlib.Z_FILTERED)
    for rows in _filtered(planes):
        _write_chunk(file, b"IDAT", compress.compress(rows))
    _write_chunk(file, b"IDAT", compress.flush())
    _write_chunk(file, b"IEND", b"")


def _write_chunk(file: BinaryIO, kind: bytes, data: bytes) -> None:
    if data or kind != b"IDAT":
        file.write(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(data, zlib.crc32(kind))))


def _filtered(planes: Planes) -> Iterator[bytes]:
    """Return rows as PNG compresses them: each one less the one above it (PNG, 9.2, type 2)."""
    bands, height, width = planes.shape
    above = np.zeros((1, width * bands * 2), np.uint8)
    for top in range(0, height, _ROWS):
        rows = _interleaved(planes[:, top : top + _ROWS], ">u2").view(np.uint8).reshape(-1, width * bands * 2)
        before = np.concatenate([above, rows[:-1]])
        above = rows[-1:]
        yield np.concatenate([np.full((len(rows), 1), 2, np.uint8), rows - before], axis=1).tobytes()


def _interleaved(planes: Planes, dtype: str) -> Planes:
    return np.ascontiguousarray(np.moveaxis(planes, 0, -1).astype(dtype))


def write_tiff(file: BinaryIO, planes: Planes, tags: Mapping[int, Any], *, compressed: bool) -> None:
    """Write pixels with 16 bits a channel as a TIFF file.

    Args:
        file: Where to.
        planes: (3 or 4, height, width), uint16: the last of four is opacity.
        tags: What else it has, by number; a dictionary stands for a directory of its own, as EXIF has.
        compressed: Whether without loss.
    """
    bands, height, width = planes.shape
    strips = list[bytes]()
    for top in range(0, height, _ROWS):
        rows = _interleaved(planes[:, top : top + _ROWS], "<u2").tobytes()
        strips.append(zlib.compress(rows, 6) if compressed else rows)
    sizes = [len(strip) for strip in strips]
    directory = ImageFileDirectory_v2(ifh=b"II*\0\0\0\0\0")
    own: Mapping[int, Any] = {
        256: width,
        257: height,
        _BITS_PER_SAMPLE: (16,) * bands,
        _COMPRESSION: _DEFLATE if compressed else 1,
        _PHOTOMETRIC: _RGB,
        _STRIPS: tuple(np.cumsum([0, *sizes[:-1]]).tolist()),
        _SAMPLES: bands,
        278: _ROWS,
        279: tuple(sizes),
        284: 1,
        **({338: 2} if bands == 4 else {}),
    }
    for number, value in {**tags, **own}.items():
        directory[number] = value
    directory.save(file)
    for strip in strips:
        file.write(strip)


def png_chunks(content: bytes, kinds: Sequence[bytes]) -> list[tuple[bytes, bytes]]:
    """Return the chunks of a PNG file that are of some kinds, in their order."""
    found, place = list[tuple[bytes, bytes]](), len(PNG_SIGNATURE)
    while place + 12 <= len(content):
        size, kind = struct.unpack(">I4s", content[place : place + 8])
        if kind in kinds:
            found.append((kind, content[place + 8 : place + 8 + size]))
        place += 12 + size
    return found
