"""Evaluation: every variant's colours at one common resolution, on the same photographs."""

import keras
import numpy as np
import numpy.typing as npt
import pandas as pd
from PIL import Image

from ablate.colorization.color.gamut import ab_gamut
from ablate.colorization.color.lab import lab_to_rgb, pixels_to_lab
from ablate.colorization.config import ColorConfig, EvaluationConfig
from ablate.colorization.data.batches import to_example
from ablate.colorization.data.decode import Pixels
from ablate.colorization.data.photographs import ColorData
from ablate.colorization.metrics import (
    ColorizedPhotographs,
    balanced_pixel_weights,
    class_counts,
    colorfulness_of,
    per_photograph,
)
from ablate.colorization.model.decoding import decode, upsample
from ablate.system.images import picture_table
from ablate.task import Evaluation

Array = npt.NDArray[np.floating]
Counts = npt.NDArray[np.int64]

AB_LIMIT = 110
"""Largest |a| and |b| of sRGB, rounded up."""
AB_CELL = 5
"""Side of a cell of `ab_counts`, in ab units."""
SHOWN = 8
"""Sample pictures in a run's own figure."""


def evaluate(model: keras.Model, data: ColorData, *, color: ColorConfig, evaluation: EvaluationConfig) -> Evaluation:
    """Colourise the evaluation photographs and compare them with the truth.

    The predicted ab is upsampled bilinearly to `evaluation.side` whatever the network's output side, and joined
    with the true L. References: `grey`, no colour at all, and `mean_color`, the training photographs' mean ab.

    Args:
        model: The trained network.
        data: The data set.
        color: How outputs are decoded.
        evaluation: Side, batch size and number of sample pictures.

    Returns:
        Metrics, references, one row a photograph, sample pictures, and the distribution of ab.
    """
    batches = [
        slice(start, start + evaluation.batch_size) for start in range(0, len(data.evaluation), evaluation.batch_size)
    ]
    counts, truth_colorfulness = _statistics(data, batches, color.grid_step)
    constants = {"grey": np.zeros(2), "mean_color": data.mean_ab}
    tables: dict[str, list[pd.DataFrame]] = {name: [] for name in ("model", *constants)}
    shown: list[tuple[Array, Array]] = []
    spread = {kind: ab_counts(np.zeros((0, 2))) for kind in ("truth", "output")}
    # A batch at a time: ten thousand photographs of 256x256 in Lab alone are 8 GB.
    for batch in batches:
        lab = _true_lab(data, batch)
        predictions = {name: np.broadcast_to(ab, (*lab.shape[:-1], 2)) for name, ab in constants.items()}
        predictions["model"] = _predict(model, data.evaluation_pixels[batch], color, evaluation.side)
        weights = balanced_pixel_weights(lab[..., 1:], counts=counts, step=color.grid_step)
        for name, ab in predictions.items():
            pictures = ColorizedPhotographs(lab, ab.astype(np.float32), weights, truth_colorfulness)
            tables[name].append(per_photograph(pictures))
        spread["truth"] += ab_counts(lab[..., 1:])
        spread["output"] += ab_counts(predictions["model"])
        if batch.start < evaluation.samples:
            shown.append((lab, predictions["model"]))
    joined = {name: pd.concat(frames, ignore_index=True) for name, frames in tables.items()}
    metrics = {name: _means(table) for name, table in joined.items()}
    truths, predicted = (np.concatenate(arrays) for arrays in zip(*shown, strict=True))
    samples = _samples(data, truths, predicted, evaluation.samples)
    return Evaluation(
        metrics=metrics.pop("model"),
        references=metrics,
        per_example=_named(joined["model"], data),
        samples=samples,
        distribution=_distribution(spread),
        figures={"grid": _sample_grid(samples)},
    )


def _named(table: pd.DataFrame, data: ColorData) -> pd.DataFrame:
    names = {
        "example": [photograph.name for photograph in data.evaluation],
        "digest": [photograph.digest for photograph in data.evaluation],
    }
    return pd.concat([pd.DataFrame(names), table], axis=1)


def _sample_grid(samples: dict[str, dict[str, Image.Image]]) -> Image.Image:
    titles = {"given": "grey", "truth": "truth", "output": "colourised"}
    return picture_table({title: dict(list(samples[kind].items())[:SHOWN]) for kind, title in titles.items()})


def ab_counts(ab: Array) -> Counts:
    """Count colours on a grid of squares of side `AB_CELL` over a and b in -`AB_LIMIT`..`AB_LIMIT`.

    Args:
        ab: (..., 2); what lies outside counts for the outermost squares.

    Returns:
        (cells, cells), by a, then b.
    """
    cells = 2 * AB_LIMIT // AB_CELL
    indices = np.clip(((ab + AB_LIMIT) // AB_CELL).astype(np.int64), 0, cells - 1)
    flat = indices[..., 0] * cells + indices[..., 1]
    return np.bincount(flat.ravel(), minlength=cells**2).reshape(cells, cells)


def _distribution(spread: dict[str, Counts]) -> pd.DataFrame:
    centres = np.arange(-AB_LIMIT, AB_LIMIT, AB_CELL) + AB_CELL / 2
    a, b = np.meshgrid(centres, centres, indexing="ij")
    return pd.DataFrame({"a": a.ravel(), "b": b.ravel(), **{kind: counts.ravel() for kind, counts in spread.items()}})


def _statistics(data: ColorData, batches: list[slice], grid_step: int) -> tuple[Counts, float]:
    """Count the whole evaluation set's pixels by class, and average its colourfulness."""
    counts, colors = np.zeros(len(ab_gamut(grid_step)), np.int64), []
    for batch in batches:
        lab = _true_lab(data, batch)
        counts += class_counts(lab[..., 1:], step=grid_step)
        colors.append(colorfulness_of(lab_to_rgb(lab).numpy()))
    return counts, float(np.concatenate(colors).mean())


def _means(table: pd.DataFrame) -> dict[str, float]:
    return {str(name): float(value) for name, value in table.mean().items()}


def _true_lab(data: ColorData, batch: slice) -> Array:
    return pixels_to_lab(data.evaluation_truth[batch])


def _predict(model: keras.Model, pixels: Pixels, color: ColorConfig, side: int) -> Array:
    outputs = model.predict_on_batch(to_example(pixels)[0])
    return upsample(decode(outputs, step=color.grid_step, temperature=color.temperature), side).numpy()


def _samples(data: ColorData, lab: Array, predicted: Array, count: int) -> dict[str, dict[str, Image.Image]]:
    # The photographs are ordered by the hash of their contents, so the first ones are a random choice that is
    # the same for every variant.
    lab, predicted = lab[:count], predicted[:count]
    kinds = {
        "given": np.concatenate([lab[..., :1], np.zeros_like(predicted)], axis=-1),
        "truth": lab,
        "output": np.concatenate([lab[..., :1], predicted], axis=-1),
    }
    samples = {}
    for kind, pictures in kinds.items():
        pixels = np.round(lab_to_rgb(pictures).numpy() * 255).astype(np.uint8)
        names = [photograph.name for photograph in data.evaluation]
        samples[kind] = {name: Image.fromarray(picture) for name, picture in zip(names, pixels, strict=False)}
    return samples
