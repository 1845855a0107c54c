"""Charts with a row for each variant: names at the left, numbers at the right."""

from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing

from ablate.report.figures.figure import DARK, PALE, drawing, name_lines

WIDTH = 8.0
NAME = 28
"""Most characters of a line of a name."""
LINE, SPACE = 0.15, 0.13
"""Height of a line, and the space between rows, in inches."""
AROUND = 1.1
"""Height of what stands above and below the rows, in inches."""


def row_chart(names: Sequence[str], headings: Collection[int] = ()) -> tuple[Drawing, Axes, npt.NDArray[np.float64]]:
    """Prepare a chart whose height grows with its rows.

    Args:
        names: What stands at the left of each row, from the top.
        headings: Places of those names that are headings.

    Returns:
        The drawing, its axes, and the rows' places on the y axis.
    """
    lines = [name_lines(name, NAME) for name in names]
    heights = np.array([LINE * len(own) + SPACE for own in lines])
    ends = np.cumsum(heights)
    centres = ends - heights / 2
    drawn = drawing(WIDTH, float(ends[-1]) + AROUND)
    axes = drawn.subplots()
    axes.set_ylim(float(ends[-1]), 0)
    axes.set_yticks(centres.tolist(), ["\n".join(own) for own in lines], fontsize=9, linespacing=1.05, va="center")
    for place in headings:
        axes.get_yticklabels()[place].set_fontweight("bold")
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.set_axisbelow(True)
    # Guides from a name to its mark.
    guided = [float(centre) for place, centre in enumerate(centres) if place not in headings]
    axes.hlines(guided, 0, 1, transform=axes.get_yaxis_transform(), color=PALE, linewidth=0.6, zorder=0.5)
    for side in ("left", "right", "top"):
        axes.spines[side].set_visible(False)
    return drawn, axes, centres


def reference_line(axes: Axes, text: str, at: float = 0.0) -> None:
    """Mark what the rows are compared with."""
    axes.axvline(at, color=DARK, linewidth=1, zorder=1.5)
    axes.text(at, 1, text, transform=axes.get_xaxis_transform(), ha="center", va="bottom", fontsize=8, color=DARK)


def right_column(axes: Axes, centres: Sequence[float], texts: Sequence[str], heading: str) -> None:
    """Write numbers at the right of the rows."""
    beside = axes.get_yaxis_transform()
    for centre, text in zip(centres, texts, strict=True):
        axes.text(1.02, centre, text, transform=beside, va="center", fontsize=8)
    axes.text(1.02, 1, heading, transform=axes.transAxes, va="bottom", fontsize=8, color=DARK)
