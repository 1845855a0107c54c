"""Files of `torch.save`, read without PyTorch: the zip of PyTorch 1.6 and later, and the form before it."""

from __future__ import annotations

import io
import mmap
import re
import zipfile
from collections.abc import Callable, Mapping
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ablate.import_weights.pickled import StorageId, TensorId, read_pickle
from ablate.import_weights.tensors import DTYPES, LARGEST_HEAD, StoredTensor, is_size, strided, to_array

_MAGIC, _PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
"""With which the form before PyTorch 1.6 begins."""
_MOST_MEMBERS = 2000
_ENTRY = re.compile(rb"PK\x01\x02")

Storages = Mapping[StorageId, Callable[[], bytes]]


def read_zip(path: Path, content: mmap.mmap) -> dict[str, StoredTensor]:
    """Find the tensors in a zip of `torch.save`; nothing is extracted to the disk.

    Args:
        path: The file.
        content: The same.

    Raises:
        ValueError: It is damaged, or holds other things than a dictionary of tensors.
    """
    if next(islice(_ENTRY.finditer(content), _MOST_MEMBERS, None), None):
        raise ValueError(f"it has more than {_MOST_MEMBERS:,} members")
    try:
        with zipfile.ZipFile(path) as archive:
            members = {member.filename: member for member in archive.infolist()}
            pickles = [name for name in members if name.endswith("/data.pkl")]
            if len(pickles) != 1:
                raise ValueError("it is no file of torch.save: it must have one member data.pkl")
            pickle, folder = pickles[0], pickles[0].removesuffix("data.pkl")
            _check_member(members[pickle], LARGEST_HEAD)
            if (order := folder + "byteorder") in members:
                _check_member(members[order], len("little"))
                if archive.read(order) != b"little":
                    raise ValueError("its numbers are big-endian")
            named = _named_tensors(read_pickle(io.BytesIO(archive.read(pickle))))
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, KeyError) as error:
        raise ValueError(str(error)) from None
    readers = {}
    for storage in dict.fromkeys(tensor.storage for tensor in named.values()):
        member = members.get(f"{folder}data/{storage.key}")
        if member is None:
            raise ValueError(f"it has no member {folder}data/{storage.key}"[:120])
        _check_member(member, _num_bytes(storage))
        readers[storage] = partial(_read_member, path, member.filename, _num_bytes(storage))
    return _stored(named, readers)


def _check_member(member: zipfile.ZipInfo, size: int) -> None:
    """Refuse a member that unpacks to more than the file holds."""
    if member.compress_type != zipfile.ZIP_STORED or member.flag_bits & 1:
        raise ValueError(f"{member.filename[:80]} is compressed or encrypted, which torch.save does not do")
    if member.file_size > size:
        raise ValueError(f"{member.filename[:80]} has {member.file_size:,} bytes, and at most {size:,} are expected")


def _read_member(path: Path, name: str, size: int) -> bytes:
    try:
        with zipfile.ZipFile(path) as archive:
            content = archive.read(name)
    except (zipfile.BadZipFile, EOFError) as error:
        raise ValueError(str(error)) from None
    if len(content) != size:
        raise ValueError(f"{name} has {len(content):,} bytes in place of {size:,}")
    return content


def read_legacy(content: mmap.mmap) -> dict[str, StoredTensor]:
    """Find the tensors in a file of the form before PyTorch 1.6: five pickles, and then the numbers.

    Raises:
        ValueError: It is damaged, or holds other things than a dictionary of tensors.
    """
    stream = io.BytesIO(content[: 2 * LARGEST_HEAD])
    if (read_pickle(stream), read_pickle(stream)) != (_MAGIC, _PROTOCOL):
        raise ValueError("it is no file of torch.save")
    system, saved, keys = read_pickle(stream), read_pickle(stream), read_pickle(stream)
    if not isinstance(system, dict) or system.get("little_endian") is not True:
        raise ValueError("its numbers are big-endian")
    named = _named_tensors(saved)
    storages = {tensor.storage.key: tensor.storage for tensor in named.values()}
    if not isinstance(keys, list) or any(type(key) is not str for key in keys) or sorted(keys) != sorted(storages):
        raise ValueError("its numbers are not those that its tensors name")
    readers, start = {}, stream.tell()
    for key in keys:
        size = _num_bytes(storages[key])
        if int.from_bytes(content[start : start + 8], "little") != storages[key].numel:
            raise ValueError(f"its numbers {key[:40]} are not as many as it says")
        if start + 8 + size > len(content):
            raise ValueError("it ends too soon: it was not copied whole")
        readers[storages[key]] = partial(_part, content, start + 8, start + 8 + size)
        start += 8 + size
    return _stored(named, readers)


def _part(content: mmap.mmap, start: int, end: int) -> bytes:
    return content[start:end]


def _named_tensors(saved: Any) -> dict[str, TensorId]:
    if not isinstance(saved, dict) or not saved:
        raise ValueError(f"it holds a {type(saved).__name__}, and no dictionary of tensors (a state_dict)")
    for name, value in saved.items():
        if type(name) is not str or not isinstance(value, TensorId):
            raise ValueError(f"{str(name)[:80]!r} in it is no tensor: it must be a state_dict and nothing else")
    storages = {tensor.storage.key: tensor.storage for tensor in saved.values()}
    if any(storages[tensor.storage.key] != tensor.storage for tensor in saved.values()):
        raise ValueError("two of its tensors disagree about the numbers that they share")
    return saved


def _num_bytes(storage: StorageId) -> int:
    if not is_size(storage.numel):
        raise ValueError(f"it says that it has {storage.numel} numbers")
    return storage.numel * np.dtype(DTYPES[storage.dtype]).itemsize


def _stored(named: Mapping[str, TensorId], readers: Storages) -> dict[str, StoredTensor]:
    return {
        name: StoredTensor(tensor.storage.dtype, tensor.shape, partial(_read, tensor, readers[tensor.storage]))
        for name, tensor in named.items()
    }


def _read(tensor: TensorId, storage: Callable[[], bytes]) -> npt.NDArray[np.generic]:
    return strided(to_array(storage(), tensor.storage.dtype), tensor.shape, tensor.strides, tensor.offset)
