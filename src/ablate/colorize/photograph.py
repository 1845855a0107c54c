"""Photographs as files hold them: pixels in their own depth and colour space, and all that comes with them."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

import numpy as np
from PIL import (
    ExifTags,
    Image,
    ImageCms,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from ablate.colorization.data.decode import MAX_PIXELS, UPRIGHT
from ablate.colorize.deep import deep_planes, is_deep
from ablate.colorize.join import Joiner, Planes, joiner
from ablate.colorize.metadata import metadata_of
from ablate.colorize.scans import more_scans_than
from ablate.colorize.space import SRGB, SRGB_CURVE, Curve, Floats, RgbSpace, grey_curve, rgb_space
from ablate.errors import DataError

FORMATS = tuple(
    plugin.format
    for plugin in (
        JpegImagePlugin.JpegImageFile,
        PngImagePlugin.PngImageFile,
        WebPImagePlugin.WebPImageFile,
        TiffImagePlugin.TiffImageFile,
    )
)
SUFFIXES = (".jpg", ".jpeg", ".jpe", ".png", ".webp", ".tif", ".tiff")
MAX_BYTES = 2**31
"""A larger file is refused before it is read."""
MAX_SENT_PIXELS = 50 * 10**6
"""Of a photograph that somebody sends, see `measure`: who that is, is not known."""
# Of damaged tags, which cost no photograph.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
_SRGB_PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
_BACK: Mapping[int, Callable[[Any], Any]] = {
    2: np.fliplr,
    3: lambda upright: np.rot90(upright, 2),
    4: np.flipud,
    5: lambda upright: np.swapaxes(upright, 0, 1),
    6: np.rot90,
    7: lambda upright: np.rot90(np.swapaxes(upright, 0, 1), 2),
    8: lambda upright: np.rot90(upright, 3),
}
"""From an upright array to one as the pixels are stored."""
_MAX_SCANS = 100
"""Of a JPEG; programs write about ten."""
_COLORFUL = 8
"""Chroma from which a photograph has colours: more than rounding and compression give to grey."""


@dataclass(frozen=True)
class Photograph:
    """A decoded photograph, its pixels as they are stored: not turned, in their own colour space.

    Attributes:
        format: JPEG, PNG, WEBP or TIFF.
        image: Its pixels in eight bits, L or RGB; those of a deep one rounded down.
        deep: (1 or 3, height, width), uint16, where it has 16 bits.
        alpha: Opacity: an image, or (height, width), uint16, where it has any.
        space: Colour space of the result.
        grey: Curve of grey pixels.
        orientation: EXIF's.
        metadata: What `save` writes beside the pixels, as it was.
    """

    format: str
    image: Image.Image
    deep: Planes | None
    alpha: Image.Image | Planes | None
    space: RgbSpace
    grey: Curve | None
    orientation: int
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, as stored."""
        return self.image.size

    @property
    def depth(self) -> str:
        """The type of a channel's values, uint8 or uint16."""
        return "uint8" if self.deep is None else "uint16"

    @property
    def joiner(self) -> Joiner:
        """What gives it colours."""
        return joiner(self.space, self.depth, self.grey)

    def planes(self, top: int, bottom: int) -> Planes:
        """Return some rows: (1 or 3, bottom - top, width)."""
        return planes_of(self.image, top, bottom) if self.deep is None else self.deep[:, top:bottom]

    def square(self, side: int) -> Floats:
        """Return all of it as the network sees it, upright and on white: (side, side), L."""
        small = self.image.resize((side, side), Image.Resampling.BICUBIC, reducing_gap=3)
        if self.alpha is not None:
            alpha = (
                self.alpha if isinstance(self.alpha, Image.Image) else Image.fromarray((self.alpha >> 8).astype("u1"))
            )
            white = Image.new(small.mode, small.size, "white")
            white.paste(small, mask=alpha.resize((side, side), Image.Resampling.BICUBIC, reducing_gap=3))
            small = white
        if self.orientation in UPRIGHT:
            small = small.transpose(UPRIGHT[self.orientation])
        return joiner(self.space, "uint8", self.grey).lightness(planes_of(small, 0, side))

    def as_stored(self, upright: Floats) -> Floats:
        """Turn small arrays of it, (..., height, width), as its pixels are stored."""
        if self.orientation not in _BACK:
            return upright
        return np.ascontiguousarray(np.moveaxis(_BACK[self.orientation](np.moveaxis(upright, 0, -1)), -1, 0))

    def upright(self, image: Image.Image) -> Image.Image:
        """Turn a picture of it that is turned as its pixels are stored."""
        return image.transpose(UPRIGHT[self.orientation]) if self.orientation in UPRIGHT else image

    def has_colors(self) -> bool:
        """Return whether any of it is not grey."""
        if self.image.mode == "L":
            return False
        small = np.asarray(self.image.reduce(max(1, min(self.size) // 64)), np.int16)
        return int(np.ptp(small, axis=-1).max()) > _COLORFUL


def read_photograph(content: bytes) -> Photograph:
    """Decode a photograph of any kind and size.

    Grey, palette, CMYK and Lab pixels are converted; where that needs a colour profile, the result is in sRGB.

    Raises:
        DataError: It is no JPEG, PNG, WebP or TIFF, is damaged, animated, in 32 bits, or has too many pixels.
    """
    with _explained(), Image.open(io.BytesIO(content), formats=FORMATS) as opened:
        _check(opened)
        if opened.format in ("JPEG", "MPO") and more_scans_than(_MAX_SCANS, content):
            raise DataError(f"it has more than {_MAX_SCANS} scans, and may be a decompression bomb")
        return _read(opened, content)


def measure(file: Path) -> int:
    """Return how many pixels of eight bits a channel a photograph takes in memory, by what its file begins with.

    Raises:
        DataError: It cannot be a photograph, or is too large a one, see `read_photograph`.
        OSError: It cannot be read.
    """
    if not file.is_file():
        raise DataError("it is no file")
    if file.stat().st_size > MAX_BYTES:
        raise DataError(f"the file is larger than {MAX_BYTES // 2**30} GiB")
    with file.open("rb") as stream:
        return measure_stream(stream)


def measure_stream(stream: IO[bytes]) -> int:
    """Return the same of an open file, see `measure`."""
    with _explained(), Image.open(stream, formats=FORMATS) as opened:
        _check(opened)
        return _pixels(opened) * (3 if is_deep(opened) else 1)


def measure_sent(content: bytes) -> int:
    """Return the same of a photograph that somebody sends, see `measure`.

    Raises:
        DataError: See `measure`; or it has more than `MAX_SENT_PIXELS`.
    """
    return checked_sent(measure_stream(io.BytesIO(content)))


def checked_sent(pixels: int) -> int:
    """Return a number of pixels that somebody sends.

    Raises:
        DataError: They are more than `MAX_SENT_PIXELS`.
    """
    if pixels > MAX_SENT_PIXELS:
        raise DataError(
            f"it has more than {MAX_SENT_PIXELS // 10**6} megapixels, of which each with 16 bits a channel counts as "
            "three; python -m ablate.colorize takes larger photographs, from files"
        )
    return pixels


def read_pixels(pixels: Planes) -> Photograph:
    """Take pixels in memory as a photograph.

    Args:
        pixels: (height, width) or (height, width, 3), uint8, in sRGB.
    """
    return Photograph("PNG", Image.fromarray(pixels), None, None, SRGB, SRGB_CURVE if pixels.ndim == 2 else None, 1)


@contextmanager
def _explained() -> Iterator[None]:
    """Make of whatever Pillow stumbles over a `DataError` in one line."""
    try:
        yield
    except Image.DecompressionBombError:
        raise DataError(_too_many("it")) from None
    except UnidentifiedImageError:
        raise DataError("no JPEG, PNG, WebP or TIFF picture") from None
    except (DataError, MemoryError):
        raise
    except Exception as error:  # whatever Pillow's parsers stumble over in a damaged file
        raise DataError(" ".join(str(error).split()) or type(error).__name__) from error


def _too_many(what: str) -> str:
    return f"{what} has more than {MAX_PIXELS // 10**6} megapixels, and may be a decompression bomb"


def _check(opened: Image.Image) -> None:
    if opened.width * opened.height > MAX_PIXELS:
        raise DataError(_too_many(f"{opened.width}x{opened.height}"))
    if _pixels(opened) > MAX_PIXELS:
        raise DataError(_too_many("a tile of it"))
    # Not `n_frames`: of a TIFF file it reads the directories of all pages, however many.
    if getattr(opened, "is_animated", False) and opened.format != "MPO":
        raise DataError(f"it has several {'pages' if opened.format == 'TIFF' else 'frames'}; one picture is needed")
    if opened.mode in ("I", "F"):
        raise DataError("it has 32 bits a channel; 8 or 16 are needed")


def _pixels(opened: Image.Image) -> int:
    """Return how many pixels are held to read a picture: all of it, and of a TIFF file a tile, which may be larger."""
    tags: Mapping[int, Any] = getattr(opened, "tag_v2", {})
    sides = [tags.get(number, 0) for number in (TiffImagePlugin.TILEWIDTH, TiffImagePlugin.TILELENGTH)]
    tile = sides[0] * sides[1] if all(isinstance(side, int) for side in sides) else 0
    return max(opened.width * opened.height, tile)


def _read(opened: ImageFile.ImageFile, content: bytes) -> Photograph:
    profile = opened.info.get("icc_profile")
    deep: Planes | None = None
    alpha: Image.Image | Planes | None = None
    # First: what reads EXIF may read the pixels as well.
    if is_deep(opened):
        deep, alpha = deep_planes(opened, content)
        eight = (deep >> 8).astype(np.uint8)
        image = Image.fromarray(eight[0]) if len(eight) == 1 else Image.merge("RGB", [*map(Image.fromarray, eight)])
    else:
        opened.load()
        image, alpha = _eight_bits(opened)
    metadata = metadata_of(opened, content)
    read = Photograph(
        format="JPEG" if opened.format == "MPO" else str(opened.format),
        image=image,
        deep=deep,
        alpha=alpha,
        space=SRGB,
        grey=SRGB_CURVE if image.mode == "L" else None,
        orientation=_orientation(opened),
        metadata=metadata,
    )
    return _in_space(read, profile) if profile or image.mode not in ("L", "RGB") else read


def _orientation(opened: Image.Image) -> int:
    """Read EXIF's orientation. Damage to other tags costs no photograph."""
    try:
        return int(opened.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # the same in damaged EXIF
        return 1


def _eight_bits(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """Return pixels without their opacity, L, RGB, CMYK or LAB, and that."""
    alpha = None
    if image.has_transparency_data:
        if "A" not in image.getbands():
            image = image.convert("LA" if image.mode in ("1", "L") else "RGBA")
        alpha = image.getchannel("A")
    if image.mode in ("1", "LA", "La"):
        image = image.convert("LA").convert("L") if image.mode == "La" else image.convert("L")
    elif image.mode not in ("L", "RGB", "CMYK", "LAB"):
        image = image.convert("RGBA").convert("RGB") if image.mode == "RGBa" else image.convert("RGB")
    return image, alpha


def _in_space(read: Photograph, profile: bytes | None) -> Photograph:
    """Return a photograph in the space of its profile; in sRGB where that has no curves and matrix.

    A profile that is damaged, or of another kind than the pixels, counts as none.
    """
    mode = read.image.mode
    space = rgb_space(profile) if profile else None
    if mode == "RGB" and space is not None:
        return replace(read, space=space)
    if mode == "L" and space is not None:
        return replace(read, space=space, grey=space.curves[1])
    curve = grey_curve(profile) if profile else None
    if mode == "L":
        # A profile of grey pixels cannot stay with coloured ones.
        metadata = {**read.metadata, "icc_profile": _SRGB_PROFILE.tobytes() if curve else profile}
        return replace(read, grey=curve or SRGB_CURVE, metadata=metadata)
    try:
        own = ImageCms.createProfile("LAB") if mode == "LAB" else ImageCms.ImageCmsProfile(io.BytesIO(profile or b""))
        converted = ImageCms.profileToProfile(read.image, own, _SRGB_PROFILE, outputMode="RGB")
        assert converted is not None
    except (ImageCms.PyCMSError, OSError):
        if mode == "RGB":
            return read
        return replace(read, image=read.image.convert("RGB"), metadata={**read.metadata, "icc_profile": None})
    if read.deep is not None:
        raise DataError(
            "it has 16 bits a channel and a colour profile of tables; one of curves and a matrix is needed"
        )
    return replace(read, image=converted, metadata={**read.metadata, "icc_profile": _SRGB_PROFILE.tobytes()})


def planes_of(image: Image.Image, top: int, bottom: int) -> Planes:
    """Return some rows of an image: (channels, bottom - top, width)."""
    part = image.crop((0, top, image.width, bottom))
    return np.stack([np.asarray(channel) for channel in part.split()])
