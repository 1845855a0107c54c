"""The figure of fooling rates: a forest plot around chance."""

import math
from collections import Counter

import numpy as np
import pandas as pd
from matplotlib.artist import Artist

from ablate.report.figures.figure import BLUE, DARK, RED, Figure, figure_files, report_style
from ablate.report.figures.forest import ALPHA, MOST, OTHER, Row, forest, key, outermost
from ablate.report.number_format import with_interval
from ablate.turing.analyse.rates import CHANCE

BELOW_CHANCE, NO_DIFFERENCE, ABOVE_CHANCE = "below chance", "no difference from chance found", "above chance"
_SHAPES = {ABOVE_CHANCE: ("^", BLUE), NO_DIFFERENCE: ("o", DARK), BELOW_CHANCE: ("v", RED)}


def fooling_rates(rates: pd.DataFrame, *, name: str) -> Figure | None:
    """Draw how often each algorithm's pictures were taken for real, with 95 % intervals, the highest rate on top.

    Args:
        rates: Columns algorithm, rate, low, high (percent of trials), p_corrected (against chance).
        name: Of the figure's files.

    Returns:
        The figure; None where no rate is known.
    """
    finite = rates[np.isfinite(rates["rate"].astype(float))].sort_values("rate", ascending=False, kind="stable")
    if finite.empty:
        return None
    words = [verdict(row["rate"], row["p_corrected"]) for row in finite.to_dict("records")]
    rows = [
        Row(str(row["algorithm"]), row["rate"], row["low"], row["high"], *_SHAPES.get(word, OTHER))
        for row, word in zip(finite.to_dict("records"), words, strict=True)
    ]
    counts = Counter(words)
    known = [word for word in (*_SHAPES, "") if counts[word]]
    with report_style():
        legend: list[Artist] = [
            key(f"{word or 'not tested'} ({counts[word]})", *_SHAPES.get(word, OTHER)) for word in known
        ]
        drawn = forest(
            outermost(rows), xlabel="fooling rate, % of trials (right is better)", line="chance, 50 %", at=CHANCE,
            legend=legend, heading="rate [95 % interval]", plus=False,
        )  # fmt: skip
        made = figure_files(drawn)
    ends = [
        f"{row.name} {with_interval(row.value, row.low, row.high, plus=False)} %"
        for row in (rows if len(rows) == 1 else [rows[0], rows[-1]])
    ]
    found = ", ".join(f"{counts[word]} {word or 'not tested'}" for word in known)
    sentences = [
        "A mark is the share of the trials in which a recoloured picture was taken for the real one, a line its 95 % "
        "interval over participants and photographs. Marks "
        f"take their shape from the p against 50 %, corrected for the number of algorithms, with {ALPHA} as the bound."
    ]
    if any(row.interval is None for row in rows):
        sentences.append("A mark without a line has no interval.")
    if len(rows) > MOST:
        sentences.append(f"Of {len(rows)} algorithms, the {MOST // 2} highest and the {MOST // 2} lowest are drawn.")
    return Figure(
        name=name,
        title="Fooling rates",
        alt=(
            f"Fooling rates with 95 % intervals around chance, 50 %, from {' at the top to '.join(ends)}"
            f"{' at the bottom' if len(ends) > 1 else ''}. Of {len(rows)}: {found}."
        ),
        caption="How often a picture was taken for the real one, with 95 % intervals; at 50 % participants guess.",
        files=made,
        method=" ".join(sentences),
    )


def verdict(rate: float, p_corrected: float) -> str:
    """Say what a rate and its corrected p against chance mean; nothing without a p."""
    if math.isnan(p_corrected):
        return ""
    return NO_DIFFERENCE if p_corrected >= ALPHA else BELOW_CHANCE if rate < CHANCE else ABOVE_CHANCE
