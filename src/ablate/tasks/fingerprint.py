"""The fingerprint of data: a hash of all contents. No TensorFlow."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ablate.config.paths import absolute
from ablate.errors import DataError


def fingerprint(*contents: Any) -> str:
    """Return the SHA-256 of data: of the types, shapes and values of arrays, and of the contents of files.

    Args:
        contents: Arrays, or dictionaries, lists or tuples of them; or the `Path` of a file, or of a folder of files.

    Raises:
        DataError: There is no such file.

    Example:
        >>> fingerprint(np.arange(3))[:8]
        'e504a90b'
    """
    digest = hashlib.sha256()
    for content in contents:
        for leaf in [content] if isinstance(content, Path) else leaves(content):
            if isinstance(leaf, Path):
                _update_by_files(digest, absolute(leaf))
            else:
                digest.update(f"{leaf.dtype.str} {leaf.shape};".encode())
                array = np.ascontiguousarray(leaf)
                digest.update(str(array.tolist()).encode() if array.dtype == object else array.tobytes())
    return digest.hexdigest()


def leaves(values: Any) -> list[npt.NDArray[Any]]:
    """Return the arrays of a structure, in order of its keys."""
    if isinstance(values, Mapping):
        return [leaf for key in sorted(values) for leaf in leaves(values[key])]
    if isinstance(values, list | tuple):
        return [leaf for value in values for leaf in leaves(value)]
    return [np.asarray(values)]


def _update_by_files(digest: Any, path: Path) -> None:
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    for file in files:
        try:
            with file.open("rb") as opened:
                content = hashlib.file_digest(opened, "sha256").hexdigest()
        except OSError as error:
            raise DataError(f"{path} cannot be read: {error.strerror}") from None
        digest.update(f"{file.relative_to(path).as_posix()} {content};".encode())
