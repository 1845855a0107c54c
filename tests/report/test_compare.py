"""Comparison of variants, against hand-made scores and SciPy; intervals and verdicts of simulated studies agree."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from scipy import stats

from ablate.report.compare import (
    BETTER,
    COMPARED,
    EQUIVALENT,
    HIGHER,
    LOWER,
    NO_DIFFERENCE,
    NOT_COMPARABLE,
    WORSE,
    Primary,
    compare,
    cost_differences,
    gained_and_lost,
    is_right_or_wrong,
    per_example,
)
from ablate.report.whole_set import WholeSet, common_replicates
from ablate.statistics import many_to_one
from ablate.statistics.intervals import crossed_mean

COLUMNS = [
    "variant",
    "metric",
    "n",
    "mean",
    "sd",
    "n_paired",
    "examples",
    "exploratory",
    *COMPARED,
    "effect_size",
    "gained",
    "lost",
    "verdict",
]
AUC = Primary("auc", higher_is_better=True)

Values = Mapping[str, Mapping[int, Sequence[float]]]


def scores(values: Values, **further: Values) -> pd.DataFrame:
    """Make scores: by variant and seed one value an example; of `auc`, and of further metrics."""
    columns = {
        metric: {
            (variant, seed, f"photo{place}"): value
            for variant, seeds in of_metric.items()
            for seed, examples in seeds.items()
            for place, value in enumerate(examples)
        }
        for metric, of_metric in {"auc": values, **further}.items()
    }
    frame = pd.DataFrame(columns)
    frame.index.names = ["variant", "seed", "example"]
    return frame


def drawn(
    differences: Mapping[str, float], *, seeds: int = 5, examples: int = 30, noise: float = 0.1, seed: int = 0
) -> dict[str, dict[int, npt.NDArray[np.float64]]]:
    """Draw values: photographs and seeds that all variants share, a difference each, and chance."""
    random = np.random.default_rng(seed)
    shared = random.normal(70, 10, examples) + random.normal(0, 1, (seeds, 1))
    return {
        variant: dict(enumerate(shared + difference + random.normal(0, noise, (seeds, examples))))
        for variant, difference in {"baseline": 0.0, **differences}.items()
    }


def compared(
    values: Values, primary: Primary = AUC, directions: Mapping[str, bool | None] | None = None, **further: Values
) -> pd.DataFrame:
    table = compare(scores(values, **further), directions or {"auc": primary.higher_is_better}, primary)
    return table.set_index(["variant", "metric"])


def test_a_row_says_what_a_variant_reached_and_how_it_differs() -> None:
    table = compare(
        scores({"baseline": {0: [1.0, 3.0], 1: [2.0, 6.0]}, "a=1": {0: [2.0, 5.0], 1: [4.0, 9.0]}}),
        {"auc": True},
        AUC,
    )
    assert sorted(table.columns) == sorted(COLUMNS)
    assert table["variant"].tolist() == ["baseline", "a=1"]
    baseline, changed = (row for _, row in table.iterrows())
    assert (baseline["n"], baseline["mean"], baseline["examples"]) == (2, 3.0, 2)
    assert baseline["sd"] == pytest.approx(math.sqrt(2))
    assert (changed["n"], changed["n_paired"], changed["mean"], changed["difference"]) == (2, 2, 5.0, 2.0)
    expected = many_to_one([[[1.0, 3.0], [2.0, 6.0]], [[2.0, 5.0], [4.0, 9.0]]]).rename(
        columns={"detectable": "minimum_detectable_effect"}
    )
    assert changed[list(COMPARED)].tolist() == expected.loc[1, list(COMPARED)].tolist()
    assert changed["effect_size"] == crossed_mean([[1.0, 2.0], [2.0, 3.0]]).effect_size


def test_the_baseline_is_compared_with_nothing() -> None:
    baseline = compared(drawn({"a=1": 1.0})).loc[("baseline", "auc")]
    assert baseline["verdict"] == ""
    assert baseline["n_paired"] == 0
    assert baseline["over"] == ""
    assert baseline[[name for name in COMPARED if name != "over"]].isna().all()


def test_only_seeds_that_both_have_are_paired() -> None:
    # In another order too. The pairs are (1, 2) and (2, 5): their mean difference is 2, while the means differ by 0.5.
    values = {"baseline": {0: [1.0], 1: [2.0], 2: [6.0]}, "a=1": {1: [5.0], 0: [2.0]}}
    row = compared(values).loc[("a=1", "auc")]
    assert (row["n"], row["n_paired"], row["mean"], row["difference"]) == (2, 2, 3.5, 2.0)


def test_what_all_variants_of_a_seed_share_cancels() -> None:
    table = compared(drawn({"a=1": 0.0}, noise=0.01))
    row = table.loc[("a=1", "auc")]
    assert row["sd"] > 0.3
    assert row["high"] - row["low"] < 0.02


@pytest.mark.parametrize(
    "values",
    [
        {"a=1": {0: [1.0, 2.0], 1: [2.0, 2.5]}, "a=2": {0: [2.0, 3.0], 1: [1.0, 4.0]}},
        {"baseline": {0: [1.0, 2.0]}, "a=1": {1: [2.0, 3.0]}},
    ],
    ids=["no baseline", "no shared seed"],
)
def test_without_a_counterpart_nothing_is_compared(values: Values) -> None:
    table = compared(values)
    assert table["difference"].isna().all()
    assert (table["n_paired"] == 0).all()
    assert (table["verdict"] == "").all()
    assert table["mean"].notna().all()


def test_one_seed_is_compared_over_photographs() -> None:
    values = drawn({"a=1": 1.0}, seeds=1)
    row = compared(values).loc[("a=1", "auc")]
    student = stats.ttest_rel(values["a=1"][0], values["baseline"][0])
    assert math.isnan(row["sd"])
    assert row["p"] == pytest.approx(max(student.pvalue, 1 / 2**14))
    assert (row["low"], row["high"]) == pytest.approx(tuple(student.confidence_interval()), rel=1e-3)
    assert row["over"] == "examples"


def test_one_number_each_is_not_comparable() -> None:
    row = compared({"baseline": {0: [1.0]}, "a=1": {0: [3.0]}}).loc[("a=1", "auc")]
    assert row["difference"] == 2.0
    assert row["verdict"] == NOT_COMPARABLE


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_value_that_is_not_finite_spoils_its_own_row_alone(bad: float) -> None:
    values = drawn({"a=1": 1.0, "a=2": 1.0, "a=3": 0.0})
    values["a=1"][2] = np.append(np.full(29, bad), -math.inf)
    table = compared(values)
    assert table["verdict"].tolist() == ["", NOT_COMPARABLE, BETTER, NO_DIFFERENCE]
    assert table.loc[("a=1", "auc"), [name for name in COMPARED if name != "over"]].isna().all()
    assert table.loc[("a=1", "auc"), "n_paired"] == 5


@pytest.mark.parametrize(
    ("higher_is_better", "above", "below"), [(True, BETTER, WORSE), (False, WORSE, BETTER), (None, HIGHER, LOWER)]
)
def test_the_direction_of_a_metric_decides_what_is_better(
    higher_is_better: bool | None, above: str, below: str
) -> None:
    values = drawn({"a=1": 1.0, "a=2": -1.0, "a=3": 0.0})
    table = compared(values, directions={"auc": True, "other": higher_is_better}, other=values)
    verdicts = [table.loc[(variant, "other"), "verdict"] for variant in ("a=1", "a=2", "a=3")]
    assert verdicts == [above, below, NO_DIFFERENCE]


def test_the_direction_of_the_primary_metric_is_that_of_its_spec() -> None:
    table = compared(drawn({"a=1": 1.0, "a=2": -1.0}), Primary("auc", higher_is_better=False))
    assert table["verdict"].tolist() == ["", WORSE, BETTER]


def test_intervals_of_each_metric_hold_all_variants_at_once() -> None:
    differences = {f"a={place}": 0.0 for place in range(6)}
    # One variant that differs by its own interval, but not by that of all.
    values = drawn({**differences, "a=6": 0.03}, seed=3)
    table = compared(values, directions={"auc": True, "other": True}, other=values)
    primary, other = table.xs("auc", level="metric"), table.xs("other", level="metric")
    assert not primary["exploratory"].any()
    assert other["exploratory"].all()
    pd.testing.assert_frame_equal(primary.drop(columns="exploratory"), other.drop(columns="exploratory"))
    between = primary[(primary["low_individual"] > 0) & (primary["low"] < 0)]
    assert len(between) > 0
    assert set(between["verdict"]) == {NO_DIFFERENCE}


def simulated_study(seed: int) -> tuple[Values, Primary]:
    """Draw a small study: its variants, seeds, missing runs, differences and margin."""
    random = np.random.default_rng(seed)
    size = random.choice([0.0, 0.1, 0.5, 3.0])
    values = drawn(
        {f"a={place}": random.normal(0, size) for place in range(random.integers(1, 7))},
        seeds=random.integers(1, 6),
        examples=random.choice([1, 8, 30]),
        noise=random.choice([0.02, 0.3]),
        seed=seed,
    )
    kept = {
        variant: {place: own for place, own in runs.items() if place == 0 or random.random() > 0.15}
        for variant, runs in values.items()
    }
    margin = random.choice([0.0, 0.1, 0.5, 2.0])
    return kept, Primary("auc", bool(random.integers(2)), margin or None)


@pytest.mark.slow
def test_interval_and_verdict_agree_in_every_row_of_a_hundred_simulated_studies(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ablate.statistics.joint.POINTS", 2**11)
    found = []
    for seed in range(100):
        values, primary = simulated_study(seed)
        table = compared(values, primary)
        for row in table.iloc[1:].to_dict("records"):
            low, high, p = row["low"], row["high"], row["p"]
            found.append(row["verdict"])
            if row["verdict"] == NOT_COMPARABLE:
                assert np.isnan([low, high, p]).all()
                continue
            margin = -1.0 if primary.margin is None else primary.margin
            above = row["verdict"] == (BETTER if primary.higher_is_better else WORSE)
            below = row["verdict"] == (WORSE if primary.higher_is_better else BETTER)
            within = max(-low, high) <= margin
            assert (row["verdict"] == EQUIVALENT) == within
            assert above == (low > 0 and not within)
            assert below == (high < 0 and not within)
            assert (p < 0.05) == (low > 0 or high < 0)
            assert low <= row["low_individual"] <= row["difference"] <= row["high_individual"] <= high
    assert set(found) == {BETTER, WORSE, EQUIVALENT, NO_DIFFERENCE, NOT_COMPARABLE}


def test_a_difference_below_the_margin_is_equivalent_even_where_it_is_certain() -> None:
    values = drawn({"a=1": 0.2, "a=2": 0.9, "a=3": 2.0})
    without = compared(values)["verdict"].tolist()
    within = compared(values, Primary("auc", higher_is_better=True, margin=1.0))
    assert without == ["", BETTER, BETTER, BETTER]
    assert within["verdict"].tolist() == ["", EQUIVALENT, EQUIVALENT, BETTER]
    assert within.loc[("a=2", "auc"), "low"] > 0


@pytest.mark.parametrize("margin", [None, 0.01])
def test_without_a_margin_or_within_a_narrow_one_nothing_is_equivalent(margin: float | None) -> None:
    values = drawn({"a=1": 0.0})
    table = compared(values, Primary("auc", True, margin), directions={"auc": True, "other": True}, other=values)
    assert table["verdict"].tolist() == ["", "", NO_DIFFERENCE, NO_DIFFERENCE]


def test_a_variant_that_does_the_same_differs_by_nothing() -> None:
    values = drawn({})
    row = compared({**values, "a=1": values["baseline"]}).loc[("a=1", "auc")]
    assert (row["difference"], row["low"], row["high"], row["p"], row["minimum_detectable_effect"]) == (0, 0, 0, 1, 0)
    assert row["verdict"] == NO_DIFFERENCE


def test_rows_come_by_variant_and_then_by_metric() -> None:
    values = {name: {0: [1.0, 2.0]} for name in ("b=1,c=1", "c=2", "baseline")}
    table = compare(scores(values, other=values), {"auc": True, "other": None}, AUC)
    assert list(zip(table["variant"], table["metric"], strict=True)) == [
        (variant, metric) for variant in ("baseline", "c=2", "b=1,c=1") for metric in ("auc", "other")
    ]


def test_differences_of_photographs_are_means_over_the_shared_seeds() -> None:
    values = {"baseline": {0: [1.0, 2.0], 1: [1.0, 4.0], 2: [9.0, 9.0]}, "a=1": {1: [2.0, 4.0], 0: [4.0, 3.0]}}
    table = per_example(scores(values, other=values), "auc")
    assert table.to_dict("list") == {
        "variant": ["a=1", "a=1"],
        "example": ["photo0", "photo1"],
        "difference": [2.0, 0.5],
    }


@pytest.mark.parametrize(
    "values", [{"a=1": {0: [1.0]}, "a=2": {0: [1.0]}}, {"baseline": {0: [1.0]}, "a=1": {1: [1.0]}}]
)
def test_without_a_counterpart_photographs_have_no_differences(values: Values) -> None:
    table = per_example(scores(values), "auc")
    assert table.empty
    assert list(table.columns) == ["variant", "example", "difference"]


def costs(values: Mapping[tuple[str, int], float]) -> pd.DataFrame:
    index = pd.MultiIndex.from_tuples(values, names=["variant", "seed"])
    return pd.DataFrame({"seconds": list(values.values())}, index=index)


def test_costs_are_compared_seed_by_seed() -> None:
    table = cost_differences(
        costs({("baseline", 0): 10.0, ("baseline", 1): 20.0, ("a=1", 1): 23.0, ("a=1", 0): 11.0, ("b=1", 1): 15.0})
    ).set_index("variant")
    assert table.loc["baseline", "mean"] == 15.0
    assert table.loc["baseline", "sd"] == pytest.approx(math.sqrt(50))
    assert math.isnan(table.loc["baseline", "difference"])
    assert table["difference"].tolist()[1:] == [2.0, -5.0]
    assert math.isnan(table.loc["b=1", "sd"])


def test_costs_without_a_baseline_have_no_differences() -> None:
    table = cost_differences(costs({("a=1", 0): 10.0, ("a=2", 0): 20.0}))
    assert table["mean"].tolist() == [10.0, 20.0]
    assert table["difference"].isna().all()


NO_SCORES = pd.DataFrame(index=pd.MultiIndex.from_arrays([[], [], []], names=["variant", "seed", "example"]))


def whole(values: Values, replicates: int = 400, metric: str = "f1") -> WholeSet:
    """Make a metric of the whole set: the mean of each run's values, and its bootstrap replicates."""
    count = len(next(iter(values["baseline"].values())))
    draws = np.random.default_rng(1).integers(0, count, (replicates, count))
    runs = {(variant, seed): np.asarray(own) for variant, seeds in values.items() for seed, own in seeds.items()}
    index = pd.MultiIndex.from_tuples(runs, names=["variant", "seed"])
    tables = {run: pd.DataFrame({metric: own[draws].mean(axis=1)}) for run, own in runs.items()}
    return WholeSet(
        pd.DataFrame({metric: [own.mean() for own in runs.values()]}, index),
        common_replicates(tables, [metric] if replicates else []),
        count,
    )


