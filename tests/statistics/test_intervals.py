"""Estimates against SciPy, statsmodels, closed forms and simulation."""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm

from ablate.statistics.error_distribution import ErrorDistribution
from ablate.statistics.intervals import Estimate, crossed_mean
from ablate.statistics.power import minimum_detectable_effect

Table = npt.NDArray[np.float64]

TABLES = arrays(
    np.float64,
    st.tuples(st.integers(2, 5), st.integers(2, 6)),
    elements=st.integers(-1000, 1000).map(float),
)


def drawn(
    *, seeds: int = 3, examples: int = 40, mean: float = 0.3, sd: tuple[float, float, float] = (0.5, 1.0, 1.0)
) -> Table:
    """Draw differences, (seeds, examples); `sd` of seeds, of examples and of both."""
    random = np.random.default_rng(seeds * 1000 + examples)
    of_seeds, of_examples, of_both = sd
    return (
        mean
        + random.normal(0, of_seeds, (seeds, 1))
        + random.normal(0, of_examples, (1, examples))
        + random.normal(0, of_both, (seeds, examples))
    )


def error_of(estimate: Estimate) -> ErrorDistribution:
    assert estimate.error is not None
    return estimate.error


@pytest.mark.parametrize("level", [0.5, 0.95, 0.99])
@pytest.mark.parametrize("turn", [lambda table: table, lambda table: table.T], ids=["one seed", "one example"])
def test_one_seed_or_one_example_is_students_t(turn: Callable[[Table], Table], level: float) -> None:
    values = drawn(seeds=1, examples=12)
    estimate, student = crossed_mean(turn(values)), stats.ttest_1samp(values[0], 0)
    assert estimate.p_value == pytest.approx(student.pvalue, rel=1e-10)
    assert estimate.interval(level) == pytest.approx(tuple(student.confidence_interval(level)), rel=1e-10)
    assert estimate.effect_size == pytest.approx(values.mean() / values.std(ddof=1))


def test_a_row_of_numbers_is_one_seed() -> None:
    values = drawn(seeds=1)
    np.testing.assert_equal(vars(crossed_mean(values[0])), vars(crossed_mean(values)))


@pytest.mark.parametrize("seeds", [2, 3, 5, 10])
@pytest.mark.parametrize("level", [0.5, 0.95, 0.99])
def test_where_photographs_make_no_difference_it_is_students_t_over_seeds(seeds: int, level: float) -> None:
    of_seeds = drawn(seeds=seeds, examples=1)[:, 0]
    estimate, student = crossed_mean(np.tile(of_seeds[:, None], 50)), stats.ttest_1samp(of_seeds, 0)
    assert estimate.p_value == pytest.approx(student.pvalue, rel=1e-7)
    assert estimate.interval(level) == pytest.approx(tuple(student.confidence_interval(level)), rel=1e-6)


def test_where_photographs_differ_no_more_than_chance_it_is_students_t_over_the_means_of_seeds() -> None:
    table = drawn(sd=(1.0, 0.0, 1.0))
    # Their means are made equal, so that their mean square is 0: below that of the rest.
    table -= table.mean(axis=0)
    table += np.array([[0.1], [0.7], [0.4]])
    estimate, student = crossed_mean(table), stats.ttest_1samp(table.mean(axis=1), 0)
    assert estimate.example_variance == 0
    assert estimate.p_value == pytest.approx(student.pvalue, rel=1e-10)
    assert estimate.interval() == pytest.approx(tuple(student.confidence_interval()), rel=1e-10)


def test_with_many_seeds_of_no_effect_it_is_the_normal_interval_over_photographs() -> None:
    table = drawn(seeds=60, examples=300, sd=(0.0, 2.0, 0.5))
    low, high = crossed_mean(table).interval()
    reach = stats.norm.ppf(0.975) * table.mean(axis=0).std(ddof=1) / math.sqrt(300)
    assert (high - low) / 2 == pytest.approx(reach, rel=0.01)


@pytest.mark.parametrize(("seeds", "examples"), [(2, 2), (3, 40), (10, 7)])
def test_mean_squares_are_those_of_statsmodels(seeds: int, examples: int) -> None:
    table = drawn(seeds=seeds, examples=examples)
    cells = pd.MultiIndex.from_product([range(seeds), range(examples)], names=["seed", "example"])
    long = pd.DataFrame({"d": table.ravel()}, cells).reset_index()
    squares = anova_lm(ols("d ~ C(seed) + C(example)", long).fit())["sum_sq"] / [
        seeds - 1,
        examples - 1,
        (seeds - 1) * (examples - 1),
    ]
    of_seeds, of_examples, rest = squares["C(seed)"], squares["C(example)"], squares["Residual"]
    estimate = crossed_mean(table)
    error = error_of(estimate)
    assert estimate.mean == pytest.approx(table.mean())
    assert error.df == seeds - 1
    assert error.seeds * table.size == pytest.approx(of_seeds)
    assert error.examples * table.size == pytest.approx(max(of_examples - rest, 0))
    assert estimate.residual_variance == pytest.approx(rest)
    assert estimate.seed_variance == pytest.approx(max(of_seeds - rest, 0) / examples)
    assert estimate.example_variance == pytest.approx(max(of_examples - rest, 0) / seeds)


