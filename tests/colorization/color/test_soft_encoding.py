import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from ablate.colorization.color.gamut import ab_gamut
from ablate.colorization.color.soft_encoding import AB_LIMIT, nearest_bin, nearest_bins, soft_encode

# Multiples of 1/8: squared distances are then exact in float32, so that ties are ties there too.
EIGHTHS = 8


def exact_square(count, seed=0):
    eighths = np.random.default_rng(seed).integers(-AB_LIMIT * EIGHTHS, AB_LIMIT * EIGHTHS + 1, (count, 2))
    return (eighths / EIGHTHS).astype(np.float32)


def lattice(spacing):
    axis = np.arange(-AB_LIMIT, AB_LIMIT + 1, spacing, dtype=np.float32)
    return np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)


@pytest.mark.slow
@pytest.mark.parametrize("step", [5, 10, 20])
@pytest.mark.parametrize("k", [1, 5, 10])
def test_nearest_bins_equal_an_exhaustive_search_over_the_whole_square(nearest_classes, step, k):
    ab = exact_square(4000)
    indices, squared = nearest_bins(ab, step=step, k=k)
    expected_indices, expected_squared = nearest_classes(ab, step, k)
    np.testing.assert_array_equal(indices, expected_indices)
    np.testing.assert_array_equal(squared, expected_squared)


def test_all_313_classes_come_in_the_order_of_their_distance(nearest_classes):
    ab = exact_square(100)
    indices, squared = nearest_bins(ab, k=313)
    expected_indices, expected_squared = nearest_classes(ab, k=313)
    np.testing.assert_array_equal(indices, expected_indices)
    np.testing.assert_array_equal(squared, expected_squared)


@pytest.mark.slow
@pytest.mark.parametrize("step", [5, 10, 20])
@pytest.mark.parametrize("k", [1, 4, 9])
def test_of_equally_near_classes_the_lower_index_comes_first(nearest_classes, step, k):
    # On the lattice of the half-way points two, four or more classes are equally near.
    ab = lattice(4 if step == 20 else 2.5)
    indices, _ = nearest_bins(ab, step=step, k=k)
    np.testing.assert_array_equal(indices, nearest_classes(ab, step, k)[0])


def test_a_point_between_four_classes_takes_the_one_of_the_lowest_index():
    indices, squared = nearest_bins([5.0, 5.0], k=4)
    assert ab_gamut()[indices.numpy()].tolist() == [[0, 0], [0, 10], [10, 0], [10, 10]]
    assert squared.numpy().tolist() == [50, 50, 50, 50]


