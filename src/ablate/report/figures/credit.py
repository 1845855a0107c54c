"""The waterfall of factors' credit: from the baseline to all factors together."""

import pandas as pd
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ablate.report.figures.figure import BLUE, DARK, GREY, ORANGE, Figure, figure_files, report_style, with_unit
from ablate.report.figures.row_chart import reference_line, right_column, row_chart
from ablate.report.number_format import with_interval
from ablate.statistics.credit import SHAPLEY, TOTAL

_HEIGHT = 0.16
"""Of a bar, in inches."""


def waterfall(credit: pd.DataFrame, *, label: str, unit: str, higher_is_better: bool | None) -> Figure | None:
    """Draw the Shapley values of factors one after the other, from the baseline to all together.

    Args:
        credit: What `estimate_credit` returned.
        label: What the metric is called.
        unit: Its unit, or nothing.
        higher_is_better: None where neither direction is.

    Returns:
        The figure; None where there are no Shapley values, or one is not finite.
    """
    values, total = credit[credit["kind"] == SHAPLEY], credit[credit["kind"] == TOTAL]
    if values.empty or not pd.concat([values, total])["estimate"].astype(float).abs().lt(float("inf")).all():
        return None
    ordered = values.sort_values("estimate", ascending=higher_is_better is False, kind="stable")
    # The last bar starts where the first does.
    starts = [*ordered["estimate"].cumsum().shift(fill_value=0.0), 0.0]
    rows = pd.concat([ordered, total]).assign(start=starts)
    quantity = with_unit(label, unit)
    direction = "" if higher_is_better is None else " (right is better)" if higher_is_better else " (left is better)"
    with report_style():
        drawn, axes, centres = row_chart(rows["factor"].tolist())
        reference_line(axes, "baseline")
        ends = (rows["start"] + rows["estimate"]).tolist()
        for centre, row in zip(centres, rows.to_dict("records"), strict=True):
            start, estimate = float(row["start"]), float(row["estimate"])
            hollow = bool(row["low"] <= 0 <= row["high"])
            color = GREY if row["kind"] == TOTAL else BLUE if estimate >= 0 else ORANGE
            axes.barh(
                centre, estimate, _HEIGHT, left=start, color="white" if hollow else color, edgecolor=color,
                linewidth=1.2, zorder=2,
            )  # fmt: skip
            if row["high"] - row["low"] < float("inf"):
                axes.plot(
                    (start + row["low"], start + row["high"]), (centre, centre), color=DARK, linewidth=1.2,
                    marker="|", markersize=5, zorder=3,
                )  # fmt: skip
        for place, end in enumerate(ends[:-1]):
            axes.plot((end, end), centres[place : place + 2], color=GREY, linewidth=0.8, linestyle=":", zorder=1)
        texts = [with_interval(row["estimate"], row["low"], row["high"]) for row in rows.to_dict("records")]
        right_column(axes, centres.tolist(), texts, "Shapley value [95 % interval]")
        axes.margins(x=0.08)
        axes.set_xlabel(f"difference in {quantity}{direction}")
        drawn.legend(
            handles=[
                Patch(facecolor=BLUE, label="raises"),
                Patch(facecolor=ORANGE, label="lowers"),
                Patch(facecolor="white", edgecolor=DARK, label="0 inside of the interval"),
                Line2D([], [], color=DARK, marker="|", markersize=5, label="95 % interval"),
            ],
            loc="outside lower center", ncols=4, frameon=False,
        )  # fmt: skip
        made = figure_files(drawn)
    said = [f"{row['factor']} {text}" for row, text in zip(rows.to_dict("records"), texts, strict=True)]
    return Figure(
        name="credit",
        title=f"From the baseline to all factors: {label}",
        alt=f"Shapley values of {quantity}: {', '.join(said[:-1])}; together {said[-1].removeprefix('all factors ')}.",
        caption="Each bar starts where the one above ends: the Shapley values sum to the difference of all factors.",
        files=made,
        method="Shapley values sum to the difference of all factors together from the baseline. All intervals hold at "
        "once.",
    )
