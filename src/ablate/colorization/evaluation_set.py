"""The evaluation set without any model: its statistics and the references' metrics, computed in blocks of photographs.

All of it depends on the data alone, so it is computed once and cached, see `evaluation_cache`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from ablate.colorization.classifier import CLASSIFIER_ACCURACY, Judge
from ablate.colorization.color.gamut import ab_gamut
from ablate.colorization.color.lab import pixels_to_lab
from ablate.colorization.data.decode import Pixels
from ablate.colorization.data.photographs import ColorData
from ablate.colorization.metrics import (
    ColorizedPhotographs,
    balanced_pixel_weights,
    class_counts,
    colorfulness_of,
    per_photograph,
)
from ablate.system.threads import parallel_map

Array = npt.NDArray[np.floating]
Counts = npt.NDArray[np.int64]
Made = TypeVar("Made")

AB_LIMIT = 110
"""Largest |a| and |b| of sRGB, rounded up."""
AB_CELL = 5
"""Side of a cell of `ab_counts`, in ab units."""
CELLS = 2 * AB_LIMIT // AB_CELL
BLOCK_PIXELS = 2**14
"""Pixels of the photographs that are measured together: as many as stay in the processor's cache."""
CHUNK_PIXELS = 2**18
"""Pixels of the photographs that are read together."""
WAITING_FRAMES = 128
"""Frames of `Rows` that are held before they are put together."""


@dataclass(frozen=True)
class EvaluationSet:
    """What is known of the evaluation photographs without a model.

    Attributes:
        class_counts: (num_bins,), pixels by nearest colour class.
        colorfulness: The photographs' mean colourfulness.
        ab_counts: (cells, cells), see `ab_counts`.
        references: Metrics of `grey`, no colour at all, of `mean_color`, the training photographs' mean ab, and where
            a classifier judges, of `truth`.
    """

    class_counts: Counts
    colorfulness: float
    ab_counts: Counts
    references: dict[str, dict[str, float]]


def describe_evaluation_set(
    data: ColorData, *, grid_step: int, threads: int, judge: Judge | None = None
) -> EvaluationSet:
    """Compute the statistics of the evaluation photographs, and the metrics of the references.

    With a classifier the truth is a reference too: it does not recognise all of the true photographs.
    """

    def statistics(truth: Pixels) -> tuple[Counts, Counts, Array]:
        ab = pixels_to_lab(truth)[..., 1:]
        return class_counts(ab, step=grid_step), ab_counts(ab), colorfulness_of(to_rgb(truth))

    classes, spread, colors = np.zeros(len(ab_gamut(grid_step)), np.int64), no_colors(), list[float]()
    for of_classes, of_cells, colorfulness in over_blocks(statistics, truths(data), threads=threads):
        classes += of_classes
        spread += of_cells
        colors += colorfulness.tolist()
    known = EvaluationSet(classes, float(np.mean(colors)), spread, {})
    constants: dict[str, Array | None] = {"grey": np.zeros(2), "mean_color": data.mean_ab}
    if judge is not None:
        constants["truth"] = None

    def references(truth: Pixels) -> dict[str, pd.DataFrame]:
        photographs = MeasuredBlock(truth, known, grid_step)
        return {name: photographs.measure(_colored(truth, ab)) for name, ab in constants.items()}

    tables = {name: Rows() for name in constants}
    for measured in over_blocks(references, truths(data), threads=threads):
        for name, rows in measured.items():
            tables[name].add(rows)
    metrics = {name: means(rows.table()) for name, rows in tables.items()}
    if judge is not None:
        for name, ab in constants.items():
            metrics[name][CLASSIFIER_ACCURACY.name] = _accuracy(judge, data, ab)
    return EvaluationSet(known.class_counts, known.colorfulness, known.ab_counts, metrics)


def _colored(truth: Pixels, ab: Array | None) -> npt.NDArray[np.float32]:
    """Return one colour for photographs, (n, side, side, 2); the true colours where it is None."""
    if ab is None:
        return pixels_to_lab(truth)[..., 1:]
    return np.broadcast_to(ab.astype(np.float32), (*truth.shape[:3], 2))


def _accuracy(judge: Judge, data: ColorData, ab: Array | None) -> float:
    right, first = list[Array](), 0
    for (truth,) in truths(data):
        right.append(judge.correct(first, truth, None if ab is None else _colored(truth, ab)))
        first += len(truth)
    return float(np.concatenate(right).mean())


