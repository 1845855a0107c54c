"""The number of seeds that a difference needs, against studies that have as many."""

import numpy as np
import numpy.typing as npt
import pytest

from ablate.statistics import many_to_one, seeds_needed
from ablate.statistics.pilot import pilot_of
from ablate.statistics.seeds import predicted_detectable

Array = npt.NDArray[np.float64]


def drawn(variants: int, seeds: int, *, examples: int = 1, common: float = 2.0, of_examples: float = 0.0) -> Array:
    """Draw a study whose runs have the variance 1 over seeds, apart from what a seed does to all."""
    random = np.random.default_rng(100 * variants + seeds)
    return np.asarray(
        random.normal(size=(variants + 1, seeds, 1))
        + random.normal(0, common, (1, seeds, 1))
        + random.normal(size=(variants + 1, seeds, examples)) * (examples > 1)
        + random.normal(0, of_examples, (variants + 1, 1, examples))
    )


@pytest.mark.parametrize(("variants", "seeds", "examples"), [(1, 4, 1), (1, 3, 40), (3, 3, 1), (8, 5, 40)])
def test_of_the_study_itself_the_formula_gives_what_it_calls_detectable(
    variants: int, seeds: int, examples: int
) -> None:
    values = drawn(variants, seeds, examples=examples, of_examples=2.0)
    pilot = pilot_of(values)
    assert pilot is not None
    np.testing.assert_allclose(predicted_detectable(pilot, seeds), many_to_one(values)["detectable"], rtol=0.12)


@pytest.mark.slow
def test_what_is_predicted_is_what_larger_studies_say() -> None:
    pilot = pilot_of(drawn(8, 40))
    assert pilot is not None
    assert pilot.common == pytest.approx(4, rel=0.4)
    # Medians of the simulation in docs/statistics.md, in standard errors.
    for seeds, said in ((3, 6.0), (5, 4.8), (10, 4.0)):
        predicted = np.median(predicted_detectable(pilot, seeds)) / np.sqrt(2 / seeds)
        assert predicted == pytest.approx(said, rel=0.15)


def test_more_seeds_for_the_baseline_help_where_seeds_do_nothing_to_all_variants_alike() -> None:
    alike, apart = pilot_of(drawn(8, 10)), pilot_of(drawn(8, 10, common=0.0))
    assert alike is not None
    assert apart is not None
    assert (predicted_detectable(apart, 3, 6) < predicted_detectable(apart, 3)).all()
    assert (predicted_detectable(alike, 3, 6) > predicted_detectable(alike, 4)).all()


@pytest.mark.slow
def test_a_smaller_difference_needs_more_seeds() -> None:
    values = drawn(4, 3)
    detectable = many_to_one(values, points=2**11)["detectable"].to_numpy()
    needed = [seeds_needed(values, detectable, factor * detectable) for factor in (1.0, 0.5, 0.3, 0.01)]
    assert needed[0].tolist() == [3] * 4
    assert (needed[0] < needed[1]).all()
    assert (needed[1] < needed[2]).all()
    assert (needed[2] <= 30).all()
    assert np.isinf(needed[3]).all()
    np.testing.assert_array_equal(seeds_needed(values, detectable, -0.5 * detectable), needed[1])
    assert np.isinf(seeds_needed(values, detectable, 0.3 * detectable, most=4)).all()


def test_no_seeds_help_against_what_examples_do() -> None:
    values = drawn(4, 3, examples=10, of_examples=30.0)
    detectable = many_to_one(values, points=2**11)["detectable"].to_numpy()
    assert np.isinf(seeds_needed(values, detectable, 0.7 * detectable)).all()


def test_scales_do_not_matter() -> None:
    values = drawn(3, 3, examples=5)
    detectable = many_to_one(values, points=2**11)["detectable"].to_numpy()
    one, other = (seeds_needed(scale * values, scale * detectable, scale * 2.0) for scale in (1.0, 1e-4))
    np.testing.assert_array_equal(one, other)


def test_what_is_not_known_is_nan() -> None:
    values = drawn(3, 3)
    values[2, :] = np.nan
    detectable = many_to_one(values, points=2**11)["detectable"].to_numpy()
    needed = seeds_needed(values, detectable, [1.0, 1.0, np.nan])
    assert np.isnan(needed).tolist() == [False, True, True]
    assert np.isnan(seeds_needed(drawn(3, 1), [1.0, 1.0, 1.0], 1.0)).all()
    assert np.isnan(seeds_needed(np.ones((4, 3, 1)), [0.0, 0.0, 0.0], 1.0)).all()


def test_a_measure_of_the_whole_set_is_planned_as_the_mean() -> None:
    values = drawn(3, 3, examples=60, of_examples=4.0)
    resampled = np.random.default_rng(3).integers(0, 60, (400, 60))
    one = pilot_of(values)
    other = pilot_of(values.mean(axis=2, keepdims=True), values[:, :, resampled].mean(axis=3), 60)
    assert one is not None
    assert other is not None
    np.testing.assert_allclose(one.of_examples, other.of_examples, rtol=0.3)
    np.testing.assert_allclose(one.residual, other.residual, rtol=0.3)
    assert (one.num_examples, other.num_examples) == (60, 60)


def test_a_variant_without_runs_is_taken_to_be_like_the_others() -> None:
    values = drawn(3, 4, examples=5)
    values[3] = np.nan
    pilot = pilot_of(values)
    assert pilot is not None
    assert np.isfinite(predicted_detectable(pilot, 5)).all()
