"""The figure of quality against cost, with the Pareto front."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from ablate.config.variant import BASELINE
from ablate.report.figures.figure import (
    BLUE,
    DARK,
    GREY,
    ORANGE,
    Figure,
    drawing,
    figure_files,
    name_lines,
    replace_missing_glyphs,
    report_style,
    with_unit,
)
from ablate.report.figures.labels import Point, place_labels
from ablate.report.nouns import with_article
from ablate.report.number_format import large
from ablate.tracking.names import FLOPS, PARAMETERS, WALL_SECONDS

COSTS = (PARAMETERS, FLOPS, WALL_SECONDS)
_TIMES = ((2 * 86400, 86400, "d"), (2 * 3600, 3600, "h"), (120, 60, "min"), (0, 1, "s"))
NAMED = 10
"""Most variants of a front that are named in a panel."""


@dataclass(frozen=True)
class _Panel:
    """Cost and quality of the variants that have both.

    Attributes:
        label: Of the cost.
        unit: What its ticks end in.
        points: Index variant; columns cost, mean, sd.
        front: The variants of the Pareto front, from the cheapest.
    """

    label: str
    unit: str
    points: pd.DataFrame
    front: list[str]


def pareto_front(cost: pd.Series, quality: pd.Series, higher_is_better: bool) -> list[str]:
    """Return the variants that no other one beats: none is as good in both and better in one.

    Args:
        cost: By variant; less is better.
        quality: By variant.
        higher_is_better: Of the quality.

    Returns:
        From the cheapest; equal ones are all on the front, by name. Without what is not finite or only in one series.
    """
    both = pd.DataFrame({"cost": cost, "quality": quality if higher_is_better else -quality}).astype(float)
    both = both.replace([np.inf, -np.inf], np.nan).dropna()
    best_for_cost: pd.Series = both.groupby("cost")["quality"].max()
    # Better than all that costs less.
    gains = best_for_cost[best_for_cost > best_for_cost.cummax().shift(fill_value=-np.inf)]
    on_front = both[both["cost"].map(gains) == both["quality"]]
    names = zip(on_front["cost"], map(str, on_front.index), strict=True)
    return [name for _, name in sorted(names)]


def quality_against_cost(
    comparison: pd.DataFrame,
    costs: pd.DataFrame,
    *,
    metric: str,
    label: str,
    unit: str,
    higher_is_better: bool | None,
    example: str,
) -> Figure | None:
    """Draw a metric against what variants cost, a panel for each cost, with the Pareto front.

    Args:
        comparison: Columns variant, metric, mean, sd (over seeds, NaN for one).
        costs: Index variant; columns are some of `COSTS`.
        metric: Which of the metrics.
        label: What it is called.
        unit: Its unit, or nothing.
        higher_is_better: None where neither is: then there is no front.
        example: What an example is called.

    Returns:
        The figure; None where no cost is known.
    """
    quality = comparison[comparison["metric"] == metric].set_index("variant")[["mean", "sd"]]
    panels = [_panel(name, costs[name], quality, higher_is_better, example) for name in COSTS if name in costs]
    panels = [panel for panel in panels if len(panel.points)]
    if not panels:
        return None
    with report_style():
        made = figure_files(_draw(panels, with_unit(label, unit)))
    spread = " with its standard deviation" if any(panel.points["sd"].gt(0).any() for panel in panels) else ""
    caption = f"Each mark is a variant, mean over seeds{spread}."
    if higher_is_better is not None:
        caption += " The line joins those that none beats in both: what more cost buys."
    sentences = ["The cost is on a log scale."]
    if any(len(panel.points) < len(quality) for panel in panels):
        sentences.append("Variants without a finite value or a cost are left out.")
    fronts = "; ".join(
        f"{panel.label}: {', '.join(panel.front[:NAMED])}{' and others' if len(panel.front) > NAMED else ''}"
        for panel in panels
        if panel.front
    )
    found = f" On the Pareto front, from the cheapest, {fronts}." if fronts else ""
    return Figure(
        name="cost",
        title=f"Quality against cost: {label}",
        alt=(
            f"{with_unit(label, unit)} of {len(quality)} variants against "
            f"{', '.join(panel.label for panel in panels)}.{found}"
        ),
        caption=caption,
        files=made,
        method=" ".join(sentences),
    )


def _panel(name: str, cost: pd.Series, quality: pd.DataFrame, higher_is_better: bool | None, example: str) -> _Panel:
    labels = {PARAMETERS: "parameters", FLOPS: f"FLOPs {with_article(example)}", WALL_SECONDS: "training time"}
    unit, label = "", labels[name]
    points = quality.assign(cost=cost.reindex(quality.index).astype(float))
    # A log scale has no place for what costs nothing.
    points = points[np.isfinite(points["cost"]) & np.isfinite(points["mean"]) & (points["cost"] > 0)]
    if name == WALL_SECONDS and len(points):
        longest = points["cost"].max()
        seconds, unit = next((seconds, unit) for least, seconds, unit in _TIMES if longest >= least)
        points = points.assign(cost=points["cost"] / seconds)
    front = [] if higher_is_better is None else pareto_front(points["cost"], points["mean"], higher_is_better)
    return _Panel(label, unit, points, front)


def _draw(panels: Sequence[_Panel], ylabel: str) -> Drawing:
    drawn = drawing(3.4 * len(panels) + 0.4, 3.8)
    grid = drawn.subplots(1, len(panels), squeeze=False, sharey=True)[0]
    for axes, panel in zip(grid, panels, strict=True):
        _points(axes, panel)
    grid[0].set_ylabel(ylabel)
    # Room for names above and below.
    grid[0].margins(y=0.18)
    handles = [
        Line2D([], [], linestyle="-", marker="o", color=BLUE, markersize=6, label="Pareto front"),
        Line2D([], [], linestyle="none", marker="D", color=ORANGE, markeredgecolor=DARK, label="baseline"),
        Line2D([], [], linestyle="none", marker="o", color=GREY, markersize=3.5, label="other variants"),
    ]
    present = [
        any(panel.front for panel in panels),
        any(BASELINE in panel.points.index for panel in panels),
        any(set(panel.points.index) - {BASELINE, *panel.front} for panel in panels),
    ]
    handles = [handle for handle, there in zip(handles, present, strict=True) if there]
    drawn.legend(handles=handles, loc="outside upper center", ncols=len(handles), frameon=False)
    # Names are placed in what the layout leaves, so it must not move again.
    drawn.draw_without_rendering()
    drawn.set_layout_engine("none")
    for axes, panel in zip(grid, panels, strict=True):
        _labels(axes, panel)
    return drawn


def _points(axes: Axes, panel: _Panel) -> None:
    points = panel.points
    low, high = float(points["cost"].min()), float(points["cost"].max())
    # At least a factor of 1.5, so that ticks differ; and room for names.
    middle, half = np.sqrt(low * high), max(np.sqrt(high / low), np.sqrt(1.5))
    left, right = middle / half**1.5, middle * half**1.5
    axes.set_xscale("log")
    axes.set_xlim(left, right)
    axes.xaxis.set_major_locator(FixedLocator(_ticks(left, right)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda cost, _: f"{cost:.3g}" if panel.unit else large(cost)))
    axes.set_xlabel(with_unit(panel.label, panel.unit))
    spread = points[points["sd"] > 0]
    axes.errorbar(
        spread["cost"],
        spread["mean"],
        yerr=spread["sd"],
        fmt="none",
        ecolor=GREY,
        elinewidth=0.9,
        capsize=2,
        zorder=1.5,
    )
    if panel.front:
        front = points.loc[panel.front]
        axes.step(
            [*front["cost"], right], [*front["mean"], front["mean"].iloc[-1]], where="post", color=BLUE, linewidth=1.4
        )
    for variant, cost, mean in zip(points.index, points["cost"], points["mean"], strict=True):
        look_of = (
            {"marker": "D", "color": ORANGE, "markeredgecolor": DARK, "markersize": 6, "zorder": 3.5}
            if variant == BASELINE
            else {"marker": "o", "color": BLUE, "markersize": 6, "zorder": 3}
            if variant in panel.front
            else {"marker": "o", "color": GREY, "markersize": 3.5, "zorder": 2}
        )
        axes.plot([cost], [mean], linestyle="none", **look_of)


def _ticks(left: float, right: float) -> list[float]:
    """Return few round numbers in a range, within a decade too, where a log scale has none."""
    decades = np.log10(right / left)
    if decades < 0.5:
        ticks = list(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]).tick_values(left, right))
    else:
        round_numbers = (1, 1.5, 2, 3, 5, 7) if decades < 1 else (1, 3) if decades < 3 else (1,)
        powers = range(int(np.floor(np.log10(left))), int(np.ceil(np.log10(right))) + 1)
        ticks = [number * 10.0**power for power in powers for number in round_numbers]
    return [float(tick) for tick in ticks if left <= tick <= right]


def _labels(axes: Axes, panel: _Panel) -> None:
    points = panel.points
    # A front of many would be text alone: its ends, and evenly many between.
    chosen = [panel.front[int(place)] for place in np.linspace(0, len(panel.front) - 1, min(len(panel.front), NAMED))]
    places = dict(zip(map(str, points.index), zip(points["cost"], points["mean"], strict=True), strict=True))
    texts: dict[Point, str] = {}
    for variant in dict.fromkeys([*chosen, *([BASELINE] if BASELINE in points.index else [])]):
        at = places[variant]
        lines = name_lines(variant, 22)
        texts[at] = f"{texts[at]}\n{replace_missing_glyphs(variant)}" if at in texts else "\n".join(lines)
    kept_free = [(*place, 6.0 if place in texts else 1.0) for place in places.values()]
    kept_free += _along_front(points.loc[panel.front], axes.get_xlim()[1]) if panel.front else []
    for _, row in points[points["sd"] > 0].iterrows():
        kept_free += [(row["cost"], row["mean"] + share * row["sd"], 0.25) for share in (-1, -0.5, 0.5, 1)]
    place_labels(axes, texts, kept_free)


def _along_front(front: pd.DataFrame, right: float) -> list[tuple[float, float, float]]:
    """Return points close together on the step line, of half the weight of a mark."""
    costs, means = [*front["cost"], right], list(front["mean"])
    flat = [
        (float(cost), mean, 0.5)
        for start, end, mean in zip(costs, costs[1:], means, strict=False)
        for cost in np.geomspace(start, end, 15)
    ]
    upright = [
        (cost, float(mean), 0.5)
        for cost, start, end in zip(costs[1:], means, means[1:], strict=False)
        for mean in np.linspace(start, end, 10)
    ]
    return flat + upright
