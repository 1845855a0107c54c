"""The waterfall of factors' credit."""

import math

import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure as Drawing
from matplotlib.patches import Rectangle

from ablate.report.figures import waterfall
from tests.support.figures import NAMED, credit, intervals_of, names_of


def bars_of(axes: Axes) -> list[tuple[float, float]]:
    """Return where each bar starts and ends."""
    bars = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    return [(bar.get_x(), round(bar.get_x() + bar.get_width(), 9)) for bar in bars]


def test_each_bar_starts_where_the_one_above_ends(drawn: list[Drawing]) -> None:
    figure = waterfall(credit(("a=1", -0.5), ("b=$2$", 3.0), ("c=1", 1.5)), higher_is_better=True, **NAMED)
    axes = drawn[0].axes[0]
    assert figure is not None
    assert names_of(axes) == ["b=$2$", "c=1", "a=1", "all factors"]
    assert bars_of(axes) == [(0.0, 3.0), (3.0, 4.5), (4.5, 4.0), (0.0, 4.0)]
    assert intervals_of(axes) == [(2.0, 4.0), (3.5, 5.5), (3.0, 5.0), (3.0, 5.0)]
    white = [to_hex(patch.get_facecolor()) == "#ffffff" for patch in axes.patches]
    assert white == [False, False, True, False]
    assert "b=$2$ +3.0 [+2.0, +4.0], c=1 +1.5 [+0.5, +2.5]" in figure.alt
    assert figure.alt.endswith("together +4.0 [+3.0, +5.0].")


def test_where_lower_is_better_the_largest_loss_comes_first(drawn: list[Drawing]) -> None:
    waterfall(credit(("a=1", 1.0), ("b=1", -2.0)), higher_is_better=False, **NAMED)
    assert names_of(drawn[0].axes[0]) == ["b=1", "a=1", "all factors"]
    assert "left is better" in drawn[0].axes[0].get_xlabel()


@pytest.mark.usefixtures("drawn")
def test_values_that_are_not_finite_are_not_drawn() -> None:
    assert waterfall(credit().iloc[:0], higher_is_better=True, **NAMED) is None
    assert waterfall(credit(("a=1", math.nan), ("b=1", 1.0)), higher_is_better=True, **NAMED) is None
