"""Pictures of results."""

from collections.abc import Mapping

from PIL import Image, ImageDraw, ImageFont

CELL = 192
GAP = 8
HEADER = 28


def grid(columns: Mapping[str, Mapping[str, Image.Image]]) -> Image.Image:
    """Lay pictures out as a table: one column a kind, one row an example, small pictures enlarged.

    Args:
        columns: By the column's title, pictures by the example's name; all columns have the same examples.

    Returns:
        One picture on white.
    """
    examples = list(next(iter(columns.values())))
    width = len(columns) * (CELL + GAP) + GAP
    table = Image.new("RGB", (width, HEADER + len(examples) * (CELL + GAP)), "white")
    draw = ImageDraw.Draw(table)
    font = ImageFont.load_default(size=16)
    for place, (title, pictures) in enumerate(columns.items()):
        left = GAP + place * (CELL + GAP)
        draw.text((left + CELL / 2, HEADER / 2), title, fill="black", font=font, anchor="mm")
        for row, example in enumerate(examples):
            picture = pictures[example].resize((CELL, CELL), Image.Resampling.LANCZOS)
            table.paste(picture, (left, HEADER + row * (CELL + GAP)))
    return table
