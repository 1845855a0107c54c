"""Simultaneous intervals: closed forms, limits, invariances and degenerate studies."""

import math
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import ablate.statistics
from ablate.statistics.error_distribution import ErrorDistribution
from ablate.statistics.power import minimum_detectable_effect
from ablate.statistics.simultaneous import COLUMNS, linear_contrasts, many_to_one

Array = npt.NDArray[np.float64]

POINTS = 2**11
"""Enough where results are compared with each other rather than with the truth."""
LENGTHS = [
    "difference", "low", "high", "low_individual", "high_individual", "detectable", "standard_error",
    "standard_error_of_examples",
]  # fmt: skip


def drawn(
    variants: int = 4,
    seeds: int = 3,
    examples: int = 1,
    *,
    seed: int = 0,
    of_examples: float = 1.0,
    shift: float = 0.0,
) -> Array:
    """Draw values: (variants + 1, seeds, examples); the first variant differs by `shift`."""
    random = np.random.default_rng(seed)
    values = (
        random.normal(0, 3, (1, seeds, 1))
        + random.normal(0, 1, (variants + 1, seeds, 1))
        + random.normal(0, 5, (1, 1, examples))
        + (random.normal(0, of_examples, (variants + 1, 1, examples)) if examples > 1 else 0)
        + random.normal(0, 1, (variants + 1, seeds, examples))
    )
    values[1] += shift
    return np.asarray(values)


def without(values: Array, *runs: tuple[int, int]) -> Array:
    left = values.copy()
    for variant, seed in runs:
        left[variant, seed] = np.nan
    return left


def same(one: pd.DataFrame, other: pd.DataFrame, rel: float = 1e-6) -> None:
    scale = float(one["standard_error"].max())
    for name in COLUMNS[:-1]:
        assert one[name].to_numpy() == pytest.approx(other[name].to_numpy(), rel=rel, abs=rel * scale, nan_ok=True), (
            name
        )
    assert list(one["over"]) == list(other["over"])


def test_it_is_exported() -> None:
    assert ablate.statistics.many_to_one is many_to_one
    assert ablate.statistics.linear_contrasts is linear_contrasts
    assert "many_to_one" in dir(ablate.statistics)
    with pytest.raises(AttributeError, match="many_to_many"):
        ablate.statistics.many_to_many  # noqa: B018


def test_the_difference_is_the_mean_over_shared_seeds() -> None:
    values = without(drawn(examples=7), (1, 0), (0, 2))
    frame = many_to_one(values, points=POINTS)
    assert tuple(frame.columns) == COLUMNS
    assert list(frame.index) == [1, 2, 3, 4]
    assert frame["difference"].to_numpy() == pytest.approx(
        [(values[1, 1] - values[0, 1]).mean()] + [(values[v, :2] - values[0, :2]).mean() for v in (2, 3, 4)]
    )
    assert list(frame["n_paired"]) == [1, 2, 2, 2]
    assert set(frame["over"]) == {"seeds and examples"}


@pytest.mark.parametrize("level", [0.9, 0.95])
@pytest.mark.parametrize("seeds", [2, 3, 10])
def test_one_variant_is_students_t_over_seeds(seeds: int, level: float) -> None:
    values = drawn(1, seeds)
    row = many_to_one(values, level).loc[1]
    student = stats.ttest_rel(values[1, :, 0], values[0, :, 0])
    interval = student.confidence_interval(level)
    # Quadrature of a heavy tail: of two seeds, to 1 in 1,000.
    assert (row["low"], row["high"]) == pytest.approx((interval.low, interval.high), rel=2e-3)
    assert (row["low_individual"], row["high_individual"]) == (row["low"], row["high"])
    assert row["p"] == pytest.approx(student.pvalue, rel=2e-3)
    assert row["df"] == pytest.approx(seeds - 1)
    assert row["standard_error"] == pytest.approx(stats.sem(values[1, :, 0] - values[0, :, 0]))


def test_one_seed_and_one_variant_are_students_t_over_examples() -> None:
    values = drawn(1, 1, 12)
    row = many_to_one(values).loc[1]
    student = stats.ttest_rel(values[1, 0], values[0, 0])
    interval = student.confidence_interval()
    assert (row["low"], row["high"], row["p"]) == pytest.approx(
        (interval.low, interval.high, student.pvalue), rel=1e-3
    )
    assert row["df"] == pytest.approx(11)
    assert row["over"] == "examples"


