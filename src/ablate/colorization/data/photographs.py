"""Photographs on disk: which there are, what is wrong with some, and their pixels. No TensorFlow."""

import errno
import hashlib
import importlib.util
import io
import logging
import os
import stat
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, ImageCms, ImageOps
from tqdm import tqdm

from ablate.colorization.data.file_names import hidden, is_photograph, plain, printable
from ablate.errors import DataError
from ablate.system.threads import map_ahead

log = logging.getLogger(__name__)

Pixels = npt.NDArray[np.uint8]
Prepared = TypeVar("Prepared")

FORMATS = ("JPEG", "PNG", "WEBP")
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
MAX_ASPECT = 4
"""Of a longer strip the middle is used: a few kilobytes could become gigabytes when its short side is scaled."""
MAX_BYTES = 2**29
"""A larger file is refused before it is read."""
MAX_PIXELS = 2 * 89_478_485
"""A photograph with more is refused before it is decoded: Pillow's limit, whose 8-bit RGB fills `MAX_BYTES`."""
_LARGE = 2**26
"""Photographs with more pixels are decoded one at a time: each takes gigabytes meanwhile."""
_one_large = threading.Lock()
# From half of the limit on, Pillow warns of an attack.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
_SRGB = ImageCms.createProfile("sRGB")

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
    """A readable photograph: its name (path below the root), SHA-256 of its file, and where that is, if known."""

    name: str
    digest: str
    path: Path | None = None


@dataclass(frozen=True)
class BadPhotograph:
    """A file that should be a photograph and cannot be used, and why."""

    name: str
    reason: str

    def __str__(self) -> str:
        return f"{self.name} ({self.reason})"


def sample_paths(part: str) -> list[tuple[str, Path]]:
    """Return (name, path) of the sample photographs of a part, `train` or `eval`."""
    found = []
    for package, place in SAMPLE[part]:
        # Not imported, which takes a second.
        top, *inner = package.split(".")
        spec = importlib.util.find_spec(top)
        places = (spec.submodule_search_locations if spec else None) or [top]
        path = Path(places[0]).joinpath(*inner) / place
        if not path.is_file():
            raise DataError(f"{path} is missing: reinstall the package that ships it ({package}), or set data=folder")
        found.append((path.stem, path))
    return found


def folder_paths(root: Path) -> tuple[list[tuple[str, Path]], list[str]]:
    """Find the photographs below a folder, following links, and the files that are none.

    Returns:
        (name, path) of the files that end in one of `SUFFIXES`, sorted by name; and the names of the others.
        Hidden files and folders count as neither. No two files have one name.
    """
    found, seen = list[tuple[str, Path]](), set[str]()

    def unreadable(error: OSError) -> None:
        log.warning("The folder %s cannot be read: %s", error.filename, error.strerror)

    for folder, children, files in os.walk(root, onerror=unreadable, followlinks=True):
        # A link to a folder above would be walked for ever.
        real = os.path.realpath(folder)
        if real in seen:
            children.clear()
            continue
        seen.add(real)
        children[:] = sorted(child for child in children if not hidden(child))
        for file in sorted(file for file in files if not hidden(file)):
            path = Path(folder) / file
            found.append((path.relative_to(root).as_posix(), path))
    photographs, others = [], []
    taken = {spelled for spelled, _ in found}
    for spelled, path in found:
        name = plain(spelled)
        if name != spelled and name in taken:
            name = printable(spelled)
        taken.add(name)
        if is_photograph(name) and not _special(path):
            photographs.append((name, path))
        elif not hidden(name):
            others.append(name)
    return sorted(photographs), sorted(others)


def _special(path: Path) -> bool:
    """Tell pipes, sockets and devices, which reading could wait on for ever, from files."""
    try:
        return not stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return False


