"""The configuration in a `.keras` file: refused where it names anything but what computes with numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ablate.errors import DataError

_CLASSES = {"DTypePolicy", "Functional", "Sequential"}
"""Of the module `keras` itself."""
_MODULES = ("keras.initializers", "keras.regularizers", "keras.constraints")
_MODELS = "keras.src.models."
_OPERATIONS = {
    "keras.src.ops.numpy": {
        *("Absolute", "Add", "Clip", "Concatenate", "Divide", "Exp", "ExpandDims", "GetItem", "Log", "Matmul", "Max"),
        *("Maximum", "Mean", "Min", "Minimum", "Moveaxis", "Multiply", "Negative", "Pad", "Power", "Reciprocal"),
        *("Reshape", "Sqrt", "Square", "Squeeze", "Stack", "Subtract", "Sum", "Swapaxes", "Tanh", "Transpose"),
        *("TrueDivide",),
    },
    "keras.src.ops.nn": {
        *(
            "Celu",
            "DepthToSpace",
            "Elu",
            "Gelu",
            "HardSigmoid",
            "HardSilu",
            "LeakyRelu",
            "LogSoftmax",
            "Relu",
            "Relu6",
        ),
        *("Selu", "Sigmoid", "Silu", "Softmax", "Softplus", "Softsign", "SpaceToDepth"),
    },
    "keras.src.ops.core": {"Cast"},
}
"""Others make arrays as large as a number says, or as many as it says."""
_LAYERS = tuple(
    f"keras.src.layers.{kind}"
    for kind in (
        *("activations", "convolutional", "merging", "normalization", "pooling", "regularization", "reshaping"),
        *("core.dense", "core.identity", "core.input_layer"),
    )
)
"""Keras' layers that compute with numbers; others read files, import modules or hold Python code, as Lambda does."""
_ADAPTIVE = "Adaptive"
"""Pooling whose tables are as large as a number says."""


def checked_config(config: Any) -> Mapping[str, Any]:
    """Return the configuration of a network without how it was compiled and built, which is code or repeats it.

    Args:
        config: What config.json says.

    Raises:
        DataError: It names anything but Keras' own layers and operations, or calls them without tensors.
    """
    if not isinstance(config, dict):
        raise DataError("its config.json holds no object")
    # Losses are code of those who trained it.
    kept: Mapping[str, Any] = _without({**config, "compile_config": None}, "build_config")
    for one in _mappings(kept):
        if {"class_name", "module", "registered_name"} & one.keys():
            module, name = one.get("module"), str(one.get("class_name"))
            if not _is_allowed(module, name):
                raise DataError(f"it names {module or 'Python'}.{name}, which can run code, read files or fill memory")
    check_calls(kept)
    return kept


def check_calls(config: Any) -> None:
    """Check that layers and operations are called with tensors: Keras computes at once where it is given numbers.

    Raises:
        DataError: One is not.
    """
    for one in _mappings(config):
        for node in one.get("inbound_nodes") or ():
            if not _holds_tensor(node):
                raise DataError(f"it calls {one.get('class_name')} without a tensor")


def _without(value: Any, name: str) -> Any:
    """Return a copy without what is called so, at any depth."""
    if isinstance(value, dict):
        return {key: _without(inside, name) for key, inside in value.items() if key != name}
    return [_without(inside, name) for inside in value] if isinstance(value, list) else value


def _mappings(config: Any) -> Iterator[Mapping[str, Any]]:
    """Yield all mappings in a configuration, with itself."""
    waiting = [config]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Mapping):
            yield one
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one


def _holds_tensor(value: Any) -> bool:
    """Return whether the arguments of a call hold a tensor, as Keras looks for one."""
    if isinstance(value, Mapping):
        kind = value.get("class_name")
        inside = value.get("config", {}).values() if kind == "__tuple__" else value.values() if kind is None else ()
        return kind == "__keras_tensor__" or any(map(_holds_tensor, inside))
    return isinstance(value, list) and any(map(_holds_tensor, value))


def _is_allowed(module: str | None, name: str) -> bool:
    if module is None:
        return name in ("__keras_tensor__", "__tuple__")
    if module == "keras.layers":
        import keras

        place = getattr(getattr(keras.layers, name, None), "__module__", "")
        return place.startswith(_LAYERS) and not name.startswith(_ADAPTIVE)
    if module == "keras":
        return name in _CLASSES
    if module in _OPERATIONS:
        return name in _OPERATIONS[module]
    return name != "function" and (module in _MODULES or module.startswith(_MODELS))
