"""Evaluation: every variant's colours at one common resolution, on the same photographs."""

from collections.abc import Callable, Iterator

import keras
import numpy as np
import numpy.typing as npt
import pandas as pd
import tensorflow as tf
from PIL import Image

from ablate.colorization.color import lab_to_rgb
from ablate.colorization.config import ColorConfig, EvaluationConfig
from ablate.colorization.data import ColorData, pixels_to_lab
from ablate.colorization.decoding import decode, upsample
from ablate.colorization.figures import grid
from ablate.colorization.metrics import balanced_pixel_weights, colorfulness, per_photograph
from ablate.task import Evaluation

Array = npt.NDArray[np.floating]


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
        Metrics, references, one row a photograph, and sample pictures.
    """
    lab = _truth(data, evaluation.side)
    weights = balanced_pixel_weights(lab[..., 1:], step=color.grid_step)
    truth_colorfulness = float(colorfulness(lab_to_rgb(lab).numpy()).mean())
    batches = [slice(start, start + evaluation.batch_size) for start in range(0, len(lab), evaluation.batch_size)]

    def table(colorize: Callable[[slice], Array]) -> pd.DataFrame:
        frames = [
            per_photograph(
                lab[part], colorize(part), weights=weights[part], mean_truth_colorfulness=truth_colorfulness
            )
            for part in batches
        ]
        return pd.concat(frames, ignore_index=True)

    def constant(ab: Array) -> Callable[[slice], Array]:
        return lambda part: np.broadcast_to(ab, (*lab[part].shape[:-1], 2)).astype(np.float32)

    predicted = np.concatenate(list(_predict(model, data, batches, color, evaluation.side)))
    per_example = table(lambda part: predicted[part])
    references = {"grey": constant(np.zeros(2)), "mean_color": constant(data.mean_ab)}
    metrics = _means(per_example)
    per_example.insert(0, "example", [photograph.name for photograph in data.evaluation])
    per_example.insert(1, "digest", [photograph.digest for photograph in data.evaluation])
    samples = _samples(data, lab, predicted, evaluation.samples)
    return Evaluation(
        metrics=metrics,
        references={name: _means(table(colorize)) for name, colorize in references.items()},
        per_example=per_example,
        samples=samples,
        figures={"grid": grid({"grey": samples["given"], "truth": samples["truth"], "colourised": samples["output"]})},
    )


def _means(table: pd.DataFrame) -> dict[str, float]:
    return {str(name): float(value) for name, value in table.mean().items()}


def _truth(data: ColorData, side: int) -> Array:
    pixels = data.evaluation_pixels
    if pixels.shape[1] != side:
        resized = tf.image.resize(tf.cast(pixels, tf.float32), (side, side), antialias=True)
        pixels = tf.clip_by_value(resized, 0, 255)
    return pixels_to_lab(pixels).numpy()


def _predict(
    model: keras.Model, data: ColorData, batches: list[slice], color: ColorConfig, side: int
) -> Iterator[Array]:
    @tf.function(reduce_retracing=True)
    def predict(lightness: tf.Tensor) -> tf.Tensor:
        outputs = model(lightness, training=False)
        return upsample(decode(outputs, step=color.grid_step, temperature=color.temperature), side)

    for part in batches:
        lab = pixels_to_lab(data.evaluation_pixels[part])
        yield predict((lab[..., :1] - 50) / 100).numpy()


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