def test_one_seed_and_many_examples_are_dunnetts_intervals() -> None:
    values = drawn(3, 1, 400)
    frame = many_to_one(values)
    # All pairs of differences that share a baseline have the correlation 1/2.
    joint = stats.multivariate_t(shape=np.full((3, 3), 0.5) + np.eye(3) / 2, df=399, seed=0)
    width = (frame["high"] - frame["difference"]) / frame["standard_error"]
    assert width.to_numpy() == pytest.approx(np.full(3, width[1]), rel=1e-6)
    c = float(width[1])
    assert joint.cdf(np.full(3, c), lower_limit=np.full(3, -c), maxpts=200_000) == pytest.approx(0.95, abs=1e-3)


def test_with_many_seeds_it_is_dunnetts_test() -> None:
    # Moderation matters little: the variances are known and nearly equal.
    random = np.random.default_rng(0)
    values = random.normal(0, 1, (5, 400, 1))
    values[1] += 0.2
    frame = many_to_one(values)
    dunnett = stats.dunnett(*values[1:, :, 0], control=values[0, :, 0], rng=np.random.default_rng(0))
    interval = dunnett.confidence_interval()
    widths = (frame["high"] - frame["low"]).to_numpy()
    assert widths == pytest.approx(interval.high - interval.low, rel=0.06)
    assert frame["p"].to_numpy() == pytest.approx(dunnett.pvalue, abs=0.05)


def test_a_detectable_difference_of_a_known_variance_is_the_classical_one() -> None:
    frame = many_to_one(drawn(1, 1, 20_000))
    classical = (stats.norm.ppf(0.975) + stats.norm.ppf(0.8)) * frame["standard_error"]
    assert frame["detectable"].to_numpy() == pytest.approx(classical, rel=2e-3)


@pytest.mark.parametrize("seeds", [2, 3, 10])
def test_a_detectable_difference_of_one_variant_is_that_of_students_t(seeds: int) -> None:
    frame = many_to_one(drawn(1, seeds))
    expected = minimum_detectable_effect(ErrorDistribution(1.0, seeds - 1), alpha=0.05)
    assert frame["detectable"].to_numpy() == pytest.approx(expected * frame["standard_error"], rel=0.02)


def test_seeds_cannot_vary_less_than_their_residual_allows() -> None:
    # By chance the means of the variant's runs differ from the baseline's by the same number.
    values = drawn(1, 3, 50, of_examples=0.0)
    values[1] += values[0].mean(axis=1, keepdims=True) - values[1].mean(axis=1, keepdims=True) + 0.3
    difference = values[1] - values[0]
    rest = difference - difference.mean(axis=1, keepdims=True) - difference.mean(axis=0) + difference.mean()
    least = (rest**2).sum() / (2 * 49) / 150
    assert many_to_one(values).loc[1, "standard_error"] >= math.sqrt(least) * 0.999
    width = many_to_one(values).loc[1, "high"] - 0.3
    assert width >= 1.9 * math.sqrt(least)


@pytest.mark.parametrize("examples", [1, 30])
@pytest.mark.parametrize("paired", [True, False])
def test_interval_and_p_say_the_same(examples: int, paired: bool) -> None:
    for seed in range(12):
        frame = many_to_one(drawn(5, 4, examples, seed=seed, shift=2.5), paired=paired, points=POINTS)
        excluded = (frame["low"] > 0) | (frame["high"] < 0)
        assert list(excluded) == list(frame["p"] < 0.05)
        assert (frame["low"] <= frame["low_individual"]).all()
        assert (frame["high"] >= frame["high_individual"]).all()
        assert (frame["detectable"] > (frame["high"] - frame["low"]) / 2).all()


@settings(max_examples=25, deadline=None)
@given(
    scale=st.floats(1e-120, 1e120) | st.floats(-1e120, -1e-120),
    seed=st.integers(0, 5),
    examples=st.sampled_from([1, 6]),
    paired=st.booleans(),
)
def test_a_scale_scales_what_is_measured_in_it(scale: float, seed: int, examples: int, paired: bool) -> None:
    values = without(drawn(3, 3, examples, seed=seed), (2, 1))
    one, other = (many_to_one(each, paired=paired, points=256) for each in (values, scale * values))
    width = (one["high"] - one["low"]).to_numpy()
    assert (other["high"] - other["low"]).to_numpy() == pytest.approx(abs(scale) * width, rel=1e-6)
    assert other["difference"].to_numpy() == pytest.approx(scale * one["difference"].to_numpy(), rel=1e-6)
    assert other["detectable"].to_numpy() == pytest.approx(abs(scale) * one["detectable"].to_numpy(), rel=1e-6)
    assert other["p"].to_numpy() == pytest.approx(one["p"].to_numpy(), rel=1e-6)
    assert other["df"].to_numpy() == pytest.approx(one["df"].to_numpy(), rel=1e-6)


