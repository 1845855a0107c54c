"""The forest plot of effects."""

import math

import pytest
from matplotlib.figure import Figure as Drawing

from ablate.report.figures import (
    interactions,
)
from tests.support.figures import (
    NAMED,
    effects,
    intervals_of,
    marks_of,
    names_of,
)


def test_main_effects_stand_above_interactions(drawn: list[Drawing]) -> None:
    figure = interactions(
        effects(("a=1 × b=$2$", "interaction", 5.0), ("a=1", "main", -0.5), ("b=$2$", "main", 1.0)),
        **NAMED,
    )
    axes = drawn[0].axes[0]
    assert figure is not None
    assert names_of(axes) == ["main effects", "b=$2$", "a=1", "interactions", "a=1 × b=$2$"]
    assert [value for value, _ in marks_of(axes)] == [1.0, -0.5, 5.0]
    assert intervals_of(axes) == [(0.0, 2.0), (-1.5, 0.5), (4.0, 6.0)]
    marks = [line for line in axes.lines if line.get_linestyle() == "None"]
    assert [mark.get_markerfacecolor() == "white" for mark in marks] == [True, True, False]
    assert "1 of 3 have 0 outside of their interval; the strongest is a=1 × b=$2$ +5.0 [+4.0, +6.0]" in figure.alt


@pytest.mark.slow
def test_of_many_effects_the_strongest_are_drawn(drawn: list[Drawing]) -> None:
    figure = interactions(effects(*((f"e={n}", "interaction", float(n)) for n in range(-50, 51))), **NAMED)
    assert figure is not None
    assert names_of(drawn[0].axes[0])[1] == "e=50"
    assert len(marks_of(drawn[0].axes[0])) == 60
    assert min(abs(value) for value, _ in marks_of(drawn[0].axes[0])) >= 20


def test_without_effects_there_is_no_figure() -> None:
    assert interactions(effects(), **NAMED) is None
    assert interactions(effects(("a", "main", math.nan)), **NAMED) is None
