"""The figure of a rating design: a forest plot of mean ratings."""

import pandas as pd

from ablate.report.figures.figure import DARK, Figure
from ablate.report.figures.forest import Row
from ablate.turing.report.figures.ordered import from_the_highest, ordered_figure


def mean_ratings(ratings: pd.DataFrame, *, points: int, name: str) -> Figure | None:
    """Draw how each algorithm was rated, with 95 % intervals, the highest mean on top.

    Args:
        ratings: Columns algorithm, rating, low, high (points of the scale).
        points: Of the scale.
        name: Of the figure's files.

    Returns:
        The figure; None without ratings.
    """
    rows = [
        Row(str(row["algorithm"]), row["rating"], row["low"], row["high"], "o", DARK)
        for row in from_the_highest(ratings, "rating").to_dict("records")
    ]
    if not rows:
        return None
    middle = (1 + points) / 2
    return ordered_figure(
        rows,
        name=name,
        title="Ratings",
        xlabel=f"mean rating of how natural pictures look, 1 to {points}",
        line=f"middle of the scale, {middle:g}",
        at=middle,
        unit="",
        heading="mean",
        seen=f"Mean ratings of {len(rows)} algorithms",
        caption=f"How natural pictures look to people, from 1 to {points}, with 95 % intervals.",
        method=(
            "A mark is the mean of all ratings of an algorithm's pictures, a line its 95 % interval over participants "
            "and photographs. Intervals that overlap do not say that there is no difference: each participant rated "
            "all algorithms, and the table of pairs compares them within people."
        ),
    )
