"""Quality against cost, and the Pareto front."""

import math

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure as Drawing

from ablate.report.figures import (
    pareto_front,
    quality_against_cost,
)
from tests.support.figures import (
    OF_DIGITS,
    compared,
    costs,
    texts_of,
)


@pytest.mark.parametrize(
    ("cost", "quality", "higher", "front"),
    [
        ([1, 2, 3], [1, 2, 3], True, ["a", "b", "c"]),
        ([1, 2, 3], [1, 2, 3], False, ["a"]),
        ([1, 2, 3], [3, 1, 2], False, ["a", "b"]),
        ([3, 2, 1], [3, 3, 1], True, ["c", "b"]),
        ([1, 1, 2], [5, 5, 5], True, ["a", "b"]),
        ([1, 1, 1], [1, 2, 2], True, ["b", "c"]),
        ([1, math.nan, 2], [1, 9, math.nan], True, ["a"]),
        ([1, 2, math.inf], [math.inf, 2, 9], True, ["b"]),
        ([math.nan] * 3, [1, 2, 3], True, []),
        ([0, -1, 2], [0, -1, -2], True, ["b", "a"]),
    ],
)
def test_no_variant_of_the_front_is_beaten(
    cost: list[float], quality: list[float], higher: bool, front: list[str]
) -> None:
    names = list("abc")
    assert pareto_front(pd.Series(cost, names), pd.Series(quality, names), higher) == front


@pytest.mark.parametrize("higher", [True, False])
def test_the_front_is_what_its_definition_says(higher: bool) -> None:
    points = np.random.default_rng(0).integers(0, 8, (60, 2))
    names = [f"v{place:02}" for place in range(len(points))]
    sign = 1 if higher else -1
    beaten = [
        any(other[0] <= own[0] and sign * other[1] >= sign * own[1] and tuple(other) != tuple(own) for other in points)
        for own in points
    ]
    expected = {name for name, is_beaten in zip(names, beaten, strict=True) if not is_beaten}
    found = pareto_front(pd.Series(points[:, 0], names), pd.Series(points[:, 1], names), higher)
    assert set(found) == expected
    assert len(found) == len(expected)


def test_the_front_compares_variants_by_name() -> None:
    assert pareto_front(pd.Series({"a": 1, "b": 2, "c": 3}), pd.Series({"b": 5, "a": 4, "d": 9}), True) == ["a", "b"]
    assert pareto_front(pd.Series(dtype=float), pd.Series(dtype=float), True) == []


@pytest.mark.slow
def test_quality_stands_against_each_cost_that_is_known(drawn: list[Drawing]) -> None:
    comparison = compared(
        ("cheap", -5.0, -6.0, -4.0, "worse"), ("dear", -1.0, -2.0, 0.0, "worse"), ("lost", math.nan, 0, 1, "better")
    )
    comparison.loc[comparison["variant"] == "lost", "mean"] = math.nan
    comparison.loc[comparison["variant"] == "dear", "sd"] = math.nan
    figure = quality_against_cost(
        comparison,
        costs(baseline=2.0, cheap=1.0, dear=4.0, lost=3.0),
        metric="auc",
        higher_is_better=True,
        **OF_DIGITS,
    )
    assert figure is not None
    first, second = drawn[0].axes
    assert [axes.get_xlabel() for axes in (first, second)] == ["parameters", "training time, h"]
    assert all(axes.get_xscale() == "log" for axes in (first, second))
    assert "2 M" in [label.get_text() for label in first.get_xticklabels()]
    assert "2" in [label.get_text() for label in second.get_xticklabels()]
    # One seed has no deviation, so its mark has no bar.
    bars = [collection for collection in first.collections if isinstance(collection, LineCollection)]
    assert [segment[:, 1].tolist() for segment in bars[0].get_segments()] == [[79.5, 80.5], [74.5, 75.5]]
    assert sorted(texts_of(first)) == ["baseline", "cheap"]
    front = next(line for line in first.lines if line.get_drawstyle() == "steps-post")
    assert np.asarray(front.get_ydata()).tolist() == [75, 80, 80]
    assert "parameters: cheap, baseline" in figure.alt
    assert "left out" in figure.method


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 2, 100])
def test_names_beside_points_neither_overlap_nor_leave_the_panel(drawn: list[Drawing], count: int) -> None:
    rng = np.random.default_rng(count)
    names = [f"optimizer=adadelta,v={place}" for place in range(count)]
    comparison = compared(*((name, float(rng.normal()), -1.0, 1.0, "better") for name in names))
    known = costs(baseline=1.5, **{name: float(rng.uniform(1, 3)) for name in names})
    assert quality_against_cost(comparison, known, metric="auc", higher_is_better=True, **OF_DIGITS) is not None
    drawn[0].draw_without_rendering()
    for axes in drawn[0].axes:
        inside = axes.get_window_extent()
        boxes = [mpl.text.Text.get_window_extent(text) for text in axes.texts]
        assert len(boxes) >= 1
        assert all(inside.x0 <= box.x0 and box.x1 <= inside.x1 for box in boxes)
        assert not any(box.overlaps(other) for place, box in enumerate(boxes) for other in boxes[:place])


@pytest.mark.parametrize("seconds", [0.0, math.nan, -1.0])
def test_without_a_cost_that_a_log_scale_can_show_there_is_no_figure(seconds: float) -> None:
    known = costs(baseline=1.0).assign(**{"cost/parameters": seconds, "cost/wall_seconds": math.nan})
    assert quality_against_cost(compared(), known, metric="auc", higher_is_better=True, **OF_DIGITS) is None
    assert quality_against_cost(compared(), costs(), metric="auc", higher_is_better=True, **OF_DIGITS) is None


@pytest.mark.slow
def test_a_metric_without_direction_has_no_front(drawn: list[Drawing]) -> None:
    figure = quality_against_cost(compared(), costs(baseline=1.0), metric="auc", higher_is_better=None, **OF_DIGITS)
    assert figure is not None
    assert "beats" not in figure.caption
    assert [line for line in drawn[0].axes[0].lines if line.get_drawstyle() == "steps-post"] == []
