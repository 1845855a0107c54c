"""The table of factors' credit: Shapley values, added alone, left out."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from ablate.config.short_names import shorten
from ablate.report.number_format import with_interval
from ablate.report.tables.table import Cell, Table, heading
from ablate.statistics.credit import ADDED, ALL_FACTORS, LEFT_OUT, SHAPLEY, TOTAL


def credit_table(credit: pd.DataFrame, spec: Mapping[str, Any], link: str) -> Table:
    """Return the table of factors' credit, the largest Shapley value first.

    Args:
        credit: What `estimate_credit` returned.
        spec: What the metric means, see `Results.spec`.
        link: The address of the runs that it comes from.
    """
    found = {(str(row["factor"]), str(row["kind"])): row for row in credit.to_dict("records")}

    def cell(factor: str, kind: str) -> Cell:
        row = found.get((factor, kind))
        if row is None:
            return Cell(text="" if factor == ALL_FACTORS else "-")
        estimate, low, high = (float(row[name]) for name in ("estimate", "low", "high"))
        return Cell(text=with_interval(estimate, low, high), sort=estimate, link=link)

    ranked = credit[credit["kind"].isin([SHAPLEY, ADDED])].drop_duplicates("factor")
    names = ranked.sort_values("estimate", ascending=spec["higher_is_better"] is False, kind="stable")["factor"]
    rows = [
        [Cell(text=shorten(name)), *(cell(name, kind) for kind in (SHAPLEY, ADDED, LEFT_OUT))]
        for name in map(str, names)
    ]
    if (ALL_FACTORS, TOTAL) in found:
        rows.append([Cell(text=ALL_FACTORS), cell(ALL_FACTORS, TOTAL), Cell(text=""), Cell(text="")])
    return Table(
        name="credit",
        title="Who deserves the credit",
        headings=["factor", f"Shapley value of {heading(spec)} [95 %]", "added to the baseline [95 %]",
                  "lost without it [95 %]"],
        rows=rows,
        note="A Shapley value is what a factor adds, averaged over all orders of adding them: they sum to the whole.",
        method="A Shapley value is what a factor adds on the way from the baseline to all factors together, averaged "
        "over all orders of adding them. The 95 % intervals of a column hold at once.",
    )  # fmt: skip