def test_a_metric_of_the_whole_set_stands_beside_those_of_examples() -> None:
    values = drawn({"a=1": 1.0, "a=2": 0.01})
    table = compare(scores(values), {"auc": True, "f1": True}, AUC, whole(values)).set_index(["variant", "metric"])
    for variant in ("a=1", "a=2"):
        one, other = table.loc[(variant, "auc")], table.loc[(variant, "f1")]
        assert other["difference"] == pytest.approx(one["difference"])
        assert (other["mean"], other["sd"]) == pytest.approx((one["mean"], one["sd"]))
        assert other["high"] - other["low"] == pytest.approx(one["high"] - one["low"], rel=0.15)
        assert (other["n_paired"], other["examples"], other["verdict"]) == (5, 30, one["verdict"])
        assert other["exploratory"]


def test_a_metric_of_the_whole_set_alone_can_be_the_primary_one() -> None:
    values = drawn({"a=1": 1.0})
    primary = Primary("f1", higher_is_better=True, margin=3.0)
    table = compare(NO_SCORES, {"f1": True}, primary, whole(values, replicates=0)).set_index("variant")
    means = {variant: [np.mean(own) for own in seeds.values()] for variant, seeds in values.items()}
    student = stats.ttest_rel(means["a=1"], means["baseline"])
    assert (table.loc["a=1", "low"], table.loc["a=1", "high"]) == pytest.approx(tuple(student.confidence_interval()))
    assert table["verdict"].tolist() == ["", EQUIVALENT]


