"""The figure of fooling rates: a forest plot around chance."""

import math
from collections import Counter

import pandas as pd

from ablate.report.figures.figure import BLUE, DARK, RED, Figure
from ablate.report.figures.forest import ALPHA, OTHER, Row, key
from ablate.turing.analyse.rates import CHANCE
from ablate.turing.report.figures.ordered import from_the_highest, ordered_figure

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
    known = from_the_highest(rates, "rate").to_dict("records")
    if not known:
        return None
    words = [verdict(row["rate"], row["p_corrected"]) for row in known]
    counts = Counter(words)
    said = {word: word or "not tested" for word in (*_SHAPES, "") if counts[word]}
    found = ", ".join(f"{counts[word]} {text}" for word, text in said.items())
    return ordered_figure(
        [
            Row(str(row["algorithm"]), row["rate"], row["low"], row["high"], *_SHAPES.get(word, OTHER))
            for row, word in zip(known, words, strict=True)
        ],
        name=name,
        title="Fooling rates",
        xlabel="fooling rate, % of trials",
        line="chance, 50 %",
        heading="rate",
        legend=[key(f"{text} ({counts[word]})", *_SHAPES.get(word, OTHER)) for word, text in said.items()],
        seen="Fooling rates",
        found=f"Of {len(known)}: {found}.",
        caption="How often a picture was taken for the real one, with 95 % intervals; at 50 % participants guess.",
        method=(
            "A mark is the share of the trials in which a recoloured picture was taken for the real one, a line its "
            "95 % interval over participants and photographs. Marks take their shape from the p against 50 %, "
            f"corrected for the number of algorithms, with {ALPHA} as the bound."
        ),
    )


def verdict(rate: float, p_corrected: float) -> str:
    """Say what a rate and its corrected p against chance mean; nothing without a p."""
    if math.isnan(p_corrected):
        return ""
    return NO_DIFFERENCE if p_corrected >= ALPHA else BELOW_CHANCE if rate < CHANCE else ABOVE_CHANCE
