"""Evaluation: every variant's colours at one common resolution, on the same photographs."""

from collections.abc import Callable, Iterator, Mapping, Sequence
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
    ab_counts,
    describe_evaluation_set,
    means,
    over_blocks,
)
from ablate.colorization.model.decoding import decode, upsample
from ablate.system.images import picture_table
from ablate.task import Evaluation
from ablate.training.hardware import threads_of_operations

Array = npt.NDArray[np.floating]
Predict = Callable[[Pixels], npt.NDArray[np.float32]]

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

    predict, first, right = _predictor(model, color, evaluation.side), list[tuple[Pixels, Array]](), list[Array]()
    predicted = _predicted(predict, data, evaluation, first)
    if judge is not None:
        predicted = _judged(judge, predicted, right)
    tables, spread = zip(*over_blocks(measure, predicted, threads=threads), strict=True)
    table = pd.concat(tables, ignore_index=True)
    if judge is not None:
        table[CLASSIFIER_ACCURACY.name] = np.concatenate(right)
    samples = _samples(names, first) if shown is None else _samples(list(shown), _coloured(predict, shown, evaluation))
    return Evaluation(
        metrics=means(table),
        references=known.references,
        per_example=_named(table, data),
        samples=samples,
        distribution=_distribution({"truth": known.ab_counts, "output": np.sum(spread, axis=0)}),
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
    predict: Predict, data: ColorData, evaluation: EvaluationConfig, shown: list[tuple[Pixels, Array]]
) -> Iterator[tuple[Pixels, npt.NDArray[np.float32]]]:
    """Yield the truth and the predicted ab of some batches at a time, and add the first photographs to `shown`."""
    # Not of all: ten thousand photographs of 256x256 in Lab alone are 8 GB.
    size = evaluation.batch_size * max(1, CHUNK_PIXELS // evaluation.side**2 // evaluation.batch_size)
    for start in range(0, len(data.squares), size):
        pixels, truth = data.squares.read(slice(start, start + size))
        batches = range(0, len(pixels), evaluation.batch_size)
        ab = np.concatenate([predict(pixels[first : first + evaluation.batch_size]) for first in batches])
        shown += zip(truth[: max(0, evaluation.samples - start)], ab, strict=False)
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


def _coloured(
    predict: Predict, photographs: Mapping[str, Square], evaluation: EvaluationConfig
) -> list[tuple[Pixels, Array]]:
    """Return the truth and the predicted ab of each photograph."""
    inputs, truth = zip(*photographs.values(), strict=True)
    starts = range(0, len(inputs), evaluation.batch_size)
    ab = [predict(np.stack(inputs[start : start + evaluation.batch_size])) for start in starts]
    return list(zip(truth, np.concatenate(ab), strict=True))


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


def _samples(names: Sequence[str], shown: list[tuple[Pixels, Array]]) -> dict[str, dict[str, Image.Image]]:
    # Those that evaluate are ordered by the hash of their contents, so the first ones are a random choice that is
    # the same for every variant.
    truth, predicted = (np.stack(pictures) for pictures in zip(*shown, strict=True))
    lightness = pixels_to_lab(truth)[..., :1]
    kinds = {
        "given": _pixels(lightness, np.zeros_like(predicted)),
        "truth": truth,
        "output": _pixels(lightness, predicted),
    }
    return {
        kind: {name: Image.fromarray(picture) for name, picture in zip(names, pixels, strict=False)}
        for kind, pixels in kinds.items()
    }


def _pixels(lightness: Array, ab: Array) -> Pixels:
    return np.round(clip_lab(np.concatenate([lightness, ab], axis=-1))[0] * 255).astype(np.uint8)
