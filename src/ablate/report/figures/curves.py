"""The figure of learning curves: a panel for each variant, with the baseline's in grey behind it."""

import math
from collections.abc import Mapping, Sequence
from typing import Literal

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from ablate.config.variant import BASELINE
from ablate.report.figures.figure import (
    BLUE,
    DARK,
    GREY,
    RED,
    Figure,
    drawing,
    figure_files,
    name_lines,
    replace_missing_glyphs,
    report_style,
)
from ablate.report.nouns import capitalized
from ablate.report.number_format import large

MOST = 24
COLUMNS = 4
LARGEST = 1e15
"""Values beyond are infinite: databases keep infinity as their largest number."""
POINTS = 1000
"""Points of a curve; of more steps, evenly many are left out."""
_BASELINE = "0.68"
"""Lighter than all other lines, in print too."""
_LINES: tuple[tuple[Literal["-", "--", ":"], str], ...] = (("-", BLUE), ("--", RED), (":", DARK))

Tables = Mapping[tuple[str, str], pd.DataFrame]


def learning_curves(curves: pd.DataFrame, *, order: Sequence[str]) -> Figure | None:
    """Draw a quantity over steps: a variant's mean over seeds, and a band from its lowest to its highest seed.

    Args:
        curves: Columns variant, seed, part, step, value, and quantity, the name of what is drawn, the same in all.
        order: The variants, in the order of their panels.

    Returns:
        The figure, with a panel for each of at most `MOST` variants; None without a curve.
    """
    if curves.empty:
        return None
    quantity = str(curves["quantity"].iloc[0]).replace("_", " ")
    known = set(curves["variant"])
    with_curves = [variant for variant in order if variant in known]
    shown = with_curves[:MOST]
    parts = [str(part) for part in curves["part"].unique()]
    # Where no seed's value is finite the curve has a gap.
    values = curves["value"].astype(float)
    finite = values.where(values.abs() < LARGEST)
    tables = _over_seeds(curves.assign(value=finite)[curves["variant"].isin([*shown, BASELINE])])
    with report_style():
        made = figure_files(_panels(tables, shown, parts, quantity))
    seeds = int(curves["seed"].nunique())
    caption = (
        f"Mean over seeds{', band from the lowest to the highest seed' if seeds > 1 else ''}"
        f"{'; grey: the baseline' if BASELINE in known and shown != [BASELINE] else ''}."
    )
    sentences = ["Each panel has a y axis of its own."]
    if quantity == "loss":
        sentences.append("Losses of other functions or outputs are other quantities: they are shown, not ranked.")
    if finite.isna().any():
        sentences.append("Values that are not finite are left out.")
    if len(with_curves) > MOST:
        sentences.append(f"The first {MOST} of {len(with_curves)} variants.")
    return Figure(
        name="curves",
        title="Learning curves",
        alt=f"{capitalized(quantity)} over training steps of {len(shown)} variants. "
        f"{_ends(tables, shown, parts, quantity)}".strip(),
        caption=caption,
        files=made,
        method=" ".join(sentences),
    )


def _over_seeds(curves: pd.DataFrame) -> Tables:
    """Return, by variant and part, a frame with the index step and the columns mean, min and max over seeds."""
    summary = curves.groupby(["variant", "part", "step"], sort=True)["value"].agg(["mean", "min", "max"])
    tables = {}
    for (variant, part), own in summary.groupby(level=["variant", "part"], sort=False):
        table = own.droplevel(["variant", "part"])
        tables[str(variant), str(part)] = table.iloc[:: math.ceil(len(table) / POINTS)]
    return tables


def _ends(tables: Tables, shown: Sequence[str], parts: Sequence[str], quantity: str) -> str:
    """Say where the first variant's curves start and end."""
    ends = []
    for part in parts:
        table = tables.get((shown[0], part)) if shown else None
        mean = pd.Series(dtype=float) if table is None else table["mean"].dropna()
        if len(mean):
            ends.append(f"{part} from {mean.iloc[0]:.3g} to {mean.iloc[-1]:.3g}")
    return f"{capitalized(quantity)} of {shown[0]}: {', '.join(ends)}." if ends else ""


