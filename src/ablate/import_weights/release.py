"""The authors' released network, `eccv16` of richzhang/colorization, as weights of this project's.

Theirs and this one are the same layer for layer: L is scaled to (L - 50) / 100, convolutions pad every side alike,
batch norm has the epsilon 1e-5, comes after the ReLU and learns a scale and an offset, and there are 313 colour
classes. What differs is the order of a kernel's axes, and where colours are decoded: there by a last convolution,
`model_out`, from the softmax at temperature 1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ablate.colorization.color.gamut import ab_gamut
from ablate.colorization.model.architecture import Layer
from ablate.import_weights.tensors import StoredTensor

if TYPE_CHECKING:
    import keras

TEMPERATURE = 1.0
"""At which the released code decodes; the paper's 0.38 is not in it."""
MODEL_OUT = "model_out.weight"
AB_NORM = 110
"""By which the released code multiplies what `model_out` gives."""
_COUNTER = ".num_batches_tracked"
_AXES = (2, 3, 1, 0)
"""PyTorch's (outputs, inputs, height, width), of a transposed convolution (inputs, outputs, height, width), to Keras'
(height, width, inputs, outputs) and (height, width, outputs, inputs)."""
_BATCH_NORM = {"gamma": "weight", "beta": "bias", "moving_mean": "running_mean", "moving_variance": "running_var"}
_CONVOLUTION = {"kernel": "weight", "bias": "bias"}
_CLOSE = 0.01
"""In ab units: how far the colours of `model_out` may be from the classes."""

Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Source:
    """Where a weight of this network comes from: the tensor's name, the axes that it is transposed to, the layer."""

    tensor: str
    axes: tuple[int, ...]
    layer: str


def sources(layers: Sequence[Layer]) -> dict[str, Source]:
    """Return by the path of each weight, as in `conv1_1/kernel`, the tensor that it comes from.

    The released blocks number their convolutions, ReLUs and batch norm through: model1.0 is conv1_1, model1.2 conv1_2,
    model1.4 norm1.
    """
    found, block, place = {}, "", 0
    for layer in layers:
        number = re.match(r"[a-z]+(\d+)", layer.name)
        if number and number[1] != block:
            block, place = number[1], 0
        convolution = layer.kind != "batch_norm"
        for weight, name in (_CONVOLUTION if convolution else _BATCH_NORM).items():
            axes = _AXES if weight == "kernel" else (0,)
            found[f"{layer.name}/{weight}"] = Source(f"model{block}.{place}.{name}", axes, layer.name)
        place += 2 if convolution else 1
    return found


def set_released_weights(model: keras.Model, layers: Sequence[Layer], tensors: Mapping[str, StoredTensor]) -> None:
    """Set the weights of a network from the released ones.

    Args:
        model: This project's network.
        layers: Its layers.
        tensors: The released tensors by name.

    Raises:
        ValueError: They are those of another network; the message names the tensor and the layer.
    """
    origins = sources(layers)
    check_names(tensors, origins)
    weights = {weight.path: weight for weight in model.weights}
    for path, source in origins.items():
        shape = tuple(weights[path].shape[source.axes.index(axis)] for axis in range(len(source.axes)))
        _check_shape(tensors[source.tensor], shape, source)
    order = class_order(tensors[MODEL_OUT])
    for path, source in origins.items():
        value = _read(tensors[source.tensor], source)
        if source.layer == "head":
            value = value[order]
        weights[path].assign(value.transpose(source.axes))


def check_names(tensors: Mapping[str, StoredTensor], origins: Mapping[str, Source]) -> None:
    """Check that all of the network's tensors are there, and no other.

    Raises:
        ValueError: One is missing, or one is of another network.
    """
    for source in origins.values():
        if source.tensor not in tensors:
            has = ", ".join(sorted(tensors)[:3])[:120]
            raise ValueError(
                f"it lacks {source.tensor} (layer {source.layer}): it is not the released network eccv16. It has {has}"
            )
    expected = {source.tensor for source in origins.values()} | {MODEL_OUT}
    odd = sorted(name for name in tensors.keys() ^ expected if not name.endswith(_COUNTER))
    if odd:
        lacks = "lacks" if odd[0] in expected else "has a tensor that eccv16 has not:"
        raise ValueError(f"it {lacks} {odd[0][:80]}")


def _check_shape(tensor: StoredTensor, shape: tuple[int, ...], source: Source) -> None:
    if tensor.shape != shape:
        raise ValueError(f"{source.tensor} (layer {source.layer}) must have shape {shape}. Received: {tensor.shape}")
    if tensor.dtype == "int64":
        raise ValueError(f"{source.tensor} (layer {source.layer}) must hold floats. Received: {tensor.dtype}")


def _read(tensor: StoredTensor, source: Source) -> Array:
    value: Array = tensor.read().astype(np.float32)
    if not np.isfinite(value).all():
        raise ValueError(f"{source.tensor} (layer {source.layer}) holds NaN or infinite numbers")
    if source.tensor.endswith("running_var") and (value < 0).any():
        raise ValueError(f"{source.tensor} (layer {source.layer}) holds negative variances")
    return value


def class_order(model_out: StoredTensor) -> npt.NDArray[np.int64]:
    """Return for each of this project's classes the released one of the same colour, as `model_out` says.

    Raises:
        ValueError: `model_out` decodes to other colours than those of the 313 classes.
    """
    bins = ab_gamut(10)
    source = Source(MODEL_OUT, (), "none: it decodes")
    _check_shape(model_out, (2, len(bins), 1, 1), source)
    colors = _read(model_out, source)[:, :, 0, 0].T * np.float32(AB_NORM)
    distances = np.linalg.norm(bins[:, None] - colors[None], axis=-1)
    order: npt.NDArray[np.int64] = distances.argmin(axis=1)
    if distances.min(axis=1).max() > _CLOSE:
        raise ValueError(
            f"{MODEL_OUT} decodes to other colours than the {len(bins)} classes: "
            f"one of them is {distances.min(axis=1).max():.1f} ab units from all of its"
        )
    return order
