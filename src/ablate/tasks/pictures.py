"""Sample pictures of a task that can draw its examples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ablate.errors import TaskError
from ablate.tasks.measures import take

if TYPE_CHECKING:
    from PIL import Image

KINDS = ("given", "truth", "output")
_SEED = 0


def pictures_of(
    task: Any, inputs: Any, targets: Any, predictions: Any, names: list[str]
) -> dict[str, dict[str, Image.Image]]:
    """Return the pictures of some examples, a random choice that is the same for every variant.

    Args:
        task: A task whose `pictures(x, y, prediction)` returns one example's, by kind: `given`, `truth`, `output`.
        inputs: Of all evaluation examples.
        targets: Theirs.
        predictions: Theirs.
        names: Theirs.

    Returns:
        By kind, then by name; empty for a task without `pictures`.

    Raises:
        TaskError: A kind is another, or something is no picture.
    """
    draw = getattr(task, "pictures", None)
    if draw is None:
        return {}
    chosen = np.random.default_rng(_SEED).permutation(len(names))[: task.samples]
    made = dict[str, dict[str, "Image.Image"]]()
    for place in chosen:
        one = [_only(take(values, np.array([place]))) for values in (inputs, targets, predictions)]
        for kind, picture in draw(*one).items():
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
