"""The two pictures of a pair: the same L, hues kept, and nothing else that tells which is which."""

import io

import numpy as np
import pytest
from PIL import Image

from ablate.turing.build.exact_lab import to_lab
from ablate.turing.build.rendering import draw_noise, render
from ablate.turing.build.stimuli import correlation, is_grey, png, rainbow
from tests.support.lab import reference_lab


def test_the_obvious_fake_has_every_hue_and_the_lightness_of_the_photograph() -> None:
    L = np.full((128, 128), 60.0)
    (pixels,) = render(L, [rainbow(128, 0.3)], [draw_noise(np.random.default_rng(0), 128)])
    lab = reference_lab(pixels)
    assert np.abs(lab[..., 0] - 60).max() < 0.5
    hue = np.degrees(np.arctan2(lab[..., 2], lab[..., 1])).mean(axis=0) % 360
    assert np.unique(hue // 30).size == 12
    np.testing.assert_allclose(hue[0], 108, atol=2)
    assert np.hypot(lab[..., 1], lab[..., 2]).min() > 30


def test_grey_photographs_are_told_from_coloured_ones_whatever_a_few_pixels_say() -> None:
    random = np.random.default_rng(7)
    grey = np.repeat(random.integers(0, 256, (100, 100, 1), dtype=np.uint8), 3, axis=2)
    noisy = np.clip(grey + random.normal(0, 1.5, grey.shape), 0, 255).astype(np.uint8)
    noisy[:5, :5] = (255, 0, 0)
    coloured = grey.copy()
    coloured[:20, :20] = (40, 90, 200)
    sepia = np.clip(grey * (1.0, 0.85, 0.65), 0, 255).astype(np.uint8)
    assert is_grey(to_lab(grey)[..., 1:])
    assert is_grey(to_lab(noisy)[..., 1:])
    assert not is_grey(to_lab(coloured)[..., 1:])
    assert not is_grey(to_lab(sepia)[..., 1:])


def test_correlation_is_that_of_numpy_and_0_where_there_is_nothing_to_correlate() -> None:
    random = np.random.default_rng(8)
    one = random.normal(50, 10, (30, 30))
    other = one + random.normal(0, 10, (30, 30))
    assert correlation(one, other) == pytest.approx(np.corrcoef(one.ravel(), other.ravel())[0, 1])
    assert correlation(one, 3 * one + 2) == pytest.approx(1)
    assert correlation(one, np.full((30, 30), 7.0)) == 0


def test_a_png_holds_pixels_and_nothing_else_in_one_size_for_all() -> None:
    random = np.random.default_rng(9)
    sizes = set()
    for pixels in (
        random.integers(0, 256, (200, 131, 3), dtype=np.uint8),
        np.zeros((200, 131, 3), np.uint8),
        np.full((200, 131, 3), 255, np.uint8),
    ):
        content = png(pixels)
        image = Image.open(io.BytesIO(content))
        assert (image.format, image.mode, image.info) == ("PNG", "RGB", {})
        np.testing.assert_array_equal(np.asarray(image), pixels)
        assert [content[start : start + 4] for start in chunks(content)] == [b"IHDR", b"IDAT", b"IEND"]
        sizes.add(len(content))
    assert len(sizes) == 1


def chunks(content: bytes) -> list[int]:
    """Return where the chunks of a PNG file have their names."""
    found, place = [], 8
    while place < len(content):
        found.append(place + 4)
        place += 12 + int.from_bytes(content[place : place + 4], "big")
    return found
