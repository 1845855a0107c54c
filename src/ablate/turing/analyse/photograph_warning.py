"""The warning that few photographs limit what an experiment can find, however many people take part."""

import math

from ablate.report.number_format import magnitude
from ablate.turing.analyse.power import Components, photograph_limit
from ablate.turing.protocol import Design

WANTED = 5.0
"""Percentage points: where photographs let smaller differences be found, nothing is said."""


def photograph_warning(
    photographs: int, components: Components, *, design: Design, algorithms: int, source: str
) -> str | None:
    """Say which differences the photographs let be found, where that is none of `WANTED` points.

    Args:
        photographs: How many there are.
        components: What makes answers vary.
        design: Of the experiment.
        algorithms: How many are compared.
        source: Where the components come from, in words.

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
    from_chance = " from 50 %" if design == "preference" else ""
    return (
        f"{photographs:,} photographs let differences of {magnitude(limit)} points{from_chance} or more be found four "
        "times in five, and smaller ones less often, however many people take part: the variance over photographs "
        f"does not shrink with them. About {enough:,} photographs would do for {WANTED:g} points (a standard "
        f"deviation of {components.photographs:.3g} points over photographs, {source})"
    )
