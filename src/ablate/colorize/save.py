"""Coloured photographs as files: in the format, depth and colour space that they came in, with all beside pixels."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any, BinaryIO

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ablate.colorize.deep import write_png, write_tiff
from ablate.colorize.metadata import SEGMENT, exif_segments, packed_profile
from ablate.colorize.photograph import Photograph
from ablate.errors import DataError

QUALITY = 95
_TIFF_PROFILE = 34675
_LOSSLESS = ("raw", "tiff_lzw", "tiff_adobe_deflate", "tiff_deflate", "packbits", "lzma", "zstd")


def save_photograph(photograph: Photograph, file: BinaryIO, *, quality: int = QUALITY) -> None:
    """Write a coloured photograph as the file that it came from would have it.

    Args:
        photograph: RGB.
        file: Where to.
        quality: Of JPEG, and of WebP with losses: 1 to 100.

    Raises:
        DataError: Its format cannot hold all that came with it.
        OSError: It cannot be written.
    """
    try:
        _save(photograph, file, quality)
    except (OSError, MemoryError):
        raise
    except Exception as error:  # whatever Pillow stumbles over in what came with it
        said = " ".join(str(error).split()) or type(error).__name__
        raise DataError(f"it cannot be written with all that came with it: {said}") from error


def _save(photograph: Photograph, file: BinaryIO, quality: int) -> None:
    if photograph.deep is not None:
        _save_deep(photograph, photograph.deep, file)
        return
    image, metadata = photograph.image, photograph.metadata
    if isinstance(photograph.alpha, Image.Image):
        image = image.copy()
        image.putalpha(photograph.alpha)
    given = {"icc_profile": metadata.get("icc_profile"), **_SETTINGS[photograph.format](metadata, quality)}
    image.save(file, photograph.format, **{name: value for name, value in given.items() if value})


def encode_photograph(photograph: Photograph) -> bytes:
    """Return what `save_photograph` writes."""
    file = io.BytesIO()
    save_photograph(photograph, file)
    return file.getvalue()


def _jpeg(metadata: Mapping[str, Any], quality: int) -> Mapping[str, Any]:
    kept = {name: metadata.get(name) for name in ("comment", "dpi")}
    exif, segments = metadata.get("exif") or b"", metadata.get("segments") or b""
    if len(exif) > SEGMENT:
        exif, segments = b"", exif_segments(exif) + segments
    return {**kept, "exif": exif, "extra": segments, "quality": quality}


def _png(metadata: Mapping[str, Any], quality: int) -> Mapping[str, Any]:
    chunks = PngInfo()
    for kind, data in metadata.get("chunks", ()):
        chunks.add(kind, data)
    return {"exif": metadata.get("exif"), "pnginfo": chunks}


def _webp(metadata: Mapping[str, Any], quality: int) -> Mapping[str, Any]:
    kept = {name: metadata.get(name) for name in ("exif", "xmp", "lossless")}
    return {**kept, "quality": quality, "exact": True}


def _tiff(metadata: Mapping[str, Any], quality: int) -> Mapping[str, Any]:
    compression = metadata["compression"]
    return {"tiffinfo": metadata["tags"], "compression": compression if compression in _LOSSLESS else "raw"}


_SETTINGS = {"JPEG": _jpeg, "PNG": _png, "WEBP": _webp, "TIFF": _tiff}


def _save_deep(photograph: Photograph, planes: Any, file: BinaryIO) -> None:
    metadata, profile = photograph.metadata, photograph.metadata.get("icc_profile")
    if photograph.alpha is not None:
        planes = np.concatenate([planes, np.asarray(photograph.alpha)[None]])
    if photograph.format == "TIFF":
        tags = {**metadata["tags"], **({_TIFF_PROFILE: profile} if profile else {})}
        write_tiff(file, planes, tags, compressed=metadata["compression"] != "raw")
        return
    chunks = [*metadata.get("chunks", ())]
    if profile:
        chunks.insert(0, (b"iCCP", packed_profile(profile)))
    if exif := metadata.get("exif"):
        chunks.append((b"eXIf", exif.removeprefix(b"Exif\0\0")))
    write_png(file, planes, chunks)
