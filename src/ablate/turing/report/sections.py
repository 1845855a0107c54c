"""The human evaluation in the report: a section for each experiment."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd

from ablate.report.links import Links
from ablate.report.results import Results
from ablate.report.sections import Section
from ablate.report.summary import plain_rows
from ablate.report.tables import Table
from ablate.turing.analyse.record import TABLES, AnalysisRecord, read_analyses
from ablate.turing.report.figures.convincing import convincing
from ablate.turing.report.figures.fooling_rates import fooling_rates
from ablate.turing.report.figures.mean_ratings import mean_ratings
from ablate.turing.report.figures.preferences import preferences
from ablate.turing.report.ranking_table import preferred_pairs_table, ranking_table
from ablate.turing.report.rating_table import rated_pairs_table, rating_table
from ablate.turing.report.table import fooling_rate_table, sensitivity_table

TITLE = "Human evaluation"
PAIRS = 24
"""Pairs of pictures in a report, over all experiments: each is some 100 kB of it."""


def sections(results: Results, links: Links) -> list[Section]:
    """Return a section for each experiment that judged a study's pictures, the newest first.

    The entry point `human_evaluation` of `ablate.report_sections`.

    Raises:
        TrackingError: The analyses cannot be read.
    """
    records = read_analyses(results.study, results.experiment_id, results.uri)
    return [
        _section(with_shown_names(record, results.shown_names), place, len(records), results, links)
        for place, record in enumerate(records)
    ]


def _section(record: AnalysisRecord, place: int, count: int, results: Results, links: Links) -> Section:
    ending = f"-{place + 1}" if place else ""
    title = f"{TITLE}: {record.experiment}" if count > 1 else TITLE
    runs = dict(zip(map(str, results.runs.index), results.runs["variant"], strict=True))
    link = links(pd.Index([record.run_id]))
    tables: list[Table | None]
    if record.is_preference:
        tables = [
            ranking_table(record, title=title, runs=runs, link=link),
            preferred_pairs_table(record, title=f"{title}: pairs", link=link),
        ]
        figures = [preferences(record.rates, name=f"preferences{ending}")]
    elif record.is_rating:
        tables = [
            rating_table(record, title=title, runs=runs, link=link),
            rated_pairs_table(record, title=f"{title}: pairs", link=link),
        ]
        figures = [
            mean_ratings(record.rates, points=record.summary["protocol"]["points"], name=f"ratings{ending}"),
        ]
    else:
        tables = [
            fooling_rate_table(record, title=title, runs=runs, link=link),
            sensitivity_table(record, title=f"{title}: sensitivity", runs=runs, link=link),
        ]
        by_rate = record.rates.sort_values("rate", ascending=False, kind="stable")["algorithm"].tolist()
        figures = [
            fooling_rates(record.rates, name=f"fooling_rates{ending}"),
            convincing(record.pictures, order=by_rate, most=max(PAIRS // count, 2), name=f"convincing{ending}"),
        ]
    return Section(
        title=title,
        tables=[table for table in tables if table is not None],
        figures=[figure for figure in figures if figure is not None],
        summary=_summary(record),
    )


def _summary(record: AnalysisRecord) -> dict[str, object]:
    """Return an experiment as JSON knows it."""
    return {
        **{name: value for name, value in record.summary.items() if name != "answer"},
        "run_id": record.run_id,
        "rates": plain_rows(record.rates),
        "pairs": plain_rows(record.pairs),
        "exclusions": plain_rows(record.exclusions),
    }


def with_shown_names(record: AnalysisRecord, shown_names: Mapping[str, str]) -> AnalysisRecord:
    """Give variants the names that the report shows; another system, which no run coloured, keeps its own."""
    algorithms: Sequence[Mapping[str, str | None]] = record.summary["algorithms"]
    given = [(str(each["name"]), each["run_id"]) for each in algorithms]
    short = {name: shown_names.get(name, name) if run else name for name, run in given}
    for name in record.rates["algorithm"]:  # the real picture, where it is compared
        short.setdefault(str(name), str(name))
    if len(set(short.values())) < len(short):
        # Another system is called what a variant is called in short.
        return record
    tables = {
        table: frame.assign(
            **{column: frame[column].map(short) for column in ("algorithm", "other") if column in frame}
        )
        for table in TABLES
        for frame in [getattr(record, table)]
    }
    renamed = [{**each, "name": short[str(each["name"])]} for each in algorithms]
    return replace(record, **tables, summary={**record.summary, "algorithms": renamed})