def test_variances_are_found_again() -> None:
    estimate = crossed_mean(drawn(seeds=300, examples=300, sd=(1.0, 2.0, 3.0)))
    found = (estimate.seed_variance, estimate.example_variance, estimate.residual_variance)
    # The relative standard error of a variance of 300 values is sqrt(2 / 299): 8 %. Three of them are allowed.
    assert found == pytest.approx((1, 4, 9), rel=0.25)


def test_one_seed_or_one_example_leaves_variances_unknown() -> None:
    one_seed, one_example = crossed_mean(drawn(seeds=1)), crossed_mean(drawn(examples=1))
    assert math.isnan(one_seed.seed_variance)
    assert math.isnan(one_seed.residual_variance)
    assert one_seed.example_variance > 0
    assert math.isnan(one_example.example_variance)
    assert math.isnan(one_example.residual_variance)
    assert one_example.seed_variance > 0


@pytest.mark.parametrize("shape", [(1, 20), (20, 1), (2, 20), (3, 20), (10, 20)])
def test_no_difference_lies_on_the_border_of_the_interval_of_level_1_less_p(shape: tuple[int, int]) -> None:
    estimate = crossed_mean(drawn(seeds=shape[0], examples=shape[1]))
    low, high = estimate.interval(1 - estimate.p_value)
    assert min(abs(low), abs(high)) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_difference_that_is_not_finite_tells_nothing(value: float) -> None:
    table = drawn()
    table[1, 2] = value
    estimate = crossed_mean(table)
    assert estimate.error is None
    unknown = [
        estimate.mean,
        estimate.p_value,
        estimate.effect_size,
        *estimate.interval(),
    ]
    assert np.isnan(unknown).all()


def test_a_single_number_is_its_own_mean_and_no_more() -> None:
    estimate = crossed_mean([[0.25]])
    assert estimate.mean == 0.25
    assert np.isnan([estimate.p_value, estimate.effect_size, *estimate.interval()]).all()


@pytest.mark.parametrize("shape", [(1, 7), (3, 1), (3, 7)])
@pytest.mark.parametrize("value", [0.1, -0.1, 1e-9])
def test_equal_differences_are_certain(shape: tuple[int, int], value: float) -> None:
    # 0.1 has no exact sum: nothing that it rounds to may be taken for variance.
    estimate = crossed_mean(np.full(shape, value))
    assert estimate.mean == value
    assert estimate.interval() == (value, value)
    assert estimate.p_value == 0
    assert math.isnan(estimate.effect_size)
    assert minimum_detectable_effect(error_of(estimate), alpha=0.05) == 0


def test_no_difference_at_all_is_no_finding() -> None:
    estimate = crossed_mean(np.zeros((3, 7)))
    assert estimate.p_value == 1
    assert estimate.interval() == (0, 0)


@settings(deadline=None, max_examples=60)
@given(TABLES, st.integers(-1000, 1000))
def test_a_shift_moves_the_interval_and_nothing_else(table: Table, shift: int) -> None:
    before, after = crossed_mean(table), crossed_mean(table + shift)
    assert after.mean == pytest.approx(before.mean + shift, abs=1e-9)
    assert after.error == before.error
    assert np.subtract(after.interval(), before.interval()) == pytest.approx(shift, abs=1e-9)


@settings(deadline=None, max_examples=60)
@given(TABLES, st.sampled_from([-4.0, 0.25, 2.0]))
def test_another_unit_changes_the_unit_and_nothing_else(table: Table, unit: float) -> None:
    before, after = crossed_mean(table), crossed_mean(unit * table)
    assert after.mean == unit * before.mean
    assert sorted(unit * np.array(before.interval())) == pytest.approx(after.interval(), abs=1e-9)
    assert after.p_value == pytest.approx(before.p_value, abs=1e-12)
    assert after.residual_variance == unit**2 * before.residual_variance


@pytest.mark.slow
@settings(deadline=None, max_examples=60)
@given(TABLES, st.randoms(use_true_random=False))
def test_the_order_of_seeds_and_examples_does_not_matter(table: Table, random: object) -> None:
    assert hasattr(random, "sample")
    seeds, examples = (random.sample(range(size), size) for size in table.shape)
    before, after = crossed_mean(table), crossed_mean(table[seeds][:, examples])
    assert after.mean == pytest.approx(before.mean, abs=1e-9)
    assert error_of(after).standard_error == pytest.approx(error_of(before).standard_error, abs=1e-4)


def test_the_effect_size_is_in_standard_deviations_of_a_single_difference() -> None:
    estimate = crossed_mean(drawn(seeds=300, examples=300, mean=2.0, sd=(1.0, 2.0, 3.0)))
    # The mean's standard error is about 0.13, and the deviation is known to 4 %: three of both.
    assert estimate.effect_size == pytest.approx(2 / math.sqrt(14), rel=0.3)
    parts = (estimate.seed_variance, estimate.example_variance, estimate.residual_variance)
    assert estimate.effect_size == pytest.approx(estimate.mean / math.sqrt(sum(parts)))
