"""A forest plot of shares of trials, in percent, around 50 %."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.artist import Artist

from ablate.report.figures.figure import Figure, figure_files, report_style
from ablate.report.figures.forest import MOST, Row, forest, outermost
from ablate.report.number_format import with_interval
from ablate.turing.analyse.rates import CHANCE


def from_the_highest(frame: pd.DataFrame, share: str) -> pd.DataFrame:
    """Return the rows whose share, a column, is known, the highest first."""
    return frame[np.isfinite(frame[share].astype(float))].sort_values(share, ascending=False, kind="stable")


def share_figure(
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
) -> Figure:
    """Draw shares with their intervals.

    Args:
        rows: At least one, the highest share first.
        name: Of the figure's files.
        title: Of the figure.
        xlabel: What the shares are.
        line: What stands at 50 %.
        heading: Of the numbers at the right.
        seen: What is seen, for those who do not see it; the first and the last row are added.
        caption: What the marks are.
        method: How they came about; what is not drawn is added.
        found: A sentence after `seen`.
        legend: What the marks' shapes mean.
    """
    with report_style():
        drawn = forest(
            outermost(rows), xlabel=f"{xlabel} (right is better)", line=line, at=CHANCE, legend=legend,
            heading=f"{heading} [95 % interval]", plus=False,
        )  # fmt: skip
        made = figure_files(drawn)
    ends = [
        f"{row.name} {with_interval(row.value, row.low, row.high, plus=False)} %"
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
