"""Metadata of a photograph: EXIF, profile, resolution, captions; as it was, but for the thumbnail."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from PIL import ExifTags, Image

from ablate.colorize.deep import png_chunks

_PNG_KEPT = (b"gAMA", b"cHRM", b"sRGB", b"pHYs", b"tEXt", b"zTXt", b"iTXt", b"tIME")
_JPEG_KEPT = {b"http://ns.adobe.com/": "APP1", b"Photoshop 3.0": "APP13"}
"""The starts of XMP and of IPTC's captions."""
_TIFF_LAYOUT = {
    *(254, 255, 256, 257, 258, 259, 262, 263, 264, 265, 266, 273, 277, 278, 279, 280, 281, 284, 288, 289, 290, 291),
    *(301, 317, 318, 320, 321, 322, 323, 324, 325, 330, 332, 336, 338, 339, 340, 341, 347, 512, 513, 514, 515, 517),
    *(518, 519, 520, 521, 529, 530, 531, 532),
}
"""TIFF's tags that say how pixels are stored."""
_EXIF_HEADER = b"Exif\0\0"
SEGMENT = 65533
"""Bytes that a segment of a JPEG file can hold."""


def metadata_of(opened: Image.Image, content: bytes) -> Mapping[str, Any]:
    """Return what comes with the pixels of a picture that is open, and not yet read.

    Args:
        opened: The picture.
        content: Its file.

    Returns:
        By what Pillow calls it: exif, icc_profile, xmp, dpi, comment; and `segments` of JPEG, `chunks` of PNG,
        `tags` and `compression` of TIFF, `lossless` of WebP.
    """
    info = opened.info
    kept: dict[str, Any] = {"icc_profile": info.get("icc_profile")}
    if opened.format == "TIFF":
        return kept | {"tags": _tiff_tags(opened), "compression": info.get("compression", "raw")}
    if exif := info.get("exif"):
        kept["exif"] = without_thumbnail(exif)
    if opened.format == "PNG":
        kept["chunks"] = png_chunks(content, _PNG_KEPT)
    elif opened.format == "WEBP":
        kept |= {"xmp": info.get("xmp"), "lossless": content[12:16] == b"VP8L"}
    else:
        kept |= {"dpi": info.get("dpi"), "comment": info.get("comment"), "segments": _jpeg_segments(opened)}
    return kept


def _jpeg_segments(opened: Any) -> bytes:
    """Return the segments that hold captions and settings of programs, as they are in the file."""
    kept = b""
    for name, data in getattr(opened, "applist", ()):
        if any(name == kind and data.startswith(start) for start, kind in _JPEG_KEPT.items()):
            kept += struct.pack(">BBH", 0xFF, 0xE0 + int(name.removeprefix("APP")), len(data) + 2) + data
    return kept


def _tiff_tags(opened: Any) -> dict[int, Any]:
    """Return the tags but for those of the layout, EXIF's and GPS' as directories."""
    tags = {number: value for number, value in opened.tag_v2.items() if number not in _TIFF_LAYOUT}
    tags.pop(34675, None)  # the profile
    for number in (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo):
        if tags.pop(number, None) is not None:
            with suppress(Exception):  # damaged, which costs no photograph
                tags[number] = dict(opened.getexif().get_ifd(number))
    return tags


def without_thumbnail(exif: bytes) -> bytes:
    """Take the thumbnail out of EXIF, which shows the photograph without colours, and leave every other byte.

    The address of the second directory, which holds it, becomes 0 (Exif 2.32, 4.5.2): what lies behind keeps its
    place, and makers' notes with it.
    """
    start = len(_EXIF_HEADER) if exif.startswith(_EXIF_HEADER) else 0
    order = {b"II": "<", b"MM": ">"}.get(exif[start : start + 2])
    with suppress(struct.error):
        if order is not None:
            (first,) = struct.unpack_from(f"{order}I", exif, start + 4)
            (count,) = struct.unpack_from(f"{order}H", exif, start + first)
            place = start + first + 2 + 12 * count
            if place + 4 <= len(exif):
                return exif[:place] + bytes(4) + exif[place + 4 :]
    return exif


def exif_segments(exif: bytes) -> bytes:
    """Return EXIF as the segments of a JPEG file that it came in: longer than one, it goes on in the next."""
    content, step = exif.removeprefix(_EXIF_HEADER), SEGMENT - len(_EXIF_HEADER)
    parts = [_EXIF_HEADER + content[start : start + step] for start in range(0, len(content), step)]
    return b"".join(struct.pack(">BBH", 0xFF, 0xE1, len(part) + 2) + part for part in parts)


def packed_profile(profile: bytes) -> bytes:
    """Return a colour profile as a chunk of PNG holds it."""
    return b"ICC Profile\0\0" + zlib.compress(profile)
