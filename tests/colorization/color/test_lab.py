import warnings

import numpy as np
import pytest
import tensorflow as tf
from skimage.color import lab2rgb, rgb2lab

from ablate.colorization.color.lab import lab_to_rgb, pixels_to_lab, rgb_to_lab


def reference_rgb(lab):
    with warnings.catch_warnings():
        # scikit-image tells how many colours it clips.
        warnings.simplefilter("ignore")
        return lab2rgb(np.asarray(lab, np.float64))


def greys(low, high, count=200):
    return np.repeat(np.linspace(low, high, count)[:, None], 3, axis=1)


def random_rgb(count=5000):
    return np.random.default_rng(0).uniform(0, 1, (count, 3))


def random_lab(count=5000):
    return np.random.default_rng(0).uniform((0, -128, -128), (100, 128, 128), (count, 3))


@pytest.mark.parametrize(
    "rgb",
    [
        random_rgb(),
        np.indices((2, 2, 2)).reshape(3, 8).T.astype(float),
        np.indices((6, 6, 6)).reshape(3, -1).T / 255,
        greys(0.03, 0.05),
        # L turns from a line to a cube root at a luminance of 0.008856, a grey of 0.092.
        greys(0.091, 0.093),
    ],
    ids=["random", "corners", "darkest", "sRGB threshold", "Lab threshold"],
)
def test_rgb_to_lab_equals_scikit_image(rgb):
    np.testing.assert_allclose(rgb_to_lab(rgb), rgb2lab(rgb), atol=2e-3)


def test_pixels_to_lab_equals_scikit_image():
    random = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    pixels = np.concatenate(
        [random, random // 10, np.repeat(np.arange(256, dtype=np.uint8), 3).reshape(-1, 64, 3)[:, :50]]
    )
    made = pixels_to_lab(pixels)
    assert made.dtype == np.float32
    np.testing.assert_allclose(made, rgb2lab(pixels / 255), atol=1e-3)


@pytest.mark.parametrize(
    "lab",
    [
        rgb2lab(random_rgb()),
        random_lab(),
        np.array([[0, 0, 0], [100, 0, 0], [50, 0, 0], [0, 128, -128], [100, -128, 128]]),
        # Both sides of the Lab threshold at L = 8, and of the sRGB threshold at L = 2.8.
        np.linspace((7.9, 0, 0), (8.1, 0, 0), 200),
        np.linspace((2.6, 0, 0), (3, 0, 0), 200),
    ],
    ids=["inside", "anywhere", "ends", "Lab threshold", "sRGB threshold"],
)
def test_lab_to_rgb_equals_scikit_image(lab):
    np.testing.assert_allclose(lab_to_rgb(lab), reference_rgb(lab), atol=2e-5)


def test_a_round_trip_ends_where_it_began():
    rgb = random_rgb()
    np.testing.assert_allclose(lab_to_rgb(rgb_to_lab(rgb)), rgb, atol=2e-5)


def test_every_8_bit_grey_survives_a_round_trip():
    pixels = np.repeat(np.arange(256)[:, None], 3, axis=1)
    again = np.round(lab_to_rgb(rgb_to_lab(pixels / 255)).numpy() * 255)
    np.testing.assert_array_equal(again, pixels)


def test_black_and_white_have_no_colour():
    np.testing.assert_allclose(rgb_to_lab([[0.0, 0, 0], [1, 1, 1]]), [[0, 0, 0], [100, 0, 0]], atol=1e-2)


def test_colours_outside_srgb_are_clipped_to_it():
    rgb = lab_to_rgb(random_lab()).numpy()
    assert np.isfinite(rgb).all()
    assert rgb.min() == 0
    assert rgb.max() == 1


@pytest.mark.parametrize("shape", [(3,), (4, 3), (2, 3, 4, 3)])
def test_any_shape_is_converted_colour_by_colour(shape):
    rgb = np.random.default_rng(1).uniform(0, 1, shape)
    flat = rgb_to_lab(rgb.reshape(-1, 3)).numpy()
    np.testing.assert_array_equal(rgb_to_lab(rgb), flat.reshape(shape))
    np.testing.assert_array_equal(lab_to_rgb(flat.reshape(shape)), lab_to_rgb(flat).numpy().reshape(shape))


@pytest.mark.parametrize("dtype", [tf.float16, tf.float32, tf.float64])
def test_results_are_float32(dtype):
    assert rgb_to_lab(tf.zeros((2, 3), dtype)).dtype == tf.float32
    assert lab_to_rgb(tf.zeros((2, 3), dtype)).dtype == tf.float32


def gradient(convert, values):
    values = tf.constant(values, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(values)
        converted = convert(values)
    return tape.batch_jacobian(converted, values).numpy()


def numeric_gradient(convert, values, step=1e-5):
    values = np.asarray(values, np.float64)
    columns = [(convert(values + step * unit) - convert(values - step * unit)) / (2 * step) for unit in np.eye(3)]
    return np.stack(columns, axis=-1)


@pytest.mark.slow
def test_the_gradient_of_rgb_to_lab_equals_finite_differences():
    rgb = random_rgb(200) * 0.9 + 0.06
    np.testing.assert_allclose(gradient(rgb_to_lab, rgb), numeric_gradient(rgb2lab, rgb), rtol=1e-3, atol=0.05)


def test_the_gradient_of_lab_to_rgb_equals_finite_differences():
    lab = rgb2lab(random_rgb(200) * 0.8 + 0.1)
    expected = numeric_gradient(reference_rgb, lab)
    np.testing.assert_allclose(gradient(lab_to_rgb, lab), expected, rtol=1e-3, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("rgb", [(0, 0, 0), (1, 1, 1), (0, 0, 1), (0.04045, 0.04045, 0.04045)])
def test_gradients_to_rgb_are_finite_at_the_ends(rgb):
    assert np.isfinite(gradient(rgb_to_lab, [rgb])).all()


@pytest.mark.slow
@pytest.mark.parametrize("lab", [(0, 0, 0), (100, 0, 0), (0, 128, 128), (0, -128, -128), (20, 0, 127)])
def test_gradients_to_lab_are_finite_at_the_ends(lab):
    assert np.isfinite(gradient(lab_to_rgb, [lab])).all()
