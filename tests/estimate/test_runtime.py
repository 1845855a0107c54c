"""Predicted times, by hand."""

import math
from typing import Any

import pandas as pd
import pytest

from ablate.estimate.runtime import (
    BASES,
    HISTORY_COLUMNS,
    RuntimeEstimate,
    devices_of_host,
    estimate_runtime,
    measured_runs,
    prediction_error,
)

NAN = float("nan")


def history(*rows: dict[str, Any]) -> pd.DataFrame:
    """Runs on a GPU `here`: 100 examples at 10 a second and 5 s for the rest, unless they say otherwise."""
    usual = {
        "study": "adhoc",
        "started": pd.Timestamp("2026-01-01"),
        "host": "here",
        "devices": "GPU",
        "configuration": "one",
        "flops": 1e9,
        "examples": 100.0,
        "examples_per_second": 10.0,
        "seconds": 15.0,
        "predicted": NAN,
    }
    return pd.DataFrame([{**usual, **row} for row in rows], columns=list(HISTORY_COLUMNS))


def predicted(
    known: pd.DataFrame, configuration: str = "one", flops: float = 1e9, examples: int = 200
) -> RuntimeEstimate:
    found = estimate_runtime(known, configuration=configuration, flops=flops, examples=examples)
    assert found is not None
    return found


def speeds(*several: float) -> list[dict[str, Any]]:
    """Runs of other speeds, each with 5 s for the rest."""
    return [{"examples_per_second": speed, "seconds": 100 / speed + 5} for speed in several]


@pytest.mark.parametrize(
    ("rows", "seconds"),
    [
        ([{}], 200 / 10 + 5),
        ([{"seconds": 8.0}], 200 / 10),  # less than its training took: nothing is left for the rest
        (speeds(10, 20, 40), 200 / 20 + 5),
        (speeds(10, 20), 200 / 15 + 5),
        ([{"seconds": 11.0}, {"seconds": 13.0}, {"seconds": 110.0}], 200 / 10 + 3),
        ([*speeds(10), {"configuration": "other", "examples_per_second": 1000.0}], 200 / 10 + 5),
        ([{"flops": 3e9}], 200 / 10 + 5),  # what it costs is not asked where the same run is known
    ],
)
def test_runs_configured_alike_say_it_themselves(rows: list[dict[str, Any]], seconds: float) -> None:
    found = predicted(history(*rows))
    assert found.seconds == pytest.approx(seconds)
    assert found.basis == BASES[0]


def test_of_other_runs_the_arithmetic_per_second_counts() -> None:
    # 1e9 x 10 and 4e9 x 5 a second: their median is 15e9, 7.5 examples of 2e9 a second; the rest is 5 s and 7 s.
    known = history({}, {"flops": 4e9, "examples_per_second": 5.0, "seconds": 27.0})
    found = predicted(known, configuration="new", flops=2e9, examples=75)
    assert found.seconds == pytest.approx(75 / 7.5 + 6)
    assert found.basis == BASES[1]


def test_of_other_runs_the_five_nearest_in_cost_count() -> None:
    near = [
        {"flops": flops, "examples_per_second": 1e10 / flops, "examples": 0.0, "seconds": 2.0}
        for flops in (5e8, 8e8, 1e9, 1.5e9, 2e9)
    ]
    far = [
        {"flops": flops, "examples_per_second": 1.0, "seconds": 1000.0} for flops in (1e7, 1e8, 4e8, 1e10, 1e11, 1e12)
    ]
    found = predicted(history(*far, *near), configuration="new", flops=1e9, examples=50)
    assert found.seconds == pytest.approx(50 / 10 + 2)


def test_cost_is_near_by_its_ratio_and_not_by_its_difference() -> None:
    rows = [{"flops": 1e9, "examples_per_second": 1.0, "examples": 0.0, "seconds": 1.0} for _ in range(5)]
    # A tenth is 9e8 away, the triple 2e9; yet the triple is nearer.
    known = history({"flops": 1e8, "seconds": 1000.0}, *({**row, "flops": 3e9} for row in rows))
    assert predicted(known, configuration="new", flops=1e9, examples=3).seconds == pytest.approx(3 / 3 + 1)


def test_nothing_is_predicted_from_nothing() -> None:
    assert estimate_runtime(measured_runs(history(), None), configuration="one", flops=1e9, examples=1) is None


@pytest.mark.parametrize("column", ["examples", "examples_per_second", "seconds"])
def test_runs_of_which_too_little_is_known_do_not_count(column: str) -> None:
    unknown = {"examples_per_second": 1.0, "seconds": 1000.0, column: NAN}
    found = predicted(measured_runs(history(unknown, {}, unknown), None))
    assert found == predicted(history({}))
    assert measured_runs(history(unknown), None).empty


@pytest.mark.parametrize("column", ["predicted", "study", "configuration"])
def test_of_the_others_nothing_need_be_known(column: str) -> None:
    assert len(measured_runs(history({column: None}), None)) == 1


def test_only_runs_on_the_same_devices_count() -> None:
    known = history({}, {"devices": "CPU"}, {"devices": None})
    assert list(measured_runs(known, "CPU").index) == [1]
    assert list(measured_runs(known, None).index) == [0, 1, 2]
    assert measured_runs(known, "TPU").empty


@pytest.mark.parametrize("configuration", ["one", "new"])
def test_the_order_of_runs_does_not_matter(configuration: str) -> None:
    rows = [
        {
            "flops": (place + 1) * 3e8,
            "configuration": "one" if place % 3 else "other",
            "seconds": 40.0 + place,
            **speed,
        }
        for place, speed in enumerate({"examples_per_second": 5.0 + place * place} for place in range(9))
    ]
    known = history(*rows)
    found = predicted(known, configuration)
    for seed in range(5):
        assert predicted(known.sample(frac=1, random_state=seed), configuration) == found


def test_the_devices_here_are_those_of_the_newest_run_here() -> None:
    first, second, third = pd.date_range("2026-01-01", periods=3)
    known = history(
        {"started": second, "devices": "GPU"},
        {"started": first, "devices": "CPU"},
        {"started": third, "host": "there", "devices": "TPU"},
    )
    for rows in (known, known.iloc[::-1]):
        assert [devices_of_host(rows, host) for host in ("here", "there", "nowhere")] == ["GPU", "TPU", None]


def test_the_quality_of_predictions_is_by_hand() -> None:
    known = history(
        {"predicted": 12.0, "seconds": 10.0},  # + 20 %
        {"predicted": 18.0, "seconds": 20.0},  # - 10 %
        {"predicted": 45.0, "seconds": 30.0},  # + 50 %
        {"predicted": NAN, "seconds": 1000.0},
        {"predicted": 1000.0, "seconds": NAN},
    )
    found = prediction_error(known)
    assert found == {"runs": 3.0, "median_error": pytest.approx(0.2), "total_error": pytest.approx(75 / 60 - 1)}
    assert all(math.isfinite(value) for value in found.values())


@pytest.mark.parametrize("rows", [[], [{}], [{"predicted": 1.0, "seconds": NAN}]])
def test_without_predictions_there_is_no_quality(rows: list[dict[str, Any]]) -> None:
    assert prediction_error(history(*rows)) == {}
