"""Frames that figures are drawn from, and what is seen of a drawing."""

import io
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing

from ablate.report.figures import Figure, differences
from ablate.report.figures.figure import FigureFiles
from ablate.statistics.credit import ALL_FACTORS, SHAPLEY, TOTAL

ODD = "a_$b$ <c> & 50 %^2,d=$\\frac{1}$"
"""A name that must not be read as a formula."""
UNKNOWN = "\U0001f3a8=\tx"
"""A name that the font cannot write."""
NAMED: Any = {"label": "AuC", "unit": "%"}
OF_DIGITS: Any = {**NAMED, "example": "digit"}


def compared(*rows: tuple[str, float, float, float, str], exploratory: bool = False) -> pd.DataFrame:
    """Make a comparison of (variant, difference, low, high, verdict), of two metrics; the mean is 80 + difference."""
    frame = pd.DataFrame(
        [("baseline", math.nan, math.nan, math.nan, ""), *rows],
        columns=["variant", "difference", "low", "high", "verdict"],
    )
    frame = frame.assign(mean=80 + frame["difference"].fillna(0), sd=0.5, exploratory=exploratory)
    return pd.concat([frame.assign(metric="auc"), frame.assign(metric="other", difference=7.0)], ignore_index=True)


def difference_figure(
    comparison: pd.DataFrame, *, higher_is_better: bool | None = True, **options: Any
) -> Figure | None:
    return differences(
        comparison,
        metric="auc",
        higher_is_better=higher_is_better,
        **{"margin": None, "sampled": "seeds and digits", **NAMED, **options},
    )


def names_of(axes: Axes) -> list[str]:
    return [label.get_text().replace("\n", "") for label in axes.get_yticklabels()]


def texts_of(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def shown_axes(drawing: Drawing) -> list[Axes]:
    return [axes for axes in drawing.axes if axes.get_visible()]


def marks_of(axes: Axes) -> list[tuple[float, str]]:
    """Return the difference and the marker of each row's mark."""
    lines = [line for line in axes.lines if line.get_linestyle() == "None"]
    return [(float(np.asarray(line.get_xdata())[0]), str(line.get_marker())) for line in lines]


def intervals_of(axes: Axes) -> list[tuple[float, ...]]:
    return [tuple(np.asarray(line.get_xdata()).tolist()) for line in axes.lines if line.get_marker() == "|"]


def losses(*variants: str, seeds: int = 2, bad: float | None = None, scale: float = 1.0) -> pd.DataFrame:
    """Make curves of two parts and three steps; seeds differ by one; `bad` is the last loss of seed 0."""
    rows = [
        (
            variant,
            seed,
            part,
            step,
            bad if bad is not None and seed == 0 and step == 2000 else scale * (9 - step / 1000 + seed),
        )
        for variant in variants
        for seed in range(seeds)
        for part in ("training", "evaluation digits")
        for step in (0, 1000, 2000)
    ]
    return pd.DataFrame(rows, columns=["variant", "seed", "part", "step", "value"]).assign(quantity="loss")


def costs(**parameters: float) -> pd.DataFrame:
    names = ["cost/parameters", "cost/wall_seconds"]
    return pd.DataFrame(
        {names[0]: {name: 1e6 * value for name, value in parameters.items()},
         names[1]: {name: 3600 * value for name, value in parameters.items()}}
    )  # fmt: skip


def effects(*rows: tuple[str, str, float]) -> pd.DataFrame:
    """Make effects whose intervals are the estimate ± 1."""
    frame = pd.DataFrame(rows, columns=["effect", "kind", "estimate"])
    return frame.assign(low=frame["estimate"] - 1, high=frame["estimate"] + 1)


def credit(*rows: tuple[str, float]) -> pd.DataFrame:
    """Make Shapley values and their total, whose intervals are the estimate ± 1."""
    frame = pd.DataFrame(rows, columns=["factor", "estimate"]).assign(kind=SHAPLEY)
    frame.loc[len(frame)] = [ALL_FACTORS, frame["estimate"].sum(), TOTAL]
    return frame.assign(low=frame["estimate"] - 1, high=frame["estimate"] + 1, p=0.5)


def counts(*variants: str, columns: tuple[str, str] = ("a", "b")) -> pd.DataFrame:
    """Make a grid of 5 x 4 cells around zero: all truth in two cells, the output of the n-th variant in one."""
    first, second = (axis.ravel() for axis in np.meshgrid([-10, -5, 0, 5, 10], [-5, 0, 5, 10], indexing="ij"))
    frames = []
    for variant in variants:
        frame = pd.DataFrame({"variant": variant, columns[0]: first, columns[1]: second, "truth": 0, "output": 0})
        frame.loc[(first == 5) & (second == 0), ["truth", "output"]] = [90, 7]
        frame.loc[(first == 0) & (second == 5), "truth"] = 10
        frames.append(frame)
    return pd.concat(frames)


def spread(**values: Sequence[float]) -> pd.DataFrame:
    rows = [(name, f"e{place}", value) for name, own in values.items() for place, value in enumerate(own)]
    return pd.DataFrame(rows, columns=["variant", "example", "difference"])


@contextmanager
def quick_drawings() -> Iterator[list[Drawing]]:
    """Collect what is drawn, and save it at once; of the files only a small PNG is made."""
    kept: list[Drawing] = []
    save, make = Drawing.savefig, FigureFiles.__init__

    def keep(drawing: Drawing, file: io.BytesIO, **options: Any) -> None:
        if options["format"] == "png":
            kept.append(drawing)
            save(drawing, file, **{**options, "dpi": 40})

    def make_and_save(files: FigureFiles, drawing: Drawing) -> None:
        make(files, drawing)
        dict(files)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Drawing, "savefig", keep)
        patch.setattr(FigureFiles, "__init__", make_and_save)
        yield kept


@pytest.fixture
def drawn() -> Iterator[list[Drawing]]:
    """See `quick_drawings`."""
    with quick_drawings() as kept:
        yield kept
