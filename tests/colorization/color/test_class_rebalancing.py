import numpy as np
import pytest

from ablate.colorization.color.class_rebalancing import class_weights, empirical_prior, smooth_prior
from ablate.colorization.color.gamut import ab_gamut

BINS = ab_gamut().astype(np.float64)


def index_of(ab):
    return int(np.flatnonzero((ab == BINS).all(axis=1))[0])


def one_bin(index, count=313):
    return np.eye(count)[index]


@pytest.fixture
def sparse_prior():
    """Return a prior like a photographs': most of it near grey, and a sixth of the classes empty."""
    random = np.random.default_rng(0)
    counts = np.exp(-np.linalg.norm(BINS, axis=1) / 15) * random.uniform(0.5, 1.5, 313)
    counts[random.choice(313, 51, replace=False)] = 0
    return counts / counts.sum()


def test_counts_become_a_distribution():
    prior = empirical_prior([1, 0, 3])
    assert prior.tolist() == [0.25, 0, 0.75]


@pytest.mark.parametrize("counts", [[1, -1, 3], [0, 0], [-1, 0]])
def test_impossible_counts_are_refused(counts):
    with pytest.raises(ValueError, match="`counts` must be non-negative, with at least one pixel"):
        empirical_prior(counts)


@pytest.mark.parametrize("sigma", [3.0, 5.0, 12.0])
@pytest.mark.parametrize("ab", [(0, 0), (-90, 90), (100, 0), (30, -50)])
def test_one_class_is_smoothed_to_a_gaussian_of_the_distance_in_the_plane(ab, sigma):
    expected = np.array([np.exp(-((a - ab[0]) ** 2 + (b - ab[1]) ** 2) / (2 * sigma**2)) for a, b in BINS])
    smoothed = smooth_prior(one_bin(index_of(ab)), sigma=sigma)
    np.testing.assert_allclose(smoothed, expected / expected.sum(), rtol=1e-9, atol=1e-15)


def test_smoothing_reaches_neighbours_in_the_plane_and_not_along_the_index():
    # The class at (-90, 90) is the last of its row: its index's neighbour is 70 ab units away.
    place = index_of((-90, 90))
    assert BINS[place + 1].tolist() == [-80, 20]
    smoothed = smooth_prior(one_bin(place))
    assert smoothed[index_of((-80, 90))] == pytest.approx(smoothed[place] * np.exp(-2))
    assert smoothed[place - 1] == pytest.approx(smoothed[place] * np.exp(-2))
    assert smoothed[place + 1] < 1e-20


def test_a_smoothed_prior_sums_to_one(sparse_prior):
    smoothed = smooth_prior(sparse_prior)
    assert smoothed.sum() == pytest.approx(1)
    assert (smoothed > 0).all()


def test_smoothing_is_a_sum_over_classes(sparse_prior):
    expected = np.zeros(313)
    for place, probability in enumerate(sparse_prior):
        expected += probability * np.exp(-((BINS - BINS[place]) ** 2).sum(axis=1) / 50)
    np.testing.assert_allclose(smooth_prior(sparse_prior), expected / expected.sum(), rtol=1e-9)


def test_a_narrow_gaussian_leaves_the_prior_as_it_is(sparse_prior):
    np.testing.assert_allclose(smooth_prior(sparse_prior, sigma=0.5), sparse_prior, atol=1e-12)


@pytest.mark.parametrize("step", [5, 20])
def test_smoothing_takes_the_distances_of_its_grid(step):
    bins = ab_gamut(step)
    place = len(bins) // 2
    smoothed = smooth_prior(one_bin(place, len(bins)), step=step)
    assert bins[place + 1].tolist() == [bins[place, 0], bins[place, 1] + step]
    assert smoothed[place + 1] / smoothed[place] == pytest.approx(np.exp(-(step**2) / 50))


@pytest.mark.parametrize("mix", [0.1, 0.5, 0.9])
def test_class_weights_equal_their_formula(sparse_prior, mix):
    smoothed = smooth_prior(sparse_prior)
    unscaled = np.array([1 / ((1 - mix) * p + mix / 313) for p in smoothed])
    expected = unscaled / sum(p * w for p, w in zip(smoothed, unscaled, strict=True))
    np.testing.assert_allclose(class_weights(smoothed, mix=mix), expected, rtol=1e-12)


@pytest.mark.parametrize("mix", [0.0, 0.25, 0.5, 1.0])
def test_the_expected_weight_is_one(sparse_prior, mix):
    smoothed = smooth_prior(sparse_prior)
    assert (smoothed * class_weights(smoothed, mix=mix)).sum() == pytest.approx(1)


def test_mixed_with_the_uniform_alone_all_classes_weigh_the_same(sparse_prior):
    np.testing.assert_allclose(class_weights(sparse_prior, mix=1.0), 1, rtol=1e-12)


def test_two_classes_have_the_weights_worked_out_by_hand():
    # 1 / (p/2 + 1/4) is 8/5 and 8/3; their mean under p is 28/15.
    np.testing.assert_allclose(class_weights([0.75, 0.25]), [6 / 7, 10 / 7])


def test_rare_classes_weigh_more(sparse_prior):
    smoothed = smooth_prior(sparse_prior)
    order = np.argsort(smoothed)
    assert (np.diff(class_weights(smoothed)[order]) <= 0).all()


def test_empty_classes_get_finite_moderate_weights(sparse_prior):
    weights = class_weights(smooth_prior(sparse_prior))
    empty = sparse_prior == 0
    assert empty.sum() == 51
    assert np.isfinite(weights).all()
    # The uniform half of the mixture bounds every weight: at most Q + 1 times the smallest.
    assert weights.max() / weights.min() <= 314
    # An empty class among frequent ones is as common as they are.
    near_grey = empty & (np.linalg.norm(BINS, axis=1) < 25)
    assert near_grey.any()
    assert weights[near_grey].max() < 0.5 * weights[empty].max()


@pytest.mark.parametrize("mix", [-0.1, 1.1, float("nan")])
def test_a_mix_out_of_range_is_refused(sparse_prior, mix):
    with pytest.raises(ValueError, match=rf"`mix` must lie in 0\.\.1\. Received: mix={mix}$"):
        class_weights(sparse_prior, mix=mix)


def test_infinite_weights_are_refused(sparse_prior):
    with pytest.raises(ValueError, match="`mix` must be above 0 where a colour class has no probability"):
        class_weights(sparse_prior, mix=0.0)
