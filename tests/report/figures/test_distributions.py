"""Distributions of outputs."""

import numpy as np
import pytest
from matplotlib.figure import Figure as Drawing

from ablate.report.figures import (
    distributions,
)
from tests.support.figures import (
    counts,
    shown_axes,
)


@pytest.mark.slow
def test_the_truth_stands_before_the_variants_on_one_scale(drawn: list[Drawing]) -> None:
    figure = distributions(counts("a=1", "baseline"), order=["baseline", "a=1"])
    assert figure is not None
    panels = [axes for axes in shown_axes(drawn[0]) if axes.images]
    assert [axes.get_title() for axes in panels] == ["truth", "baseline", "a=1"]
    image = panels[0].images[0]
    shares = 10 ** np.ma.filled(image.get_array(), -np.inf)
    assert shares.max() == pytest.approx(0.9)
    # Cells are cropped to those that hold anything and one more: a = -5..10, b = -5..10; the commonest is a 5, b 0.
    assert image.get_extent() == [-7.5, 12.5, -7.5, 12.5]
    assert np.unravel_index(shares.argmax(), shares.shape) == (1, 2)
    assert int(np.ma.count_masked(image.get_array())) == 14
    assert len({(axes.images[0].norm.vmin, axes.images[0].norm.vmax) for axes in panels}) == 1
    assert [axes.get_xlabel() for axes in panels] == ["a"] * 3
    assert [axes.get_ylabel() for axes in panels] == ["b", "", ""]
    assert "truth 2, baseline 1" in figure.alt


def test_coordinates_are_what_the_frame_calls_them(drawn: list[Drawing]) -> None:
    figure = distributions(counts("baseline", columns=("$x$", "y")), order=["baseline"])
    assert figure is not None
    assert drawn[0].axes[0].get_xlabel() == "$x$"
    assert figure.title == "Distribution of $x$ and y"


def test_without_counts_there_is_no_distribution() -> None:
    assert distributions(counts("a").iloc[:0], order=[]) is None
    assert distributions(counts("a").assign(truth=0, output=0), order=["a"]) is None


@pytest.mark.slow
def test_an_output_without_counts_is_an_empty_panel(drawn: list[Drawing]) -> None:
    names = [f"v={place}" for place in range(30)]
    figure = distributions(counts(*names).assign(output=0), order=names)
    assert figure is not None
    assert len([axes for axes in shown_axes(drawn[0]) if axes.images]) == 25
    assert "The first 24 of 30" in figure.method
