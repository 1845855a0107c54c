"""Decoding of the network's output to ab: the annealed mean of the colour distribution (paper, section 2.3)."""

import numpy as np
import tensorflow as tf

from ablate.colorization.color.gamut import ab_gamut

AB_SCALE = 110.0
"""The regression network's output is ab divided by this, so that it starts at a sensible size."""

_FLOAT32 = np.finfo(np.float32)


def annealed_mean(logits: tf.Tensor, *, step: int = 10, temperature: float = 0.38) -> tf.Tensor:
    """Decode logits to ab: the mean of softmax(logits / temperature) (paper, equation 5).

    Args:
        logits: (..., num_bins), any float type; -inf rules a class out.
        step: Grid step of the classes.
        temperature: 1 is the mean of the distribution; towards 0 it becomes the mode. The paper uses 0.38.

    Returns:
        (..., 2), float32, ab.

    Raises:
        ValueError: `temperature` is not positive.
    """
    if not temperature > 0:
        raise ValueError(f"`temperature` must be positive. Received: temperature={temperature}")
    # The maximum is subtracted before the division, which may overflow, and not only before the exponential.
    logits = tf.cast(logits, tf.float32)
    below = logits - tf.reduce_max(logits, axis=-1, keepdims=True)
    in_range = np.clip(temperature, _FLOAT32.tiny, _FLOAT32.max)
    return tf.tensordot(tf.nn.softmax(below / in_range, axis=-1), ab_gamut(step), 1)


def decode(outputs: tf.Tensor, *, step: int = 10, temperature: float = 0.38) -> tf.Tensor:
    """Decode the output of a classification (num_bins channels) or regression (2 channels) network to ab."""
    if outputs.shape[-1] == 2:
        return tf.cast(outputs, tf.float32) * AB_SCALE
    return annealed_mean(outputs, step=step, temperature=temperature)


def upsample(ab: tf.Tensor, side: int) -> tf.Tensor:
    """Resize ab bilinearly: (batch, height, width, 2) -> (batch, side, side, 2)."""
    return tf.image.resize(ab, (side, side), method="bilinear")