def test_one_seed_of_a_metric_of_the_whole_set_needs_replicates() -> None:
    values = drawn({"a=1": 1.0}, seeds=1)
    primary = Primary("f1", higher_is_better=True)
    verdicts = {
        replicates: compare(NO_SCORES, {"f1": True}, primary, whole(values, replicates))["verdict"].tolist()[1]
        for replicates in (0, 200)
    }
    assert verdicts == {0: NOT_COMPARABLE, 200: BETTER}


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_metric_of_the_whole_set_that_is_not_finite_is_not_comparable(bad: float) -> None:
    values = drawn({"a=1": 1.0, "a=2": 1.0})
    measured = whole(values)
    measured.values.loc[("a=1", 2), "f1"] = bad
    table = compare(NO_SCORES, {"f1": True}, Primary("f1", higher_is_better=True), measured).set_index("variant")
    assert table["verdict"].tolist() == ["", NOT_COMPARABLE, BETTER]


def test_replicates_count_where_all_runs_have_as_many() -> None:
    table = pd.DataFrame({"f1": [0.1, 0.2], "other": [1.0, 2.0]})
    runs = {("baseline", 0): table, ("a=1", 0): table[["f1"]]}
    assert list(common_replicates(runs, ["f1", "other"])) == ["f1"]
    assert common_replicates({**runs, ("a=1", 0): None}, ["f1"]).empty
    assert common_replicates({**runs, ("a=1", 0): table.iloc[:1]}, ["f1"]).empty
    assert common_replicates({}, ["f1"]).empty


