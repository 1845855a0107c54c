"""Pictures laid out as a table. No TensorFlow."""

import io
from collections.abc import Mapping

from PIL import Image, ImageDraw, ImageFont

CELL = 192
GAP = 8
LINE = 20


def picture_table(columns: Mapping[str, Mapping[str, Image.Image]]) -> Image.Image:
    """Lay pictures out as a table: one column a title, one row an example, small pictures enlarged.

    Args:
        columns: By the column's title, which may have several lines, pictures by the example's name; all columns
            have the same examples.

    Returns:
        One picture on white.

    Example:
        >>> cat = Image.new("RGB", (32, 32))
        >>> picture_table({"grey": {"cat": cat}, "truth": {"cat": cat}}).size
        (408, 228)
    """
    examples = list(next(iter(columns.values())))
    header = LINE * max(title.count("\n") + 1 for title in columns) + GAP
    width = len(columns) * (CELL + GAP) + GAP
    table = Image.new("RGB", (width, header + len(examples) * (CELL + GAP)), "white")
    draw = ImageDraw.Draw(table)
    font = ImageFont.load_default(size=15)
    for place, (title, pictures) in enumerate(columns.items()):
        left = GAP + place * (CELL + GAP)
        draw.text((left + CELL / 2, header / 2), title, fill="black", font=font, anchor="mm", align="center")
        for row, example in enumerate(examples):
            picture = pictures[example].resize((CELL, CELL), Image.Resampling.LANCZOS)
            table.paste(picture, (left, header + row * (CELL + GAP)))
    return table


def png(picture: Image.Image) -> bytes:
    """Return a picture as a PNG file."""
    file = io.BytesIO()
    picture.save(file, format="PNG")
    return file.getvalue()
