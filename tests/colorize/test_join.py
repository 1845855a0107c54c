"""The join of L with colours: L stays, colours are those that were asked for, and every space gives the same Lab."""

import struct
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageCms
from skimage.color import lab2rgb, rgb2lab

from ablate.colorize.join import joiner, offsets
from ablate.colorize.space import SRGB, SRGB_CURVE, grey_curve, rgb_space


def planes(image: Image.Image, dtype: str = "uint8") -> np.ndarray:
    eight = np.moveaxis(np.asarray(image), -1, 0)
    return eight if dtype == "uint8" else eight.astype(np.uint16) * 257


def lab(planes: np.ndarray) -> np.ndarray:
    return np.moveaxis(rgb2lab(np.moveaxis(planes, 0, -1) / np.iinfo(planes.dtype).max), -1, 0)


def rows(added: np.ndarray) -> Callable[[int, int], np.ndarray]:
    return lambda top, bottom: added[:, top:bottom]


@pytest.mark.parametrize(("dtype", "close"), [("uint8", 0.3), ("uint16", 0.02)])
def test_lightness_stays_whatever_the_colours(astronaut: Image.Image, dtype: str, close: float) -> None:
    pixels = planes(astronaut, dtype)
    ab = np.random.default_rng(0).uniform(-80, 80, (2, 96, 128)).astype(np.float32)
    joined = joiner(SRGB, dtype).join(pixels, rows(offsets(ab)))
    assert joined.dtype == pixels.dtype
    np.testing.assert_allclose(lab(joined)[0], lab(pixels)[0], atol=close)
    # What sRGB does not have keeps its hue, with less chroma.
    found, wanted = lab(joined)[1:], ab
    assert (np.hypot(*found) <= np.hypot(*wanted) + 3).all()


def test_colours_are_those_that_were_asked_for(astronaut: Image.Image) -> None:
    pixels = planes(astronaut, "uint16")
    ab = lab(pixels)[1:].astype(np.float32)
    joined = joiner(SRGB, "uint16").join(pixels, rows(offsets(ab)))
    # Those of the photograph itself give it back.
    np.testing.assert_allclose(joined.astype(int), pixels.astype(int), atol=80)
    grey = np.rint(65535 * SRGB_CURVE.values(joiner(SRGB, "uint16").luminance(pixels)))[None].astype(np.uint16)
    again = joiner(SRGB, "uint16", SRGB_CURVE).join(grey, rows(offsets(ab)))
    np.testing.assert_allclose(again.astype(int), pixels.astype(int), atol=120)


@pytest.mark.parametrize(("dtype", "close"), [("uint8", 0.55), ("uint16", 8.0)])
def test_colours_that_the_space_has_are_those_of_scikit_image(
    astronaut: Image.Image, dtype: str, close: float
) -> None:
    pixels = planes(astronaut.resize((300, 200)), dtype)
    ab = np.random.default_rng(1).uniform(-25, 25, (2, 200, 300)).astype(np.float32)
    joined = joiner(SRGB, dtype).join(pixels, rows(offsets(ab)))
    wanted = np.concatenate([lab(pixels)[:1], ab])
    rgb = np.moveaxis(lab2rgb(np.moveaxis(wanted, 0, -1)), -1, 0)
    inside = (rgb > 0.002).all(axis=0) & (rgb < 0.998).all(axis=0)
    assert inside.mean() > 0.6
    found = joined[:, inside].astype(float)
    np.testing.assert_allclose(found, rgb[:, inside] * np.iinfo(joined.dtype).max, atol=close)


@pytest.mark.parametrize("width", [300, 30_000])
def test_strips_are_joined_as_the_whole_is(width: int) -> None:
    random = np.random.default_rng(2)
    pixels = random.integers(0, 256, (3, 5 if width > 300 else 250, width), dtype=np.uint8)
    added = offsets(random.uniform(-60, 60, (2, *pixels.shape[1:])).astype(np.float32))
    whole = joiner(SRGB, "uint8").join(pixels, rows(added))
    parts = [
        joiner(SRGB, "uint8").join(pixels[:, top : top + 2], rows(added), top) for top in range(0, len(pixels[0]), 2)
    ]
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), whole)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_without_colours_every_grey_is_itself(dtype: str) -> None:
    grey = np.arange(np.iinfo(dtype).max + 1, dtype=dtype).reshape(1, -1, 256)
    none = np.zeros((2, *grey.shape[1:]), np.float32)
    joined = joiner(SRGB, dtype, SRGB_CURVE).join(grey, rows(none))
    assert np.abs(joined.astype(int) - grey.astype(int)).max() <= (0 if dtype == "uint8" else 2)
    colored = np.repeat(grey, 3, axis=0)
    again = joiner(SRGB, dtype).join(colored, rows(none))
    assert np.abs(again.astype(int) - joined.astype(int)).max() <= (0 if dtype == "uint8" else 4)


def test_the_profile_of_srgb_is_srgb(astronaut: Image.Image) -> None:
    space = rgb_space(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    assert space is not None
    np.testing.assert_allclose(space.matrix, SRGB.matrix, atol=2e-3)
    np.testing.assert_allclose(
        joiner(space, "uint8").lightness(planes(astronaut)), lab(planes(astronaut))[0], atol=0.15
    )


def profile(kind: bytes, **tags: bytes) -> bytes:
    """Return a colour profile with some tags."""
    table, data = b"", b""
    for name, content in tags.items():
        table += struct.pack(">4sII", name.encode(), 132 + 12 * len(tags) + len(data), len(content))
        data += content
    head = bytearray(128)
    head[16:20], head[36:40] = kind, b"acsp"
    return bytes(head) + struct.pack(">I", len(tags)) + table + data


def test_curves_of_profiles() -> None:
    half = np.array([0.0, 0.5, 1.0])
    gamma = profile(b"GRAY", kTRC=b"curv" + bytes(4) + struct.pack(">IH", 1, 2 * 256))
    assert grey_curve(gamma) is not None
    np.testing.assert_allclose(grey_curve(gamma).light(half), [0, 0.25, 1], atol=1e-6)
    linear = profile(b"GRAY", kTRC=b"curv" + bytes(4) + struct.pack(">I", 0))
    np.testing.assert_allclose(grey_curve(linear).light(half), half)
    table = profile(b"GRAY", kTRC=b"curv" + bytes(4) + struct.pack(">I3H", 3, 0, 6553, 65535))
    np.testing.assert_allclose(grey_curve(table).light(half), [0, 0.1, 1], atol=1e-4)
    numbers = [2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045]
    srgb = profile(b"GRAY", kTRC=b"para" + bytes(4) + struct.pack(">HH5i", 3, 0, *(round(65536 * n) for n in numbers)))
    np.testing.assert_allclose(grey_curve(srgb).light(half), SRGB_CURVE.light(half), atol=1e-3)
    np.testing.assert_allclose(grey_curve(srgb).values(SRGB_CURVE.light(half)), half, atol=1e-3)


@pytest.mark.parametrize("damaged", [b"", b"short", bytes(200), profile(b"GRAY", kTRC=b"curv"), profile(b"RGB ")])
def test_a_damaged_profile_is_none(damaged: bytes) -> None:
    assert rgb_space(damaged) is None
    assert grey_curve(damaged) is None
