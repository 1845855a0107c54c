"""The forest plot of main effects and interactions."""

import numpy as np
import pandas as pd
from matplotlib.artist import Artist

from ablate.report.figures.figure import BLUE, DARK, RED, Figure, figure_files, report_style, with_unit
from ablate.report.figures.forest import MOST, Row, forest, key
from ablate.report.number_format import with_interval


def interactions(effects: pd.DataFrame, *, label: str, unit: str) -> Figure | None:
    """Draw the main effects and two-way interactions of a factorial study with their 95 % intervals.

    Args:
        effects: Columns effect, kind (`main` or `interaction`), estimate, low, high.
        label: What the metric is called.
        unit: Its unit, or nothing.

    Returns:
        The figure; None without effects.
    """
    finite = effects[np.isfinite(effects["estimate"].astype(float))]
    if finite.empty:
        return None
    # The strongest where not all have room, whatever their direction.
    kept = finite.loc[finite["estimate"].abs().sort_values(ascending=False, kind="stable").index[:MOST]]
    rows: list[Row | str] = []
    for kind, heading in (("main", "main effects"), ("interaction", "interactions")):
        own = kept[kept["kind"] == kind].sort_values("estimate", ascending=False, kind="stable")
        found = _excludes_zero(own)
        rows += [heading] if len(own) else []
        rows += [
            Row(row["effect"], row["estimate"], row["low"], row["high"], "o",
                BLUE if kind == "main" else RED, hollow=not sure)
            for row, sure in zip(own.to_dict("records"), found, strict=True)
        ]  # fmt: skip
    with report_style():
        legend: list[Artist] = [
            key(f"0 {'inside' if hollow else 'outside'} of the interval", "o", DARK, hollow=hollow)
            for hollow in (False, True)
        ]
        drawn = forest(
            rows, xlabel=f"effect on {with_unit(label, unit)}", line="no effect", legend=legend,
            heading="effect [95 % interval]",
        )  # fmt: skip
        made = figure_files(drawn)
    strongest = kept.iloc[0]
    sure = int(_excludes_zero(finite).sum())
    capped = f" Of {len(finite)} effects, the {MOST} strongest are drawn." if len(finite) > MOST else ""
    return Figure(
        name="interactions",
        title=f"Effects and interactions: {label}",
        alt=(
            f"Effects on {with_unit(label, unit)}: {sure} of {len(finite)} have 0 outside of their interval; the "
            f"strongest is {strongest['effect']} "
            f"{with_interval(strongest['estimate'], strongest['low'], strongest['high'])}."
        ),
        caption="Lines are 95 % intervals; of a full mark, it misses the line in the middle: there is an effect.",
        files=made,
        method=(
            "A main effect is the change from the baseline's level to another, averaged over the other factors; an "
            "interaction is by how much more one level does where another is chosen. The intervals hold for all "
            f"effects at once.{capped}"
        ),
    )


def _excludes_zero(effects: pd.DataFrame) -> "pd.Series[bool]":
    return (effects["low"] > 0) | (effects["high"] < 0)
