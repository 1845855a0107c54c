"""Learning curves."""

import math

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure as Drawing

from ablate.report.figures import (
    learning_curves,
)
from tests.support.figures import (
    losses,
    shown_axes,
    texts_of,
)


@pytest.mark.slow
def test_each_variant_has_a_panel_with_the_baseline_behind(drawn: list[Drawing]) -> None:
    figure = learning_curves(losses("baseline", "a=1"), order=["baseline", "a=1"])
    first, second = shown_axes(drawn[0])
    assert [axes.get_title() for axes in (first, second)] == ["baseline", "a=1"]
    assert [(line.get_linestyle(), np.asarray(line.get_ydata()).tolist()) for line in first.lines] == [
        ("-", [9.5, 8.5, 7.5]),
        ("--", [9.5, 8.5, 7.5]),
    ]
    assert len(second.lines) == 4
    band = first.collections[0].get_paths()[0].vertices
    assert (np.asarray(band)[:, 1].min(), np.asarray(band)[:, 1].max()) == (7.0, 10.0)
    assert "not ranked" in figure.method
    assert "from 9.5 to 7.5" in figure.alt


@pytest.mark.slow
def test_a_baseline_of_another_scale_does_not_flatten_a_curve(drawn: list[Drawing]) -> None:
    curves = pd.concat([losses("baseline"), losses("loss=regression", scale=0.001)])
    learning_curves(curves, order=["baseline", "loss=regression"])
    second = shown_axes(drawn[0])[1]
    assert second.get_ylim()[1] < 0.02
    assert texts_of(second) == ["baseline off this axis"]


@pytest.mark.slow
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 1.7e308])
@pytest.mark.parametrize("seeds", [1, 2])
def test_losses_that_are_not_finite_are_left_out(drawn: list[Drawing], bad: float, seeds: int) -> None:
    figure = learning_curves(losses("baseline", "a=1", seeds=seeds, bad=bad), order=["baseline", "a=1"])
    last = float(np.asarray(shown_axes(drawn[0])[0].lines[0].get_ydata())[-1])
    assert math.isnan(last) if seeds == 1 else last == 8.0
    assert "not finite" in figure.method
    assert max(abs(limit) for limit in shown_axes(drawn[0])[0].get_ylim()) < 20


def test_a_variant_without_finite_losses_keeps_its_panel(drawn: list[Drawing]) -> None:
    learning_curves(losses("a=1").assign(value=math.nan), order=["a=1"])
    assert texts_of(shown_axes(drawn[0])[0]) == ["no finite value"]


def test_a_single_step_is_a_dot(drawn: list[Drawing]) -> None:
    curves = losses("baseline", seeds=1)
    learning_curves(curves[curves["step"] == 0], order=["baseline"])
    assert {str(line.get_marker()) for line in shown_axes(drawn[0])[0].lines} == {"o"}


@pytest.mark.slow
def test_at_most_24_variants_have_a_panel(drawn: list[Drawing]) -> None:
    names = ["baseline", *(f"v={place}" for place in range(30))]
    figure = learning_curves(losses(*names, seeds=1), order=names)
    assert [axes.get_title() for axes in shown_axes(drawn[0])] == names[:24]
    assert "The first 24 of 31 variants" in figure.method
    assert learning_curves(losses(), order=[]) is None
