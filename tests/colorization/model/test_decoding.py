import numpy as np
import pytest
import tensorflow as tf
from scipy.ndimage import map_coordinates
from scipy.special import softmax

from ablate.colorization.color.gamut import ab_gamut
from ablate.colorization.model.decoding import annealed_mean, decode, upsample


@pytest.fixture
def logits():
    return np.random.default_rng(0).normal(0, 4, (2, 3, 4, 313)).astype(np.float32)


def mean_in_float64(logits, temperature, step=10):
    return softmax(logits.astype(np.float64) / temperature, axis=-1) @ ab_gamut(step).astype(np.float64)


@pytest.mark.parametrize("temperature", [0.1, 0.38, 1.0, 5.0])
def test_the_annealed_mean_equals_the_formula(logits, temperature):
    expected = mean_in_float64(logits, temperature)
    np.testing.assert_allclose(annealed_mean(logits, temperature=temperature), expected, atol=2e-3)


def test_the_paper_s_temperature_is_the_default(logits):
    np.testing.assert_array_equal(annealed_mean(logits), annealed_mean(logits, temperature=0.38))


@pytest.mark.parametrize("step", [5, 20])
def test_another_grid_has_its_own_classes(step):
    logits = np.random.default_rng(1).normal(0, 4, (5, len(ab_gamut(step)))).astype(np.float32)
    expected = mean_in_float64(logits, 0.38, step)
    np.testing.assert_allclose(annealed_mean(logits, step=step), expected, atol=2e-3)


def test_at_temperature_one_it_is_the_mean_of_the_distribution():
    probabilities = np.random.default_rng(2).dirichlet(np.ones(313), size=6)
    made = annealed_mean(np.log(probabilities), temperature=1.0)
    np.testing.assert_allclose(made, probabilities @ ab_gamut(), atol=1e-3)


def test_at_a_low_temperature_it_is_the_mode(logits):
    expected = ab_gamut()[logits.argmax(axis=-1)]
    np.testing.assert_allclose(annealed_mean(logits, temperature=1e-4), expected, atol=1e-3)


def test_at_a_high_temperature_it_is_the_centre_of_the_gamut(logits):
    expected = np.broadcast_to(ab_gamut().mean(axis=0), (2, 3, 4, 2))
    np.testing.assert_allclose(annealed_mean(logits, temperature=1e6), expected, atol=1e-3)


def test_two_equal_peaks_meet_half_way():
    logits = np.full(313, -1e4, np.float32)
    places = [int(np.flatnonzero((ab_gamut() == ab).all(axis=1))[0]) for ab in [(40, 20), (-20, 60)]]
    logits[places] = 7
    np.testing.assert_allclose(annealed_mean(logits), [10, 40], atol=1e-4)


@pytest.mark.parametrize("size", [33.0, 1e4, -1e4])
def test_large_logits_do_not_overflow(logits, size):
    shifted = (logits + size).astype(np.float32)
    np.testing.assert_allclose(annealed_mean(shifted), mean_in_float64(shifted, 0.38), atol=2e-3)


@pytest.mark.parametrize("size", [1e4, 6e4, 1e38, 3e38])
@pytest.mark.parametrize("temperature", [0.38, 1e-30, 1e-45, 1e-300])
def test_widely_spread_logits_and_low_temperatures_do_not_overflow(size, temperature):
    logits = np.random.default_rng(3).uniform(-size, size, (4, 313)).astype(np.float32)
    made = annealed_mean(logits, temperature=temperature)
    np.testing.assert_allclose(made, ab_gamut()[logits.argmax(axis=-1)], atol=1e-3)


@pytest.mark.parametrize("temperature", [1e30, 1e300])
def test_at_any_high_temperature_classes_that_are_not_ruled_out_weigh_the_same(logits, temperature):
    logits[..., 100:] = -np.inf
    expected = np.broadcast_to(ab_gamut()[:100].mean(axis=0), (2, 3, 4, 2))
    np.testing.assert_allclose(annealed_mean(logits, temperature=temperature), expected, atol=1e-3)


@pytest.mark.parametrize("dtype", [tf.float16, tf.float32])
@pytest.mark.parametrize("temperature", [1.0, 1e-6, 1e-40])
@pytest.mark.parametrize("top", [6e4, -6e4, 0.0])
def test_classes_that_tie_share_at_any_temperature(dtype, temperature, top):
    logits = np.full(313, -np.inf)
    logits[[3, 200, 312]] = top
    made = annealed_mean(tf.constant(logits, dtype), temperature=temperature)
    np.testing.assert_allclose(made, ab_gamut()[[3, 200, 312]].mean(axis=0), atol=1e-3)


@pytest.mark.parametrize("dtype", [tf.float16, tf.bfloat16])
def test_half_precision_logits_are_decoded_in_float32(logits, dtype):
    half = tf.cast(logits * 100, dtype)
    made = annealed_mean(half)
    assert made.dtype == tf.float32
    np.testing.assert_allclose(made, mean_in_float64(tf.cast(half, tf.float32).numpy(), 0.38), atol=2e-3)


@pytest.mark.parametrize("temperature", [0, -0.38, float("nan")])
def test_a_temperature_that_is_not_positive_is_refused(logits, temperature):
    with pytest.raises(ValueError, match=rf"`temperature` must be positive\. Received: temperature={temperature}$"):
        annealed_mean(logits, temperature=temperature)


def test_classes_are_decoded_by_their_annealed_mean(logits):
    made = decode(tf.constant(logits), temperature=0.7)
    np.testing.assert_allclose(made, mean_in_float64(logits, 0.7), atol=2e-3)


@pytest.mark.parametrize("dtype", [tf.float16, tf.float32])
def test_two_channels_are_ab_divided_by_110(dtype):
    made = decode(tf.constant([[[[0.5, -1.0]]]], dtype))
    assert made.dtype == tf.float32
    np.testing.assert_allclose(made, [[[[55, -110]]]])


@pytest.mark.parametrize(("small", "side"), [(4, 16), (5, 40), (8, 8), (8, 4), (3, 7)])
def test_upsampling_interpolates_between_pixel_centres(small, side):
    ab = np.random.default_rng(4).uniform(-90, 90, (2, small, small, 2)).astype(np.float32)
    places = (np.arange(side) + 0.5) * small / side - 0.5
    rows, columns = np.meshgrid(places, places, indexing="ij")
    made = upsample(ab, side)
    assert made.shape == (2, side, side, 2)
    for picture in range(2):
        for channel in range(2):
            expected = map_coordinates(
                ab[picture, ..., channel].astype(np.float64), [rows, columns], order=1, mode="nearest"
            )
            np.testing.assert_allclose(made[picture, ..., channel], expected, atol=1e-3)


def test_a_constant_stays_constant():
    ab = np.broadcast_to(np.array([12.5, -40], np.float32), (1, 4, 4, 2))
    np.testing.assert_array_equal(upsample(ab, 16), np.broadcast_to(ab[0, 0, 0], (1, 16, 16, 2)))


def test_a_ramp_stays_a_ramp():
    ab = np.broadcast_to(np.arange(8, dtype=np.float32)[None, :, None, None], (1, 8, 8, 2))
    rows = upsample(ab, 32).numpy()[0, :, 0, 0]
    np.testing.assert_allclose(np.diff(rows[2:-2]), 0.25, atol=1e-5)
