"""Atomic file writes and removals: what is there is there as a whole, or not at all."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

_LONGEST = 100
"""Bytes of a name that is told whole in that of a file beside it; file systems take 255, encrypted ones about 140."""


def beside(path: Path) -> Path:
    """Return the place beside a file or folder where this process writes it first: `.NAME.PID`.

    Instead of a long name it has a digest and the suffix, as the name of a file has at most 255 bytes.
    """
    name = os.fsencode(path.name)
    told = path.name if len(name) <= _LONGEST else hashlib.sha256(name).hexdigest()[:32] + path.suffix[-8:]
    return path.with_name(f".{told}.{os.getpid()}")


@contextmanager
def atomic_write(path: Path, *, durable: bool = True) -> Iterator[BinaryIO]:
    """Write a file beside its place, and put it there when the block has ended without an error.

    Args:
        path: The place; what is there stays until then.
        durable: Whether to wait until the disk has it, so that it outlives the machine's sudden end.

    Yields:
        The file, open to be written.

    Raises:
        OSError: It cannot be written.
    """
    aside = beside(path)
    try:
        with aside.open("wb") as file:
            yield file
            if durable:
                file.flush()
                os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def remove_folder(folder: Path) -> None:
    """Remove a folder from its place at once, then its files; what a killed process leaves is called `.NAME.PID`.

    Raises:
        OSError: It cannot be removed.
    """
    aside = beside(folder)
    folder.replace(aside)
    shutil.rmtree(aside)