@pytest.mark.slow
@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.lists(
        st.tuples(*[st.floats(-AB_LIMIT, AB_LIMIT, width=32)] * 2),
        min_size=8,
        max_size=8,
    ),
)
def test_any_float_gets_the_nearest_distances(nearest_classes, points):
    ab = np.array(points, np.float32)
    indices, squared = nearest_bins(ab, k=5)
    expected = nearest_classes(ab, k=5)[1]
    taken = ((ab[:, None, :].astype(np.float64) - ab_gamut()[indices.numpy()]) ** 2).sum(axis=-1)
    np.testing.assert_allclose(taken, expected, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(squared, expected, rtol=1e-6, atol=1e-6)


def test_inside_the_gamut_the_nearest_class_is_the_rounded_colour():
    # An offset of 110 in place of 115 rounds down instead, and misplaces almost half of the values.
    bins = ab_gamut()
    jitter = np.random.default_rng(1).uniform(-4.9, 4.9, (20, *bins.shape)).astype(np.float32)
    indices = nearest_bin(bins + jitter).numpy()
    np.testing.assert_array_equal(indices, np.broadcast_to(np.arange(313), indices.shape))


@pytest.mark.parametrize("ab", [(128, 128), (-128, -128), (-128, 128), (128, -128), (0, -128), (-128, 0)])
def test_a_colour_far_outside_takes_the_nearest_class_not_the_last(nearest_classes, ab):
    index = nearest_bin(np.array(ab, np.float32)).numpy()
    assert index == nearest_classes([ab])[0][0, 0]


@pytest.mark.parametrize("ab", [(1e6, 1e6), (-1e6, 3), (0, -4e4)])
def test_beyond_the_limit_indices_and_weights_stay_valid(ab):
    indices, weights = soft_encode(np.array(ab, np.float32))
    assert np.all((indices >= 0) & (indices < 313))
    assert len(set(indices.numpy().tolist())) == 5
    assert np.isfinite(weights).all()
    assert np.sum(weights) == pytest.approx(1)


@pytest.mark.parametrize("shape", [(), (7,), (3, 4), (2, 3, 4), (2, 3, 2, 2)])
def test_every_batch_shape_gives_the_same_as_a_flat_list(shape):
    flat = exact_square(int(np.prod(shape)), seed=2)
    indices, squared = nearest_bins(flat.reshape(*shape, 2), k=3)
    flat_indices, flat_squared = nearest_bins(flat, k=3)
    assert indices.shape == squared.shape == (*shape, 3)
    np.testing.assert_array_equal(tf.reshape(indices, (-1, 3)), flat_indices)
    np.testing.assert_array_equal(tf.reshape(squared, (-1, 3)), flat_squared)
    assert nearest_bin(flat.reshape(*shape, 2)).shape == shape


@pytest.mark.slow
def test_a_graph_with_unknown_batch_gives_the_same_as_eager():
    ab = exact_square(24, seed=3).reshape(2, 3, 4, 2)
    traced = tf.function(soft_encode, input_signature=[tf.TensorSpec((None, None, None, 2))])
    indices, weights = traced(ab)
    expected_indices, expected_weights = soft_encode(ab)
    np.testing.assert_array_equal(indices, expected_indices)
    np.testing.assert_allclose(weights, expected_weights, rtol=1e-4)


@pytest.mark.parametrize("dtype", [np.float16, np.float64, np.int32])
def test_other_number_types_are_taken(nearest_classes, dtype):
    ab = np.random.default_rng(4).integers(-AB_LIMIT, AB_LIMIT, (50, 2)).astype(dtype)
    np.testing.assert_array_equal(nearest_bin(ab), nearest_classes(ab)[0][:, 0])


@pytest.mark.parametrize("k", [1, 5, 10])
@pytest.mark.parametrize("sigma", [2.0, 5.0, 20.0])
def test_weights_are_a_normalised_gaussian_of_the_distance(nearest_classes, k, sigma):
    ab = exact_square(500, seed=5)
    indices, weights = soft_encode(ab, k=k, sigma=sigma)
    expected_indices, squared = nearest_classes(ab, k=k)
    # The nearest distance is taken off first: far outside, the plain formula is 0 / 0 even in float64.
    gaussian = np.exp((squared[:, :1] - squared) / (2 * sigma**2))
    np.testing.assert_array_equal(indices, expected_indices)
    np.testing.assert_allclose(weights, gaussian / gaussian.sum(axis=-1, keepdims=True), rtol=1e-4, atol=1e-7)


def test_weights_sum_to_one_over_the_whole_square():
    _, weights = soft_encode(lattice(4), k=10, sigma=1.0)
    assert np.isfinite(weights).all()
    np.testing.assert_allclose(np.sum(weights, axis=-1), 1, rtol=1e-5)


def test_a_colour_on_a_class_has_its_four_neighbours_at_a_known_weight():
    indices, weights = soft_encode([0.0, 0.0])
    side = np.exp(-100 / 50)
    np.testing.assert_allclose(weights, np.array([1, side, side, side, side]) / (1 + 4 * side), rtol=1e-5)
    assert ab_gamut()[indices.numpy()].tolist() == [[0, 0], [-10, 0], [0, -10], [0, 10], [10, 0]]


@pytest.mark.parametrize("k", [0, -1, 314])
def test_an_impossible_number_of_classes_is_named(k):
    with pytest.raises(ValueError, match=rf"`k` must lie in 1\.\.313 for step=10\. Received: k={k}$"):
        nearest_bins([0.0, 0.0], k=k)
