"""The differences of algorithms in sentences."""

import numpy as np
import pandas as pd

from ablate.report.number_format import magnitude, probability, quantity, with_interval
from ablate.statistics.intervals import ALPHA


def difference_sentences(pairs: pd.DataFrame, more_than: str, points: str = "points") -> list[str]:
    """Return sentences on which of two algorithms differ.

    Args:
        pairs: See `rates.PAIRS`.
        more_than: What stands between the higher and the lower one, such as `fools more often than`.
        points: What differences are in.
    """
    pairs = pairs[pairs["p_corrected"].notna()]
    sentences = []
    found = pairs["p_corrected"] < ALPHA
    for row in pairs[found].sort_values("p", kind="stable").to_dict("records"):
        more = row["difference"] > 0
        first, second = (row["algorithm"], row["other"]) if more else (row["other"], row["algorithm"])
        ends = (row["low"], row["high"]) if more else (-row["high"], -row["low"])
        size = with_interval(abs(row["difference"]), *ends, plus=False)
        sentences.append(f"{first} {more_than} {second}: by {size} {points}, p {p_text(row['p_corrected'])}.")
    unclear = pairs[~found]
    if len(unclear):
        sentences.append(
            f"Of {quantity(len(unclear), 'pair')} no difference was found. "
            + _minimum_detectable(unclear["minimum_detectable_effect"], points)
        )
    return sentences


def _minimum_detectable(effects: "pd.Series[float]", points: str) -> str:
    known = effects[np.isfinite(effects)]
    if known.empty:
        return "The experiment is too small to find any."
    effect = " to ".join(dict.fromkeys(magnitude(value) for value in (known.min(), known.max())))
    too_few = f"; of {len(effects) - len(known)} of them more than there can be" if len(known) < len(effects) else ""
    return f"The minimum detectable effect is {effect} {points}{too_few}."


def p_text(value: float) -> str:
    """Write a p-value behind the letter p."""
    text = probability(value)
    return text if text.startswith("<") else f"= {text}"
