"""The forest plot of differences."""

import math

import pytest
from matplotlib.figure import Figure as Drawing

from tests.support.figures import (
    compared,
    difference_figure,
    intervals_of,
    marks_of,
    names_of,
    texts_of,
)


@pytest.mark.parametrize(
    ("higher_is_better", "order"), [(True, ["c", "b", "a"]), (None, ["c", "b", "a"]), (False, ["a", "b", "c"])]
)
def test_differences_stand_with_the_best_on_top(
    drawn: list[Drawing], higher_is_better: bool | None, order: list[str]
) -> None:
    comparison = compared(
        ("a", -3.0, -4.0, -2.0, "worse"), ("b", 0.5, -1.0, 2.0, "no difference found"), ("c", 2.0, 1.5, 2.5, "better")
    )
    figure = difference_figure(comparison, higher_is_better=higher_is_better, margin=0.75)
    axes = drawn[0].axes[0]
    assert figure is not None
    assert names_of(axes) == order
    assert axes.yaxis_inverted()
    expected = {"a": (-3.0, "v"), "b": (0.5, "o"), "c": (2.0, "^")}
    assert marks_of(axes) == [expected[name] for name in order]
    limits = {"a": (-4.0, -2.0), "b": (-1.0, 2.0), "c": (1.5, 2.5)}
    assert intervals_of(axes) == [limits[name] for name in order]
    assert "+2.00 [+1.50, +2.50]" in texts_of(axes)
    assert "baseline" in texts_of(axes)
    assert [
        patch.get_extents().transformed(axes.transData.inverted()).intervalx.tolist() for patch in axes.patches
    ] == [pytest.approx([-0.75, 0.75])]
    assert "c +2.00 [+1.50, +2.50]" in figure.alt
    assert "1 better" in figure.alt
    assert "±0.75 %" in figure.method


def test_a_difference_without_interval_is_a_mark_alone(drawn: list[Drawing]) -> None:
    comparison = compared(("a", 1.0, math.nan, math.nan, "not comparable"), ("b", math.inf, 0.0, 1.0, "better"))
    figure = difference_figure(comparison)
    axes = drawn[0].axes[0]
    assert figure is not None
    assert marks_of(axes) == [(1.0, "d")]
    assert intervals_of(axes) == []
    assert "not drawn: 1 (b)" in figure.method
    assert [text.get_text() for text in drawn[0].legends[0].get_texts()] == ["not comparable (1)"]


def test_exploratory_differences_are_hollow(drawn: list[Drawing]) -> None:
    figure = difference_figure(compared(("a", 1.0, 0.5, 1.5, "better"), exploratory=True))
    assert figure is not None
    assert "exploratory" in figure.caption
    assert drawn[0].axes[0].lines[-1].get_markerfacecolor() == "white"


@pytest.mark.slow
def test_of_many_variants_the_outermost_are_drawn(drawn: list[Drawing]) -> None:
    rows = [(f"v={place}", place - 50.0, place - 51.0, place - 49.0, "better") for place in range(100)]
    figure = difference_figure(compared(*rows))
    names = names_of(drawn[0].axes[0])
    assert figure is not None
    assert names == [
        *(f"v={place}" for place in range(99, 69, -1)),
        "… 40 more …",
        *(f"v={n}" for n in range(29, -1, -1)),
    ]
    assert "30 best and the 30 worst" in figure.method
    assert drawn[0].get_size_inches()[1] > 15


def test_without_variants_there_are_no_differences() -> None:
    assert difference_figure(compared()) is None
    assert difference_figure(compared(("a", math.nan, math.nan, math.nan, "not comparable"))) is None
