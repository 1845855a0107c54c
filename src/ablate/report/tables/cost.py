"""The table of what variants cost."""

import numpy as np
import pandas as pd

from ablate.report.links import Links
from ablate.report.number_format import large, signed
from ablate.report.results import Results
from ablate.report.tables.table import Cell, Table, mean_sd, rows_by_variant, runs_of
from ablate.tracking.names import EXAMPLES_PER_SECOND, FLOPS, PARAMETERS, PEAK_DEVICE_MEMORY, PEAK_MEMORY, WALL_SECONDS

COSTS = {
    PARAMETERS: "Parameters",
    FLOPS: "FLOPs an example",
    WALL_SECONDS: "Training, s",
    EXAMPLES_PER_SECOND: "Examples/s",
    PEAK_MEMORY: "Peak memory, MiB",
    PEAK_DEVICE_MEMORY: "Peak GPU memory, MiB",
}
COUNTED = (PARAMETERS, FLOPS)
"""Costs that are known without a measurement."""


def cost_table(results: Results, costs: pd.DataFrame, links: Links) -> Table:
    """Return the table of what variants cost."""
    known = {name: label for name, label in COSTS.items() if name in set(costs["metric"])}
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
        note="Below a value stands its difference from the baseline. Parameters and FLOPs are counted, the others are "
        "measured while a run trains: they depend on the machine and on what else it does.",
    )
