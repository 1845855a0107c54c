"""Atomic file writes and removals: what is there is there as a whole, or not at all."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


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
    aside = path.with_name(f".{path.name}.{os.getpid()}")
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
    aside = folder.with_name(f".{folder.name}.{os.getpid()}")
    folder.replace(aside)
    shutil.rmtree(aside)
