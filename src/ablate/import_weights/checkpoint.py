"""Reading of a file of weights, whichever of three formats it has."""

import hashlib
import mmap
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ablate.errors import DataError
from ablate.import_weights.safetensors import read_safetensors
from ablate.import_weights.tensors import LARGEST_FILE, StoredTensor, refused
from ablate.import_weights.torch_file import read_legacy, read_zip

_HASH_IN_NAME = re.compile(r"-([0-9a-f]{8,64})\.\w+$")
"""By PyTorch's custom, the first digits of the content's SHA-256 stand at the end of a published file's name."""


@contextmanager
def opened_weights(path: Path) -> Iterator[Mapping[str, StoredTensor]]:
    """Open a file of weights; its tensors can be read until the end of the block.

    Args:
        path: A file of `torch.save` that holds a state_dict, or one of the format safetensors.

    Raises:
        DataError: It is no such file, is damaged, or holds anything else. Nothing in it is executed.
    """
    if not path.is_file():
        raise DataError(f"there is no file {path}")
    size = path.stat().st_size
    if not 16 <= size <= LARGEST_FILE:
        raise refused(path, f"it has {size:,} bytes, and weights have at most {LARGEST_FILE:,}")
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            yield _read(path, content)
    except ValueError as error:
        raise refused(path, str(error)) from None


def _read(path: Path, content: mmap.mmap) -> Mapping[str, StoredTensor]:
    _check_hash(path, content)
    if content[:4] == b"PK\x03\x04":
        return read_zip(path, content)
    if content[:2] == b"\x80\x02":
        return read_legacy(content)
    if content[8:9] == b"{":
        return read_safetensors(content)
    raise ValueError("it is neither a file of torch.save nor of the format safetensors")


def _check_hash(path: Path, content: mmap.mmap) -> None:
    named = _HASH_IN_NAME.search(path.name)
    digest = hashlib.sha256(content).hexdigest()
    if named and not digest.startswith(named[1]):
        raise ValueError(f"its name says SHA-256 {named[1]}, and it has {digest[:8]}: it was not copied whole")
