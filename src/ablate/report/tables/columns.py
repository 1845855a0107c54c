"""The columns that the table of variants may have, by name: metrics, statistics of their differences, costs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from ablate.config.schema import unknown_level
from ablate.config.variant import BASELINE
from ablate.errors import ConfigError
from ablate.report.compare import is_right_or_wrong
from ablate.report.links import Links
from ablate.report.marks import KINDS, mark_of
from ablate.report.nouns import plural
from ablate.report.number_format import magnitude, number, probability, share, with_interval
from ablate.report.results import Results
from ablate.report.tables.cost import cost_cell, cost_labels
from ablate.report.tables.table import Cell, best_mean, heading, mean_sd, rows_by_variant, runs_of
from ablate.statistics.simultaneous import EXAMPLES
from ablate.tracking.names import WALL_SECONDS

SEEDS_COLUMN, LOOK = "seeds", "look"
DIFFERENCE, GAINED, VERDICT, MARK = "difference", "gained", "verdict", "mark"
STATISTICS = (DIFFERENCE, GAINED, "p", "effect_size", "minimum_detectable_effect", VERDICT, MARK)
"""Of a metric's difference from the baseline, as comparison.csv calls them; `mark` is the verdict's."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of the table of variants.

    Attributes:
        name: Of the column.
        heading: What it is headed.
        cell: What it says of a variant that has runs.
        metric: The metric that it is about; empty for costs and counts.
        statistic: Which of `STATISTICS` it is; empty for others.
        references: By trivial baseline, its value.
    """

    name: str
    heading: str
    cell: Callable[[str], Cell]
    metric: str = ""
    statistic: str = ""
    references: Mapping[str, float] = field(default_factory=dict)


class Columns:
    """All columns that a study's table may have.

    Args:
        results: What was loaded.
        comparison: What `compare.compare` found.
        costs: What `compare.cost_differences` found.
        links: The addresses of runs.
    """

    def __init__(self, results: Results, comparison: pd.DataFrame, costs: pd.DataFrame, links: Links):
        self._results, self._comparison = results, comparison
        self._found, self._spent = rows_by_variant(comparison), rows_by_variant(costs)
        self._costs = cost_labels(results, costs)
        self._links = {variant: links(runs_of(results, variant)) for variant in results.variants}
        self._missing = dict[str, int]()
        for gap in results.gaps:
            self._missing[gap.variant] = self._missing.get(gap.variant, 0) + 1
        self.compared = BASELINE in results.variants
        """Whether there is a baseline to compare with."""

    @property
    def default(self) -> list[str]:
        """The columns of the table where none are chosen."""
        primary = self._results.primary.name
        statistics = [name for name in self._statistics(primary) if name != MARK]
        slower = [f"{WALL_SECONDS}.{DIFFERENCE}"] if WALL_SECONDS in self._costs and self.compared else []
        # A metric may be called as a statistic is.
        return [*self._counts, primary, *(f"{primary}.{name}" for name in statistics), *slower]

    def of(self, name: str) -> Column:
        """Return the column of a name.

        Args:
            name: A metric, a cost, a count, a statistic of the primary metric, METRIC.STATISTIC of any, or
                COST.difference.

        Raises:
            ConfigError: There is none.
        """
        owner, _, statistic = name.rpartition(".")
        if name in self._results.specs.index:
            return self._metric(name)
        if name in self._costs:
            return Column(name=name, heading=self._costs[name], cell=lambda variant: self._cost(variant, name))
        if name in self._counts:
            return Column(name=name, heading=name, cell=self._seeds if name == SEEDS_COLUMN else self._look)
        if name in self._statistics(self._results.primary.name):
            return self._statistic(name, self._results.primary.name, name)
        if owner in self._results.specs.index and statistic in self._statistics(owner):
            return self._statistic(name, owner, statistic)
        if owner in self._costs and statistic == DIFFERENCE and self.compared:
            label = f"{self._costs[owner]}: difference"
            return Column(name=name, heading=label, cell=lambda variant: self._cost_difference(variant, owner))
        raise ConfigError(unknown_level("columns", name, self._names))

    def absent(self, name: str, variant: str) -> Cell:
        """Return what a column says of a variant without any run."""
        return self._seeds(variant) if name == SEEDS_COLUMN else Cell(text="-", sort=np.nan)

    @property
    def _counts(self) -> tuple[str, ...]:
        return (SEEDS_COLUMN, LOOK) if self._results.looked is not None else (SEEDS_COLUMN,)

    @property
    def _names(self) -> list[str]:
        of_primary = self._statistics(self._results.primary.name)
        any_metric = [f"METRIC.{name}" for name in STATISTICS if self.compared]
        any_cost = [f"COST.{DIFFERENCE}"] if self.compared and self._costs else []
        return [*map(str, self._results.specs.index), *self._costs, *self._counts, *of_primary, *any_metric, *any_cost]

    def _statistics(self, metric: str) -> list[str]:
        """Return the statistics that there are of a metric."""
        scores = self._results.scores
        gained = metric in scores and is_right_or_wrong(scores[metric])
        return [name for name in STATISTICS if self.compared and (name != GAINED or gained)]

    def _metric(self, name: str) -> Column:
        spec = self._results.spec(name)
        best = best_mean(self._comparison, name, self._results.directions[name])
        references = self._results.references
        of_metric = references[references["metric"] == name]

        def cell(variant: str) -> Cell:
            row = self._found[variant, name]
            return Cell(
                text=mean_sd(row), sort=row["mean"], link=self._links[variant], strong=bool(row["mean"] == best)
            )

        values = {
            str(key): float(value) for key, value in zip(of_metric["reference"], of_metric["value"], strict=True)
        }
        return Column(name=name, heading=heading(spec), cell=cell, metric=name, references=values)

    def _statistic(self, name: str, metric: str, statistic: str) -> Column:
        write = _WRITTEN[statistic]
        headings = {
            DIFFERENCE: "difference [95 %]",
            GAINED: f"{plural(self._results.example)} gained − lost, %",
            MARK: VERDICT,
        }
        title = headings.get(statistic, statistic.replace("_", " "))
        label = "" if metric == self._results.primary.name else f"{self._results.spec(metric)['label']}: "

        def cell(variant: str) -> Cell:
            if variant == BASELINE:
                return Cell(text="", sort=None if statistic in (VERDICT, MARK) else np.nan)
            return write(self._found[variant, metric], self._links[variant], self._results.example)

        return Column(name=name, heading=f"{label}{title}", cell=cell, metric=metric, statistic=statistic)

    def _seeds(self, variant: str) -> Cell:
        row = self._found.get((variant, self._results.primary.name))
        seeds, missing = int(row["n"]) if row else 0, self._missing.get(variant, 0)
        return Cell(text=f"{seeds} of {seeds + missing}" if self._results.gaps else str(seeds), sort=seeds)

    def _look(self, variant: str) -> Cell:
        row = self._found[variant, self._results.primary.name]
        if np.isnan(row["look"]):
            return Cell(text="", sort=np.nan)
        return Cell(text=f"{row['look'] + 1:.0f}, {row['outcome']}", sort=row["look"])

    def _cost(self, variant: str, cost: str) -> Cell:
        return cost_cell(cost, self._spent[variant, cost], self._links[variant])

    def _cost_difference(self, variant: str, cost: str) -> Cell:
        difference = float(self._spent[variant, cost]["difference"])
        detail = cost_cell(cost, self._spent[variant, cost], "").detail
        return Cell(text=detail, sort=difference, link=self._links[variant])


def reference_cell(column: Column, reference: str) -> Cell:
    """Return what a column says of a trivial baseline; nothing where it has no values of them."""
    return Cell(text=number(column.references.get(reference, np.nan)) if column.references else "")


def _difference(row: Mapping[str, Any], link: str, example: str) -> Cell:
    alone = f"over {plural(example)} only: one seed" if row["over"] == EXAMPLES else ""
    text = with_interval(row["difference"], row["low"], row["high"])
    return Cell(text=text, sort=row["difference"], link=link, detail=alone)


def _gained(row: Mapping[str, Any], link: str, example: str) -> Cell:
    return Cell(text=f"{share(row['gained'])} − {share(row['lost'])}", sort=row["gained"], link=link)


def _p(row: Mapping[str, Any], link: str, example: str) -> Cell:
    return Cell(text=probability(row["p"]), sort=row["p"], link=link)


def _effect_size(row: Mapping[str, Any], link: str, example: str) -> Cell:
    return Cell(text=effect_size(row["effect_size"]), sort=row["effect_size"], link=link)


def _detectable(row: Mapping[str, Any], link: str, example: str) -> Cell:
    value = row["minimum_detectable_effect"]
    return Cell(text=magnitude(value), sort=value, link=link)


def _verdict(row: Mapping[str, Any], link: str, example: str) -> Cell:
    verdict = str(row["verdict"]) or "no seed shared with the baseline"
    return Cell(text=verdict, mark=mark_of(verdict), kind=verdict if verdict in KINDS else "")


def _mark(row: Mapping[str, Any], link: str, example: str) -> Cell:
    verdict = _verdict(row, link, example)
    return Cell(text="" if verdict.mark else verdict.text, mark=verdict.mark, kind=verdict.kind)


_WRITTEN: Mapping[str, Callable[[Mapping[str, Any], str, str], Cell]] = {
    DIFFERENCE: _difference,
    GAINED: _gained,
    "p": _p,
    "effect_size": _effect_size,
    "minimum_detectable_effect": _detectable,
    VERDICT: _verdict,
    MARK: _mark,
}


def effect_size(value: float) -> str:
    """Write a standardised difference."""
    return "-" if np.isnan(value) else f"{value:+.2f}"
