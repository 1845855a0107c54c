"""Tensors in a file of weights: known by shape before any of them is read."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ablate.errors import DataError

LARGEST_FILE = 2**29
"""Bytes. The released file has 129 million, in double precision it would have 258."""
LARGEST_HEAD = 2**20
"""Bytes of what describes the tensors; the released file has about 10,000."""

DTYPES = {"float64": "<f8", "float32": "<f4", "float16": "<f2", "bfloat16": "<u2", "int64": "<i8"}
"""NumPy's types of those that weights come in; of bfloat16, the upper half of float32, the one with its bits."""


def refused(path: Path, reason: str) -> DataError:
    """Return the error for a file that cannot be used."""
    printable = "".join(letter if letter.isprintable() else "?" for letter in " ".join(reason.split()))
    return DataError(f"{path} cannot be imported: {printable}")


def is_size(value: object) -> bool:
    """Tell whether a value that a file holds can be a number of elements or bytes."""
    return type(value) is int and 0 <= value <= LARGEST_FILE


@dataclass(frozen=True)
class StoredTensor:
    """A tensor in a file.

    Attributes:
        dtype: One of `DTYPES`.
        shape: Its shape.
        read: Reads it, in float32 or int64.
    """

    dtype: str
    shape: tuple[int, ...]
    read: Callable[[], npt.NDArray[np.generic]]


def to_array(content: bytes | memoryview, dtype: str) -> npt.NDArray[np.generic]:
    """Return the numbers of a file as a flat array in float32 or int64."""
    array = np.frombuffer(content, DTYPES[dtype])
    if dtype == "bfloat16":
        return (array.astype(np.uint32) << 16).view(np.float32)
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, and is refused where it is used
        return array.astype(np.int64 if dtype == "int64" else np.float32)


def strided(
    flat: npt.NDArray[np.generic], shape: tuple[int, ...], strides: tuple[int, ...], offset: int
) -> npt.NDArray[np.generic]:
    """Return the tensor that begins at an element of flat storage, with strides in elements.

    Raises:
        ValueError: It would reach beyond the storage.
    """
    last = offset + sum((size - 1) * stride for size, stride in zip(shape, strides, strict=True))
    number = math.prod(shape)
    if number > len(flat) or (number and last >= len(flat)):
        raise ValueError(f"a tensor of shape {shape} reaches beyond its {len(flat)} numbers")
    steps = tuple(stride * flat.itemsize for stride in strides)
    return np.ascontiguousarray(np.lib.stride_tricks.as_strided(flat[offset:], shape, steps))
