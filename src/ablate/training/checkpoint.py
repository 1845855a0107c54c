"""Checkpoints: all that a training resumes from, in one file that is replaced as a whole. No TensorFlow."""

from __future__ import annotations

import json
import logging
import os
import zipfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ablate.system.atomic_write import atomic_write

if TYPE_CHECKING:
    import keras

log = logging.getLogger(__name__)

_FACTS = "facts"
_UNREADABLE = (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, zipfile.BadZipFile)
"""What reading a damaged file raises."""


@dataclass(frozen=True)
class Checkpoints:
    """The checkpoints of a training.

    Attributes:
        file: The checkpoint; a new one replaces it as a whole.
        minutes: Most time between two checkpoints; there is one after each epoch as well.
        before_save: Called before one is written: makes sure that what was recorded so far is stored.
        stop: Polled after every step: returns the interrupt that ends the training, or None.
    """

    file: Path
    minutes: float
    before_save: Callable[[], None]
    stop: Callable[[], BaseException | None]


@dataclass(frozen=True)
class Checkpoint:
    """The state of a training after some steps.

    Attributes:
        step: Steps done; where they end an epoch, that is validated.
        seconds: What they took, with validation and compilation.
        recorder: The `Recorder`'s state.
        callbacks: The state of the task's own callbacks, see `OwnCallbacks`.
        variables: By kind (`model`, `optimizer`, `metrics`, `callbacks`), their values in order. Those of a model hold
            the states of its seed generators; the order of the data follows from the step. Those of metrics have an
            axis of devices first, as each device gathers its own.
    """

    step: int
    seconds: float
    recorder: Mapping[str, Any]
    callbacks: Mapping[str, Any]
    variables: Mapping[str, list[np.ndarray]]


def state_of(model: keras.Model) -> dict[str, list[np.ndarray]]:
    """Return the whole state of a compiled model, see `Checkpoint.variables`.

    The optimiser's appears once it is built. Metrics hold the mean loss of the epoch so far.
    """
    return {
        **{
            kind: [variable.numpy() for variable in variables]
            for kind, variables in _alike_on_all_devices(model).items()
        },
        "metrics": [np.stack([part.numpy() for part in _parts(metric)]) for metric in model.metrics_variables],
    }


def _alike_on_all_devices(model: keras.Model) -> dict[str, list[keras.Variable]]:
    return {"model": list(model.variables), "optimizer": list(model.optimizer.variables)}


def _parts(variable: keras.Variable) -> list[Any]:
    """Return TensorFlow's variables on each device that one of Keras stands for."""
    return list(getattr(variable.value, "values", [variable.value]))


def save(file: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint beside the current one, and put it in its place.

    Raises:
        OSError: It cannot be written; the current one stays.
    """
    facts = {
        "step": checkpoint.step,
        "seconds": checkpoint.seconds,
        "recorder": dict(checkpoint.recorder),
        "callbacks": dict(checkpoint.callbacks),
        "variables": {kind: len(values) for kind, values in checkpoint.variables.items()},
    }
    arrays = {
        f"{kind}/{place}": value for kind, values in checkpoint.variables.items() for place, value in enumerate(values)
    }
    with atomic_write(file) as stream:
        np.savez(stream, allow_pickle=False, **{_FACTS: np.array(json.dumps(facts)), **arrays})
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        with suppress(OSError):  # not all network file systems know it, and the checkpoint is there already
            os.fsync(folder)
    finally:
        os.close(folder)


def steps_done(file: Path) -> int:
    """Return after how many steps a checkpoint was taken, without reading the rest; 0 where there is none."""
    try:
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            return int(json.loads(str(arrays[_FACTS]))["step"])
    except _UNREADABLE:
        return 0


def load(file: Path) -> Checkpoint | None:
    """Read a checkpoint; None where there is none, or none that can be read, which the log says."""
    if not file.exists():
        return None
    try:
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            facts = json.loads(str(arrays[_FACTS]))
            variables = {
                kind: [arrays[f"{kind}/{place}"] for place in range(count)]
                for kind, count in facts["variables"].items()
            }
            return Checkpoint(facts["step"], facts["seconds"], facts["recorder"], facts["callbacks"], variables)
    except _UNREADABLE as error:
        log.warning("The checkpoint %s cannot be read, training starts again: %s", file, error)
        return None


def restore(model: keras.Model, checkpoint: Checkpoint) -> None:
    """Restore a compiled model from a checkpoint, its metrics apart, on however many devices that was taken.

    Raises:
        ValueError: It is one of another model.
    """
    for kind, variables in _alike_on_all_devices(model).items():
        values = checkpoint.variables.get(kind, [])
        if [tuple(variable.shape) for variable in variables] != [value.shape for value in values]:
            raise ValueError(f"the checkpoint's {kind} variables are those of another model")
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)


def restore_metrics(model: keras.Model, checkpoint: Checkpoint) -> None:
    """Restore a model's metrics from a checkpoint, to the bit on as many devices."""
    for metric, values in zip(model.metrics_variables, checkpoint.variables["metrics"], strict=True):
        parts = _parts(metric)
        if len(parts) == len(values):
            for part, value in zip(parts, values, strict=True):
                part.assign(value)
        else:
            metric.assign(values.sum(axis=0))
