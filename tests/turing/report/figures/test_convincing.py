"""The figure of the most and the least convincing pictures."""

import io
import math
from typing import Any

import pytest
from PIL import Image

from ablate.system.images import CELL, GAP, LINE
from ablate.turing.report.figures.convincing import convincing
from tests.support.analyses import pictures


def cells(figure: Any, columns: int) -> list[list[int]]:
    """Return the red of each picture of a row of tables; tables end at the bottom."""
    with Image.open(io.BytesIO(figure.files["png"])) as page:
        aside = 2 * LINE + GAP
        width = aside + 2 * (CELL + GAP) + GAP
        tops = range(page.height - GAP - CELL, 2 * LINE, -(CELL + GAP))
        lefts = [table * width + aside + GAP + side * (CELL + GAP) for table in range(columns) for side in (0, 1)]
        found = [[page.getpixel((left + CELL // 2, top + CELL // 2)) for left in lefts] for top in tops]
    return [[pixel[0] for pixel in row] for row in found[::-1]]  # type: ignore[index]


def test_real_and_recoloured_stand_beside_each_other_the_most_convincing_on_top() -> None:
    figure = convincing(pictures("a", "b,\nand <c>", each=3), order=["b,\nand <c>", "a"], most=24, name="convincing")
    assert figure is not None
    assert cells(figure, 2) == [[11, 111, 1, 101], [12, 112, 2, 102], [16, 116, 6, 106], [17, 117, 7, 107]]
    assert "a: most convincing photo1, 99 % of 8 trials; a: least convincing photo1, 1 % of 8 trials" in figure.alt


@pytest.mark.parametrize(
    ("count", "most", "rows", "shown"), [(7, 24, 2, 7), (3, 4, 2, 2), (2, 1, 2, 1), (3, 11, 2, 3)]
)
def test_a_page_holds_few_pictures(count: int, most: int, rows: int, shown: int) -> None:
    names = [f"v{place}" for place in range(count)]
    figure = convincing(pictures(*names), order=names, most=most, name="convincing")
    assert figure is not None
    with Image.open(io.BytesIO(figure.files["png"])) as page:
        assert page.height == math.ceil(shown / 3) * (2 * LINE + GAP + rows * (CELL + GAP))
    assert (f"The first {shown} of {count} algorithms" in figure.method) == (shown < count)


def test_without_pictures_there_is_no_figure() -> None:
    assert convincing(pictures("a").iloc[:0], order=["a"], most=24, name="convincing") is None
