"""Labels beside points, where they cover least."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke
from matplotlib.transforms import Bbox

from ablate.report.figures.figure import DARK, GREY

Array = npt.NDArray[np.float64]
Point = tuple[float, float]

DISTANCES = (9, 14, 22, 32, 46, 64)
"""From a point to its name, in points."""
ANGLES = np.deg2rad(np.arange(0, 360, 15))
OUTSIDE, ON_TEXT, CROSSING = 200.0, 60.0, 4.0
"""What it costs to lie outside of the axes, on another name, or behind another name's line; a mark covered costs 1."""


def place_labels(axes: Axes, texts: Mapping[Point, str], kept_free: Sequence[tuple[float, float, float]]) -> None:
    """Write a text beside each point so that it covers neither other texts nor points, as far as there is room.

    One after the other takes its best place; there is no search for the best of all. adjustText, which searches, hides
    marks of a front behind the labels of others where a panel is full.

    Args:
        axes: Laid out already: its limits and place do not change any more.
        texts: By the point's x and y.
        kept_free: x and y of what texts should not cover, and how bad it is if they do.
    """
    drawn = axes.get_figure(root=True)
    if drawn is None or not texts:
        return
    pixels = drawn.dpi / 72
    inside = axes.get_window_extent().padded(-3 * pixels)
    marks, weights = np.array(kept_free)[:, :2], np.array(kept_free)[:, 2]
    marks = axes.transData.transform(marks)
    taken: list[Bbox] = []
    lines: list[tuple[Point, Point]] = []
    for point, text in texts.items():
        measured = axes.text(*point, text, fontsize=8, linespacing=1.05)
        size = measured.get_window_extent()
        measured.remove()
        x, y = axes.transData.transform(point)
        costs = {}
        for distance in DISTANCES:
            for angle in ANGLES:
                right = math.cos(angle) * (size.width / 2 + distance * pixels)
                up = math.sin(angle) * (size.height / 2 + distance * pixels)
                box = Bbox.from_bounds(x + right - size.width / 2, y + up - size.height / 2, size.width, size.height)
                line = ((x, y), (x + right, y + up))
                costs[right, up] = (
                    OUTSIDE * (1 - _shared(box, inside))
                    + ON_TEXT * sum(_shared(box.padded(2 * pixels), other) for other in taken)
                    + float(weights[_within(marks, box.padded(pixels))].sum())
                    + CROSSING * sum(_cross(line, other) for other in lines)
                    + distance / 16
                )
        right, up = min(costs, key=costs.__getitem__)
        taken.append(Bbox.from_bounds(x + right - size.width / 2, y + up - size.height / 2, size.width, size.height))
        lines.append(((x, y), (x + right, y + up)))
        axes.annotate(
            text, point, (right / pixels, up / pixels), textcoords="offset points", ha="center", va="center",
            fontsize=8, linespacing=1.05, color=DARK, zorder=4, annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": GREY, "linewidth": 0.6, "shrinkA": 1, "shrinkB": 3},
            path_effects=[withStroke(linewidth=2, foreground="white")],
        )  # fmt: skip


def _shared(box: Bbox, other: Bbox) -> float:
    """Return which share of a box another one covers."""
    both = Bbox.intersection(box, other)
    return both.width * both.height / (box.width * box.height) if both else 0.0


def _within(marks: Array, box: Bbox) -> npt.NDArray[np.bool_]:
    inside = (marks > (box.x0, box.y0)) & (marks < (box.x1, box.y1))
    return np.asarray(inside.all(axis=1))


def _cross(line: tuple[Point, Point], other: tuple[Point, Point]) -> bool:
    """Return whether two line segments cross."""

    def side(start: Point, end: Point, point: Point) -> float:
        return (end[0] - start[0]) * (point[1] - start[1]) - (end[1] - start[1]) * (point[0] - start[0])

    return side(*line, other[0]) * side(*line, other[1]) < 0 and side(*other, line[0]) * side(*other, line[1]) < 0
