import numpy as np
import pytest
from skimage.color import deltaE_ciede2000, rgb2lab

from ablate.colorization.color.difference import ciede2000

CORNERS = np.indices((2, 2, 2)).reshape(3, -1).T.astype(np.float64)
"""The corners of sRGB: black, white, and the most saturated colours."""


def random(count, seed):
    return np.random.default_rng(seed).uniform([0, -110, -110], [100, 110, 110], (count, 3))


def around(hue, count=200):
    """Return colours whose hues lie on both sides of one, in degrees."""
    draws = np.random.default_rng(hue)
    angle = np.deg2rad(hue + draws.normal(0, 3, count))
    chroma = draws.uniform(0, 100, count)
    return np.stack([draws.uniform(0, 100, count), chroma * np.cos(angle), chroma * np.sin(angle)], axis=-1)


GREYS = random(500, 4) * [1, 0, 0]
PAIRS = {
    "random": (random(20_000, 0), random(20_000, 1)),
    "nearly equal": (random(500, 2), random(500, 2) + 1e-5),
    "equal": (random(500, 3), random(500, 3)),
    "grey with grey": (GREYS, GREYS[::-1]),
    "grey with colour": (GREYS, random(500, 5)),
    "nearly grey": (random(500, 6) * [1, 1e-6, 1e-6], random(500, 7) * [1, 1e-6, 1e-6]),
    "corners of sRGB": tuple(rgb2lab(part) for part in (CORNERS.repeat(8, axis=0), np.tile(CORNERS, (8, 1)))),
    "black with black": (np.zeros((5, 3)), np.zeros((5, 3))),
    "hues around 0": (around(0), around(0)[::-1]),
    "hues around 180": (around(180), around(180)[::-1]),
    "hues around 275, where blue turns": (around(275), around(275)[::-1]),
    "opposite hues": (around(90), around(271)),
    "opposite hues across 0": (around(350), around(168)),
    "a alone": (np.array([[50.0, 40, 0], [50, -40, 0]]), np.array([[50.0, -40, 0], [60, 40, 0]])),
}


@pytest.mark.parametrize("name", PAIRS)
def test_it_equals_scikit_image(name):
    one, other = PAIRS[name]
    np.testing.assert_allclose(ciede2000(one, other), deltaE_ciede2000(one, other), rtol=0, atol=1e-7)


def test_float32_colours_are_compared_in_float64():
    one, other = (colors.astype(np.float32) for colors in PAIRS["random"])
    np.testing.assert_array_equal(ciede2000(one, other), ciede2000(one.astype(np.float64), other.astype(np.float64)))


def test_any_shape_of_pictures():
    one, other = random(24, 8).reshape(2, 3, 4, 3), random(24, 9).reshape(2, 3, 4, 3)
    np.testing.assert_array_equal(ciede2000(one, other).ravel(), ciede2000(one.reshape(-1, 3), other.reshape(-1, 3)))


def test_what_is_no_number_has_no_difference():
    one, other = random(3, 10), random(3, 11)
    other[1, 2] = np.nan
    assert np.isnan(ciede2000(one, other)).tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        # Sharma, Wu and Dalal (2005), table 1.
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, -1.3802, -84.2814), (50, 0, -82.7485), 1.0000),
        ((50, 0, 0), (50, -1, 2), 2.3669),
        ((50, 2.49, -0.001), (50, -2.49, 0.0009), 7.1792),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
        ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_published_pairs(one, other, expected):
    found = ciede2000(np.array([one], np.float64), np.array([other], np.float64))
    assert found[0] == pytest.approx(expected, abs=1e-4)
