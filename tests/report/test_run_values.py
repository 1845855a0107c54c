"""Values of runs as arrays."""

import math

import numpy as np
import pandas as pd

from ablate.report.run_values import RunValues
from ablate.report.whole_set import WholeSet

RUNS = [("a=1", 4), ("a=1", 1), ("baseline", 1), ("baseline", 2)]
"""In no order, and with no seed that both have but one."""


def scores(**metrics: list[list[float]]) -> pd.DataFrame:
    """Make scores of the runs on two examples."""
    index = pd.MultiIndex.from_tuples(
        [(*run, example) for run in RUNS for example in ("x", "y")], names=["variant", "seed", "example"]
    )
    return pd.DataFrame({name: np.ravel(values) for name, values in metrics.items()}, index)


def whole_set() -> WholeSet:
    index = pd.MultiIndex.from_tuples(RUNS, names=["variant", "seed"])
    drawn = pd.MultiIndex.from_tuples(
        [(*run, place) for run in RUNS for place in range(3)], names=["variant", "seed", "replicate"]
    )
    return WholeSet(
        pd.DataFrame({"f1": [41.0, 11.0, 1.0, math.nan], "mean": 0.0}, index),
        pd.DataFrame({"f1": np.arange(12.0)}, drawn),
        50,
    )


def test_runs_stand_by_variant_and_seed_and_missing_ones_are_nan() -> None:
    runs = RunValues(scores(auc=[[41, 42], [11, 12], [1, 2], [3, 4]]))
    assert (runs.variants, runs.seeds) == (["baseline", "a=1"], [1, 2, 4])
    assert runs.there.tolist() == [[True, True, False], [True, False, True]]
    nan = math.nan
    expected = [[[1, 2], [3, 4], [nan, nan]], [[11, 12], [nan, nan], [41, 42]]]
    np.testing.assert_array_equal(runs.of("auc"), expected)
    np.testing.assert_array_equal(runs.finished("auc"), expected)
    assert runs.shared("a=1").tolist() == [True, False, False]
    assert not runs.shared("baseline").any()
    assert runs.differences(runs.of("auc"), "a=1").tolist() == [[10, 10]]
    assert (runs.examples("auc"), runs.replicates("auc")) == (2, None)


def test_what_a_finished_run_has_no_number_for_is_infinite() -> None:
    runs = RunValues(scores(auc=[[41, 42], [11, math.nan], [1, 2], [math.inf, 4]]))
    np.testing.assert_array_equal(runs.finished("auc")[1], [[11, math.inf], [math.nan] * 2, [41, 42]])
    np.testing.assert_array_equal(runs.finished("auc")[0], [[1, 2], [math.inf, 4], [math.nan] * 2])


def test_metrics_of_the_whole_set_have_one_example() -> None:
    for runs in (RunValues(scores(auc=[[0, 0]] * 4), whole_set()), RunValues(scores().iloc[:0], whole_set())):
        np.testing.assert_array_equal(runs.of("f1")[:, :, 0], [[1, math.nan, math.nan], [11, math.nan, 41]])
        np.testing.assert_array_equal(runs.finished("f1")[0, :, 0], [1, math.inf, math.nan])
        replicates = runs.replicates("f1")
        assert replicates is not None
        assert replicates[1, 2].tolist() == [0, 1, 2]
        assert replicates[0, 0].tolist() == [6, 7, 8]
        assert np.isnan(replicates[0, 2]).all()
        assert (runs.examples("f1"), runs.replicates("mean")) == (50, None)


def test_without_a_baseline_nothing_is_shared() -> None:
    table = scores(auc=[[0, 0]] * 4).drop("baseline", level="variant")
    assert not RunValues(table).shared("a=1").any()
