"""Decoding of photographs: any JPEG, PNG or WebP file becomes an upright 8-bit sRGB image. No TensorFlow."""

import io
import threading
import warnings
from contextlib import nullcontext

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, ImageCms

from ablate.errors import DataError

Pixels = npt.NDArray[np.uint8]

FORMATS = ("JPEG", "PNG", "WEBP")
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What puts a picture upright again, by EXIF's Orientation (CIPA DC-008, 4.6.4)."""
MIN_SIDE = 8
"""A photograph with a shorter side is left out: the network has no whole output pixel for it."""
MAX_PIXELS = 2 * 89_478_485
"""A photograph with more is refused before it is decoded: Pillow's limit, whose 8-bit RGB fills `files.MAX_BYTES`."""
_LARGE = 2**26
"""Photographs with more pixels are decoded one at a time: each takes gigabytes meanwhile."""
_one_large = threading.Lock()
# From half of the limit on, Pillow warns of an attack.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
_SRGB = ImageCms.createProfile("sRGB")


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
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DataError(reason if "BytesIO" not in reason else "no JPEG, PNG or WebP picture") from error
    if min(image.size) < MIN_SIDE:
        raise DataError(f"{image.width}x{image.height} pixels; at least {MIN_SIDE}x{MIN_SIDE} are needed")
    return image


def _upright(image: Image.Image) -> Image.Image:
    """Apply the EXIF orientation. Only that one tag is read, so that damage to others costs no photograph."""
    try:
        turn = UPRIGHT.get(image.getexif().get(ExifTags.Base.Orientation, 1))
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