def _panels(tables: Tables, shown: Sequence[str], parts: Sequence[str], quantity: str) -> Drawing:
    columns = min(max(len(shown), 1), COLUMNS)
    rows = math.ceil(max(len(shown), 1) / columns)
    names = {variant: name_lines(variant, 28) for variant in shown}
    title_lines = max((len(lines) for lines in names.values()), default=1)
    drawn = drawing(max(2.3 * columns, 4.6), max(rows * (1.45 + 0.14 * title_lines) + 0.8, 2.8))
    grid = drawn.subplots(rows, columns, squeeze=False, sharex=True)
    for place, axes in enumerate(grid.flat):
        if place >= len(shown):
            axes.set_visible(False)
            continue
        variant = shown[place]
        _panel(axes, variant, tables, parts)
        axes.set_title("\n".join(names[variant]), fontsize=8, linespacing=1.05)
        axes.tick_params(labelbottom=place + columns >= len(shown))
        axes.xaxis.set_major_locator(MaxNLocator(3, integer=True))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda step, _: large(step)))
    drawn.supxlabel("training step", fontsize=9)
    drawn.supylabel(replace_missing_glyphs(quantity), fontsize=9)
    handles: list[Line2D | Patch] = [
        Line2D([], [], linestyle=style, color=color, linewidth=1.6, label=part)
        for part, (style, color) in zip(parts, _LINES, strict=False)
    ]
    if any(variant != BASELINE for variant in shown) and any(variant == BASELINE for variant, _ in tables):
        handles.append(Line2D([], [], color=_BASELINE, linewidth=1.1, label="baseline"))
    if any((table["max"] > table["min"]).any() for table in tables.values()):
        handles.append(Patch(color=BLUE, alpha=0.25, linewidth=0, label="lowest to highest seed"))
    if handles:
        drawn.legend(handles=handles, loc="outside upper center", ncols=min(len(handles), 4), frameon=False)
    return drawn


def _panel(axes: Axes, variant: str, tables: Tables, parts: Sequence[str]) -> None:
    own = {part: tables[variant, part] for part in parts if (variant, part) in tables}
    reference = {part: tables[BASELINE, part] for part in parts if (BASELINE, part) in tables and variant != BASELINE}
    for part, (style, color) in zip(parts, _LINES, strict=False):
        if part in reference:
            mean = reference[part]["mean"]
            axes.plot(mean.index, mean, linestyle=style, color=_BASELINE, linewidth=1.1, zorder=1.5)
        if part in own:
            table = own[part]
            alone = "o" if table["mean"].notna().sum() == 1 else None
            axes.fill_between(table.index, table["min"], table["max"], color=color, alpha=0.25, linewidth=0)
            axes.plot(
                table.index, table["mean"], linestyle=style, color=color, linewidth=1.6, marker=alone, markersize=3
            )
    low, high = _limits(own, ("min", "max"))
    if not math.isfinite(low):
        axes.text(0.5, 0.5, "no finite value", transform=axes.transAxes, ha="center", va="center", fontsize=8)
        return
    # The baseline's may be another loss: far from the variant's, it must not flatten the variant's curve.
    span = max(high - low, 0.02 * abs(high), 1e-9)
    reference_low, reference_high = _limits(reference, ("mean", "mean"))
    if reference_low < high + span and reference_high > low - span:
        low, high = max(min(low, reference_low), low - span), min(max(high, reference_high), high + span)
    elif reference:
        note = "baseline off this axis"
        axes.text(0.97, 0.95, note, transform=axes.transAxes, ha="right", va="top", fontsize=8, color=GREY)
    margin = 0.06 * max(high - low, span)
    axes.set_ylim(low - margin, high + margin)
    axes.yaxis.set_major_locator(MaxNLocator(4))


def _limits(tables: Mapping[str, pd.DataFrame], columns: tuple[str, str]) -> tuple[float, float]:
    """Return the lowest and the highest value, NaN where there is none."""
    if not tables:
        return math.nan, math.nan
    joined = pd.concat(tables.values())
    return float(joined[columns[0]].min()), float(joined[columns[1]].max())
