"""The figure of the most and the least convincing pictures, beside the real ones."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from PIL import Image

from ablate.config.short_names import shorten
from ablate.report.figures.figure import Figure
from ablate.report.figures.grid import opened, tiled
from ablate.report.number_format import quantity
from ablate.system.images import picture_table, png
from ablate.turing.analyse.analysis import LEAST, MOST

ACROSS = 3
"""Most algorithms beside each other."""
EACH = 2
"""Most pairs of a place, where all algorithms have room."""


def convincing(pictures: pd.DataFrame, *, order: Sequence[str], most: int, name: str) -> Figure | None:
    """Lay out, for each algorithm, real pictures beside the recoloured ones that fooled most and fewest people.

    Args:
        pictures: Columns algorithm, photograph, place (`MOST` or `LEAST`), rank (from 1), trials, rate (percent), real
            and recolored (PNG files).
        order: The algorithms, in the order in which they are shown.
        most: How many pairs are shown at most, so that a page stays small: of each algorithm up to `EACH` of a place,
            and of the first algorithms where not all have room for one.
        name: Of the figure's files.

    Returns:
        The figure; None without pictures.
    """
    known = set(pictures["algorithm"])
    all_shown = [algorithm for algorithm in order if algorithm in known]
    shown = all_shown[: max(most // 2, 1)]
    if not shown:
        return None
    each = min(max(most // (2 * len(shown)), 1), EACH)
    kept = pictures[pictures["rank"] <= each].sort_values("rank", kind="stable")
    pairs = {
        algorithm: [
            row
            for place in (MOST, LEAST)
            for row in kept[(kept["algorithm"] == algorithm) & (kept["place"] == place)].to_dict("records")
        ]
        for algorithm in shown
    }
    # Lines as equal as can be.
    across = math.ceil(len(shown) / math.ceil(len(shown) / ACROSS))
    capped = f" The first {len(shown)} of {len(all_shown)} algorithms." if len(all_shown) > len(shown) else ""
    ends = [
        f"{algorithm}: {row['place']} {row['photograph']}, {_often(row)}"
        for algorithm, rows in pairs.items()
        for row in rows
        if row["rank"] == 1
    ]
    return Figure(
        name=name,
        title="The most and the least convincing pictures",
        alt=(
            f"Pairs of a real and a recoloured picture, for {len(shown)} algorithm{'s' if len(shown) > 1 else ''}. "
            f"{'; '.join(ends[:8])}{f'; and {len(ends) - 8} more' if len(ends) > 8 else ''}."
        ),
        caption="At the left: how often a picture was taken for the real one. Of few trials: chance is part of it.",
        method=(
            "Chosen by a rule, not by hand: of each algorithm's pictures those that were taken for the real one in "
            "the largest and in the smallest share of their trials; of equals those with "
            f"more trials, and without those that hardly anybody judged where enough others remain.{capped}"
        ),
        files={"png": png(tiled([_table(algorithm, rows) for algorithm, rows in pairs.items()], across))},
    )


def _table(algorithm: str, rows: Sequence[Mapping[Any, Any]]) -> Image.Image:
    labels = [(f"{row['place']} {row['rank']}", f"{row['place']}\n{_often(row)}") for row in rows]
    columns = {"real": "real", "recolored": "recoloured"}
    return picture_table(
        {
            f"{shorten(algorithm)}\n{title}": {
                label: opened(row[kind]) for (label, _), row in zip(labels, rows, strict=True)
            }
            for kind, title in columns.items()
        },
        labels,
    )


def _often(row: Mapping[Any, Any]) -> str:
    return f"{row['rate']:.0f} % of {quantity(row['trials'], 'trial')}"
