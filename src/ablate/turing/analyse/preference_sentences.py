"""The answer of a preference design in sentences."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ablate.report.number_format import magnitude, probability, quantity, with_interval
from ablate.statistics.intervals import ALPHA


def preference_sentences(compared: Sequence[str], ranking: pd.DataFrame, pairs: pd.DataFrame) -> list[str]:
    """Return sentences on what a ranking and its pairs show.

    Args:
        compared: All that the experiment compares.
        ranking: See `preference.RANKING`.
        pairs: See `preference.PREFERENCES`.
    """
    judged = ranking["algorithm"].tolist()
    nobody = [name for name in compared if name not in judged]
    sentences = [f"No answer counts yet of {'; '.join(nobody)}."] if nobody else []
    if ranking.empty:
        return sentences
    if ranking["strength"].isna().any():
        return [*sentences, "No ranking yet: not all were compared with each other, directly or by way of others."]
    ranked = ranking.sort_values("rank", kind="stable").to_dict("records")
    listed = "; ".join(
        f"{row['algorithm']} {with_interval(row['share'], row['low'], row['high'], plus=False)} %" for row in ranked
    )
    sentences.append(f"Found more natural in so many of the pairs, on average over the others: {listed}.")
    if ranking["low"].isna().any():
        return [*sentences, "Judged by one participant, so that nothing is known of other people."]
    sentences.append(f"Ranks, with 95 % for all at once: {'; '.join(_with_ranks(row) for row in ranked)}.")
    return sentences + _on_pairs(pairs)


def ranks(row: Mapping[Any, Any]) -> str:
    """Write the ranks that an algorithm can have."""
    best, worst = int(row["best_rank"]), int(row["worst_rank"])
    return f"{best}" if best == worst else f"{best} to {worst}"


def _with_ranks(row: Mapping[Any, Any]) -> str:
    return f"{row['algorithm']} {ranks(row)}"


def _on_pairs(pairs: pd.DataFrame) -> list[str]:
    known = pairs[pairs["p_corrected"].notna()]
    found = known["p_corrected"] < ALPHA
    sentences = []
    for row in known[found].sort_values("p", kind="stable").to_dict("records"):
        ahead = row["probability"] > 50
        first, second = (row["algorithm"], row["other"]) if ahead else (row["other"], row["algorithm"])
        value, low, high = (row[name] if ahead else 100 - row[name] for name in ("probability", "low", "high"))
        size = with_interval(value, min(low, high), max(low, high), plus=False)
        p = probability(row["p_corrected"])
        said = p if p.startswith("<") else f"= {p}"
        sentences.append(f"{first} is found more natural than {second}: in {size} % of pairs, p {said}.")
    unclear = known.loc[~found, "minimum_detectable_effect"]
    if len(unclear):
        finite = unclear[np.isfinite(unclear)]
        effect = " to ".join(dict.fromkeys(magnitude(value) for value in (finite.min(), finite.max())))
        sentences.append(
            f"Of {quantity(len(unclear), 'pair')} no preference was found. The minimum detectable effect is {effect} "
            "points from 50 %."
        )
    return sentences
