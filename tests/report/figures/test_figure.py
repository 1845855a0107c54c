"""Files, names and texts of all figures."""

import io
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.figure import Figure as Drawing
from PIL import Image

from ablate.report.figures import (
    Figure,
    distributions,
    interactions,
    learning_curves,
    per_example,
    quality_against_cost,
    waterfall,
)
from ablate.report.figures.figure import drawing, name_lines, saved
from tests.support.figures import (
    NAMED,
    ODD,
    OF_DIGITS,
    UNKNOWN,
    compared,
    costs,
    counts,
    credit,
    difference_figure,
    effects,
    losses,
    names_of,
    spread,
)


@pytest.mark.slow
@pytest.mark.parametrize("name", [ODD, UNKNOWN, "x" * 200, ",", "e=[1,2]"])
def test_any_name_is_drawn_as_it_is(drawn: list[Drawing], name: str) -> None:
    figure = difference_figure(compared((name, 1.0, 0.0, 2.0, "better")))
    per_example(pd.DataFrame({"variant": [name], "example": ["e"], "difference": [1.0]}), order=[name], **OF_DIGITS)
    learning_curves(losses(name), order=[name])
    quality_against_cost(
        compared((name, 1.0, 0.0, 2.0, "better")), costs(baseline=2.0, **{name: 1.0}), metric="auc",
        higher_is_better=True, **OF_DIGITS,
    )  # fmt: skip
    distributions(counts(name), order=[name])
    assert figure is not None
    assert name in figure.alt
    if name == ODD:
        assert names_of(drawn[0].axes[0]) == [ODD]
        assert drawn[0].axes[0].get_yticklabels()[0].get_parse_math() is False
    assert all("\U0001f3a8" not in names_of(axes) for axes in drawn[0].axes)


@pytest.mark.slow
@pytest.mark.parametrize(
    "draw",
    [
        lambda: difference_figure(compared((ODD, 1.0, 0.0, 2.0, "better")), margin=1.0),
        lambda: learning_curves(losses("baseline", ODD), order=["baseline", ODD]),
        lambda: quality_against_cost(
            compared(), costs(baseline=1.0), metric="auc", higher_is_better=True, **OF_DIGITS
        ),
        lambda: interactions(effects((ODD, "main", 1.0)), **NAMED),
        lambda: waterfall(credit((ODD, 2.0), ("a=1", -0.5)), higher_is_better=True, **NAMED),
        lambda: distributions(counts(ODD), order=[ODD]),
        lambda: per_example(spread(a=[1.0, 2.0]), order=["a"], **OF_DIGITS),
    ],
)
def test_figures_are_png_and_pdf_with_the_same_bytes_each_time(draw: Callable[[], Figure | None]) -> None:
    first, second = draw(), draw()
    assert first is not None
    assert first == second
    assert first.files["pdf"].startswith(b"%PDF")
    assert b"CreationDate" not in first.files["pdf"]
    with Image.open(io.BytesIO(first.files["png"])) as picture:
        assert picture.info["dpi"] == pytest.approx((200, 200), abs=0.1)
        assert picture.width < 2300
    assert Path(first.name).name == first.name
    assert first.caption.endswith(".")
    assert len(f"{first.title}. {first.caption}") <= 200
    assert first.alt.endswith(".")


@pytest.mark.parametrize(
    ("name", "width", "lines"),
    [
        ("a=1", 9, ["a=1"]),
        ("a=1,b=2,c=3", 9, ["a=1,b=2,", "c=3"]),
        ("a=1 × b=2", 6, ["a=1 ×", "b=2"]),
        ("activation=leaky_relu,dropout.rate=0.25", 28, ["activation=leaky_relu,", "dropout.rate=0.25"]),
        ("learning.rate_of_all=0.25", 12, ["learning.", "rate_of_all=", "0.25"]),
        ("abcdefgh", 3, ["abc", "def", "gh"]),
        ("", 3, [""]),
        (" \n", 3, [""]),
        ("$x$\ty", 9, ["$x$ y"]),
    ],
)
def test_names_break_at_separators(name: str, width: int, lines: list[str]) -> None:
    assert name_lines(name, width) == lines


def test_what_commands_a_terminal_is_drawn_as_escapes() -> None:
    drawn = drawing(2, 1)
    drawn.suptitle("a\x1b[2J\nb")
    assert saved(drawn, "png")[:4] == b"\x89PNG"  # without a warning, which is an error in tests
    assert [text.get_text() for text in drawn.texts] == ["a\\x1b[2J\nb"]
