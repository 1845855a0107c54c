"""The figure of a preference design: a forest plot of how often algorithms are preferred."""

import pandas as pd

from ablate.report.figures.figure import DARK, Figure
from ablate.report.figures.forest import Row
from ablate.turing.report.figures.ordered import from_the_highest, ordered_figure


def preferences(ranking: pd.DataFrame, *, name: str) -> Figure | None:
    """Draw how often each algorithm is preferred to the others, with 95 % intervals, the first of the ranking on top.

    Args:
        ranking: Columns algorithm, share, low, high (percent of pairs, on average over the others).
        name: Of the figure's files.

    Returns:
        The figure; None where there is no ranking.
    """
    rows = [
        Row(str(row["algorithm"]), row["share"], row["low"], row["high"], "o", DARK)
        for row in from_the_highest(ranking, "share").to_dict("records")
    ]
    if not rows:
        return None
    return ordered_figure(
        rows,
        name=name,
        title="Preferences",
        xlabel="preferred, % of pairs with the others",
        line="the mean of all, 50 %",
        heading="share",
        seen=f"How often {len(rows)} algorithms are preferred",
        caption="How often a picture is found more natural than those of the others, with 95 % intervals.",
        method=(
            "A mark is how often an algorithm's picture is found more natural than another's, by Bradley and Terry's "
            "model and on average over the others; a line is its 95 % interval over participants and photographs. "
            "Intervals that overlap do not say that there is no difference: the table of pairs does."
        ),
    )
