"""The figure of differences from the baseline, example by example."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from ablate.config.variant import BASELINE
from ablate.report.figures.figure import BLUE, DARK, GREY, Figure, figure_files, report_style, with_unit
from ablate.report.figures.row_chart import reference_line, right_column, row_chart
from ablate.report.nouns import capitalized, plural, with_article
from ablate.report.number_format import signed

MOST = 40
STRIP = 500
"""Examples of a variant up to which each is a dot."""
FEW = 30
"""Examples of a variant up to which dots are large."""
BOX = 0.16
"""Height of a box, in inches, as the y axis counts."""
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def per_example(
    differences: pd.DataFrame, *, order: Sequence[str], label: str, unit: str, example: str
) -> Figure | None:
    """Draw each variant's differences from the baseline, example by example.

    Args:
        differences: Columns variant, example, difference (mean over seeds).
        order: The variants, from the top.
        label: What the metric is called.
        unit: Its unit, or nothing.
        example: What an example is called.

    Returns:
        The figure, of at most `MOST` variants; None where no difference is known.
    """
    finite = differences[np.isfinite(differences["difference"].astype(float)) & (differences["variant"] != BASELINE)]
    known = set(finite["variant"])
    all_shown = [variant for variant in order if variant in known]
    shown = all_shown[:MOST]
    if not shown:
        return None
    values = {str(variant): own.to_numpy(np.float64) for variant, own in finite.groupby("variant")["difference"]}
    quantiles = {variant: np.quantile(values[variant], QUANTILES).tolist() for variant in shown}
    medians = {variant: own[2] for variant, own in quantiles.items()}
    above = {variant: 100 * float((values[variant] > 0).mean()) for variant in shown}
    low, high = _limits(list(quantiles.values()))
    with report_style():
        drawn, axes, centres = row_chart(shown)
        reference_line(axes, "baseline")
        for centre, variant in zip(centres, shown, strict=True):
            _row(axes, float(centre), values[variant], quantiles[variant])
        axes.set_xlim(low, high)
        axes.set_xlabel(f"difference of each {example} in {with_unit(label, unit)}")
        texts = [f"{signed(medians[variant])}   {above[variant]:.0f} %" for variant in shown]
        right_column(axes, centres.tolist(), texts, "median, above 0")
        made = figure_files(drawn)
    dots = f" Each dot is {with_article(example)}." if any(len(values[name]) <= STRIP for name in shown) else ""
    sentences = [
        f"Over {plural(example)}, mean over seeds: the box holds the middle half, its line is the median, whiskers "
        "reach from 5 to 95 %."
    ]
    beyond = sum(int(((values[variant] < low) | (values[variant] > high)).sum()) for variant in shown)
    if beyond:
        sentences.append(
            f"{beyond} of {sum(len(values[variant]) for variant in shown)} differences lie beyond the axis."
        )
    if len(all_shown) > MOST:
        sentences.append(f"The first {MOST} of {len(all_shown)} variants.")
    ends = max(shown, key=medians.__getitem__), min(shown, key=medians.__getitem__)
    return Figure(
        name="per_example",
        title=f"{capitalized(example)} by {example}: {label}",
        alt=(
            f"Differences from the baseline in {with_unit(label, unit)} over {plural(example)}. Medians from "
            f"{signed(medians[ends[1]])} ({ends[1]}) to {signed(medians[ends[0]])} ({ends[0]}), "
            f"where {above[ends[0]]:.0f} % of the {plural(example)} are above zero."
        ),
        caption=f"A box holds the middle half of the {plural(example)}, its line is the median.{dots}",
        files=made,
        method=" ".join(sentences),
    )


def _limits(quantiles: Sequence[Sequence[float]]) -> tuple[float, float]:
    """Return limits that hold zero and all whiskers with much room: a few examples must not flatten all boxes."""
    low = min(0.0, *(own[0] for own in quantiles))
    high = max(0.0, *(own[-1] for own in quantiles))
    room = 0.35 * (high - low) or 1.0
    return low - room, high + room


def _row(axes: Axes, centre: float, values: np.ndarray, quantiles: Sequence[float]) -> None:
    lowest, lower, median, upper, highest = quantiles
    if len(values) <= STRIP:
        # Spread evenly by the golden ratio: no randomness, so the same figure every time.
        spread = (np.arange(len(values)) * 0.618034) % 1 - 0.5
        size = 2.5 if len(values) > FEW else 7.0
        axes.plot(
            values, centre + spread * 1.3 * BOX, linestyle="none", marker=".", markersize=size, color=GREY, alpha=0.5,
            markeredgewidth=0, rasterized=True, zorder=1.8,
        )  # fmt: skip
    axes.hlines(centre, lowest, highest, color=DARK, linewidth=1.1, zorder=2)
    axes.vlines([lowest, highest], centre - BOX / 4, centre + BOX / 4, color=DARK, linewidth=1.1, zorder=2)
    axes.barh(
        centre, upper - lower, left=lower, height=BOX, facecolor=(BLUE, 0.55), edgecolor=DARK, linewidth=0.9,
        zorder=2.2,
    )  # fmt: skip
    axes.vlines(median, centre - BOX / 2, centre + BOX / 2, color="black", linewidth=2, zorder=2.4)
