"""The figures of a report: pure functions from frames to a `Figure`."""

from ablate.report.figures.cost import pareto_front, quality_against_cost
from ablate.report.figures.credit import waterfall
from ablate.report.figures.curves import learning_curves
from ablate.report.figures.differences import differences
from ablate.report.figures.distributions import distributions
from ablate.report.figures.effects import interactions
from ablate.report.figures.figure import Figure
from ablate.report.figures.gains import gains
from ablate.report.figures.grid import picture_grid
from ablate.report.figures.per_example import per_example

__all__ = [
    "Figure",
    "differences",
    "distributions",
    "gains",
    "interactions",
    "learning_curves",
    "pareto_front",
    "per_example",
    "picture_grid",
    "quality_against_cost",
    "waterfall",
]
