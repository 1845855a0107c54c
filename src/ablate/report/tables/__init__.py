"""The tables of a report."""

from ablate.report.tables.columns import Columns
from ablate.report.tables.cost import cost_table
from ablate.report.tables.credit import credit_table
from ablate.report.tables.effects import effects_table
from ablate.report.tables.layout import Layout
from ablate.report.tables.metrics import metrics_table
from ablate.report.tables.primary import primary_table
from ablate.report.tables.runs import runs_table
from ablate.report.tables.table import Cell, Table

__all__ = [
    "Cell",
    "Columns",
    "Layout",
    "Table",
    "cost_table",
    "credit_table",
    "effects_table",
    "metrics_table",
    "primary_table",
    "runs_table",
]
