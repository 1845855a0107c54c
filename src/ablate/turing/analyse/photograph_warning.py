"""The warning that few photographs limit what an experiment can find, however many people take part."""

import math

from ablate.report.number_format import magnitude
from ablate.turing.analyse.power import Components, photograph_limit
from ablate.turing.protocol import Design

WANTED = 5.0
"""Percentage points, or percent of a scale's range: where photographs let smaller ones be found, nothing is said."""


def photograph_warning(
    photographs: int, components: Components, *, design: Design, algorithms: int, source: str, points: int = 7
) -> str | None:
    """Say which differences the photographs let be found, where that is none of `WANTED` points.

    Args:
        photographs: How many there are.
        components: What makes answers vary.
        design: Of the experiment.
        algorithms: How many are compared.
        source: Where the components come from, in words.
        points: Of the scale of a rating design.

    Returns:
        A sentence; None where there are enough photographs, or nothing is known of them.
    """
    if photographs < 2 or math.isnan(components.photographs):
        return None
    pairs = max(algorithms * (algorithms - 1) // 2, 1)
    limit = photograph_limit(photographs, components=components, comparisons=pairs, design=design)
    if limit <= WANTED:
        return None
    enough = math.ceil(photographs * (limit / WANTED) ** 2)
    unit = (points - 1) / 100 if design == "rating" else 1.0
    of_what = {"preference": " from 50 %", "rating": f" of {points}"}.get(design, "")
    return (
        f"{photographs:,} photographs let differences of {magnitude(unit * limit)} points{of_what} or more be found "
        "four times in five, and smaller ones less often, however many people take part: the variance over "
        f"photographs does not shrink with them. About {enough:,} photographs would do for {unit * WANTED:g} points "
        f"(a standard deviation of {unit * components.photographs:.3g} points over photographs, {source})"
    )
