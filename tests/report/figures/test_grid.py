"""The grid of sample pictures."""

import io

import numpy as np
import pandas as pd
from PIL import Image

from ablate.report.figures import (
    Figure,
    picture_grid,
)
from ablate.report.figures.figure import name_lines
from ablate.system.images import CELL, GAP, LINE

KINDS = ("given", "truth", "output")


def samples(*variants: str, examples: int = 2, left_out: tuple[str, str] = ("", "")) -> pd.DataFrame:
    """Make pictures of one colour: input grey, truth white, output red of 10 times the variant's place."""

    def picture(variant: str, kind: str) -> bytes:
        file = io.BytesIO()
        color = {"given": (99, 99, 99), "truth": (1, 2, 3)}.get(kind, (10 * variants.index(variant), 0, 0))
        Image.new("RGB", (4, 4), color).save(file, format="PNG")
        return file.getvalue()

    rows = [
        (variant, kind, f"e{place}", picture(variant, kind))
        for variant in variants
        for kind in KINDS
        for place in range(examples)
        if (variant, f"e{place}") != left_out
    ]
    return pd.DataFrame(rows, columns=["variant", "kind", "example", "picture"])


def colors(figure: Figure, top: int, labelled: bool = True) -> np.ndarray:
    """Return the colours in the middle of a row of cells."""
    page = np.asarray(Image.open(io.BytesIO(figure.files["jpg"])))
    left = GAP + (LINE + GAP if labelled else 0) + CELL // 2
    return page[top + CELL // 2, left : page.shape[1] : CELL + GAP].astype(int)


def expect(found: np.ndarray, colors: list[tuple[int, int, int]]) -> None:
    """Compare colours, of which JPEG changes the last bits."""
    np.testing.assert_allclose(found, colors, atol=2)


def test_input_and_truth_stand_before_every_block_of_outputs() -> None:
    names = ["baseline", *(f"v={place}" for place in range(1, 8))]
    figure = picture_grid(samples(*names), order=names, rows=[("e1", "random"), ("e0", "best")], example="digit")
    given, truth, white = (99, 99, 99), (1, 2, 3), (255, 255, 255)
    header, row = LINE + GAP, CELL + GAP
    assert list(figure.files) == ["jpg"]
    expect(colors(figure, header), [given, truth, (0, 0, 0), (10, 0, 0), (20, 0, 0), (30, 0, 0)])
    expect(colors(figure, 2 * header + 2 * row), [given, truth, (40, 0, 0), (50, 0, 0), (60, 0, 0), (70, 0, 0)])
    assert not (colors(figure, header + row) == white).all(1).any()
    assert "random, best" in figure.alt


def test_a_missing_picture_leaves_its_cell_empty() -> None:
    figure = picture_grid(
        samples("baseline", "a", left_out=("a", "e1")),
        order=["a", "baseline"],
        rows=[("e0", ""), ("e1", "")],
        example="digit",
    )
    header = LINE + GAP
    expect(colors(figure, header, labelled=False)[2:], [(10, 0, 0), (0, 0, 0)])
    expect(colors(figure, header + CELL + GAP, labelled=False)[1:], [(1, 2, 3), (238, 238, 238), (0, 0, 0)])


def test_at_most_24_variants_have_a_column() -> None:
    names = [f"v={place}" for place in range(25)]
    figure = picture_grid(samples(*names, examples=1), order=names, rows=[("e0", "")], example="digit")
    expect(colors(figure, 4 * (LINE + GAP) + 3 * (CELL + GAP), labelled=False)[-1:], [(230, 0, 0)])
    assert "The first 24 of 25 variants" in figure.method


def test_no_heading_is_taller_than_a_picture() -> None:
    long = "schedule.drops=" + str([[100 * step, 0.9**step] for step in range(60)])
    factors = ",".join(f"a_factor_{place}=a_level_{place}" for place in range(12))
    names = ["baseline", long, f"depth=reduced,{long}", factors, "x" * 400]
    figure = picture_grid(samples(*names), order=names, rows=[("e0", "")], example="digit")
    with Image.open(io.BytesIO(figure.files["jpg"])) as picture:
        assert picture.height - (CELL + GAP) < CELL
    assert len(name_lines(long, 22)) <= 5
    assert "0.81" not in figure.alt
