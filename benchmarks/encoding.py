"""Soft encoding of ab: the search over short candidate lists against a comparison with all 313 classes.

Both are TensorFlow graphs, exact, and run interleaved; the figures are medians over the repetitions.

    python benchmarks/encoding.py
"""

import statistics
import time
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from ablate.colorization.encoding import soft_encode
from ablate.colorization.gamut import ab_gamut

SHAPE = (32, 64, 64, 2)
REPETITIONS = 9


@tf.function(jit_compile=False)
def candidates(ab: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Encode as ablate does."""
    return soft_encode(ab)


@tf.function(jit_compile=False)
def every_class(ab: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Encode by the distance to every class."""
    squared = tf.reduce_sum(tf.square(ab[..., None, :] - ab_gamut()), axis=-1)
    negative, indices = tf.math.top_k(-squared, 5)
    return indices, tf.nn.softmax(negative / 50, axis=-1)


def seconds(encode: Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]], ab: tf.Tensor) -> float:
    """Time one call."""
    start = time.perf_counter()
    encode(ab)[1].numpy()
    return time.perf_counter() - start


def main() -> None:
    """Measure and print."""
    ab = tf.constant(np.random.default_rng(0).normal(0, 30, SHAPE).clip(-110, 110), tf.float32)
    ways = {"candidate lists": candidates, "all 313 classes": every_class}
    assert np.allclose(candidates(ab)[1], every_class(ab)[1], atol=1e-4)
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(REPETITIONS):
        for name, encode in ways.items():
            times[name].append(seconds(encode, ab))
    pixels = SHAPE[0] * SHAPE[1] * SHAPE[2]
    print(f"Soft encoding of {pixels:,} pixels, median of {REPETITIONS} (min to max)")
    for name, taken in times.items():
        middle = statistics.median(taken)
        print(f"  {name:16} {middle * 1e3:8.1f} ms ({min(taken) * 1e3:.1f} to {max(taken) * 1e3:.1f})")
    ratio = statistics.median(times["all 313 classes"]) / statistics.median(times["candidate lists"])
    print(f"  ratio            {ratio:8.1f}")


if __name__ == "__main__":
    from ablate.config import set_before_tensorflow

    set_before_tensorflow()
    main()
