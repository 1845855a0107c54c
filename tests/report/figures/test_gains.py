"""Examples gained and lost."""

import math

import pandas as pd
import pytest
from matplotlib.figure import Figure as Drawing

from ablate.report.figures import gains
from tests.support.figures import names_of, texts_of


def shares(*rows: tuple[str, float, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["variant", "gained", "lost"])


def test_bars_reach_to_what_is_gained_and_lost(drawn: list[Drawing]) -> None:
    table = shares(("a=1", 5.0, 2.0), ("b=1", 0.125, 9.0), ("c=1", math.nan, math.nan))
    figure = gains(table, order=["baseline", "b=1", "a=1", "c=1"], label="Accuracy", example="digit")
    assert figure is not None
    assert figure.files["png"]
    axes = drawn[0].axes[0]
    assert names_of(axes) == ["b=1", "a=1"]
    assert [bar.get_width() for bar in axes.patches] == [0.125, 5.0, -9.0, -2.0]  # type: ignore[attr-defined]
    assert {"0.12 − 9.0", "5.0 − 2.0"} <= set(texts_of(axes))
    low, high = axes.get_xlim()
    assert low < -9
    assert high > 5
    assert figure.title == "Digits gained and lost: Accuracy"
    assert "Most is gained by a=1: 5.0 % gained, 2.0 % lost." in figure.alt


def test_variants_that_do_the_same_gain_nothing(drawn: list[Drawing]) -> None:
    figure = gains(shares(("a=1", 0.0, 0.0)), order=["a=1"], label="Accuracy", example="digit")
    assert figure is not None
    assert figure.files["png"]
    assert "0.0 − 0.0" in texts_of(drawn[0].axes[0])


@pytest.mark.slow
def test_at_most_40_variants_have_bars(drawn: list[Drawing]) -> None:
    names = [f"v={place}" for place in range(50)]
    figure = gains(shares(*((name, 1.0, 2.0) for name in names)), order=names, label="Accuracy", example="digit")
    assert figure is not None
    assert figure.files["png"]
    assert names_of(drawn[0].axes[0]) == names[:40]
    assert "The first 40 of 50" in figure.method


def test_without_a_baseline_nothing_is_gained() -> None:
    assert gains(shares(), order=["a=1"], label="Accuracy", example="digit") is None
