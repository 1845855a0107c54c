"""The table of what variants cost."""

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import pandas as pd

from ablate.report.energy import energy_in_words, energy_note
from ablate.report.links import Links
from ablate.report.nouns import capitalized, plural, with_article
from ablate.report.number_format import large, signed
from ablate.report.results import Results
from ablate.report.tables.table import Cell, Table, mean_sd, rows_by_variant, runs_of
from ablate.tracking.names import (
    ENERGY,
    EXAMPLES_PER_SECOND,
    FLOPS,
    PARAMETERS,
    PEAK_DEVICE_MEMORY,
    PEAK_MEMORY,
    WALL_SECONDS,
)

COUNTED = (PARAMETERS, FLOPS)
"""Costs that are known without a measurement."""


def cost_table(results: Results, costs: pd.DataFrame, links: Links) -> Table | None:
    """Return the table of what variants cost; None where nothing of that is known."""
    known = cost_labels(results, costs)
    if not known:
        return None
    by_place = rows_by_variant(costs)
    rows = []
    for variant in results.variants:
        link = links(runs_of(results, variant))
        rows.append([Cell(text=variant), *(cost_cell(name, by_place[variant, name], link) for name in known)])
    return Table(
        name="cost",
        title="Cost",
        headings=["variant", *known.values()],
        rows=rows,
        note=" ".join(filter(None, [_note(known), energy_note(results) if ENERGY in known else ""])),
        method="What is measured while a run trains depends on the machine and on what else it does.",
    )


def cost_cell(cost: str, row: Mapping[str, Any], link: str) -> Cell:
    """Return what a table says of a variant's cost: its mean, and below it the difference from the baseline.

    Args:
        cost: Which.
        row: What `compare.cost_differences` found.
        link: The address of the variant's runs.
    """
    counted = cost in COUNTED
    shown = {name: 1000 * row[name] for name in ("mean", "sd", "difference")} if cost == ENERGY else row
    difference = shown["difference"]
    return Cell(
        text=large(row["mean"]) if counted else mean_sd(shown),
        sort=row["mean"],
        detail="" if np.isnan(difference) else signed(difference, counted=counted),
        link=link,
    )


def cost_labels(results: Results, costs: pd.DataFrame) -> dict[str, str]:
    """Return what the columns of costs are headed, by cost, in order, of those that are known of some variant.

    Energy is shown in Wh: most runs take less than a hundredth of a kWh.
    """
    measured, example = set(costs.loc[costs["mean"].notna(), "metric"]), results.example
    labels = {
        PARAMETERS: "Parameters",
        FLOPS: f"FLOPs {with_article(example)}",
        WALL_SECONDS: "Training, s",
        EXAMPLES_PER_SECOND: f"{capitalized(plural(example))}/s",
        PEAK_MEMORY: "Peak memory, MiB",
        PEAK_DEVICE_MEMORY: "Peak GPU memory, MiB",
        ENERGY: f"Energy, {energy_in_words(results)}, Wh",
    }
    return {name: label for name, label in labels.items() if name in measured}


def _note(known: Collection[str]) -> str:
    counted = " and ".join(word for name, word in zip(COUNTED, ("Parameters", "FLOPs"), strict=True) if name in known)
    below = "Below a value stands its difference from the baseline."
    apart = " but energy" if ENERGY in known else ""
    return f"{below} {counted} are counted, all else{apart} is measured." if counted else below
