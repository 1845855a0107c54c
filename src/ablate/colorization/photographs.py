"""Photographs on disk: which there are, what is wrong with some, and their pixels. No TensorFlow."""

import hashlib
import importlib.resources
import io
import logging
import os
import struct
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, ImageOps
from tqdm import tqdm

from ablate.errors import DataError

log = logging.getLogger(__name__)

Pixels = npt.NDArray[np.uint8]

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
FORMATS = ("JPEG", "PNG", "WEBP")
_DECODING_ERRORS = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)
# Beyond those, Pillow raises these over damaged EXIF.
_EXIF_ERRORS = (*_DECODING_ERRORS, struct.error, TypeError, AttributeError)
# What puts a picture upright again, by EXIF's Orientation (CIPA DC-008, 4.6.4).
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
MIN_SIDE = 8
"""A photograph with a shorter side is left out: the network has no whole output pixel for it."""

SAMPLE = {
    "train": (
        ("skimage", "data/astronaut.png"),
        ("skimage", "data/coffee.png"),
        ("skimage", "data/rocket.jpg"),
        ("skimage", "data/motorcycle_left.png"),
        ("sklearn", "datasets/images/flower.jpg"),
    ),
    "eval": (
        ("skimage", "data/chelsea.png"),
        ("sklearn", "datasets/images/china.jpg"),
        ("matplotlib", "mpl-data/sample_data/grace_hopper.jpg"),
    ),
}
"""Photographs that ship inside packages which `ablate` needs anyway: (package, path in it)."""


@dataclass(frozen=True)
class Photograph:
    """A readable photograph: its name (path below the root), file, SHA-256 of its bytes, and decoded size."""

    name: str
    path: Path
    digest: str
    width: int
    height: int


@dataclass(frozen=True)
class BadPhotograph:
    """A file that should be a photograph and cannot be used, and why."""

    name: str
    reason: str


def sample_paths(part: str) -> list[tuple[str, Path]]:
    """Return (name, path) of the sample photographs of a part, `train` or `eval`."""
    found = []
    for package, place in SAMPLE[part]:
        path = Path(str(importlib.resources.files(package))) / place
        if not path.is_file():
            raise DataError(f"{path} is missing: reinstall the package that ships it ({package}), or set data=folder")
        found.append((path.stem, path))
    return found


def folder_paths(root: Path) -> tuple[list[tuple[str, Path]], list[str]]:
    """Find the photographs below a folder, following links, and the files that are none.

    Returns:
        (name, path) of the files that end in one of `SUFFIXES`, sorted by name; and the names of the others.
        Hidden files and folders count as neither.
    """
    photographs, others, seen = [], [], set()

    def unreadable(error: OSError) -> None:
        log.warning("The folder %s cannot be read: %s", error.filename, error.strerror)

    for folder, children, files in os.walk(root, onerror=unreadable, followlinks=True):
        # A link to a folder above would be walked for ever.
        real = os.path.realpath(folder)
        if real in seen:
            children.clear()
            continue
        seen.add(real)
        children[:] = sorted(child for child in children if not child.startswith("."))
        for file in sorted(file for file in files if not file.startswith(".")):
            path = Path(folder) / file
            name = path.relative_to(root).as_posix()
            if path.suffix.lower() in SUFFIXES:
                photographs.append((name, path))
            else:
                others.append(name)
    return sorted(photographs), sorted(others)


def decode(content: bytes) -> Image.Image:
    """Decode a photograph of any kind to an upright 8-bit RGB image.

    Grey, palette, CMYK and 16-bit pixels are converted, the EXIF orientation is applied, and what is
    transparent is laid on white, as a browser shows it.

    Raises:
        DataError: It is no JPEG, PNG or WebP, is damaged, or is too small.
    """
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as opened:
            image = _upright(opened)
            if image.mode.startswith("I") or image.mode == "F":
                image = Image.fromarray((np.asarray(image, dtype=np.float64) / 257).round().astype(np.uint8))
            if image.has_transparency_data:
                image = image.convert("RGBA")
                white = Image.new("RGBA", image.size, "white")
                image = Image.alpha_composite(white, image)
            image = image.convert("RGB")
    except _DECODING_ERRORS as error:
        raise DataError(str(error) if "BytesIO" not in str(error) else "no JPEG, PNG or WebP picture") from error
    if min(image.size) < MIN_SIDE:
        raise DataError(f"{image.width}x{image.height} pixels; at least {MIN_SIDE}x{MIN_SIDE} are needed")
    return image


def _upright(image: Image.Image) -> Image.Image:
    """Apply the EXIF orientation. Only that one tag is read, so that damage to others costs no photograph."""
    try:
        turn = _UPRIGHT.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    except _EXIF_ERRORS:
        turn = None
    image.load()
    return image if turn is None else image.transpose(turn)


def fit_short_side(image: Image.Image, *, low: int, high: int) -> Image.Image:
    """Resize, anti-aliased, so that the shorter side lies in low..high; within that range nothing changes."""
    short = min(image.size)
    target = min(max(short, low), high)
    if target == short:
        return image
    size = tuple(max(target, round(length * target / short)) for length in image.size)
    return image.resize((size[0], size[1]), Image.Resampling.BICUBIC)


def center_square(image: Image.Image, side: int) -> Image.Image:
    """Cut out the central square and resize it, anti-aliased, to side x side."""
    return ImageOps.fit(image, (side, side), Image.Resampling.BICUBIC)


def scan(
    paths: Sequence[tuple[str, Path]], *, progress: str
) -> Iterator[tuple[Photograph, Image.Image] | BadPhotograph]:
    """Read and decode photographs on all cores, in order, with a progress bar.

    Args:
        paths: (name, path) pairs.
        progress: What the progress bar says.

    Yields:
        For each path the photograph with its pixels, or what is wrong with it.
    """

    def read(pair: tuple[str, Path]) -> tuple[Photograph, Image.Image] | BadPhotograph:
        name, path = pair
        try:
            content = path.read_bytes()
            image = decode(content)
        except (OSError, DataError) as error:
            return BadPhotograph(name, getattr(error, "strerror", None) or str(error))
        digest = hashlib.sha256(content).hexdigest()
        return Photograph(name, path, digest, image.width, image.height), image

    with ThreadPoolExecutor() as pool:
        # A chunk at a time, so that decoded photographs do not pile up ahead of their use.
        bar = tqdm(total=len(paths), desc=progress, unit=" photographs", disable=None, leave=False)
        with bar:
            for start in range(0, len(paths), 64):
                for result in pool.map(read, paths[start : start + 64]):
                    bar.update()
                    yield result