def test_a_power_of_two_scales_to_the_last_bit() -> None:
    values = drawn(3, 3, 6)
    one, other = many_to_one(values, points=POINTS), many_to_one(values * 2.0**-300, points=POINTS)
    pd.testing.assert_frame_equal(one[LENGTHS] * 2.0**-300, other[LENGTHS], check_exact=True)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000), examples=st.sampled_from([1, 6]))
def test_what_a_seed_or_an_example_does_to_all_does_not_matter(seed: int, examples: int) -> None:
    random = np.random.default_rng(seed)
    values = without(drawn(3, 3, examples), (2, 1))
    constants = random.normal(0, 20, (1, 3, 1)) + random.normal(0, 20, (1, 1, examples))
    same(many_to_one(values, points=256), many_to_one(values + constants, points=256))


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), examples=st.sampled_from([1, 6]), paired=st.booleans(), whole=st.booleans())
def test_no_order_matters(seed: int, examples: int, paired: bool, whole: bool) -> None:
    random = np.random.default_rng(seed)
    values = drawn(4, 4, examples, seed=seed)
    if not whole:
        values = without(values, (2, 1), (3, 0), (0, 3))
    variants, seeds = 1 + random.permutation(4), random.permutation(4)
    shuffled = values[np.concatenate([[0], variants])][:, seeds][:, :, random.permutation(examples)]
    one = many_to_one(values, paired=paired, points=256)
    # With missing runs the seeds' order changes which quasi-random numbers they get only if variants tie.
    same(one.loc[variants], many_to_one(shuffled, paired=paired, points=256), rel=1e-6)


def test_it_is_deterministic() -> None:
    values = drawn(3, 3, 20)
    pd.testing.assert_frame_equal(many_to_one(values), many_to_one(values), check_exact=True)


def test_fewer_points_say_nearly_the_same() -> None:
    values = drawn(8, 3, 50, shift=2)
    few, many = many_to_one(values, points=2**12), many_to_one(values, points=2**15)
    assert (few["high"] - few["low"]).to_numpy() == pytest.approx((many["high"] - many["low"]).to_numpy(), rel=0.02)
    assert few["p"].to_numpy() == pytest.approx(many["p"].to_numpy(), rel=0.1, abs=0.002)


def test_without_seeds_in_common_a_variant_is_not_comparable_and_does_not_disturb_the_others() -> None:
    values = drawn(3, 4, 5)
    apart = np.concatenate([values, drawn(1, 4, 5, seed=9)[1:]])
    apart[0, 3] = np.nan
    apart[4, :3] = np.nan
    frame = many_to_one(apart, points=POINTS)
    assert frame.loc[4, "over"] == ""
    assert frame.loc[4, "n_paired"] == 0
    assert np.isnan(frame.loc[4, [*LENGTHS, "p", "df"]].to_numpy(np.float64)).all()
    same(frame.loc[:3], many_to_one(apart[:4], points=POINTS))
    # Not paired, it is.
    assert np.isfinite(many_to_one(apart, paired=False, points=POINTS).loc[4, LENGTHS].to_numpy(np.float64)).all()


def test_a_value_that_is_infinite_makes_a_variant_incomparable() -> None:
    values = drawn(2, 3, 5)
    values[2, 1, 0] = math.inf
    frame = many_to_one(values, points=POINTS)
    assert list(frame["over"]) == ["seeds and examples", ""]
    values[0, 0, 0] = -math.inf
    assert list(many_to_one(values, points=POINTS)["over"]) == ["", ""]


def test_a_single_number_tells_nothing() -> None:
    frame = many_to_one(drawn(2, 1, 1), points=POINTS)
    assert list(frame["over"]) == ["", ""]
    assert frame["low"].isna().all()
    assert many_to_one(np.full((3, 2, 4), np.nan), points=POINTS)["over"].tolist() == ["", ""]


def test_a_variant_that_is_the_baseline_has_the_difference_0_and_does_not_count() -> None:
    values = drawn(3, 3, 8)
    copied = np.concatenate([values, values[:1]])
    frame = many_to_one(copied, points=POINTS)
    assert (frame.loc[4, ["difference", "low", "high", "detectable"]] == 0).all()
    assert frame.loc[4, "p"] == 1
    # As many normal numbers more.
    same(frame.loc[:3], many_to_one(values, points=POINTS), rel=0.03)
    alone = many_to_one(np.concatenate([values[:1], values[:1]]), points=POINTS).loc[1]
    assert (alone["low"], alone["high"], alone["p"]) == (0, 0, 1)


