"""The table of main effects and interactions."""

import pandas as pd

from ablate.config.short_names import shorten
from ablate.report.number_format import probability, with_interval
from ablate.report.tables.table import Cell, Table


def effects_table(effects: pd.DataFrame, unit: str, link: str) -> Table:
    """Return the table of main effects and interactions; `link` is the address of the runs that they come from."""
    rows = [
        [
            Cell(text=shorten(str(row["effect"]))),
            Cell(
                text=with_interval(float(row["estimate"]), float(row["low"]), float(row["high"])),
                sort=float(row["estimate"]),
                link=link,
            ),
            Cell(text=probability(float(row["p"])), sort=float(row["p"]), link=link),
        ]
        for row in effects.to_dict("records")
    ]
    return Table(
        name="effects",
        title="Main effects and interactions",
        headings=["effect", f"estimate{f', {unit}' if unit else ''} [95 %]", "p"],
        rows=rows,
        note="What a level changes, averaged over the other factors; ×: by how much more where the other is chosen.",
        method="A main effect is a level's difference from the baseline's, averaged over all combinations of the "
        "other factors. An interaction (×) is by how much more one level does where the other is chosen than where it "
        "is not. The 95 % intervals hold for all effects at once, and p is adjusted for their number.",
    )