class MeasuredBlock:
    """Some photographs, which colours are compared with.

    Args:
        truth: (n, side, side, 3), uint8.
        known: Statistics of the whole evaluation set.
        grid_step: Grid step of the classes.
    """

    def __init__(self, truth: Pixels, known: EvaluationSet, grid_step: int):
        self.lab, self._rgb, self._colorfulness = pixels_to_lab(truth), to_rgb(truth), known.colorfulness
        self._weights = balanced_pixel_weights(self.lab[..., 1:], counts=known.class_counts, step=grid_step)

    def measure(self, ab: npt.NDArray[np.float32]) -> pd.DataFrame:
        """Return the metrics of predicted colours, (n, side, side, 2), one row a photograph."""
        return per_photograph(ColorizedPhotographs(self.lab, self._rgb, ab, self._weights, self._colorfulness))


class Rows:
    """The rows of a table, added a few at a time and put together: a frame takes kilobytes, however few rows it has.

    The table is that of one `pd.concat` of all, down to its order in memory, on which the last bits of means depend.
    """

    def __init__(self) -> None:
        self._joined, self._waiting = list[pd.DataFrame](), list[pd.DataFrame]()

    def add(self, rows: pd.DataFrame) -> None:
        """Add the next rows; all have the same columns."""
        self._waiting.append(rows)
        if len(self._waiting) == WAITING_FRAMES:
            self._joined.append(pd.concat(self._waiting, ignore_index=True))
            self._waiting.clear()

    def table(self) -> pd.DataFrame:
        """Return the table of all that were added."""
        return pd.concat([*self._joined, *self._waiting], ignore_index=True)


def over_blocks(
    function: Callable[..., Made], chunks: Iterator[tuple[npt.NDArray[np.generic], ...]], *, threads: int
) -> Iterator[Made]:
    """Call a function on a few photographs at a time, in several threads.

    What a block is depends on the photographs' side alone, so results are the same for any number of threads.

    Args:
        function: Takes a block of each of a chunk's arrays.
        chunks: Arrays of photographs, (n, side, side, ...), read one after the other.
        threads: Threads that compute; while they do, nothing is read.

    Yields:
        What the function returned, in order; whoever keeps it keeps as much of each photograph.
    """
    for arrays in chunks:
        size = max(1, BLOCK_PIXELS // arrays[0].shape[1] ** 2)
        starts = range(0, len(arrays[0]), size)
        blocks = [tuple(array[start : start + size] for array in arrays) for start in starts]
        yield from parallel_map(lambda block: function(*block), blocks, threads=threads)


def truths(data: ColorData) -> Iterator[tuple[Pixels]]:
    """Read the evaluation photographs at the side at which colours are compared, a chunk at a time."""
    size = max(1, CHUNK_PIXELS // data.preprocessing.evaluation_side**2)
    for start in range(0, len(data.squares), size):
        yield (data.squares.read(slice(start, start + size))[1],)


def to_rgb(pixels: Pixels) -> Array:
    """Return 8-bit sRGB in 0..1, float32; each channel lies in memory by itself, as metrics take them one by one."""
    planes = np.ascontiguousarray(np.moveaxis(pixels, -1, 0)) / np.float32(255)
    return np.moveaxis(planes, 0, -1)


def no_colors() -> Counts:
    """Return `ab_counts` of no pixel, to add others to."""
    return np.zeros((CELLS, CELLS), np.int64)


def ab_counts(ab: Array) -> Counts:
    """Count colours on a grid of squares of side `AB_CELL` over a and b in -`AB_LIMIT`..`AB_LIMIT`.

    Args:
        ab: (..., 2); what lies outside counts for the outermost squares, NaN for the first.

    Returns:
        (cells, cells), by a, then b.
    """
    indices = np.floor((ab + AB_LIMIT) / AB_CELL)
    a, b = np.moveaxis(np.fmin(np.fmax(indices, 0), CELLS - 1).astype(np.int64), -1, 0)
    return np.bincount((a * CELLS + b).ravel(), minlength=CELLS**2).reshape(CELLS, CELLS)


def means(table: pd.DataFrame) -> dict[str, float]:
    """Return the data set's value of each metric: the mean over photographs."""
    return {str(name): float(value) for name, value in table.mean().items()}