def read_bytes(path: Path) -> bytes:
    """Return the contents of a file that should be a photograph.

    Raises:
        OSError: It cannot be read, or is too large to be one.
    """
    with _opened(path) as file:
        return file.read()


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file that should be a photograph. Raises as `read_bytes`."""
    with _opened(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _opened(path: Path) -> io.BufferedReader:
    file = path.open("rb")
    size = os.fstat(file.fileno()).st_size
    if size > MAX_BYTES:
        file.close()
        raise too_large(size)
    return file


def too_large(size: int) -> OSError:
    """Return what to raise where a file of so many bytes should be a photograph."""
    return OSError(errno.EFBIG, f"{size:,} bytes; at most {MAX_BYTES:,} are read")


def decode(content: bytes) -> Image.Image:
    """Decode a photograph of any kind to an upright 8-bit sRGB image.

    Grey, palette, CMYK and 16-bit pixels are converted, an embedded colour profile and the EXIF orientation are
    applied, and what is transparent is laid on white, as a browser shows it.

    Raises:
        DataError: It is no JPEG, PNG or WebP, is damaged, too small, or has more than `MAX_PIXELS`.
    """
    try:
        with (
            Image.open(io.BytesIO(content), formats=FORMATS) as opened,
            _one_large if opened.width * opened.height > _LARGE else nullcontext(),
        ):
            image = _to_rgb(_upright(opened))
    except Exception as error:  # whatever Pillow's parsers stumble over in a damaged file
        said = " ".join(str(error).split()) or type(error).__name__
        raise DataError(said if "BytesIO" not in said else "no JPEG, PNG or WebP picture") from error
    if min(image.size) < MIN_SIDE:
        raise DataError(f"{image.width}x{image.height} pixels; at least {MIN_SIDE}x{MIN_SIDE} are needed")
    return image


def _upright(image: Image.Image) -> Image.Image:
    """Apply the EXIF orientation. Only that one tag is read, so that damage to others costs no photograph."""
    try:
        turn = _UPRIGHT.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # the same in damaged EXIF
        turn = None
    image.load()
    return image if turn is None else image.transpose(turn)


def _to_rgb(image: Image.Image) -> Image.Image:
    profile = image.info.get("icc_profile")
    if image.mode.startswith("I"):
        image = _from_16_bits(image)
    opacity = _opacity(image) if image.has_transparency_data else None
    if image.mode not in ("L", "RGB", "CMYK"):
        image = image.convert("L" if image.mode in ("1", "LA") else "RGB")
    if profile:
        image = _from_profile(image, profile)
    if image.mode != "RGB":  # it would copy one that is
        image = image.convert("RGB")
    if opacity is None:
        return image
    white = Image.new("RGB", image.size, "white")
    white.paste(image, mask=opacity)
    return white


def _opacity(image: Image.Image) -> Image.Image:
    return (image if "A" in image.getbands() else image.convert("RGBA")).getchannel("A")


def _from_16_bits(image: Image.Image) -> Image.Image:
    deep = np.asarray(image)
    grey = ((deep.astype(np.uint32) + 128) // 257).astype(np.uint8)  # rounded
    transparent = image.info.get("transparency")
    if not isinstance(transparent, int):
        return Image.fromarray(grey)
    return Image.fromarray(np.stack([grey, np.where(deep == transparent, 0, 255).astype(np.uint8)], axis=-1))


def _from_profile(image: Image.Image, profile: bytes) -> Image.Image:
    """Convert pixels from their colour profile to sRGB; one that is damaged or of another mode counts as none."""
    try:
        own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "sRGB" in ImageCms.getProfileDescription(own):
            return image
        converted = ImageCms.profileToProfile(image, own, _SRGB, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError):
        return image
    assert converted is not None
    return converted


def fit_short_side(image: Image.Image, *, low: int, high: int) -> Image.Image:
    """Resize, anti-aliased, so that the shorter side lies in low..high; within that range nothing changes.

    Of a strip longer than `MAX_ASPECT` times its shorter side, the middle is taken.
    """
    short = min(image.size)
    if max(image.size) > MAX_ASPECT * short:
        image = ImageOps.fit(image, (min(image.width, MAX_ASPECT * short), min(image.height, MAX_ASPECT * short)))
    target = min(max(short, low), high)
    if target == short:
        return image
    size = tuple(max(target, round(length * target / short)) for length in image.size)
    return image.resize((size[0], size[1]), Image.Resampling.BICUBIC)


def center_square(image: Image.Image, side: int) -> Image.Image:
    """Cut out the central square and resize it, anti-aliased, to side x side."""
    return ImageOps.fit(image, (side, side), Image.Resampling.BICUBIC)


def scan(
    paths: Sequence[tuple[str, Path]], prepare: Callable[[Image.Image], Prepared], *, progress: str
) -> Iterator[tuple[Photograph, Prepared] | BadPhotograph]:
    """Read, decode and prepare photographs on all cores, in order, with a progress bar.

    Args:
        paths: (name, path) pairs.
        prepare: What to make of a decoded photograph; what it leaves out is freed at once.
        progress: What the progress bar says.

    Yields:
        For each path the photograph with what was prepared, or what is wrong with it.
    """

    def read(named: tuple[str, Path]) -> tuple[Photograph, Prepared] | BadPhotograph:
        name, path = named
        try:
            content = read_bytes(path)
            image = decode(content)
        except (OSError, DataError) as error:
            return BadPhotograph(name, getattr(error, "strerror", None) or str(error))
        photograph = Photograph(name, hashlib.sha256(content).hexdigest(), path)
        return photograph, prepare(image)

    with closing(map_ahead(read, paths)) as made:
        yield from tqdm(made, total=len(paths), desc=progress, unit=" photographs", disable=None, leave=False)
