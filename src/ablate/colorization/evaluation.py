"""Evaluation: every variant's colours at one common resolution, on the same photographs."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt
import pandas as pd
import tensorflow as tf
from PIL import Image

from ablate.colorization.classifier import CLASSIFIER_ACCURACY, Classifier, Judge
from ablate.colorization.color.lab import clip_lab, pixels_to_lab
from ablate.colorization.config import ColorConfig, EvaluationConfig
from ablate.colorization.data.batches import to_example
from ablate.colorization.data.decode import Pixels
from ablate.colorization.data.photographs import ColorData
from ablate.colorization.data.squares import Square
from ablate.colorization.evaluation_cache import cached_evaluation_set
from ablate.colorization.evaluation_set import (
    AB_CELL,
    AB_LIMIT,
    CHUNK_PIXELS,
    Counts,
    MeasuredBlock,
    Rows,
    ab_counts,
    describe_evaluation_set,
    means,
    no_colors,
    over_blocks,
)
from ablate.colorization.model.decoding import decode, upsample
from ablate.system.allocator import keep_freed_memory
from ablate.system.images import picture_table
from ablate.task import Evaluation
from ablate.training.hardware import threads_of_operations

Array = npt.NDArray[np.floating]
Predict = Callable[[Pixels], npt.NDArray[np.float32]]

Pictures = dict[str, Image.Image]
"""A photograph's pictures by `KINDS`."""

KINDS = ("given", "truth", "output")
SHOWN = 8
"""Sample pictures in a run's own figure."""


def evaluate(
    model: keras.Model,
    data: ColorData,
    *,
    color: ColorConfig,
    evaluation: EvaluationConfig,
    shown: Mapping[str, Square] | None = None,
    classifier: Classifier | None = None,
    cache: Path | None = None,
) -> Evaluation:
    """Colourise the evaluation photographs and compare them with the truth.

    The predicted ab is upsampled bilinearly to `evaluation.side` whatever the network's output side, and joined
    with the true L. References: `grey`, no colour at all, and `mean_color`, the training photographs' mean ab.

    Args:
        model: The trained network.
        data: The data set.
        color: How outputs are decoded.
        evaluation: Side, batch size and number of sample pictures.
        shown: The photographs of the sample pictures by name; None takes the first that evaluate.
        classifier: Judges the coloured photographs, beside the true ones as the reference `truth`.
        cache: Folder that keeps what the references score, see `evaluation_cache`; None computes it each time.

    Returns:
        Metrics, references, one row a photograph, sample pictures, and the distribution of ab.
    """
    keep_freed_memory()
    step, threads = color.grid_step, threads_of_operations()
    names = [photograph.name for photograph in data.evaluation]
    judge = None if classifier is None else Judge(classifier, names)
    known = cached_evaluation_set(
        data,
        grid_step=step,
        folder=cache,
        compute=lambda: describe_evaluation_set(data, grid_step=step, threads=threads, judge=judge),
        classifier=None if judge is None else judge.version,
    )

    def measure(truth: Pixels, ab: npt.NDArray[np.float32]) -> tuple[pd.DataFrame, Counts]:
        return MeasuredBlock(truth, known, step).measure(ab), ab_counts(ab)

    predict, first, right = _predictor(model, color, evaluation.side), list[Pictures](), list[Array]()
    predicted = _predicted(predict, data, evaluation, first)
    if judge is not None:
        predicted = _judged(judge, predicted, right)
    rows, spread = Rows(), no_colors()
    for measured, counts in over_blocks(measure, predicted, threads=threads):
        rows.add(measured)
        spread += counts
    table = rows.table()
    if judge is not None:
        table[CLASSIFIER_ACCURACY.name] = np.concatenate(right)
    samples = _samples(names, first) if shown is None else _samples(shown, _coloured(predict, shown, evaluation))
    return Evaluation(
        metrics=means(table),
        references=known.references,
        per_example=_named(table, data),
        samples=samples,
        distribution=_distribution({"truth": known.ab_counts, "output": spread}),
        figures={"grid": _sample_grid(samples)},
    )


