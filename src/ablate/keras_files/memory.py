"""The memory that a network takes, worked out from its configuration before any of it is made."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from ablate.errors import DataError

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

Result = TypeVar("Result")
_TRANSPOSED = ("Conv2DBackpropInput", "Conv3DBackpropInputV2")


@dataclass(frozen=True)
class NetworkMemory:
    """Bytes of a network.

    Attributes:
        weights: All of them.
        example: What all its operations together give for one example. Most of it is freed on the way.
    """

    weights: int
    example: int


def weights_memory(config: Mapping[str, Any]) -> int:
    """Return the bytes of the weights that a model would have.

    Args:
        config: As Keras serializes a model.

    Raises:
        Exception: Whatever Keras stumbles over.
    """
    return _aside(lambda: _weights_memory(config))


def network_memory(config: Mapping[str, Any]) -> NetworkMemory:
    """Return what a network would take.

    Args:
        config: As Keras serializes a model. All that it names must be Keras' own.

    Raises:
        DataError: It has operations whose memory depends on more than their shapes.
        Exception: Whatever Keras stumbles over.
    """
    return _aside(lambda: _network_memory(config))


def _aside(work: Callable[[], Result]) -> Result:
    """Return what is worked out in a thread of its own.

    Keras remembers, by thread, the weights that it has not made yet, to make them later: here never.
    """
    with ThreadPoolExecutor(1) as aside:
        return aside.submit(work).result()


def _weights_memory(config: Mapping[str, Any]) -> int:
    import keras

    with keras.StatelessScope(initialize_variables=False):
        return _weights(_described(config))


def _network_memory(config: Mapping[str, Any]) -> NetworkMemory:
    import keras
    import tensorflow as tf

    with keras.StatelessScope(initialize_variables=False) as scope:
        model = _described(config)
        weights = _weights(model)
        inputs = [tf.TensorSpec((1, *each.shape[1:]), each.dtype) for each in model.inputs]
        if len(inputs) != 1 or None in inputs[0].shape:
            # None that colours photographs, which is for others to say.
            return NetworkMemory(weights, 0)

        def called(given: tf.Tensor) -> Any:
            for each in model.variables:
                scope.add_update((each, tf.compat.v1.placeholder(each.dtype, each.shape)))
            return model(given, training=False)

        graph = tf.function(called).get_concrete_function(*inputs).graph
        if graph.as_graph_def().library.function:
            raise DataError("the memory of some of its operations cannot be told, as of convolutions in groups")
        return NetworkMemory(weights, sum(map(_operation_bytes, graph.get_operations())))


def _described(config: Mapping[str, Any]) -> keras.Model:
    """Return a model of which, in a stateless scope, no weight is made."""
    import keras

    # A copy, as Keras takes it apart.
    return keras.saving.deserialize_keras_object(copy.deepcopy(config))


def _weights(model: keras.Model) -> int:
    import tensorflow as tf

    return sum(_bytes(each.shape, tf.as_dtype(each.dtype)) for each in model.variables)


def _operation_bytes(operation: tf.Operation) -> int:
    """Return the bytes of what an operation gives; of a transposed convolution also of its columns."""
    if operation.type == "Placeholder":
        return 0
    given = sum(_bytes(each.shape, each.dtype) for each in operation.outputs)
    if operation.type in _TRANSPOSED:
        _, kernel, small = operation.inputs
        # Of each position of the small side as many as the kernel has, without the channels of that side.
        given += math.prod(_known(small.shape)[:-1]) * _bytes(_known(kernel.shape)[:-1], small.dtype)
    return given


def _bytes(shape: Iterable[int | None], dtype: tf.DType) -> int:
    return math.prod(_known(shape)) * int(dtype.size)


def _known(shape: Any) -> list[int]:
    sides: list[Any] = [None] if getattr(shape, "rank", 0) is None else list(shape)
    if None in sides:
        raise DataError("the sizes of some of its tensors depend on what it is given")
    return sides
