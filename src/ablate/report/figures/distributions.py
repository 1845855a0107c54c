"""The figure of distributions: two coordinates of the truth and of every variant's outputs."""

import math
from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.colors import Normalize
from matplotlib.figure import Figure as Drawing
from matplotlib.ticker import FuncFormatter, MaxNLocator

from ablate.report.figures.figure import (
    Figure,
    drawing,
    figure_files,
    name_lines,
    replace_missing_glyphs,
    report_style,
)

MOST = 24
COLUMNS = 5
DECADES = 6
"""Cells rarer than the commonest by more have the colour of the rarest."""
SHARE = 99
"""Percent of all that was counted, whose cells are counted."""

Array = npt.NDArray[np.float64]


def distributions(distributions: pd.DataFrame, *, order: Sequence[str]) -> Figure | None:
    """Draw distributions as heat maps of log probability, as Zhang et al. 2016 do in Fig. 3.

    Args:
        distributions: Columns variant, two coordinates (centres of a regular grid's cells), truth and output (counts).
        order: The variants, in the order of their panels.

    Returns:
        The figure: the truth, then at most `MOST` variants. None where nothing was counted.
    """
    first, second = [str(column) for column in distributions if column not in ("variant", "truth", "output")][:2]
    tables = {str(variant): own for variant, own in distributions.groupby("variant")}
    known = [variant for variant in order if variant in tables]
    if not known:
        return None
    panels = {"truth": _share(tables[known[0]], first, second, "truth")}
    for variant in known[:MOST]:
        panels[variant] = _share(tables[variant], first, second, "output")
    counted = {name: table for name, table in panels.items() if table.to_numpy().any()}
    if not counted:
        return None
    cells = {name: _cells(table.to_numpy()) for name, table in counted.items()}
    with report_style():
        made = figure_files(_draw(_cropped(panels), cells, (first, second)))
    sentences = [
        f"Share of each cell of {first} and {second}, on a log scale; empty cells are grey.",
        f"In each panel: how many cells hold {SHARE} % of all.",
    ]
    if len(known) > MOST:
        sentences.append(f"The first {MOST} of {len(known)} variants.")
    return Figure(
        name="distributions",
        title=f"Distribution of {first} and {second}",
        alt=(
            f"Heat maps of the distribution of {first} and {second}. Cells that hold {SHARE} % of all: "
            f"{', '.join(f'{name} {count}' for name, count in list(cells.items())[:8])}."
        ),
        caption=f"How often each {first} and {second} occurs; grey: never. Fewer cells than the truth: less varied.",
        files=made,
        method=" ".join(sentences),
    )


def _share(own: pd.DataFrame, first: str, second: str, kind: str) -> pd.DataFrame:
    """Return the shares of all counts: index the second coordinate, columns the first."""
    table = own.pivot_table(index=second, columns=first, values=kind, aggfunc="sum", fill_value=0).astype(float)
    total = float(table.to_numpy().sum())
    return table / total if total > 0 else table


def _cells(shares: Array) -> int:
    """Return how few cells hold `SHARE` percent of all."""
    largest_first = np.sort(shares.ravel())[::-1]
    return int(np.searchsorted(np.cumsum(largest_first), SHARE / 100 - 1e-9)) + 1


def _cropped(panels: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Leave out the rim in which nothing lies anywhere, but for one cell."""
    anywhere = sum(table.fillna(0) for table in panels.values())
    rows, columns = (np.flatnonzero(np.asarray(anywhere).any(axis=axis)) for axis in (1, 0))
    kept = (slice(max(rows[0] - 1, 0), rows[-1] + 2), slice(max(columns[0] - 1, 0), columns[-1] + 2))
    return {name: table.iloc[kept] for name, table in panels.items()}


def _draw(panels: dict[str, pd.DataFrame], cells: dict[str, int], coordinates: tuple[str, str]) -> Drawing:
    columns = min(len(panels), COLUMNS)
    rows = math.ceil(len(panels) / columns)
    names = {name: name_lines(name, 22) for name in panels}
    a_panel = next(iter(panels.values()))
    tall = min(max(len(a_panel.index) / len(a_panel.columns), 0.4), 2.5)
    title_lines = max(len(lines) for lines in names.values())
    drawn = drawing(1.75 * columns + 1.2, rows * (1.52 * tall + 0.13 * title_lines + 0.06) + 0.5)
    grid = drawn.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    shares = np.concatenate([table.to_numpy().ravel() for table in panels.values()])
    positive = np.log10(shares[shares > 0])
    highest = float(positive.max())
    norm = Normalize(max(float(positive.min()), highest - DECADES), max(highest, float(positive.min()) + 0.1))
    colors = mpl.colormaps["viridis"].with_extremes(bad="0.93")
    for place, axes in enumerate(grid.flat):
        if place >= len(panels):
            axes.set_visible(False)
            continue
        name, table = list(panels.items())[place]
        logs = np.log10(table.to_numpy(), where=table.to_numpy() > 0, out=np.full(table.shape, np.nan))
        image = axes.imshow(
            np.ma.masked_invalid(logs), norm=norm, cmap=colors, origin="lower", interpolation="nearest",
            extent=_extent(table), aspect="equal",
        )  # fmt: skip
        axes.grid(visible=False)
        axes.axhline(0, color="0.75", linewidth=0.5, alpha=0.6)
        axes.axvline(0, color="0.75", linewidth=0.5, alpha=0.6)
        axes.set_title("\n".join(names[name]), fontsize=8, linespacing=1.05, fontweight="bold" if place == 0 else None)
        if name in cells:
            axes.text(
                0.03, 0.97, f"{cells[name]:,} cells", transform=axes.transAxes, va="top", fontsize=8, color="0.2",
                bbox={"facecolor": "white", "alpha": 0.8, "linewidth": 0, "pad": 1},
            )  # fmt: skip
        axes.tick_params(labelbottom=place + columns >= len(panels))
        axes.xaxis.set_major_locator(MaxNLocator(3))
        axes.yaxis.set_major_locator(MaxNLocator(4))
        if place + columns >= len(panels):
            axes.set_xlabel(replace_missing_glyphs(coordinates[0]))
        if place % columns == 0:
            axes.set_ylabel(replace_missing_glyphs(coordinates[1]))
    bar = drawn.colorbar(image, ax=grid, shrink=min(1.0, 2.6 / rows + 0.1), aspect=25, pad=0.015)
    bar.ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda power, _: f"{10.0 ** (power + 2):.6g} %"))
    bar.ax.grid(visible=False)
    bar.outline.set_visible(False)
    bar.set_label("share (log scale)")
    return drawn


def _extent(table: pd.DataFrame) -> tuple[float, float, float, float]:
    """Return the outer edges of the cells whose centres the index and the columns are."""
    edges = []
    for centres in (table.columns.to_numpy(float), table.index.to_numpy(float)):
        half = (centres[1] - centres[0]) / 2 if len(centres) > 1 else 0.5
        edges += [float(centres[0] - half), float(centres[-1] + half)]
    return edges[0], edges[1], edges[2], edges[3]
