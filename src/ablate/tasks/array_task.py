"""Tasks whose data are NumPy arrays in memory."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from ablate.errors import DataError
from ablate.tasks.keras_model_task import EVALUATION, TRAIN, KerasModelTask
from ablate.tasks.sources import ArraySource, Source


class ArrayTask(KerasModelTask):
    """A Keras model trained and evaluated on NumPy arrays.

    A subclass sets `loss` and `measures`, and defines `data` and `model`; all else has a default, see
    `KerasModelTask`. The order of the examples, the initial values of layers that variants share, and `augment` depend
    on the seed alone.

    Example:
        >>> class Digits(ArrayTask):
        ...     example = "digit"
        ...     loss = "sparse_categorical_crossentropy"
        ...     measures = {"accuracy": Measure("Accuracy", "%", "higher", lambda y, p: 100.0 * (p.argmax(1) == y))}
        ...
        ...     def data(self):
        ...         x, y = sklearn.datasets.load_digits(return_X_y=True)
        ...         x = x / 16
        ...         return (x[:1200], y[:1200]), (x[1200:], y[1200:])
        ...
        ...     def model(self):
        ...         activation = self.config.activation.name
        ...         return keras.Sequential(
        ...             [keras.layers.Dense(32, activation), keras.layers.Dense(10, "softmax")]
        ...         )
    """

    @abstractmethod
    def data(self) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
        """Return (x, y), (x_eval, y_eval): inputs and targets to train on, and to evaluate.

        Each is an array with one row an example, or a dictionary of such arrays. The same settings must give the same
        arrays. TensorFlow need not be imported.
        """

    @cached_property
    def sources(self) -> Mapping[str, Source]:
        """The arrays that `data` returns, checked."""
        given = self.data()
        try:
            (x, y), (x_eval, y_eval) = given
        except (TypeError, ValueError):
            raise DataError(
                f"{type(self).__name__}.data() must return (x, y), (x_eval, y_eval). Received: {_parts(given)}"
            ) from None
        return {
            TRAIN: ArraySource(x, y, "data(): (x, y)"),
            EVALUATION: ArraySource(x_eval, y_eval, "data(): (x_eval, y_eval)"),
        }


def _parts(given: Any) -> str:
    """Return of what something consists, as in `(ndarray, ndarray)`."""
    if isinstance(given, tuple | list) and len(given) <= 4:
        return f"({', '.join(map(_parts, given))})"
    return type(given).__name__