def test_examples_are_gained_and_lost_seed_by_seed() -> None:
    values = {
        "baseline": {0: [0.0, 0.0, 100.0, 100.0], 1: [0.0, 100.0, 100.0, 100.0], 2: [0.0] * 4},
        "a=1": {1: [100.0, 100.0, 0.0, 0.0], 0: [100.0, 100.0, 100.0, 100.0]},
        "b=1": {3: [100.0] * 4},
        "c=1": {0: [100.0, 0.0, math.nan, 100.0]},
    }
    table = scores(values)
    assert is_right_or_wrong(table["auc"])
    # Of seed 0 two of four are gained; of seed 1 one is gained and two are lost.
    rows = gained_and_lost(table, "auc", True)
    assert rows["variant"].tolist() == ["a=1", "c=1"]
    assert rows.iloc[0][["gained", "lost"]].tolist() == [37.5, 25.0]
    assert rows.iloc[1][["gained", "lost"]].isna().all()
    turned = gained_and_lost(table, "auc", False)
    assert turned.iloc[0][["gained", "lost"]].tolist() == [25.0, 37.5]
    assert gained_and_lost(scores({"a=1": {0: [0.0, 1.0]}}), "auc", True).empty


def test_what_is_gained_less_what_is_lost_is_the_difference() -> None:
    random = np.random.default_rng(0)
    values = {
        name: {seed: 100.0 * (random.random(50) < p) for seed in (0, 1)}
        for name, p in (("baseline", 0.5), ("a=1", 0.7))
    }
    row = compared(values).loc[("a=1", "auc")]
    assert row["gained"] - row["lost"] == pytest.approx(row["difference"])


def test_only_what_is_right_or_wrong_is_gained() -> None:
    values = {"baseline": {0: [0.0, 1.0]}, "a=1": {0: [1.0, 1.0]}}
    psnr = {"baseline": {0: [20.0, 21.0]}, "a=1": {0: [22.0, 23.0]}}
    table = compare(scores(values, psnr=psnr), {"psnr": True, "auc": True}, AUC).set_index(["variant", "metric"])
    assert table.loc[("a=1", "auc"), ["gained", "lost"]].tolist() == [50.0, 0.0]
    assert table.loc[("a=1", "psnr"), ["gained", "lost"]].isna().all()
    assert table.loc[("baseline", "auc"), ["gained", "lost"]].isna().all()


@pytest.mark.parametrize(
    ("values", "expected"), [([0.0, 1.0, 1.0], True), ([1.0, 1.0], False), ([0.0, 0.5, 1.0], False)]
)
def test_two_values_are_right_or_wrong(values: Sequence[float], expected: bool) -> None:
    assert is_right_or_wrong(pd.Series(values)) is expected
