"""The figure of a measure that is right or wrong: the examples that a variant gains and loses against the baseline."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter

from ablate.report.figures.figure import BLUE, DARK, RED, Figure, figure_files, replace_missing_glyphs, report_style
from ablate.report.figures.row_chart import reference_line, right_column, row_chart
from ablate.report.nouns import capitalized, plural
from ablate.report.number_format import share

MOST = 40
BAR = 0.16
"""Height of a bar, in inches, as the y axis counts."""
SIDE = 0.35
"""Least room of the shorter side, as a share of the longer one."""


def gains(comparison: pd.DataFrame, *, order: Sequence[str], label: str, example: str) -> Figure | None:
    """Draw the shares of examples that each variant gains and loses, as bars from the baseline to both sides.

    Args:
        comparison: Columns variant, gained, lost, in percent: rows of one metric, see `compare.compare`.
        order: The variants, from the top.
        label: What the metric is called.
        example: What an example is called.

    Returns:
        The figure, of at most `MOST` variants; None where nothing is known.
    """
    table = comparison.set_index("variant")[["gained", "lost"]].dropna()
    known = [variant for variant in order if variant in table.index]
    shown = table.loc[known[:MOST]]
    if shown.empty:
        return None
    examples = plural(example)
    gained, lost = shown["gained"].to_numpy(np.float64), shown["lost"].to_numpy(np.float64)
    longest = max(float(gained.max()), float(lost.max())) or 1.0
    with report_style():
        drawn, axes, centres = row_chart(list(shown.index))
        reference_line(axes, "baseline")
        axes.barh(centres, gained, height=BAR, color=BLUE, zorder=2)
        axes.barh(centres, -lost, height=BAR, color=RED, zorder=2)
        axes.plot(gained - lost, centres, linestyle="none", marker="D", markersize=4.5, color="white",
                  markeredgecolor=DARK, markeredgewidth=1, zorder=3)  # fmt: skip
        axes.set_xlim(-1.1 * max(float(lost.max()), SIDE * longest), 1.1 * max(float(gained.max()), SIDE * longest))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{abs(value):.3g}"))
        axes.set_xlabel(replace_missing_glyphs(f"lost   ←   share of the {examples}, %   →   gained"))
        texts = [f"{share(more)} − {share(less)}" for more, less in zip(gained, lost, strict=True)]
        right_column(axes, centres.tolist(), texts, "gained − lost, %")
        legend: list[Artist] = [
            Patch(color=RED, label="lost"),
            Patch(color=BLUE, label="gained"),
            Line2D(
                [], [], linestyle="none", marker="D", color="white", markeredgecolor=DARK, label="gained less lost"
            ),
        ]
        drawn.legend(handles=legend, loc="outside lower center", ncols=3, frameon=False)
        made = figure_files(drawn)
    capped = f" The first {MOST} of {len(known)} variants." if len(known) > MOST else ""
    most = shown.index[int(np.argmax(gained - lost))]
    return Figure(
        name="gains",
        title=f"{capitalized(examples)} gained and lost: {label}",
        alt=(
            f"Shares of the {examples} that each of {len(shown)} variants gains and loses against the baseline by "
            f"{label}. Most is gained by {most}: {share(shown.loc[most, 'gained'])} % gained, "
            f"{share(shown.loc[most, 'lost'])} % lost."
        ),
        caption="Gained: right with the variant and wrong with the baseline; lost: the reverse.",
        files=made,
        method=(
            f"Gained are the {examples} that a variant gets right and the baseline wrong, lost those that it gets "
            f"wrong and the baseline right; mean over seeds.{capped}"
        ),
    )
