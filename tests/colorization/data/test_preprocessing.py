import numpy as np
import pytest
from PIL import Image

from ablate.colorization.data.preprocessing import MAX_ASPECT, center_square, fit_short_side

HEIGHT, WIDTH = 12, 16


def flat(color, mode="RGB"):
    return Image.new(mode, (WIDTH, HEIGHT), color)


@pytest.mark.parametrize("size", [(8, 20_000), (20_000, 8)])
def test_a_strip_stays_small(size):
    made = fit_short_side(Image.new("RGB", size), low=64, high=80)
    assert sorted(made.size) == [64, 64 * MAX_ASPECT]


@pytest.mark.parametrize(
    ("size", "expected"),
    [((100, 80), (50, 40)), ((80, 100), (40, 50)), ((20, 10), (64, 32)), ((36, 70), (36, 70)), ((3, 2), (48, 32))],
)
def test_the_short_side_is_brought_into_its_range(size, expected):
    assert fit_short_side(Image.new("RGB", size), low=32, high=40).size == expected


def test_within_the_range_pixels_stay_as_they_are(noise):
    image = Image.fromarray(noise(height=36, width=50))
    np.testing.assert_array_equal(fit_short_side(image, low=32, high=40), image)


@pytest.mark.parametrize("size", [(999, 1000), (1000, 333), (33, 32), (501, 77)])
def test_no_side_falls_below_the_shorter_target(size):
    assert min(fit_short_side(Image.new("RGB", size), low=32, high=40).size) in range(32, 41)


def test_making_smaller_averages_fine_detail():
    checkers = np.indices((80, 80)).sum(axis=0) % 2 * 255
    image = Image.fromarray(np.repeat(checkers[..., None], 3, axis=-1).astype(np.uint8))
    for small in (fit_short_side(image, low=20, high=20), center_square(image, 20)):
        np.testing.assert_allclose(np.asarray(small)[2:-2, 2:-2], 127.5, atol=3)


@pytest.mark.parametrize("size", [(80, 40), (40, 80)])
def test_the_central_square_is_cut_out(size):
    # 20 outer pixels of the longer side are red, the 40 in the middle are green.
    wide = np.zeros((40, 80, 3), np.uint8)
    wide[:, :20] = wide[:, 60:] = (255, 0, 0)
    wide[:, 20:60] = (0, 255, 0)
    pixels = wide if size == (80, 40) else wide.swapaxes(0, 1)
    square = np.asarray(center_square(Image.fromarray(np.ascontiguousarray(pixels)), 40))
    assert (square == (0, 255, 0)).all()


def test_the_central_square_is_resized(noise):
    assert center_square(Image.fromarray(noise()), 24).size == (24, 24)
