"""A forest plot of one number an algorithm, the highest on top."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.artist import Artist

from ablate.report.figures.figure import Figure, figure_files, report_style
from ablate.report.figures.forest import MOST, Row, forest, outermost
from ablate.report.number_format import with_interval
from ablate.turing.analyse.rates import CHANCE


def from_the_highest(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return the rows whose number, in a column, is known, the highest first."""
    return frame[np.isfinite(frame[column].astype(float))].sort_values(column, ascending=False, kind="stable")


def ordered_figure(
    rows: Sequence[Row],
    *,
    name: str,
    title: str,
    xlabel: str,
    line: str,
    heading: str,
    seen: str,
    caption: str,
    method: str,
    found: str = "",
    legend: Sequence[Artist] = (),
    at: float = CHANCE,
    unit: str = " %",
) -> Figure:
    """Draw numbers with their intervals.

    Args:
        rows: At least one, the highest first.
        name: Of the figure's files.
        title: Of the figure.
        xlabel: What the numbers are.
        line: What stands at the line that they are compared with.
        heading: Of the numbers at the right.
        seen: What is seen, for those who do not see it; the first and the last row are added.
        caption: What the marks are.
        method: How they came about; what is not drawn is added.
        found: A sentence after `seen`.
        legend: What the marks' shapes mean.
        at: Where the line is.
        unit: Behind a number.
    """
    with report_style():
        drawn = forest(
            outermost(rows), xlabel=f"{xlabel} (right is better)", line=line, at=at, legend=legend,
            heading=f"{heading} [95 % interval]", plus=False,
        )  # fmt: skip
        made = figure_files(drawn)
    ends = [
        f"{row.name} {with_interval(row.value, row.low, row.high, plus=False)}{unit}"
        for row in (rows if len(rows) == 1 else [rows[0], rows[-1]])
    ]
    sentences = [method]
    if any(row.interval is None for row in rows):
        sentences.append("A mark without a line has no interval.")
    if len(rows) > MOST:
        sentences.append(f"Of {len(rows)} algorithms, the {MOST // 2} highest and the {MOST // 2} lowest are drawn.")
    span = f"{' at the top to '.join(ends)}{' at the bottom' if len(ends) > 1 else ''}"
    return Figure(
        name=name,
        title=title,
        alt=" ".join(filter(None, (f"{seen}, with 95 % intervals around {line}, from {span}.", found))),
        caption=caption,
        files=made,
        method=" ".join(sentences),
    )
