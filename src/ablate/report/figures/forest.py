"""Forest plots: differences from the baseline, and effects of factors, each with its interval."""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.figure import Figure as Drawing
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ablate.report.figures.figure import (
    BLUE,
    BROWN,
    DARK,
    GREEN,
    GREY,
    PURPLE,
    RED,
    Figure,
    decimals,
    files,
    look,
    signed,
    with_unit,
    writable,
)  # fmt: skip
from ablate.report.figures.rows import reference_line, right_column, row_chart

MOST = 60
"""Rows of a chart; of more, the outermost are drawn."""
ALPHA = 0.05
_BAND = "0.88"
_SHAPES = {
    "better": ("^", BLUE),
    "worse": ("v", RED),
    "higher": (">", PURPLE),
    "lower": ("<", BROWN),
    "equivalent": ("s", GREEN),
    "no difference found": ("o", DARK),
}
OTHER = ("d", GREY)


@dataclass(frozen=True)
class Row:
    """A row of a forest plot: a mark, and a line for its interval where both ends are finite."""

    name: str
    value: float
    low: float
    high: float
    shape: str
    color: str
    hollow: bool = False

    @property
    def interval(self) -> tuple[float, float] | None:
        """Its ends; None where one is not finite."""
        return (self.low, self.high) if math.isfinite(self.low) and math.isfinite(self.high) else None


def differences(
    comparison: pd.DataFrame,
    *,
    metric: str,
    label: str,
    unit: str,
    higher_is_better: bool | None,
    margin: float | None,
) -> Figure | None:
    """Draw each variant's paired difference from the baseline with its 95 % interval.

    Args:
        comparison: Columns variant, metric, difference, low, high, verdict, exploratory; the baseline's verdict is
            empty and its difference is not drawn.
        metric: Which of the metrics.
        label: What it is called.
        unit: Its unit, or nothing.
        higher_is_better: None where neither is.
        margin: Up to which difference variants count as equivalent; None without such a margin.

    Returns:
        The figure; None where nothing is compared.
    """
    rows = comparison[(comparison["metric"] == metric) & (comparison["verdict"] != "")]
    finite = rows[np.isfinite(rows["difference"].astype(float))]
    finite = finite.sort_values("difference", ascending=higher_is_better is False, kind="stable")
    if finite.empty:
        return None
    verdicts = Counter(finite["verdict"].tolist())
    drawn_rows = [
        Row(row["variant"], row["difference"], row["low"], row["high"], *_SHAPES.get(row["verdict"], OTHER),
            hollow=bool(row["exploratory"]))
        for row in finite.to_dict("records")
    ]  # fmt: skip
    direction = "" if higher_is_better is None else " (right is better)" if higher_is_better else " (left is better)"
    with look():
        known = [word for word in _SHAPES if verdicts[word]] + sorted(word for word in verdicts if word not in _SHAPES)
        hollow = finite.groupby("verdict")["exploratory"].all()
        legend: list[Artist] = [
            key(f"{writable(word)} ({verdicts[word]})", *_SHAPES.get(word, OTHER), hollow=bool(hollow[word]))
            for word in known
        ]
        drawn = forest(
            outermost(drawn_rows), xlabel=f"difference in {with_unit(label, unit)}{direction}", line="baseline",
            margin=margin, legend=legend, heading="difference [95 % interval]",
        )  # fmt: skip
        made = files(drawn)
    return Figure(
        name="differences",
        title=f"Difference from the baseline: {label}",
        alt=_differences_alt(finite, verdicts, with_unit(label, unit)),
        caption=_differences_caption(rows, finite, unit, higher_is_better, margin),
        files=made,
    )


def _differences_alt(finite: pd.DataFrame, verdicts: Mapping[str, int], quantity: str) -> str:
    places = decimals(finite[["difference", "low", "high"]].to_numpy(float).ravel())
    ends = [
        f"{row['variant']} {_with_interval(row['difference'], row['low'], row['high'], places)}"
        for row in finite.iloc[[0, -1] if len(finite) > 1 else [0]].to_dict("records")
    ]
    counts = ", ".join(f"{count} {word}" for word, count in verdicts.items())
    return (
        f"Differences from the baseline in {quantity}, with 95 % intervals, from {' at the top to '.join(ends)}"
        f"{' at the bottom' if len(ends) > 1 else ''}. Of {len(finite)}: {counts}."
    )


def _differences_caption(
    rows: pd.DataFrame, finite: pd.DataFrame, unit: str, higher_is_better: bool | None, margin: float | None
) -> str:
    said = ["A mark is the paired difference from the baseline, a line its 95 % interval over seeds and photographs."]
    if finite["low"].isna().any():
        said.append("A mark without a line has no interval.")
    if margin is not None:
        said.append(f"In the grey band, ±{margin:g}{f' {unit}' if unit else ''}, a difference does not matter.")
    if finite["exploratory"].any():
        said.append("Hollow marks are exploratory: their verdicts are not corrected for the number of comparisons.")
    if len(finite) > MOST:
        best, worst = ("highest", "lowest") if higher_is_better is None else ("best", "worst")
        said.append(f"Of {len(finite)} variants, the {MOST // 2} {best} and the {MOST // 2} {worst} are drawn.")
    if len(rows) > len(finite):
        missing = ", ".join(rows.loc[~rows.index.isin(finite.index), "variant"].iloc[:5])
        said.append(f"Without a finite difference, and not drawn: {len(rows) - len(finite)} ({missing}).")
    return " ".join(said)


