"""Cells and tables of a report, as text: every form shows the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ablate.report.number_format import number
from ablate.report.results import Results

MORE = "More: docs/statistics.md."


@dataclass(frozen=True, kw_only=True)
class Cell:
    """What a table says at one place.

    Attributes:
        text: That.
        sort: What it is sorted by; None for its text.
        detail: A second line.
        link: Where the number comes from.
        strong: Whether it is the best of its column.
        kind: What a page may colour it by.
        mark: A sign before the text, see `marks`.
    """

    text: str
    sort: float | None = None
    detail: str = ""
    link: str = ""
    strong: bool = False
    kind: str = ""
    mark: str = ""

    @property
    def marked(self) -> str:
        """The text after its mark."""
        return " ".join(filter(None, (self.mark, self.text)))


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table.

    Attributes:
        name: Of the table.
        title: Its heading.
        headings: Of its columns.
        rows: Its cells.
        footer: The trivial baselines below them.
        note: What its numbers are, in two lines at most; no markup.
        remarks: What a choice of columns and rows makes a reader need to know; no markup.
        method: How they come about, which a page shows on demand; no markup.
        names: How many of the first columns hold names, which are read from the left.
    """

    name: str
    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    footer: Sequence[Sequence[Cell]] = ()
    note: str = ""
    remarks: str = ""
    method: str = ""
    names: int = 1

    @property
    def footnote(self) -> str:
        """What stands below the table in a paper, which has no pages to refer to."""
        return " ".join(filter(None, (self.remarks, self.method.removesuffix(MORE).strip())))


def heading(spec: Mapping[str, Any]) -> str:
    """Return what a metric's column is headed: its label, its unit, and which direction is better."""
    arrow = " ↑" if spec["higher_is_better"] is True else " ↓" if spec["higher_is_better"] is False else ""
    return f"{spec['label']}{', ' + str(spec['unit']) if spec['unit'] else ''}{arrow}"


def mean_sd(row: Mapping[str, Any]) -> str:
    """Write a mean and its standard deviation over seeds, where there is one."""
    deviation = row["sd"]
    if np.isnan(deviation):
        return number(row["mean"])
    return f"{number(row['mean'])} ± {f'{deviation:.2g}' if deviation < 100 else f'{deviation:,.0f}'}"


def runs_of(results: Results, variant: str) -> pd.Index:
    """Return the runs of a variant."""
    return results.runs.index[results.runs["variant"] == variant]


def rows_by_variant(frame: pd.DataFrame) -> dict[tuple[str, str], Mapping[str, Any]]:
    """Return the rows of a frame by variant and metric."""
    records = [{str(key): value for key, value in row.items()} for row in frame.to_dict("records")]
    return {(str(row["variant"]), str(row["metric"])): row for row in records}


def best_mean(comparison: pd.DataFrame, metric: str, higher_is_better: bool | None) -> float:
    """Return the best mean of a metric; NaN where no direction is better, or all are equal."""
    means = comparison.loc[comparison["metric"] == metric, "mean"]
    if higher_is_better is None or len(means.dropna().unique()) < 2:
        return np.nan
    return float(means.max() if higher_is_better else means.min())


def trivial_baselines(results: Results, metrics: Sequence[str]) -> list[list[Cell]]:
    """Return a row for each trivial baseline, with its values of some metrics."""
    rows = []
    for name, values in results.references.groupby("reference", sort=False):
        of_metric: Mapping[str, float] = dict(zip(values["metric"], values["value"], strict=True))
        numbers = (Cell(text=number(of_metric.get(metric, np.nan))) for metric in metrics)
        rows.append([Cell(text=reference_text(str(name))), *numbers])
    return rows


def reference_text(name: str) -> str:
    """Return what a trivial baseline is called."""
    return name.replace("_", " ")