def test_equal_means_of_other_examples_are_no_copy() -> None:
    values = np.random.default_rng(0).integers(0, 2, (3, 1, 40)).astype(float)
    values[1, 0] = values[0, 0, ::-1]
    row = many_to_one(values, points=POINTS).loc[1]
    assert row["difference"] == 0
    assert row["p"] == 1
    assert row["high"] > 0.1


def test_a_variant_that_shares_no_run_leaves_the_others_rule() -> None:
    values = without(drawn(2, 4), (0, 3), (1, 3), (2, 0), (2, 1), (2, 2))
    same(many_to_one(values, points=POINTS).loc[:1], many_to_one(values[:2, :3], points=POINTS))
    same(many_to_one(np.concatenate([values[:2], np.full((1, 4, 1), np.nan)])).loc[:1], many_to_one(values[:2]))


def test_a_variant_that_is_another_counts_once() -> None:
    values = drawn(3, 3, 8)
    frame = many_to_one(np.concatenate([values, values[2:3]]), points=POINTS)
    same(frame.loc[[4]], frame.loc[[2]])
    same(frame.loc[:3], many_to_one(values, points=POINTS))


def test_values_that_do_not_vary_are_known_exactly() -> None:
    values = np.zeros((3, 3, 4)) + np.array([0.1, 0.3, 0.1])[:, None, None] + np.arange(4)
    frame = many_to_one(values, points=POINTS)
    assert frame["difference"].to_numpy() == pytest.approx([0.2, 0])
    assert (frame["high"] - frame["low"]).to_numpy() == pytest.approx([0, 0], abs=1e-12)
    assert frame["p"].tolist() == [0, 1]


def test_a_variant_that_never_varies_has_an_interval_from_the_others() -> None:
    values = drawn(4, 3, 1)
    values[2] = 0.7
    frame = many_to_one(values, paired=False, points=POINTS)
    assert (frame["high"] > frame["low"]).all()
    # A variance of nearly 0 pulls no other one's with it.
    nearly = values.copy()
    nearly[2, 0] += 1e-9
    same(frame.loc[[1, 3, 4]], many_to_one(nearly, paired=False, points=POINTS).loc[[1, 3, 4]], rel=0.35)


def test_more_seeds_of_the_baseline_count_only_where_seeds_are_not_paired() -> None:
    more = np.concatenate([drawn(4, 6, 1), drawn(4, 6, 1, seed=1)], axis=0)[:5]
    more = np.random.default_rng(0).normal(0, 1, more.shape)
    more[1:, 3:] = np.nan
    same(many_to_one(more, points=POINTS), many_to_one(more[:, :3], points=POINTS))
    unpaired, few = many_to_one(more, paired=False), many_to_one(more[:, :3], paired=False)
    assert unpaired["difference"].to_numpy() == pytest.approx(
        np.nanmean(more[1:, :, 0], axis=1) - more[0, :, 0].mean()
    )
    assert unpaired["detectable"].mean() < few["detectable"].mean()
    assert list(unpaired["n_paired"]) == [3] * 4


@pytest.mark.parametrize(("seeds", "examples"), [(1, 60), (3, 60)])
@pytest.mark.parametrize("paired", [True, False])
def test_a_mean_over_examples_is_judged_alike_as_a_measure_of_the_whole_set(
    seeds: int, examples: int, paired: bool
) -> None:
    values = drawn(3, seeds, examples)
    draws = np.random.default_rng(1).integers(0, examples, (3000, examples))
    replicates = np.stack([values[:, :, draw].mean(axis=2) for draw in draws], axis=2)
    options = {"paired": paired, "points": POINTS}
    one = many_to_one(values, **options)
    other = many_to_one(values.mean(axis=2, keepdims=True), replicates=replicates, examples=examples, **options)
    assert list(other["over"]) == list(one["over"])
    assert other["difference"].to_numpy() == pytest.approx(one["difference"].to_numpy())
    # 3,000 replicates tell a standard error to 2 %.
    for name in ("standard_error", "detectable"):
        assert other[name].to_numpy() == pytest.approx(one[name].to_numpy(), rel=0.08)


