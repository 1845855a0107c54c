"""The table of the runs that are compared."""

import numpy as np
import pandas as pd

from ablate.report.links import Links
from ablate.report.number_format import number
from ablate.report.results import Results
from ablate.report.tables.table import Cell, Table, heading
from ablate.tracking.names import WALL_SECONDS


def runs_table(results: Results, links: Links) -> Table:
    """Return the table of the runs that are compared."""
    values = results.values[results.primary.name].to_dict()
    known = WALL_SECONDS in results.costs
    times = results.costs[WALL_SECONDS].to_dict() if known else {}
    rows = []
    for run, row in zip(results.runs.index, results.runs.to_dict("records"), strict=True):
        cell = (row["variant"], row["seed"])
        seconds = float(times.get(cell, np.nan))
        source = row.get("cached_from")
        rows.append(
            [
                Cell(text=str(row["variant"])),
                Cell(text=str(row["seed"]), sort=row["seed"]),
                Cell(text=number(values[cell]), sort=values[cell]),
                *([Cell(text=number(seconds), sort=seconds)] if known else []),
                Cell(text=f"{row['started']:%Y-%m-%d %H:%M}", sort=row["started"].timestamp()),
                Cell(
                    text=str(run)[:8],
                    link=links(pd.Index([run])),
                    detail="cached from another study" if isinstance(source, str) else "",
                ),
            ]
        )
    label = heading(results.spec(results.primary.name))
    return Table(
        name="runs",
        title="Runs",
        headings=["variant", "seed", label, *(["training, s"] if known else []), "started, UTC", "run"],
        rows=rows,
    )
