"""Sample pictures of a task that can draw its examples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ablate.errors import TaskError
from ablate.tasks.batches import length, take

if TYPE_CHECKING:
    from PIL import Image

KINDS = ("given", "truth", "output")
_SEED = 0


class Sample:
    """The examples of an evaluation whose pictures are kept: a random choice, the same for every variant.

    Args:
        task: A task; where it defines `pictures(x, y, prediction)`, that returns one example's pictures by kind:
            `given`, `truth`, `output`. `task.samples` is their number.
        count: Number of evaluation examples.
    """

    def __init__(self, task: Any, count: int):
        self._draw = getattr(task, "pictures", None)
        number = task.samples if self._draw is not None else 0
        self._chosen = [int(place) for place in np.random.default_rng(_SEED).permutation(count)[:number]]
        self._drawn: dict[int, Mapping[str, Any]] = {}
        self._first = 0

    def add(self, inputs: Any, targets: Any, predictions: Any) -> None:
        """Draw the chosen examples of a batch."""
        end = self._first + length(inputs)
        for place in self._chosen:
            if self._draw is not None and self._first <= place < end:
                here = np.array([place - self._first])
                self._drawn[place] = self._draw(*(_only(take(one, here)) for one in (inputs, targets, predictions)))
        self._first = end

    def pictures(self, names: list[str]) -> dict[str, dict[str, Image.Image]]:
        """Return the pictures by kind, then by the example's name; empty for a task without `pictures`.

        Raises:
            TaskError: A kind is another, or something is no picture.
        """
        made = dict[str, dict[str, "Image.Image"]]()
        for place in self._chosen:
            drawn = self._drawn[place]
            if not isinstance(drawn, Mapping):
                raise TaskError(f"pictures must return {{'given': x, ..}}. Received: {type(drawn).__name__}")
            for kind, picture in drawn.items():
                if kind not in KINDS:
                    raise TaskError(f"pictures: the kinds are {', '.join(KINDS)}. Received: {kind}")
                made.setdefault(kind, {})[names[place]] = as_picture(picture)
        return made


def as_picture(values: Any) -> Image.Image:
    """Return a picture of Pillow.

    Args:
        values: One, or an array (height, width) or (height, width, 3): uint8, truth values, or floats in 0..1.

    Raises:
        TaskError: It is neither.
    """
    from PIL import Image

    if isinstance(values, Image.Image):
        return values
    array = np.asarray(values)
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] != 3):
        raise TaskError(f"a picture is (height, width) or (height, width, 3). Received: shape {array.shape}")
    if array.dtype != np.uint8:
        array = np.round(255 * np.clip(array.astype(np.float64), 0, 1)).astype(np.uint8)
    return Image.fromarray(array)


def _only(values: Any) -> Any:
    if isinstance(values, Mapping):
        return {key: _only(value) for key, value in values.items()}
    return type(values)(_only(value) for value in values) if isinstance(values, list | tuple) else values[0]
