"""The network that is exported: in float32, with L scaled before it and ab decoded behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import keras
import tensorflow as tf

from ablate.colorization.model.decoding import decode
from ablate.colorize.colorizer import Colorizer

INPUT, OUTPUT = "lightness", "ab"
"""The names of the input and the output, in every format."""

Function = Callable[[tf.Tensor], Mapping[str, tf.Tensor]]


def in_float32(colorizer: Colorizer) -> Colorizer:
    """Return a network that computes in float32, with the same weights.

    Runtimes for the processor multiply no bfloat16, or not the layers of these networks.

    Args:
        colorizer: The network, of any precision; one that computes in float32 is returned as it is.
    """
    if _computes_in_float32(colorizer.model):
        return colorizer
    # Operations without a policy of their own have the global one.
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        model = keras.models.clone_model(colorizer.model, clone_function=_with_float32, recursive=True)
    finally:
        keras.config.set_dtype_policy(before)
    model.set_weights(colorizer.model.get_weights())
    return replace(colorizer, model=model)


def _computes_in_float32(model: keras.Model) -> bool:
    return all(
        _computes_in_float32(layer) if isinstance(layer, keras.Model) else layer.compute_dtype == "float32"
        for layer in model.layers
    )


def _with_float32(operation: Any) -> Any:
    config = operation.get_config()
    if isinstance(operation, keras.Layer):
        config["dtype"] = "float32"
    return type(operation).from_config(config)


def signature(colorizer: Colorizer) -> tf.TensorSpec:
    """Return what the exported function takes: any number of squares of L."""
    side = colorizer.image_size
    return tf.TensorSpec((None, side, side, 1), tf.float32, name=INPUT)


def exported_function(colorizer: Colorizer) -> Function:
    """Return the function that is exported.

    Args:
        colorizer: A network in float32.

    Returns:
        A `tf.function` from `lightness`, (batch, side, side, 1), L in 0..100, to `ab`, (batch, height, width, 2).
    """
    model, color = colorizer.model, colorizer.color

    def colored(lightness: tf.Tensor) -> dict[str, tf.Tensor]:
        outputs = model((lightness - 50) / 100, training=False)
        return {OUTPUT: decode(outputs, step=color.grid_step, temperature=color.temperature)}

    function: Function = tf.function(colored, input_signature=[signature(colorizer)])
    return function
