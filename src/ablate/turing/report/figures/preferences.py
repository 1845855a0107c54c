"""The figure of a preference design: a forest plot of how often algorithms are preferred."""

import numpy as np
import pandas as pd
from matplotlib.artist import Artist

from ablate.report.figures.figure import DARK, Figure, figure_files, report_style
from ablate.report.figures.forest import MOST, Row, forest, key, outermost
from ablate.report.number_format import with_interval
from ablate.turing.analyse.rates import CHANCE


def preferences(ranking: pd.DataFrame, *, name: str) -> Figure | None:
    """Draw how often each algorithm is preferred to the others, with 95 % intervals, the first of the ranking on top.

    Args:
        ranking: Columns algorithm, share, low, high (percent of pairs, on average over the others).
        name: Of the figure's files.

    Returns:
        The figure; None where there is no ranking.
    """
    finite = ranking[np.isfinite(ranking["share"].astype(float))].sort_values("share", ascending=False, kind="stable")
    if finite.empty:
        return None
    rows = [
        Row(str(row["algorithm"]), row["share"], row["low"], row["high"], "o", DARK)
        for row in finite.to_dict("records")
    ]
    with report_style():
        legend: list[Artist] = [key("share of pairs in which it is preferred", "o", DARK)]
        drawn = forest(
            outermost(rows), xlabel="preferred, % of pairs with the others (right is better)",
            line="mean of all, 50 %", at=CHANCE, legend=legend, heading="share [95 % interval]", plus=False,
        )  # fmt: skip
        made = figure_files(drawn)
    ends = [
        f"{row.name} {with_interval(row.value, row.low, row.high, plus=False)} %"
        for row in (rows if len(rows) == 1 else [rows[0], rows[-1]])
    ]
    sentences = [
        "A mark is how often an algorithm's picture is found more natural than another's, by Bradley and Terry's "
        "model and on average over the others; a line is its 95 % interval over participants and photographs. "
        "Intervals that overlap do not say that there is no difference: the table of pairs does."
    ]
    if any(row.interval is None for row in rows):
        sentences.append("A mark without a line has no interval.")
    if len(rows) > MOST:
        sentences.append(f"Of {len(rows)} algorithms, the {MOST // 2} highest and the {MOST // 2} lowest are drawn.")
    return Figure(
        name=name,
        title="Preferences",
        alt=(
            f"How often {len(rows)} algorithms are preferred, with 95 % intervals around the mean of all, 50 %, from "
            f"{' at the top to '.join(ends)}{' at the bottom' if len(ends) > 1 else ''}."
        ),
        caption="How often a picture is found more natural than those of the others, with 95 % intervals.",
        files=made,
        method=" ".join(sentences),
    )
