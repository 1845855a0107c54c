"""The weights that ship with the package: kernels in half precision, and a card that says where they come from."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ablate.colorize.colorizer import Colorizer
from ablate.errors import DataError

if TYPE_CHECKING:
    import keras

WEIGHTS, CARD = "weights.npz", "card.json"
NAME = "packaged"
"""What `model=` calls this network."""


def packaged_colorizer(folder: Traversable | None = None) -> Colorizer:
    """Load the network in the package.

    Args:
        folder: Where its files are; None for the package's own.

    Raises:
        DataError: They are missing, or are not those that the card describes.
    """
    folder = folder or files("ablate.colorize") / "weights"
    try:
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
        content = (folder / WEIGHTS).read_bytes()
    except FileNotFoundError:
        raise DataError(
            "this installation has no weights of its own: give run=ID, study=NAME or model=FILE.keras"
        ) from None
    if hashlib.sha256(content).hexdigest() != card["sha256"]:
        raise DataError(f"{folder / WEIGHTS} is not the file that {CARD} describes: reinstall the package")
    from ablate.training.hardware import import_tensorflow

    import_tensorflow()
    from ablate.colorization.task import ColorizationTask

    task = ColorizationTask(**card["task"])
    model = task.build_model(seed=0)
    set_weights(model, content)
    return Colorizer(model, task.config.color, NAME)


def packed_weights(model: keras.Model) -> bytes:
    """Return the weights of a network as a `weights.npz`, by the path of each: kernels in half precision.

    What belongs to a channel is little, and variances can have more than float16's largest number: float32.

    Raises:
        ValueError: A kernel has a number that float16 has not.
    """
    file = io.BytesIO()
    with np.errstate(over="ignore"):
        arrays: Mapping[str, Any] = {
            each.path: np.asarray(each).astype(np.float16 if len(each.shape) > 1 else np.float32)
            for each in model.weights
        }
    if lost := [path for path, array in arrays.items() if not np.isfinite(array).all()]:
        raise ValueError(f"not in half precision: {', '.join(lost)}")
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def set_weights(model: keras.Model, content: bytes) -> None:
    """Set the weights of a network from a `weights.npz`; nothing in it is unpickled.

    Raises:
        DataError: They are those of another network.
    """
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        shapes = {name: arrays[name].shape for name in arrays.files}
        if shapes != {each.path: tuple(each.shape) for each in model.weights}:
            raise DataError(f"{WEIGHTS} has other weights than the network that {CARD} describes")
        for each in model.weights:
            each.assign(arrays[each.path].astype(np.float32))


def lessen_rebalancing(model: keras.Model, class_weights: npt.ArrayLike, *, kept: float) -> None:
    """Change a trained network to what less rebalancing would have taught it, by the bias of its last layer.

    The loss weights a pixel by w of its class, so that the network learns w(q) p(q), normalised, where p is the
    distribution of its colour. Minus (1 - kept) log w in each logit makes of it w(q)^kept p(q).

    Args:
        model: A classification network.
        class_weights: (num_bins,), w of its loss, see `class_rebalancing.class_weights`.
        kept: 1 changes nothing, at 0 nothing of the rebalancing is left.

    Raises:
        ValueError: The classes are not as many as the network's outputs, or `kept` is not in 0..1.
    """
    weights = np.asarray(class_weights, np.float64)
    bias = model.get_layer("head").bias
    if tuple(bias.shape) != weights.shape:
        raise ValueError(f"`class_weights` must be {tuple(bias.shape)}. Received: {weights.shape}")
    if not 0 <= kept <= 1:
        raise ValueError(f"`kept` must lie in 0..1. Received: kept={kept}")
    bias.assign(np.asarray(bias, np.float64) - (1 - kept) * np.log(weights))
