"""The arrays of a batch: inputs or targets as one array, or as dictionaries, lists or tuples of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from numbers import Number
from typing import Any

import numpy as np
import numpy.typing as npt

from ablate.errors import DataError
from ablate.tasks.fingerprint import leaves


def take(values: Any, chosen: npt.NDArray[np.int64]) -> Any:
    """Return some examples of arrays, or of dictionaries, lists or tuples of them."""
    if isinstance(values, Mapping):
        return {key: take(value, chosen) for key, value in values.items()}
    if isinstance(values, list | tuple):
        return type(values)(take(value, chosen) for value in values)
    return values[chosen]


def as_arrays(values: Any, where: str) -> Any:
    """Return NumPy arrays, or dictionaries or tuples of them.

    Raises:
        DataError: One holds Python objects.
    """
    if isinstance(values, Mapping):
        return {str(key): as_arrays(value, where) for key, value in values.items()}
    if isinstance(values, tuple):
        return tuple(as_arrays(value, where) for value in values)
    try:
        array = np.asarray(values)
    except ValueError:  # lists of different lengths
        array = np.empty(1, dtype=object)
    if array.dtype == object and array.size and all(isinstance(value, str) for value in array.flat):
        array = array.astype(str)  # as pandas holds text
    if array.dtype == object or array.ndim == 0:
        what = "Python objects of different shapes or types" if array.ndim else type(values).__name__
        if array.size and all(isinstance(value, Number) for value in array.flat):
            what = 'numbers as Python objects: .astype("float32")'
        if isinstance(values, list) and all(isinstance(value, np.ndarray) for value in values):
            what = "a list of arrays; several inputs are a tuple or a dictionary of them"
        raise DataError(f"{where} must hold NumPy arrays of numbers or text, one row an example. Received: {what}")
    return array


def as_pair(element: Any, where: str) -> tuple[Any, Any]:
    """Return the input and the target that a data set's element is.

    Raises:
        DataError: It is something else, as an input alone, or one with a weight.
    """
    if isinstance(element, tuple | list) and len(element) == 2:
        return element[0], element[1]
    received = type(element).__name__
    if isinstance(element, tuple | list | Mapping):
        received += f" of {len(element)}"
    raise DataError(f"{where} must be (input, target). Received: {received}")


def copied(values: Any) -> Any:
    """Return a copy of arrays, or of dictionaries, lists or tuples of them."""
    if isinstance(values, Mapping):
        return {key: copied(value) for key, value in values.items()}
    return type(values)(map(copied, values)) if isinstance(values, list | tuple) else np.array(values)


def length(values: Any) -> int:
    """Return the number of examples of a batch's inputs or targets."""
    return len(leaves(values)[0])


def stack(values: list[Any]) -> Any:
    """Stack the inputs, or the targets, of single examples."""
    if isinstance(values[0], Mapping):
        return {key: stack([value[key] for value in values]) for key in values[0]}
    if isinstance(values[0], tuple):
        return tuple(stack([value[place] for value in values]) for place in range(len(values[0])))
    return np.stack([np.asarray(value) for value in values])


def example_digests(inputs: Any, targets: Any) -> list[str]:
    """Return the SHA-256 of each example of a batch, 32 hexadecimal digits: of types, shapes and values."""
    arrays = [*leaves(inputs), *leaves(targets)]
    kind = " ".join(f"{array.dtype.str} {array.shape[1:]}" for array in arrays).encode()
    rows = [
        [str(row).encode() for row in array]
        if array.dtype == object
        else [row.tobytes() for row in np.ascontiguousarray(array)]
        for array in arrays
    ]
    return [hashlib.sha256(b";".join([kind, *parts])).hexdigest()[:32] for parts in zip(*rows, strict=True)]


def joined(parts: Sequence[Any]) -> Any:
    """Join the arrays of batches, or dictionaries, lists or tuples of them."""
    first = parts[0]
    if isinstance(first, Mapping):
        return {key: joined([part[key] for part in parts]) for key in first}
    if isinstance(first, list | tuple):
        return type(first)(joined([part[place] for part in parts]) for place in range(len(first)))
    return np.concatenate([np.asarray(part) for part in parts])
