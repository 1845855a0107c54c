"""Differences example by example."""

import math

import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure as Drawing

from ablate.report.figures import (
    per_example,
)
from tests.support.figures import (
    OF_DIGITS,
    compared,
    difference_figure,
    names_of,
    spread,
    texts_of,
)


def test_boxes_hold_the_middle_half_of_the_examples(drawn: list[Drawing]) -> None:
    frame = spread(baseline=[0.0] * 5, b=np.arange(101.0) - 30, a=[1.0, math.nan, math.inf])
    figure = per_example(frame, order=["baseline", "b", "a"], **OF_DIGITS)
    axes = drawn[0].axes[0]
    assert figure is not None
    assert names_of(axes) == ["b", "a"]
    box = axes.patches[0].get_bbox()
    assert (box.x0, box.x1) == (-5.0, 45.0)
    segments = [s.tolist() for c in axes.collections if isinstance(c, LineCollection) for s in c.get_segments()]
    assert [-25.0, 65.0] in [[start[0], end[0]] for start, end in segments]
    assert "+20   69 %" in texts_of(axes)
    assert "+1   100 %" in texts_of(axes)
    assert "Each dot is a digit" in figure.caption


def test_many_examples_are_boxes_alone(drawn: list[Drawing]) -> None:
    figure = per_example(spread(a=[*np.linspace(-1, 1, 600), 1e6]), order=["a"], **OF_DIGITS)
    assert figure is not None
    assert [line for line in drawn[0].axes[0].lines if line.get_marker() == "."] == []
    assert drawn[0].axes[0].get_xlim()[1] < 3
    assert "1 of 601 differences lie beyond the axis" in figure.method


@pytest.mark.slow
def test_at_most_40_variants_have_a_box(drawn: list[Drawing]) -> None:
    names = [f"v={place}" for place in range(50)]
    figure = per_example(spread(**{name: [1.0, 2.0] for name in names}), order=names, **OF_DIGITS)
    assert figure is not None
    assert names_of(drawn[0].axes[0]) == names[:40]
    assert "The first 40 of 50" in figure.method


def test_without_differences_of_examples_there_is_no_figure() -> None:
    assert per_example(spread(), order=[], **OF_DIGITS) is None
    assert per_example(spread(baseline=[0.0], a=[math.nan]), order=["baseline", "a"], **OF_DIGITS) is None


def test_constant_differences_can_be_drawn(drawn: list[Drawing]) -> None:
    assert per_example(spread(a=[0.0, 0.0]), order=["a"], **OF_DIGITS) is not None
    assert difference_figure(compared(("a", 0.0, 0.0, 0.0, "equivalent"))) is not None
