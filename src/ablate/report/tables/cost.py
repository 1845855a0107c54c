"""The table of what variants cost."""

from collections.abc import Collection

import numpy as np
import pandas as pd

from ablate.report.links import Links
from ablate.report.nouns import capitalized, plural, with_article
from ablate.report.number_format import large, signed
from ablate.report.results import Results
from ablate.report.tables.table import Cell, Table, mean_sd, rows_by_variant, runs_of
from ablate.tracking.names import EXAMPLES_PER_SECOND, FLOPS, PARAMETERS, PEAK_DEVICE_MEMORY, PEAK_MEMORY, WALL_SECONDS

COUNTED = (PARAMETERS, FLOPS)
"""Costs that are known without a measurement."""


def cost_table(results: Results, costs: pd.DataFrame, links: Links) -> Table | None:
    """Return the table of what variants cost; None where nothing of that is known."""
    measured = set(costs.loc[costs["mean"].notna(), "metric"])
    known = {name: label for name, label in _labels(results.example).items() if name in measured}
    if not known:
        return None
    by_place = rows_by_variant(costs)
    rows = []
    for variant in results.variants:
        link, cells = links(runs_of(results, variant)), []
        for name in known:
            row, counted = by_place[variant, name], name in COUNTED
            difference = row["difference"]
            cells.append(
                Cell(
                    text=large(row["mean"]) if counted else mean_sd(row),
                    sort=row["mean"],
                    detail="" if np.isnan(difference) else signed(difference, counted=counted),
                    link=link,
                )
            )
        rows.append([Cell(text=variant), *cells])
    return Table(
        name="cost",
        title="Cost",
        headings=["variant", *known.values()],
        rows=rows,
        note=_note(known),
        method="What is measured while a run trains depends on the machine and on what else it does.",
    )


def _labels(example: str) -> dict[str, str]:
    """Return what the columns are headed, by cost, in order."""
    return {
        PARAMETERS: "Parameters",
        FLOPS: f"FLOPs {with_article(example)}",
        WALL_SECONDS: "Training, s",
        EXAMPLES_PER_SECOND: f"{capitalized(plural(example))}/s",
        PEAK_MEMORY: "Peak memory, MiB",
        PEAK_DEVICE_MEMORY: "Peak GPU memory, MiB",
    }


def _note(known: Collection[str]) -> str:
    counted = " and ".join(word for name, word in zip(COUNTED, ("Parameters", "FLOPs"), strict=True) if name in known)
    below = "Below a value stands its difference from the baseline."
    return f"{below} {counted} are counted, all else is measured." if counted else below
