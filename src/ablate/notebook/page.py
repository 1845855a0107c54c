"""HTML that a notebook shows."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import pandas as pd

from ablate.report.tables.table import Table


def as_html(lines: Sequence[str], table: pd.DataFrame | None = None) -> str:
    """Return lines, the first one strong, and a table below them."""
    first, *others = (escape(line) for line in lines)
    shown = "" if table is None else table.to_html(index=False, escape=True, border=0, na_rep="")
    return f"<p><strong>{first}</strong>{''.join(f'<br>{line}' for line in others)}</p>{shown}"


def table_frame(table: Table) -> pd.DataFrame:
    """Return a table of the report as it is shown, as text."""
    rows = [[cell.text for cell in row] for row in [*table.rows, *table.footer]]
    return pd.DataFrame(rows, columns=list(table.headings))
