"""Colours to classes and back, row f: `ablate` against all 313 classes in TensorFlow and against a loop over pixels.

Soft encoding searches short candidate lists instead of all classes; the annealed mean is one softmax and one matrix
product instead of a weighted sum over every class's a and b. The loops are timed on fewer pixels: what is compared
is pixels per second.

    python benchmarks/encoding.py [--repetitions N]
"""

import argparse
from collections.abc import Callable
from typing import Any

import numpy as np

from ablate.colorization.color.gamut import ab_gamut
from ablate.config.environment import fix_environment, set_onednn
from ablate.training.hardware import import_tensorflow
from side_by_side import Row, faster, interleaved, write

AB_SHAPE = (32, 64, 64, 2)
LOGITS_SHAPE = (32, 16, 16, 313)
LOOP_PIXELS = 2000
NEAREST, SIGMA, TEMPERATURE = 5, 5.0, 0.38
ABLATE, BRUTE_FORCE, LOOP = "ablate", "all 313 classes in TensorFlow", "NumPy, pixel by pixel"


def encode_pixels(ab: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Encode (pixels, 2), one pixel after the other."""
    bins = ab_gamut()
    indices, weights = np.empty((len(ab), NEAREST), int), np.empty((len(ab), NEAREST))
    for place, color in enumerate(ab):
        squared = ((bins - color) ** 2).sum(axis=1)
        indices[place] = np.argsort(squared)[:NEAREST]
        near = np.exp(-squared[indices[place]] / (2 * SIGMA**2))
        weights[place] = near / near.sum()
    return indices, weights


def decode_pixels(logits: np.ndarray) -> np.ndarray:
    """Decode (pixels, 313), one pixel after the other."""
    bins = ab_gamut()
    ab = np.empty((len(logits), 2))
    for place, each in enumerate(logits):
        odds = np.exp((each - each.max()) / TEMPERATURE)
        ab[place] = odds @ bins / odds.sum()
    return ab


def encoders(ab: np.ndarray) -> dict[str, Callable[[], Any]]:
    """Return the ways to encode, after checking that they agree."""
    import tensorflow as tf

    from ablate.colorization.color.soft_encoding import soft_encode

    @tf.function(jit_compile=False, autograph=False)
    def own(ab: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return soft_encode(ab)

    @tf.function(jit_compile=False, autograph=False)
    def every_class(ab: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        squared = tf.reduce_sum(tf.square(ab[..., None, :] - ab_gamut()), axis=-1)
        negative, indices = tf.math.top_k(-squared, NEAREST)
        return indices, tf.nn.softmax(negative / (2 * SIGMA**2), axis=-1)

    pixels, few = tf.constant(ab), ab.reshape(-1, 2)[:LOOP_PIXELS].astype(np.float64)
    weights = own(pixels)[1].numpy()
    np.testing.assert_allclose(every_class(pixels)[1], weights, atol=1e-4)
    np.testing.assert_allclose(encode_pixels(few)[1], weights.reshape(-1, NEAREST)[: len(few)], atol=1e-4)
    return {
        ABLATE: lambda: own(pixels)[1].numpy(),
        BRUTE_FORCE: lambda: every_class(pixels)[1].numpy(),
        LOOP: lambda: encode_pixels(few),
    }


def decoders(logits: np.ndarray) -> dict[str, Callable[[], Any]]:
    """Return the ways to decode, after checking that they agree."""
    import tensorflow as tf

    from ablate.colorization.model.decoding import annealed_mean

    @tf.function(jit_compile=False, autograph=False)
    def own(logits: tf.Tensor) -> tf.Tensor:
        return annealed_mean(logits, temperature=TEMPERATURE)

    @tf.function(jit_compile=False, autograph=False)
    def every_class(logits: tf.Tensor) -> tf.Tensor:
        odds = tf.exp((logits - tf.reduce_max(logits, axis=-1, keepdims=True)) / TEMPERATURE)
        weighted = tf.reduce_sum(odds[..., None] * ab_gamut(), axis=-2)
        return weighted / tf.reduce_sum(odds, axis=-1, keepdims=True)

    given, few = tf.constant(logits), logits.reshape(-1, logits.shape[-1])[:LOOP_PIXELS]
    ab = own(given).numpy()
    np.testing.assert_allclose(every_class(given), ab, atol=1e-2)
    np.testing.assert_allclose(decode_pixels(few), ab.reshape(-1, 2)[: len(few)], atol=1e-2)
    return {
        ABLATE: lambda: own(given).numpy(),
        BRUTE_FORCE: lambda: every_class(given).numpy(),
        LOOP: lambda: decode_pixels(few),
    }


def compare(what: str, ways: dict[str, Callable[[], Any]], pixels: int, repetitions: int) -> list[Row]:
    """Measure the ways to do the same, and compare `ablate` with the others."""
    times = interleaved(ways, repetitions)
    amount = {ABLATE: pixels, BRUTE_FORCE: pixels, LOOP: LOOP_PIXELS}
    notes = {BRUTE_FORCE: "", LOOP: f"the loop is timed on {LOOP_PIXELS:,} pixels"}
    return [
        faster(
            times,
            ABLATE,
            other,
            amount=amount,
            sides_unit="pixels/s",
            letter="f",
            compared=f"{what}: ablate against {other}",
            configuration=f"{pixels:,} pixels",
            note=note,
        )
        for other, note in notes.items()
    ]


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repetitions", type=int, default=7, help="rounds that count")
    repetitions = parser.parse_args().repetitions
    fix_environment()
    set_onednn(True)
    import_tensorflow()
    generator = np.random.default_rng(0)
    ab = generator.normal(0, 30, AB_SHAPE).clip(-110, 110).astype(np.float32)
    logits = generator.normal(0, 3, LOGITS_SHAPE).astype(np.float32)
    rows = compare("soft encoding", encoders(ab), ab.size // ab.shape[-1], repetitions)
    rows += compare("annealed mean", decoders(logits), logits.size // logits.shape[-1], repetitions)
    write("encoding", rows, repetitions=repetitions)


if __name__ == "__main__":
    main()
