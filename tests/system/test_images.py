import pytest
from PIL import Image

from ablate.system.images import CELL, EMPTY, GAP, LINE, picture_table


def test_every_picture_stands_in_its_cell() -> None:
    columns = {
        "one": {"a": Image.new("RGB", (2, 2), "red"), "b": Image.new("RGB", (500, 500), "blue")},
        "two\nlines": {"b": Image.new("RGB", (4, 4), "lime"), "a": Image.new("RGB", (8, 8), "black")},
    }
    table = picture_table(columns)
    header = 2 * LINE + GAP
    assert table.size == (2 * CELL + 3 * GAP, header + 2 * (CELL + GAP))
    left, right = GAP + CELL // 2, 2 * GAP + CELL + CELL // 2
    upper, lower = header + CELL // 2, header + CELL + GAP + CELL // 2
    found = [table.getpixel(place) for place in ((left, upper), (left, lower), (right, upper), (right, lower))]
    assert found == [(255, 0, 0), (0, 0, 255), (0, 0, 0), (0, 255, 0)]
    assert table.getpixel((GAP // 2, table.height // 2)) == (255, 255, 255)
    # The titles are written: the header is not all white.
    assert table.crop((0, 0, table.width, header)).convert("L").getextrema()[0] < 100


def test_pictures_keep_their_proportions_and_rows_are_as_high_as_the_highest() -> None:
    def rows(table: Image.Image, x: int, color: tuple[int, int, int]) -> list[int]:
        return [y for y in range(table.height) if table.getpixel((x, y)) == color]

    wide, high = Image.new("RGB", (40, 10), "red"), Image.new("RGB", (20, 10), "blue")
    alone = picture_table({"wide": {"a": wide}})
    assert len(rows(alone, alone.width // 2, (255, 0, 0))) == CELL // 4
    assert alone.height == LINE + GAP + CELL // 4 + GAP
    both = picture_table({"wide": {"a": wide}, "high": {"a": high}})
    red, blue = rows(both, GAP + CELL // 2, (255, 0, 0)), rows(both, 2 * GAP + CELL + CELL // 2, (0, 0, 255))
    assert (len(red), len(blue)) == (CELL // 4, CELL // 2)
    assert red[0] - blue[0] == (CELL // 2 - CELL // 4) // 2
    assert both.height == LINE + GAP + CELL // 2 + GAP


def test_rows_that_share_a_label_are_labelled_once() -> None:
    pictures = {name: Image.new("RGB", (2, 2), "red") for name in "abc"}
    table = picture_table({"one": pictures}, rows=[("b", "random"), ("a", "random"), ("c", ""), ("x", "worst")])
    aside, header = LINE + GAP, LINE + GAP
    assert table.size == (aside + CELL + 2 * GAP, header + 4 * (CELL + GAP))

    def written(row: int) -> bool:
        top = header + row * (CELL + GAP)
        return table.crop((0, top, GAP + LINE, top + CELL)).convert("L").getextrema()[0] < 100

    # "random" is centred over two rows: some of it lies in each.
    assert [written(row) for row in range(4)] == [True, True, False, True]
    # Of x there is no picture.
    middle = aside + GAP + CELL // 2
    assert table.getpixel((middle, header + 3 * (CELL + GAP) + CELL // 2)) == EMPTY


@pytest.mark.parametrize("title", ["dropout=light,output_res=quarter", "x" * 60, "a," * 40, ","])
def test_titles_never_reach_their_neighbours(title: str) -> None:
    table = picture_table({title: {}, "b": {}, title + " ": {}}, rows=[("e", "")])
    header = table.height - CELL - GAP
    for place in range(4):
        gap = table.crop((place * (CELL + GAP), 0, place * (CELL + GAP) + GAP // 2, header))
        assert gap.convert("L").getextrema()[0] == 255
