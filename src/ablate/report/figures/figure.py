"""Shared by the figures of a report: files, look, and text that fits and that the font can write."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import matplotlib as mpl
import numpy as np
import seaborn as sns
from matplotlib import font_manager, style
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as MatplotlibFigure
from matplotlib.text import Text
from PIL import Image

from ablate.cli.terminal import visible
from ablate.config.short_names import shorten
from ablate.report.escaping import pieces

FONT = "DejaVu Sans"
"""It comes with Matplotlib, so a figure looks the same everywhere."""
DPI = 200
BLUE, ORANGE, GREEN, RED, PURPLE, BROWN = sns.color_palette("colorblind").as_hex()[:6]
DARK, GREY, PALE = "0.25", "0.55", "0.9"

_LOOK: dict[Any, Any] = {
    "font.family": FONT,
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.labelsize": 9,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 8,
    "axes.edgecolor": "0.7",
    "grid.color": PALE,
    "axes.formatter.useoffset": False,
    # A variant's name may hold dollars, which are no formula.
    "text.parse_math": False,
    # Text in a PDF stays text that can be searched and edited.
    "pdf.fonttype": 42,
}


@dataclass(frozen=True)
class Figure:
    """A figure of a report.

    Attributes:
        name: Of its files, without the extension.
        title: Its heading.
        alt: What is seen, with the main numbers, for those who do not see it.
        caption: What its marks are, in two lines at most with the title; no markup.
        files: Contents by extension: `png`, and `pdf` where it is drawn with lines, see `FigureFiles`; `jpg` of
            photographs.
        method: How it was made and what it leaves out, which a page shows on demand; no markup.
    """

    name: str
    title: str
    alt: str
    caption: str
    files: Mapping[str, bytes]
    method: str = ""

    @property
    def raster(self) -> str:
        """The extension of the file for screens."""
        return "png" if "png" in self.files else "jpg"


@contextmanager
def report_style() -> Iterator[None]:
    """Draw and save in the style of the report, whatever the settings of Matplotlib outside are."""
    with style.context("default"):
        mpl.rcParams.update({**sns.axes_style("whitegrid"), **_LOOK})
        yield


class Drawing(MatplotlibFigure):
    """A figure of Matplotlib that pyplot does not know; a notebook shows it as the report does."""

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        content = saved(self, "png")
        with Image.open(io.BytesIO(content)) as picture:
            width, height = picture.size
        # In a page's pixels, of which a fine screen has several dots each.
        return content, {"width": width // 2, "height": height // 2}


class FigureFiles(Mapping[str, bytes]):
    """The files of a drawing, PNG and PDF: each is saved when it is first read.

    Attributes:
        drawing: The drawing.
    """

    def __init__(self, drawing: MatplotlibFigure):
        self.drawing = drawing
        self._saved: dict[str, bytes] = {}

    def __getitem__(self, extension: str) -> bytes:
        if extension not in self._saved:
            self._saved[extension] = saved(self.drawing, extension)
        return self._saved[extension]

    def __iter__(self) -> Iterator[str]:
        return iter(_SAVED_WITH)

    def __len__(self) -> int:
        return len(_SAVED_WITH)


_SAVED_WITH: Mapping[str, Mapping[str, Any]] = {
    "png": {"dpi": DPI},
    "pdf": {"metadata": {"CreationDate": None}, "dpi": DPI},
}


def saved(drawn: MatplotlibFigure, extension: str) -> bytes:
    """Return a drawing in the style of the report, as `png` or `pdf`; the same drawing gives the same bytes."""
    file, options = io.BytesIO(), _SAVED_WITH[extension]
    for text in drawn.findobj(Text):
        if (shown := visible(text.get_text())) != text.get_text():  # fonts lack the rest, and a warning would print it
            text.set_text(shown)
    with report_style():
        drawn.savefig(file, format=extension, bbox_inches="tight", pad_inches=0.06, **options)
    return file.getvalue()


def drawing(width: float, height: float) -> Drawing:
    """Return an empty drawing of a size in inches."""
    drawn = Drawing(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(drawn)
    return drawn


def picture_drawing(content: bytes) -> Drawing:
    """Return a drawing that shows a picture, at its own size."""
    with Image.open(io.BytesIO(content)) as picture:
        pixels = np.asarray(picture.convert("RGB"))
    drawn = Drawing(figsize=(pixels.shape[1] / DPI, pixels.shape[0] / DPI))
    FigureCanvasAgg(drawn)
    axes = drawn.add_axes((0, 0, 1, 1))
    axes.imshow(pixels, interpolation="nearest")
    axes.set_axis_off()
    return drawn


def figure_files(drawn: MatplotlibFigure) -> FigureFiles:
    """Return a drawing as PNG and PDF."""
    return FigureFiles(drawn)


def replace_missing_glyphs(text: str) -> str:
    """Replace what the font cannot write, and make all white space a blank."""
    return "".join(
        letter if ord(letter) in _glyphs() else "\N{REPLACEMENT CHARACTER}" for letter in " ".join(text.split())
    )


@cache
def _glyphs() -> frozenset[int]:
    return frozenset(font_manager.get_font(font_manager.findfont(FONT)).get_charmap())


def name_lines(name: str, width: int) -> list[str]:
    """Break the name of a variant or an effect, shortened, into lines, after separators, see `escaping.pieces`.

    Args:
        name: Any text.
        width: The most characters of a line.

    Returns:
        At least one line.
    """
    lines = [""]
    for part in pieces(replace_missing_glyphs(shorten(name)), width):
        if lines[-1] and len(lines[-1] + part.rstrip()) > width:
            lines.append("")
        lines[-1] += part
    return [piece for line in lines for piece in textwrap.wrap(line, width)] or [""]


def with_unit(label: str, unit: str) -> str:
    """Return an axis' label."""
    return replace_missing_glyphs(f"{label}, {unit}" if unit else label)
