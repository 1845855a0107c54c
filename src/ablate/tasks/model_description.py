"""The description of a Keras model: its layers, parameters and FLOPs."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    import keras

log = logging.getLogger(__name__)


def layer_table(model: keras.Model) -> pd.DataFrame:
    """Return a built model's layers, one a row: columns layer, kind, output, parameters (trainable ones).

    Layers inside of layers are rows of their own; weights of a model itself are in a last row.
    """
    rows = [
        {
            "layer": layer.name,
            "kind": type(layer).__name__,
            "output": _output_shape(layer),
            "parameters": _count(_own_weights(layer)),
        }
        for layer in model._flatten_layers(include_self=False)
    ]
    rest = _count(model.trainable_variables) - sum(row["parameters"] for row in rows)
    if rest:
        rows.append({"layer": model.name, "kind": type(model).__name__, "output": "", "parameters": rest})
    return pd.DataFrame(rows, columns=["layer", "kind", "output", "parameters"])


def count_parameters(model: keras.Model) -> int:
    """Return the number of a model's trainable parameters."""
    return _count(model.trainable_variables)


def count_flops(model: keras.Model, example: Any) -> int | None:
    """Return the FLOPs of one example's forward pass, as TensorFlow's profiler counts them.

    A multiplication and an addition are two. Operations that it has no count for, as some of attention's, count
    nothing.

    Args:
        model: Built.
        example: A batch of one example.

    Returns:
        FLOPs; None where the graph cannot be made or counted, which the log says, and where none are counted.
    """
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    profiler = tf.compat.v1.profiler
    # It warns of being old, to both of its loggers.
    logger = tf.get_logger()
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        spec = tf.nest.map_structure(lambda array: tf.TensorSpec(array.shape, array.dtype), example)
        forward = tf.function(lambda inputs: model(inputs, training=False)).get_concrete_function(spec)
        graph = convert_variables_to_constants_v2(forward).graph
        options = profiler.ProfileOptionBuilder(profiler.ProfileOptionBuilder.float_operation())
        counted = profiler.profile(graph=graph, options=options.with_empty_output().build())
    except Exception as error:  # whatever a model's graph, or TensorFlow's conversion of it, raises
        log.info("The FLOPs of %s cannot be counted: %s", model.name, str(error).partition("\n")[0])
        return None
    finally:
        logger.setLevel(level)
    return int(counted.total_float_ops) or None


def _own_weights(layer: Any) -> list[Any]:
    return [variable for variable in layer._trainable_variables if variable.trainable]


def _count(variables: Any) -> int:
    return sum(int(variable.value.shape.num_elements()) for variable in variables)


def _output_shape(layer: Any) -> str:
    try:
        shape = layer.output.shape
    except (AttributeError, ValueError, RuntimeError):
        return ""  # of a layer that was called on no symbolic tensor
    return "x".join("?" if side is None else str(side) for side in shape[1:])
