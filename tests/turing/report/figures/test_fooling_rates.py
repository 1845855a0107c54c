"""The figure of fooling rates."""

import math

import numpy as np
import pytest
from matplotlib.figure import Figure as Drawing

from ablate.turing.report.figures.fooling_rates import fooling_rates
from tests.support.analyses import rates


def test_rates_are_sorted_around_chance(drawn: list[Drawing]) -> None:
    found = rates(
        low=(20.0, 0.001), high=(61.0, 0.04), untested=(55.0, math.nan), even=(50.5, 0.05), none=(math.nan, 1)
    )
    figure = fooling_rates(found, name="fooling_rates")
    assert figure is not None
    axes = drawn[0].axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["high", "untested", "even", "low"]
    marks = [line for line in axes.lines if line.get_linestyle() == "None"]
    assert [(float(np.asarray(line.get_xdata())[0]), line.get_marker()) for line in marks] == [
        (61.0, "^"), (55.0, "d"), (50.5, "o"), (20.0, "v"),
    ]  # fmt: skip
    intervals = [np.asarray(line.get_xdata()).tolist() for line in axes.lines if line.get_marker() == "|"]
    assert intervals == [[59, 63], [53, 57], [48.5, 52.5], [18, 22]]
    (chance,) = [text for text in axes.texts if text.get_text() == "chance, 50 %"]
    assert chance.get_position()[0] == 50
    assert "20.0 [18.0, 22.0]" in [text.get_text() for text in axes.texts]
    assert [text.get_text() for text in drawn[0].legends[0].get_texts()] == [
        "above chance (1)", "no difference from chance found (1)", "below chance (1)", "not tested (1)",
    ]  # fmt: skip
    assert "high 61.0 [59.0, 63.0] % at the top to low 20.0 [18.0, 22.0] %" in figure.alt


@pytest.mark.slow
def test_of_many_algorithms_the_outermost_rates_are_drawn(drawn: list[Drawing]) -> None:
    figure = fooling_rates(
        rates(**{f"v{place}": (20.0 + place / 4, 0.01) for place in range(64)}), name="fooling_rates"
    )
    assert figure is not None
    labels = [label.get_text() for label in drawn[0].axes[0].get_yticklabels()]
    assert (labels[0], labels[30], labels[-1]) == ("v63", "… 4 more …", "v0")
    assert "the 30 highest and the 30 lowest are drawn" in figure.method


def test_without_a_rate_there_is_no_figure() -> None:
    assert fooling_rates(rates(a=(math.nan, math.nan)), name="fooling_rates") is None
