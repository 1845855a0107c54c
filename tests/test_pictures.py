from PIL import Image

from ablate.pictures import CELL, GAP, LINE, picture_table


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
