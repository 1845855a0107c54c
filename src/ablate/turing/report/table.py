"""The tables of fooling rates: who was fooled how often, and how well pictures were told apart."""

from collections.abc import Mapping, Set
from typing import Any

import numpy as np
import pandas as pd

from ablate.config.variant import BASELINE
from ablate.report.number_format import magnitude, probability, quantity, with_interval
from ablate.report.tables import Cell, Table
from ablate.turing.analyse.record import AnalysisRecord
from ablate.turing.analyse.turned_away_text import turned_away_words

CHANCE_TEXT = "50\N{NO-BREAK SPACE}%"
INTERVAL = "[95\N{NO-BREAK SPACE}%]"


def fooling_rate_table(record: AnalysisRecord, *, title: str, runs: Mapping[str, str], link: str) -> Table:
    """Return the table of fooling rates.

    Args:
        record: The experiment.
        title: Of the table.
        runs: By id, the variants of the report's runs, in order; other algorithms stand below them.
        link: The address of the run that holds the rates.
    """
    rates = _in_order(record, runs)
    differences = _differences_from_baseline(record)
    highest = record.rates["rate"].max() if len(record.rates["rate"].unique()) > 1 else np.nan
    rows = []
    for name, row in rates.items():
        compared = _difference_cells(differences.get(name), name == BASELINE, link) if differences else []
        seconds = row["median_response_ms"] / 1000
        rows.append(
            [
                Cell(text=name),
                Cell(text=f"{row['participants']:,}", sort=row["participants"]),
                Cell(text=f"{row['trials']:,}", sort=row["trials"]),
                Cell(
                    text=with_interval(row["rate"], row["low"], row["high"], plus=False),
                    sort=row["rate"],
                    link=link,
                    detail="no interval: one participant" if row["participants"] == 1 else "",
                    strong=row["rate"] == highest,
                ),
                Cell(text=probability(row["p_corrected"]), sort=row["p_corrected"], link=link),
                *compared,
                Cell(text="-" if np.isnan(seconds) else f"{seconds:.2f}", sort=seconds),
            ]
        )
    tests = (
        [f"difference, points {INTERVAL}", "p, corrected", "minimum detectable effect, points"] if differences else []
    )
    return Table(
        name="fooling_rates",
        title=title,
        headings=[
            "algorithm",
            "participants",
            "trials",
            f"fooling rate, % {INTERVAL} ↑",
            f"p against {CHANCE_TEXT}, corrected",
            *(tests if differences else []),
            "median response, s",
        ],
        rows=rows,
        note=f"{experiment_note(record)} At 50 % they guess.",
        method=_method(record, set(runs), compared=bool(differences)),
    )


def sensitivity_table(record: AnalysisRecord, *, title: str, runs: Mapping[str, str], link: str) -> Table | None:
    """Return how well the real picture was told from each algorithm's, and how often the left one was chosen.

    Args:
        record: The experiment.
        title: Of the table.
        runs: See `fooling_rate_table`.
        link: The address of the run that holds the numbers.

    Returns:
        The table; None for an analysis of an earlier version, which has neither.
    """
    if "d_prime" not in record.rates:
        return None
    return Table(
        name="sensitivity",
        title=title,
        headings=["algorithm", f"d\N{PRIME} {INTERVAL} ↓", f"left chosen, % {INTERVAL}"],
        rows=[
            [Cell(text=name), *(_interval_cell(row, column, link) for column in ("d_prime", "left"))]
            for name, row in _in_order(record, runs).items()
        ],
        note="How well the real picture was told from the other, and how often the left one was taken for the fake.",
        method=(
            "d\N{PRIME} is in standard deviations, and has nothing of which side people prefer: at 0 they guess. Of "
            "what is chosen on the left, the sides on which the fake was count alike. Intervals cover participants "
            "and photographs. The method: docs/turing_designs.md."
        ),
    )


def _in_order(record: AnalysisRecord, runs: Mapping[str, str]) -> dict[str, Mapping[Any, Any]]:
    """Return rates by algorithm, in the order in which tables have them."""
    rates = {str(row["algorithm"]): row for row in record.rates.to_dict("records")}
    variants = [name for name in dict.fromkeys(runs.values()) if name in rates]
    return {name: rates[name] for name in dict.fromkeys([*variants, *rates])}


