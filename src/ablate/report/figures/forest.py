"""Forest plots: a row for each mark with its interval, around a line."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.artist import Artist
from matplotlib.figure import Figure as Drawing
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ablate.report.figures.figure import GREY
from ablate.report.figures.row_chart import reference_line, right_column, row_chart
from ablate.report.number_format import with_interval

MOST = 60
"""Rows of a chart; of more, the outermost are drawn."""
ALPHA = 0.05
_BAND = "0.88"
OTHER = ("d", GREY)


@dataclass(frozen=True)
class Row:
    """A row of a forest plot: a mark, and a line for its interval where both ends are finite."""

    name: str
    value: float
    low: float
    high: float
    shape: str
    color: str
    hollow: bool = False

    @property
    def interval(self) -> tuple[float, float] | None:
        """Its ends; None where one is not finite."""
        return (self.low, self.high) if math.isfinite(self.low) and math.isfinite(self.high) else None


def outermost(rows: Sequence[Row]) -> list[Row | str]:
    """Return rows with a word in place of the middle ones, where there are more than `MOST`."""
    kept: list[Row | str] = list(rows)
    if len(rows) > MOST:
        kept[MOST // 2 : -MOST // 2] = [f"… {len(rows) - MOST} more …"]
    return kept


def forest(
    rows: Sequence[Row | str],
    *,
    xlabel: str,
    line: str,
    legend: Sequence[Artist],
    heading: str,
    at: float = 0.0,
    margin: float | None = None,
    plus: bool = True,
) -> Drawing:
    """Draw marks with their intervals, from the top, in a chart with numbers at the right.

    Args:
        rows: What is drawn; a text is a heading.
        xlabel: What the marks are.
        line: What stands at the line that they are compared with.
        legend: What the marks' shapes mean; nothing where all are alike.
        heading: Of the numbers.
        at: Where that line is.
        margin: How far from it a mark does not matter, a grey band; None without one.
        plus: Whether numbers above 0 have a sign, as differences have.

    Returns:
        The drawing.
    """
    headings = [place for place, row in enumerate(rows) if isinstance(row, str)]
    drawn, axes, centres = row_chart([row if isinstance(row, str) else row.name for row in rows], headings)
    reference_line(axes, line, at)
    if margin is not None and math.isfinite(margin):
        axes.axvspan(at - margin, at + margin, color=_BAND, linewidth=0, zorder=0)
        legend = [*legend, Patch(color=_BAND, label=f"equivalent up to ±{margin:g}")]
    marked = [(float(centre), row) for centre, row in zip(centres, rows, strict=True) if isinstance(row, Row)]
    for centre, row in marked:
        if row.interval:
            axes.plot(row.interval, (centre, centre), color=row.color, linewidth=1.4, marker="|", markersize=5)
        axes.plot(
            [row.value], [centre], linestyle="none", marker=row.shape, color=row.color, markersize=6.5,
            markerfacecolor="white" if row.hollow else row.color, markeredgewidth=1.2, zorder=3,
        )  # fmt: skip
    texts = [with_interval(row.value, row.low, row.high, plus=plus) for _, row in marked]
    right_column(axes, [centre for centre, _ in marked], texts, heading)
    # Room for the word at the line, which may be the end of the axis.
    axes.margins(x=0.08)
    axes.set_xlabel(xlabel)
    if legend:
        drawn.legend(
            handles=legend, loc="outside lower center", ncols=len(legend) if len(legend) < 5 else 3, frameon=False
        )
    return drawn


def key(label: str, shape: str, color: str, *, hollow: bool = False) -> Line2D:
    """Return what a legend says of a shape."""
    return Line2D(
        [], [], linestyle="none", marker=shape, color=color, markerfacecolor="white" if hollow else color, label=label
    )
