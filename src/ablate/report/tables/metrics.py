"""The table of all metrics."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from ablate.config.variant import BASELINE
from ablate.report.links import Links
from ablate.report.number_format import with_interval
from ablate.report.results import Results
from ablate.report.tables.table import (
    Cell,
    Table,
    best_mean,
    heading,
    mean_sd,
    rows_by_variant,
    runs_of,
    trivial_baselines,
)


def metrics_table(results: Results, comparison: pd.DataFrame, links: Links) -> Table:
    """Return the table of all metrics; what it says of others than the primary one is exploratory."""
    compared = BASELINE in results.variants
    columns = {name: results.spec(name) for name in map(str, results.specs.index)}
    best = {name: best_mean(comparison, name, spec["higher_is_better"]) for name, spec in columns.items()}
    by_place = rows_by_variant(comparison)
    rows = []
    for variant in results.variants:
        link, cells = links(runs_of(results, variant)), []
        for name in columns:
            row = by_place[variant, name]
            difference = compared and variant != BASELINE and row["n_paired"]
            cells.append(
                Cell(
                    text=mean_sd(row),
                    sort=row["mean"],
                    detail=with_interval(row["difference"], row["low"], row["high"]) if difference else "",
                    link=link,
                    strong=row["mean"] == best[name],
                )
            )
        rows.append([Cell(text=variant), *cells])
    return Table(
        name="metrics",
        title="All metrics",
        headings=["variant", *(heading(spec) for spec in columns.values())],
        rows=rows,
        footer=trivial_baselines(results, list(columns)),
        note="Below a value stands its difference from the baseline with its 95 % interval. All but the metric that "
        "the study asks for are exploratory.",
        method=_method(results, columns),
    )


def _method(results: Results, columns: Mapping[str, Mapping[str, Any]]) -> str:
    sentences = [
        "An interval holds for all variants at once in this metric.",
        "Exploratory: of many metrics some differ by chance.",
        "Arrows say which direction is better; the best mean is bold.",
    ]
    alone = [str(column["label"]) for name, column in columns.items() if not results.resampled(name)]
    if 0 < len(alone) < len(columns):
        known = "is over seeds alone" if results.several_seeds else "takes more than one seed"
        sentences.append(f"The interval of {', '.join(alone)} {known}.")
    if len(results.references):
        sentences.append("The last rows are trivial baselines, to say what a number means.")
    return " ".join(sentences)