def test_replicates_that_are_not_finite_do_not_count() -> None:
    values, replicates = drawn(2, 3, 1), np.random.default_rng(0).normal(size=(3, 3, 40))
    spoilt = np.concatenate([replicates, np.full((3, 3, 5), np.nan)], axis=2)
    options = {"examples": 30, "points": POINTS}
    one, other = (many_to_one(values, replicates=each, **options) for each in (replicates, spoilt))
    pd.testing.assert_frame_equal(one, other)
    none = many_to_one(values, replicates=np.full((3, 3, 9), np.nan), **options)
    same(none, many_to_one(values, points=POINTS))
    one_seed = many_to_one(values[:, :1], replicates=np.full((3, 1, 9), np.nan), **options)
    assert list(one_seed["over"]) == ["", ""]


def test_contrasts_with_a_baseline_are_those_of_variants_but_for_its_prior() -> None:
    values = drawn(4, 10, 20)
    weights = np.column_stack([-np.ones(4), np.eye(4)])
    one, other = many_to_one(values), linear_contrasts(values, weights)
    assert other["difference"].to_numpy() == pytest.approx(one["difference"].to_numpy())
    assert other["high"].to_numpy() == pytest.approx(one["high"].to_numpy(), rel=0.1)


def test_a_contrast_of_two_variants_is_the_difference_between_them() -> None:
    values = drawn(1, 4, 6)
    one, other = many_to_one(values), linear_contrasts(values, [[-2.0, 2.0]])
    same(
        other / 2 if False else other.assign(**{name: other[name] / 2 for name in LENGTHS}), one.reset_index(drop=True)
    )


def test_the_order_of_contrasts_and_variants_does_not_matter() -> None:
    values = without(drawn(3, 4, 5), (3, 0))
    weights = np.array([[-1.0, 1, 0, 0], [-0.5, -0.5, 0.5, 0.5], [0, 0, -2, 2]])
    rows, variants = [2, 0, 1], [3, 1, 0, 2]
    one = linear_contrasts(values, weights, points=POINTS)
    other = linear_contrasts(values[variants], weights[rows][:, variants], points=POINTS)
    same(one.loc[rows], other)


def test_an_effect_and_its_double_say_the_same() -> None:
    frame = linear_contrasts(drawn(3, 4, 5), [[-1, 1, 0, 0], [-2, 2, 0, 0], [1, -1, 0, 0]], points=POINTS)
    for name in LENGTHS:
        assert abs(frame[name][1]) == pytest.approx(2 * abs(frame[name][0]))
    assert frame["p"].tolist() == pytest.approx([frame["p"][0]] * 3)
    assert (frame["low"][2], frame["high"][2]) == pytest.approx((-frame["high"][0], -frame["low"][0]))


def test_an_effect_is_over_the_seeds_that_its_variants_have() -> None:
    values = without(drawn(3, 4), (3, 0))
    frame = linear_contrasts(values, [[-1, 1, 0, 0], [-0.5, -0.5, 0.5, 0.5], [-1, 1, 1e-18, -1e-18]], points=POINTS)
    assert list(frame["n_paired"]) == [4, 3, 4]
    assert frame.loc[1, "difference"] == pytest.approx(values[2:, 1:].mean() - values[:2, 1:].mean())


def test_intervals_widen_with_level_and_with_comparisons() -> None:
    values = drawn(8, 3)
    widths = [float((many_to_one(values, level, points=POINTS)["high"]).iloc[0]) for level in (0.8, 0.9, 0.95, 0.99)]
    assert all(low < high for low, high in pairwise(widths))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.zeros((3, 4)), r"shape .*Received: \(3, 4\)"),
        (np.zeros((1, 4, 2)), r"two variants or more.*\(1, 4, 2\)"),
        (np.zeros((3, 0, 2)), r"Received: \(3, 0, 2\)"),
        (np.array([[[1.0, np.nan]], [[1.0, 2.0]]]), "1 NaN of 2 values at variant 0, seed 0"),
    ],
)
def test_values_of_a_wrong_shape_and_broken_runs_are_errors(values: Array, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        many_to_one(values)


def test_wrong_arguments_are_errors() -> None:
    values = drawn(2, 3, 1)
    with pytest.raises(ValueError, match=r"between 0 and 1\. Received: 95"):
        many_to_one(values, 95)
    with pytest.raises(ValueError, match=r"replicates.*Received: \(3, 2, 4\)"):
        many_to_one(values, replicates=np.zeros((3, 2, 4)))
    with pytest.raises(ValueError, match="one column a variant, here 3"):
        linear_contrasts(values, [[1.0, -1.0]])
    with pytest.raises(ValueError, match="sum to 0"):
        linear_contrasts(values, [[1.0, -1.0, 0.5]])
