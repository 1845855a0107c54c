"""The task's own callbacks, called as in one `fit`, though every epoch is one; their state is part of a checkpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from ablate.errors import TaskError
from ablate.task import KerasTask

_UNKEPT = ("params", "_model", "validation_data", "monitor_op", "min_delta")
"""Attributes that Keras sets anew: of callbacks with a `monitor` it changes the sign of `min_delta` along with it."""
_ARRAYS = "arrays"


class OwnCallbacks(keras.callbacks.Callback):
    """The callbacks of a task, forwarded to; the first of a training's callbacks.

    What a checkpoint keeps of each are its attributes that are plain values or lists of arrays, such as the patience
    and the best weights of `EarlyStopping`.

    Attributes:
        stopped: Whether one of them has ended the training early.
    """

    def __init__(self, task: KerasTask):
        super().__init__()
        make = getattr(task, "callbacks", None)
        self.callbacks = _checked(make()) if make is not None else []
        self.stopped = False
        self._begun = False
        self._restored: tuple[Mapping[str, Any], Sequence[np.ndarray]] | None = None

    def set_model(self, model: keras.Model) -> None:
        super().set_model(model)
        for callback in self.callbacks:
            callback.set_model(model)

    def set_params(self, params: Any) -> None:
        super().set_params(params)
        for callback in self.callbacks:
            callback.set_params(params)

    def state(self) -> tuple[dict[str, Any], list[np.ndarray]]:
        """Return what a checkpoint keeps: plain values, and the arrays that they refer to."""
        arrays = list[np.ndarray]()
        kept = []
        for callback in self.callbacks:
            values = {}
            for name, value in vars(callback).items():
                if name in _UNKEPT:
                    continue
                if _is_list_of_arrays(value):
                    values[name] = {_ARRAYS: [len(arrays), len(arrays) + len(value)]}
                    arrays += [np.asarray(array) for array in value]
                elif _is_plain(value):
                    values[name] = _as_json(value)
            kept.append(values)
        return {"stopped": self.stopped, "callbacks": kept}, arrays

    def restore(self, state: Mapping[str, Any], arrays: Sequence[np.ndarray]) -> None:
        """Resume from a `state`; the callbacks get theirs once their training has begun."""
        self.stopped = bool(state["stopped"])
        self._restored = state, arrays

    def on_train_begin(self, logs: Any = None) -> None:
        if self._begun:
            return
        self._begun = True
        self._call("on_train_begin", logs)
        if self._restored is None:
            return
        state, arrays = self._restored
        for callback, values in zip(self.callbacks, state["callbacks"], strict=True):
            for name, value in values.items():
                if isinstance(value, dict) and _ARRAYS in value:
                    first, end = value[_ARRAYS]
                    value = list(arrays[first:end])
                setattr(callback, name, value)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._call("on_epoch_begin", epoch, logs)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._call("on_epoch_end", epoch, logs)
        self.stopped = bool(self.callbacks and self.model.stop_training)

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._call("on_train_batch_begin", batch, logs)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._call("on_train_batch_end", batch, logs)

    def on_test_begin(self, logs: Any = None) -> None:
        self._call("on_test_begin", logs)

    def on_test_end(self, logs: Any = None) -> None:
        self._call("on_test_end", logs)

    def close(self) -> None:
        """End the training for them: `EarlyStopping` restores the best weights."""
        if self._begun:
            self._call("on_train_end", None)

    def _call(self, hook: str, *arguments: Any) -> None:
        for callback in self.callbacks:
            getattr(callback, hook)(*arguments)


def _checked(made: Any) -> list[keras.callbacks.Callback]:
    if not isinstance(made, list | tuple) or not all(isinstance(each, keras.callbacks.Callback) for each in made):
        wrong = made if not isinstance(made, list | tuple) else [type(each).__name__ for each in made]
        raise TaskError(f"callbacks() must return a list of Keras' callbacks. Received: {wrong!r:.80}")
    return list(made)


def _is_list_of_arrays(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, np.ndarray) for each in value)


def _is_plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(each) for key, each in value.items())
    return value is None or isinstance(value, bool | int | float | str | np.number)


def _as_json(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_as_json(each) for each in value]
    if isinstance(value, dict):
        return {key: _as_json(each) for key, each in value.items()}
    return value.item() if isinstance(value, np.number) else value