def interactions(effects: pd.DataFrame, *, label: str, unit: str) -> Figure | None:
    """Draw the main effects and two-way interactions of a factorial study with their 95 % intervals.

    Args:
        effects: Columns effect, kind (`main` or `interaction`), estimate, low, high, p_corrected.
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
        found = own["p_corrected"] < ALPHA
        rows += [heading] if len(own) else []
        rows += [
            Row(row["effect"], row["estimate"], row["low"], row["high"], "o",
                BLUE if kind == "main" else RED, hollow=not sure)
            for row, sure in zip(own.to_dict("records"), found, strict=True)
        ]  # fmt: skip
    with look():
        legend: list[Artist] = [
            key(f"corrected p {'≥' if hollow else '<'} {ALPHA}", "o", DARK, hollow=hollow) for hollow in (False, True)
        ]
        drawn = forest(
            rows, xlabel=f"effect on {with_unit(label, unit)}", line="no effect", legend=legend,
            heading="effect [95 % interval]",
        )  # fmt: skip
        made = files(drawn)
    places = decimals(finite[["estimate", "low", "high"]].to_numpy(float).ravel())
    strongest = kept.iloc[0]
    sure = int((finite["p_corrected"] < ALPHA).sum())
    capped = f" Of {len(finite)} effects, the {MOST} strongest are drawn." if len(finite) > MOST else ""
    return Figure(
        name="interactions",
        title=f"Effects and interactions: {label}",
        alt=(
            f"Effects on {with_unit(label, unit)}: {sure} of {len(finite)} have a corrected p below {ALPHA}; the "
            f"strongest is {strongest['effect']} "
            f"{_with_interval(strongest['estimate'], strongest['low'], strongest['high'], places)}."
        ),
        caption=(
            "A main effect is the change from the baseline's level to another, averaged over the other factors; an "
            "interaction is by how much more one level does where another is chosen. Lines are 95 % intervals."
            f"{capped}"
        ),
        files=made,
    )


def outermost(rows: Sequence[Row]) -> list[Row | str]:
    """Return rows with a word in place of the middle ones, where there are more than `MOST`."""
    kept: list[Row | str] = list(rows)
    if len(rows) > MOST:
        kept[MOST // 2 : -MOST // 2] = [f"… {len(rows) - MOST} more …"]
    return kept


def forest(
    rows: Sequence[Row | str],
    *,
    xlabel: str,
    line: str,
    legend: Sequence[Artist],
    heading: str,
    at: float = 0.0,
    margin: float | None = None,
    write: Callable[[Row], str] | None = None,
) -> Drawing:
    """Draw marks with their intervals, from the top, in a chart with numbers at the right.

    Args:
        rows: What is drawn; a text is a heading.
        xlabel: What the marks are.
        line: What stands at the line that they are compared with.
        legend: What the marks' shapes mean.
        heading: Of the numbers.
        at: Where that line is.
        margin: How far from it a mark does not matter, a grey band; None without one.
        write: How a row's numbers are written; None: as differences, all with the same decimals.

    Returns:
        The drawing.
    """
    headings = [place for place, row in enumerate(rows) if isinstance(row, str)]
    drawn, axes, centres = row_chart([row if isinstance(row, str) else row.name for row in rows], headings)
    reference_line(axes, line, at)
    if margin is not None and math.isfinite(margin):
        axes.axvspan(at - margin, at + margin, color=_BAND, linewidth=0, zorder=0)
        legend = [*legend, Patch(color=_BAND, label=f"equivalent up to ±{margin:g}")]
    marked = [(float(centre), row) for centre, row in zip(centres, rows, strict=True) if isinstance(row, Row)]
    places = decimals(number for _, row in marked for number in (row.value, row.low, row.high))
    for centre, row in marked:
        if row.interval:
            axes.plot(row.interval, (centre, centre), color=row.color, linewidth=1.4, marker="|", markersize=5)
        axes.plot(
            [row.value], [centre], linestyle="none", marker=row.shape, color=row.color, markersize=6.5,
            markerfacecolor="white" if row.hollow else row.color, markeredgewidth=1.2, zorder=3,
        )  # fmt: skip
    texts = [write(row) if write else _with_interval(row.value, row.low, row.high, places) for _, row in marked]
    right_column(axes, [centre for centre, _ in marked], texts, heading)
    # Room for the word at the line, which may be the end of the axis.
    axes.margins(x=0.08)
    axes.set_xlabel(xlabel)
    drawn.legend(
        handles=legend, loc="outside lower center", ncols=len(legend) if len(legend) < 5 else 3, frameon=False
    )
    return drawn


def key(label: str, shape: str, color: str, *, hollow: bool = False) -> Line2D:
    """Return what a legend says of a shape."""
    return Line2D(
        [], [], linestyle="none", marker=shape, color=color, markerfacecolor="white" if hollow else color, label=label
    )


def _with_interval(value: float, low: float, high: float, places: int) -> str:
    if not (math.isfinite(low) and math.isfinite(high)):
        return signed(value, places)
    return f"{signed(value, places)} [{signed(low, places)}, {signed(high, places)}]"
