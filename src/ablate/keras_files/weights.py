"""The weights in a `.keras` file, an HDF5 file: refused where reading them would take more than the file has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ablate.errors import DataError

_KINDS = "fiubV"
"""Kinds of NumPy's numbers; V is what HDF5 makes of bfloat16."""
_SMALL = 2**16
"""Bytes that HDF5 keeps beside the description of an array, at most."""


def check_weights_file(file: Path) -> None:
    """Refuse whatever is not plain: arrays of numbers, each in one piece of the file.

    HDF5 can describe arrays of any size in a few bytes: compressed, never written, virtual or in other files.

    Raises:
        DataError: It is no HDF5 file, or one that is not plain.
    """
    import h5py

    size = file.stat().st_size
    try:
        with h5py.File(file, "r") as content:
            for name, found in _objects(content):
                if not isinstance(found, h5py.Group) and not _is_plain(found, size):
                    raise DataError(f"{name} in its weights is no array of numbers in one piece, as Keras writes them")
    except DataError:
        raise
    except Exception as error:  # whatever HDF5 stumbles over in a damaged file
        raise DataError(f"its weights cannot be read: {' '.join(str(error).split())}") from None


def _objects(content: Any) -> Iterator[tuple[str, Any]]:
    """Yield all groups and arrays, each once, with its place."""
    import h5py

    waiting, seen = [("", content)], set()
    while waiting:
        place, group = waiting.pop()
        for key in group:
            name = f"{place}/{key}"
            if not isinstance(group.get(key, getlink=True), h5py.HardLink):
                raise DataError(f"{name} in its weights lies elsewhere")
            found = group[key]
            address = h5py.h5o.get_info(found.id).addr
            if address not in seen:
                seen.add(address)
                yield name, found
                if isinstance(found, h5py.Group):
                    waiting.append((name, found))


def _is_plain(found: Any, size: int) -> bool:
    """Return whether something is an array of which every number is in a file of so many bytes."""
    import h5py

    if not isinstance(found, h5py.Dataset) or found.shape is None:
        return False
    if found.dtype.kind not in _KINDS or found.dtype.fields or found.dtype.subdtype:
        return False
    if any(found.attrs.get_id(name).get_storage_size() > _SMALL for name in found.attrs):
        return False
    written = found.id.get_create_plist()
    if written.get_layout() == h5py.h5d.COMPACT:
        return bool(found.nbytes <= _SMALL)
    if written.get_layout() != h5py.h5d.CONTIGUOUS or written.get_external_count():
        return False
    start = found.id.get_offset()
    return not found.nbytes or (start is not None and start + found.nbytes <= size)