def _predictor(model: keras.Model, color: ColorConfig, side: int) -> Predict:
    """Return the function from the network's input, (n, image_size, image_size, 3), to ab, (n, side, side, 2)."""

    # Traced once: `predict_on_batch` would be again for a last batch of another size.
    @tf.function(input_signature=[tf.TensorSpec((None, *model.input_shape[1:]), tf.float32)])
    def predict(lightness: tf.Tensor) -> tf.Tensor:
        outputs = model(lightness, training=False)
        return upsample(decode(outputs, step=color.grid_step, temperature=color.temperature), side)

    return lambda pixels: predict(to_example(pixels)[0]).numpy()


def _predicted(
    predict: Predict, data: ColorData, evaluation: EvaluationConfig, shown: list[Pictures]
) -> Iterator[tuple[Pixels, npt.NDArray[np.float32]]]:
    """Yield the truth and the predicted ab of some batches at a time, and add the first pictures to `shown`."""
    # Not of all: ten thousand photographs of 256x256 in Lab alone are 8 GB.
    size = evaluation.batch_size * max(1, CHUNK_PIXELS // evaluation.side**2 // evaluation.batch_size)
    for start in range(0, len(data.squares), size):
        pixels, truth = data.squares.read(slice(start, start + size))
        batches = range(0, len(pixels), evaluation.batch_size)
        ab = np.concatenate([predict(pixels[first : first + evaluation.batch_size]) for first in batches])
        # Those that evaluate are ordered by the hash of their contents, so the first ones are a random choice that is
        # the same for every variant.
        shown += map(_pictures, truth[: max(0, evaluation.samples - start)], ab)
        yield truth, ab


def _judged(
    judge: Judge, predicted: Iterator[tuple[Pixels, npt.NDArray[np.float32]]], right: list[Array]
) -> Iterator[tuple[Pixels, npt.NDArray[np.float32]]]:
    """Yield the same, and add to `right` which photographs the classifier recognises."""
    first = 0
    for truth, ab in predicted:
        right.append(judge.correct(first, truth, ab))
        first += len(truth)
        yield truth, ab


def _coloured(predict: Predict, photographs: Mapping[str, Square], evaluation: EvaluationConfig) -> Iterator[Pictures]:
    """Yield the pictures of each photograph."""
    inputs, truth = zip(*photographs.values(), strict=True)
    for start in range(0, len(inputs), evaluation.batch_size):
        batch = slice(start, start + evaluation.batch_size)
        yield from map(_pictures, truth[batch], predict(np.stack(inputs[batch])))


def _named(table: pd.DataFrame, data: ColorData) -> pd.DataFrame:
    names = {
        "example": [photograph.name for photograph in data.evaluation],
        "digest": [photograph.digest for photograph in data.evaluation],
    }
    return pd.concat([pd.DataFrame(names), table], axis=1)


def _sample_grid(samples: dict[str, dict[str, Image.Image]]) -> Image.Image:
    titles = {"given": "grey", "truth": "truth", "output": "colourised"}
    return picture_table({title: dict(list(samples[kind].items())[:SHOWN]) for kind, title in titles.items()})


def _distribution(spread: dict[str, Counts]) -> pd.DataFrame:
    centres = np.arange(-AB_LIMIT, AB_LIMIT, AB_CELL) + AB_CELL / 2
    a, b = np.meshgrid(centres, centres, indexing="ij")
    return pd.DataFrame({"a": a.ravel(), "b": b.ravel(), **{kind: counts.ravel() for kind, counts in spread.items()}})


def _samples(names: Iterable[str], shown: Iterable[Pictures]) -> dict[str, dict[str, Image.Image]]:
    """Return the pictures by kind, then by the photographs' names."""
    named = dict(zip(names, shown, strict=False))
    return {kind: {name: pictures[kind] for name, pictures in named.items()} for kind in KINDS}


def _pictures(truth: Pixels, ab: Array) -> Pictures:
    lightness = pixels_to_lab(truth)[..., :1]
    pixels = (_pixels(lightness, np.zeros_like(ab)), truth, _pixels(lightness, ab))
    return dict(zip(KINDS, map(Image.fromarray, pixels), strict=True))


def _pixels(lightness: Array, ab: Array) -> Pixels:
    return np.round(clip_lab(np.concatenate([lightness, ab], axis=-1))[0] * 255).astype(np.uint8)
