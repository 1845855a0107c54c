"""The tables of a preference design: the ranking of algorithms, and their pairs."""

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np

from ablate.report.number_format import magnitude, probability, with_interval
from ablate.report.tables import Cell, Table
from ablate.turing.analyse.preference_sentences import ranks
from ablate.turing.analyse.record import AnalysisRecord
from ablate.turing.report.table import CHANCE_TEXT, INTERVAL, closing_sentences, experiment_note

_ONE = "no interval: one participant"


def ranking_table(record: AnalysisRecord, *, title: str, runs: Mapping[str, str], link: str) -> Table:
    """Return the ranking, the first algorithm on top.

    Args:
        record: The experiment.
        title: Of the table.
        runs: By id, the variants of the report's runs.
        link: The address of the run that holds the numbers.
    """
    rows = []
    for row in record.rates.sort_values("rank", kind="stable").to_dict("records"):
        seconds, known = row["median_response_ms"] / 1000, not np.isnan(row["strength"])
        rows.append(
            [
                Cell(text=str(row["algorithm"])),
                Cell(text=f"{row['participants']:,}", sort=row["participants"]),
                Cell(text=f"{row['trials']:,}", sort=row["trials"]),
                Cell(
                    text=with_interval(row["share"], row["low"], row["high"], plus=False),
                    sort=row["share"],
                    link=link,
                    detail=_ONE if known and np.isnan(row["low"]) else "",
                ),
                Cell(text=ranks(row) if known else "-", sort=row["rank"], link=link),
                Cell(text=f"{row['strength']:+.2f}" if known else "-", sort=row["strength"], link=link),
                Cell(text="-" if np.isnan(seconds) else f"{seconds:.2f}", sort=seconds),
            ]
        )
    return Table(
        name="preferences",
        title=title,
        headings=[
            "algorithm",
            "participants",
            "trials",
            f"preferred, % {INTERVAL} ↑",
            "rank",
            "strength, log odds",
            "median response, s",
        ],
        rows=rows,
        note=f"{experiment_note(record)} Preferred: on average over the others; 50 % is the mean of all.",
        method=" ".join(
            [
                "Participants saw a photograph in two algorithms' colours, and chose the more natural picture. "
                "Strengths are those of Bradley and Terry's model; intervals cover participants and photographs. "
                "Ranks are those that the corrected comparisons of all pairs leave, with 95 % for all algorithms at "
                "once.",
                *closing_sentences(record, set(runs)),
            ]
        ),
    )


def preferred_pairs_table(record: AnalysisRecord, *, title: str, link: str) -> Table:
    """Return a row a pair of algorithms: how often the first is preferred, by the model and by direct comparison."""
    rows = [
        [
            Cell(text=str(row["algorithm"])),
            Cell(text=str(row["other"])),
            Cell(
                text=with_interval(row["probability"], row["low"], row["high"], plus=False),
                sort=row["probability"],
                link=link,
            ),
            Cell(text=probability(row["p_corrected"]), sort=row["p_corrected"], link=link),
            Cell(text=magnitude(row["minimum_detectable_effect"]), sort=row["minimum_detectable_effect"], link=link),
            Cell(text="-" if np.isnan(row["preferred"]) else f"{row['preferred']:.0f}", sort=row["preferred"]),
            Cell(text=f"{row['trials']:,}", sort=row["trials"]),
        ]
        for row in _strongest_first(record)
    ]
    return Table(
        name="preferred_pairs",
        title=title,
        headings=[
            "algorithm",
            "other",
            f"preferred to the other, % {INTERVAL}",
            f"p against {CHANCE_TEXT}, corrected",
            "minimum detectable effect, points",
            "preferred directly, %",
            "direct trials",
        ],
        rows=rows,
        names=2,
        note="How often the picture of an algorithm is found more natural than that of another.",
        method=(
            "By Bradley and Terry's model, which takes what is said of one pair from all; beside it what was said of "
            "that pair alone: where the two differ by much, no one scale orders the algorithms. p is corrected for "
            "the number of pairs by Holm's method, intervals are not. The minimum detectable effect is how far from "
            "50 % a preference is that such an experiment finds with a power of 80 %."
        ),
    )


def _strongest_first(record: AnalysisRecord) -> list[dict[Hashable, Any]]:
    """Return pairs in the order of the ranking, the stronger algorithm of each before the other."""
    ranked = record.rates.sort_values("rank", kind="stable")["algorithm"].tolist()
    pairs = record.pairs
    turned = pairs["algorithm"].map(ranked.index) > pairs["other"].map(ranked.index)
    other_way = pairs.assign(
        algorithm=pairs["other"],
        other=pairs["algorithm"],
        probability=100 - pairs["probability"],
        low=100 - pairs["high"],
        high=100 - pairs["low"],
        preferred=100 - pairs["preferred"],
    )
    return (
        pairs.where(~turned, other_way)
        .sort_values(["algorithm", "other"], key=lambda names: names.map(ranked.index), kind="stable")
        .to_dict("records")
    )
