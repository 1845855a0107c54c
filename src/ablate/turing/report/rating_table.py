"""The tables of a rating design: mean ratings, and differences of algorithms."""

from collections.abc import Mapping

import numpy as np

from ablate.report.number_format import magnitude, probability, with_interval
from ablate.report.tables import Cell, Table
from ablate.turing.analyse.record import AnalysisRecord
from ablate.turing.report.table import INTERVAL, closing_sentences, experiment_note


def rating_table(record: AnalysisRecord, *, title: str, runs: Mapping[str, str], link: str) -> Table:
    """Return mean ratings, the highest on top.

    Args:
        record: The experiment.
        title: Of the table.
        runs: By id, the variants of the report's runs.
        link: The address of the run that holds the numbers.
    """
    points = record.summary["protocol"]["points"]
    rows = []
    for row in record.rates.sort_values("rating", ascending=False, kind="stable").to_dict("records"):
        seconds = row["median_response_ms"] / 1000
        rows.append(
            [
                Cell(text=str(row["algorithm"])),
                Cell(text=f"{row['participants']:,}", sort=row["participants"]),
                Cell(text=f"{row['trials']:,}", sort=row["trials"]),
                Cell(
                    text=with_interval(row["rating"], row["low"], row["high"], plus=False),
                    sort=row["rating"],
                    link=link,
                    detail="no interval: one participant" if row["participants"] == 1 else "",
                ),
                Cell(text=f"{row['sd']:.2f}", sort=row["sd"], link=link),
                Cell(text="-" if np.isnan(seconds) else f"{seconds:.2f}", sort=seconds),
            ]
        )
    return Table(
        name="ratings",
        title=title,
        headings=[
            "algorithm",
            "participants",
            "trials",
            f"mean rating {INTERVAL} ↑",
            "sd of ratings",
            "median response, s",
        ],
        rows=rows,
        note=f"{experiment_note(record)} Ratings are from 1 to {points}.",
        method=" ".join(
            [
                f"Participants saw a picture at a time, and said how natural its colours looked, from 1 to {points}. "
                "Each rated all algorithms, and each photograph once. Intervals cover participants and photographs, "
                "and are not corrected.",
                *closing_sentences(record, set(runs)),
            ]
        ),
    )


def rated_pairs_table(record: AnalysisRecord, *, title: str, link: str) -> Table:
    """Return a row a pair of algorithms: by how much the one with the higher mean is rated higher."""
    mean = dict(zip(record.rates["algorithm"], record.rates["rating"], strict=True))
    rows = []
    for row in record.pairs.to_dict("records"):
        names, ends = (row["algorithm"], row["other"]), (row["low"], row["high"])
        if row["difference"] < 0:
            names, ends = names[::-1], (-row["high"], -row["low"])
        effect = row["minimum_detectable_effect"]
        rows.append(
            [
                *(Cell(text=str(name)) for name in names),
                Cell(text=with_interval(abs(row["difference"]), *ends), sort=abs(row["difference"]), link=link),
                Cell(text=probability(row["p_corrected"]), sort=row["p_corrected"], link=link),
                Cell(text=magnitude(effect), sort=effect, link=link),
            ]
        )
    rows.sort(key=lambda cells: [-mean[cells[place].text] for place in (0, 1)])
    return Table(
        name="rated_pairs",
        title=title,
        headings=[
            "algorithm",
            "other",
            f"difference, points {INTERVAL}",
            "p, corrected",
            "minimum detectable effect, points",
        ],
        rows=rows,
        names=2,
        note="By how much an algorithm is rated higher than another.",
        method=(
            "Differences are those within people, in points of the scale. p is corrected for the number of pairs by "
            "Holm's method, intervals are not. The minimum detectable effect is the smallest true difference that "
            "such an experiment finds with a power of 80 %."
        ),
    )
