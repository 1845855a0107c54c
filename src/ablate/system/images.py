"""Images: a table of pictures, and files of them. No TensorFlow."""

import io
from collections.abc import Mapping, Sequence
from itertools import groupby

from PIL import Image, ImageDraw, ImageFont

CELL = 192
GAP = 8
LINE = 20
FONT_SIZES = range(15, 10, -1)
"""Of titles, the largest that fits."""
EMPTY = (238, 238, 238)
"""Colour of a cell without a picture."""

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def picture_table(
    columns: Mapping[str, Mapping[str, Image.Image]],
    rows: Sequence[tuple[str, str]] | None = None,
    *,
    cell: int = CELL,
) -> Image.Image:
    """Lay pictures out as a table: one column a title, one row an example, small pictures enlarged.

    Args:
        columns: By the column's title, which is broken into lines that fit, pictures by the example's name.
        rows: The examples from the top, each with a label, written once at the left of rows that share it; None for
            the examples of the first column, without labels.
        cell: Width of a picture's place, and its height, unless all pictures are lower.

    Returns:
        One picture on white; a cell without a picture is grey.

    Example:
        >>> cat = Image.new("RGB", (32, 32))
        >>> picture_table({"grey": {"cat": cat}, "truth": {"cat": cat}}).size
        (408, 228)
    """
    shown = [(example, "") for example in next(iter(columns.values()))] if rows is None else rows
    titles = [_fitted(title, cell) for title in columns]
    pictures = [each for column in columns.values() for each in column.values()]
    high = max((_fitting(picture, cell)[1] for picture in pictures), default=cell)
    labels = _labels([label for _, label in shown], high)
    header = LINE * max(len(lines) for lines, _ in titles) + GAP
    aside = max((label.width + GAP for _, _, label in labels), default=0)
    width = aside + len(columns) * (cell + GAP) + GAP
    table = Image.new("RGB", (width, header + len(shown) * (high + GAP)), "white")
    draw = ImageDraw.Draw(table)
    for first, count, label in labels:
        top, height = header + first * (high + GAP), count * (high + GAP) - GAP
        table.paste(label, (GAP, top + (height - label.height) // 2))
        draw.line((aside, top, aside, top + height - 1), fill="grey")
    for place, (column, (lines, font)) in enumerate(zip(columns.values(), titles, strict=True)):
        left = aside + GAP + place * (cell + GAP)
        _write(draw, lines, font, left + cell / 2, header / 2)
        for row, (example, _) in enumerate(shown):
            at = (left, header + row * (high + GAP))
            if example in column:
                _paste(table, column[example], at, (cell, high))
            else:
                table.paste(EMPTY, (*at, at[0] + cell, at[1] + high))
    return table


def _fitting(picture: Image.Image, cell: int) -> tuple[int, int]:
    """Return width and height of a picture that is as large as it can be in a square, in its proportions."""
    factor = cell / max(picture.size)
    width, height = (max(round(side * factor), 1) for side in picture.size)
    return width, height


def _paste(table: Image.Image, picture: Image.Image, at: tuple[int, int], place: tuple[int, int]) -> None:
    """Put a picture into the middle of its place."""
    width, height = _fitting(picture, place[0])
    corner = (at[0] + (place[0] - width) // 2, at[1] + (place[1] - height) // 2)
    table.paste(picture.resize((width, height), Image.Resampling.LANCZOS), corner)


def _labels(labels: Sequence[str], high: int) -> list[tuple[int, int, Image.Image]]:
    """Return for each group of equal labels its first row, its number of rows, and its picture, to read upwards."""
    drawn, first = [], 0
    for label, group in groupby(labels):
        count = len(list(group))
        if label:
            length = count * (high + GAP) - GAP
            lines, font = _fitted(label, length)
            picture = Image.new("RGB", (length, LINE * len(lines)), "white")
            _write(ImageDraw.Draw(picture), lines, font, length / 2, picture.height / 2)
            drawn.append((first, count, picture.transpose(Image.Transpose.ROTATE_90)))
        first += count
    return drawn


def _fitted(title: str, width: int) -> tuple[list[str], Font]:
    """Break a title into lines, at its own line breaks and after commas, in the largest font in which they fit."""
    for size in FONT_SIZES:
        font = ImageFont.load_default(size=size)
        lines = [line for given in title.split("\n") for line in _packed(given.split(","), ",", font, width)]
        if all(font.getlength(line) <= width for line in lines):
            return lines, font
    # What has no comma, and is too long in the smallest font, is broken anywhere.
    return [piece for line in lines for piece in _packed(list(line), "", font, width)], font


def _packed(parts: Sequence[str], separator: str, font: Font, width: int) -> list[str]:
    """Join parts into lines no wider than a width, but for single parts that are."""
    lines = [parts[0]] if parts else [""]
    for part in parts[1:]:
        lines[-1] += separator
        if font.getlength(lines[-1] + part) <= width:
            lines[-1] += part
        else:
            lines.append(part)
    return lines


def _write(draw: ImageDraw.ImageDraw, lines: Sequence[str], font: Font, x: float, y: float) -> None:
    """Write lines centred around a place."""
    for place, line in enumerate(lines):
        draw.text((x, y + (place - (len(lines) - 1) / 2) * LINE), line, fill="black", font=font, anchor="mm")


def png(picture: Image.Image) -> bytes:
    """Return a picture as a PNG file."""
    file = io.BytesIO()
    picture.save(file, format="PNG")
    return file.getvalue()


def jpeg(picture: Image.Image) -> bytes:
    """Return a picture as a JPEG file, a quarter of a PNG of photographs, with colours at their full resolution."""
    file = io.BytesIO()
    picture.save(file, format="JPEG", quality=92, subsampling="4:4:4", optimize=True)
    return file.getvalue()
