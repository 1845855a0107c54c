import numpy as np
import pytest
from skimage.metrics import structural_similarity as of_scikit_image

from ablate.colorization.similarity import structural_similarity


def random(shape, seed=0):
    return np.random.default_rng(seed).random(shape)


def constant(value):
    return np.full((3, 12, 9, 3), value)


PAIRS = {
    "random": (random((3, 12, 9, 3)), random((3, 12, 9, 3), 1)),
    "as small as the window": (random((2, 7, 7, 3)), random((2, 7, 7, 3), 1)),
    "one pair": (random((1, 40, 64, 3)), random((1, 40, 64, 3), 1)),
    "nearly equal": (random((3, 12, 9, 3)), random((3, 12, 9, 3)) + 1e-4),
    "grey": (random((3, 12, 9, 1)).repeat(3, axis=-1), random((3, 12, 9, 1), 1).repeat(3, axis=-1)),
    "saturated": (random((3, 12, 9, 3)).round(), random((3, 12, 9, 3), 1).round()),
    "constant": (constant(0.25), constant(0.75)),
    "black and white": (constant(0.0), constant(1.0)),
    "black twice": (constant(0.0), constant(0.0)),
}


@pytest.mark.parametrize("name", PAIRS)
def test_it_equals_scikit_image(name):
    one, other = PAIRS[name]
    expected = [of_scikit_image(*pair, data_range=1, channel_axis=-1) for pair in zip(one, other, strict=True)]
    np.testing.assert_allclose(structural_similarity(one, other), expected, rtol=0, atol=1e-10)


def test_float32_pictures_are_compared_in_float64():
    one, other = (picture.astype(np.float32) for picture in PAIRS["nearly equal"])
    expected = structural_similarity(one.astype(np.float64), other.astype(np.float64))
    np.testing.assert_array_equal(structural_similarity(one, other), expected)


def test_a_picture_smaller_than_the_window_is_an_error():
    with pytest.raises(ValueError, match="at least 7x7"):
        structural_similarity(random((1, 6, 9, 3)), random((1, 6, 9, 3)))