def _differences_from_baseline(record: AnalysisRecord) -> dict[str, Mapping[Any, Any]]:
    """Return, by algorithm, its difference from the baseline; nothing where the baseline was not judged."""
    if BASELINE not in (each["name"] for each in record.summary["algorithms"] if each["run_id"]):
        return {}  # External pictures of that name are not the baseline's.
    pairs = record.pairs
    turned = pairs.assign(
        algorithm=pairs["other"],
        other=pairs["algorithm"],
        difference=-pairs["difference"],
        low=-pairs["high"],
        high=-pairs["low"],
    )
    both = pd.concat([pairs, turned])
    return {str(row["algorithm"]): row for row in both[both["other"] == BASELINE].to_dict("records")}


def _difference_cells(row: Mapping[Any, Any] | None, is_baseline: bool, link: str) -> list[Cell]:
    if row is None:
        return [Cell(text="" if is_baseline else "-", sort=np.nan) for _ in range(3)]
    return [
        Cell(text=with_interval(row["difference"], row["low"], row["high"]), sort=row["difference"], link=link),
        Cell(text=probability(row["p_corrected"]), sort=row["p_corrected"], link=link),
        Cell(text=magnitude(row["minimum_detectable_effect"]), sort=row["minimum_detectable_effect"], link=link),
    ]


def _interval_cell(row: Mapping[Any, Any], name: str, link: str) -> Cell:
    text = with_interval(row[name], row[f"{name}_low"], row[f"{name}_high"], plus=False)
    return Cell(text=text, sort=row[name], link=link)


def experiment_note(record: AnalysisRecord) -> str:
    """Return who took part."""
    people = record.summary["participants"]
    # Analyses of earlier versions did not count who withdrew: nobody could.
    gone = people.get("withdrawn", 0)
    turned_away = record.summary.get("turned_away") or {}
    away = f" Turned away before they began: {turned_away_words(turned_away)}." if turned_away else ""
    return (
        f"Experiment {record.experiment}: {quantity(people['started'], 'participant')}, {people['finished']:,} of "
        f"them to the end; {people['kept']:,} count{f'; {gone:,} withdrew' if gone else ''}."
        f"{away}"
    )


def _method(record: AnalysisRecord, runs: Set[str], *, compared: bool) -> str:
    sentences = [
        "The fooling rate is the share of trials in which the recoloured "
        "picture was taken for the real one: at 50 % participants guess. Its interval covers "
        "participants and photographs, and is not corrected; p is, for the number of algorithms, by Holm's method."
    ]
    if compared:
        sentences.append(
            "Differences are from the baseline, in percentage points; their p is corrected for all pairs. The minimum "
            "detectable effect is the smallest true difference that such an experiment finds with a power of 80 %."
        )
    if record.summary.get("protocol", {}).get("design") == "within":
        sentences.append("Each participant judged all algorithms: differences are those within people.")
    return " ".join([*sentences, *closing_sentences(record, runs)])


def closing_sentences(record: AnalysisRecord, runs: Set[str]) -> list[str]:
    """Return what a reader must know of any design: who does not count, and what is not in the table.

    Args:
        record: The experiment.
        runs: The report's, by id.
    """
    sentences = [_exclusions(record.exclusions), *record.summary.get("warnings", [])]
    if not record.summary["closed"]:
        sentences.append("The experiment was still open when it was analysed.")
    known = set(record.rates["algorithm"])
    nobody = [each["name"] for each in record.summary["algorithms"] if each["name"] not in known]
    if nobody:
        sentences.append(f"No answer counts of: {'; '.join(nobody)}.")
    others = [each["name"] for each in record.summary["algorithms"] if each["run_id"] and each["run_id"] not in runs]
    if others:
        sentences.append(f"Coloured by runs that are not compared in this report: {'; '.join(others)}.")
    page = "turing_designs" if record.summary.get("protocol", {}).get("design") else "turing"
    return [*sentences, f"The method: docs/{page}.md."]


def _exclusions(exclusions: pd.DataFrame) -> str:
    if exclusions.empty:
        return "No rule leaves anything out."
    rules = "; ".join(
        f"{row['rule']} ({quantity(row['participants'], 'participant')}, {quantity(row['trials'], 'trial')})"
        if row["participants"] or row["trials"]
        else f"{row['rule']} (none)"
        for row in exclusions.to_dict("records")
    )
    return f"Left out by rules fixed before the first answer: {rules}."
