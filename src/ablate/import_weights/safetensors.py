"""Files in the format safetensors: a header in JSON, and then the numbers."""

from __future__ import annotations

import json
import math
import mmap
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from ablate.import_weights.tensors import DTYPES, LARGEST_HEAD, StoredTensor, is_size, to_array

_DTYPES = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16", "I64": "int64"}


def read_safetensors(content: mmap.mmap) -> dict[str, StoredTensor]:
    """Find the tensors in a file of the format safetensors.

    Raises:
        ValueError: It is damaged.
    """
    length = int.from_bytes(content[:8], "little")
    if not 2 <= length <= min(LARGEST_HEAD, len(content) - 8):
        raise ValueError(f"its header would have {length:,} bytes")
    try:
        header = json.loads(content[8 : 8 + length])
    except (ValueError, RecursionError):
        raise ValueError("its header is no JSON") from None
    if not isinstance(header, dict):
        raise ValueError("its header is no JSON object")
    header.pop("__metadata__", None)
    return {name: _stored(name, entry, content, 8 + length) for name, entry in header.items()}


def _stored(name: str, entry: Any, content: mmap.mmap, start: int) -> StoredTensor:
    try:
        dtype, shape, (first, last) = _DTYPES[entry["dtype"]], tuple(entry["shape"]), entry["data_offsets"]
        size = math.prod(shape) * np.dtype(DTYPES[dtype]).itemsize
        sound = all(map(is_size, (*shape, first, last))) and last - first == size
    except (KeyError, TypeError, ValueError):
        sound = False
    if not sound or start + last > len(content):
        raise ValueError(f"its header is wrong about {name[:80]!r}")
    return StoredTensor(dtype, shape, partial(_read, content, slice(start + first, start + last), dtype, shape))


def _read(content: mmap.mmap, place: slice, dtype: str, shape: tuple[int, ...]) -> npt.NDArray[np.generic]:
    return to_array(content[place], dtype).reshape(shape)
