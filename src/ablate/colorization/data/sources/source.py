"""What a source of photographs is: it lists what it holds once, and each worker reads a part of the list by itself."""

from __future__ import annotations

import hashlib
import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ablate.colorization.data.split import Split


class Entry(NamedTuple):
    """A file that should be a photograph: its name, its part if that is given, and where the source finds it."""

    name: str
    part: str | None
    at: tuple[Any, ...]


@dataclass(frozen=True)
class Listed:
    """What a source holds.

    Attributes:
        entries: The photographs; the order is always the same.
        ignored: Names of the files that are none.
        replaced: Names of photographs that a later one of the same name replaces.
        split: How their parts are told; None where folders say, see `split_by_folder`.
    """

    entries: list[Entry]
    ignored: Sequence[str]
    replaced: Sequence[str] = ()
    split: Split | None = None


class Source(ABC):
    """Something that holds photographs. It can be sent to another process."""

    @abstractmethod
    def signature(self) -> str:
        """Return what is another one when the source has changed, told without reading contents.

        Raises:
            DataError: It cannot be read.
        """

    @abstractmethod
    def list(self) -> Listed:
        """List the photographs. Raises as `signature`."""

    @abstractmethod
    def read(self, entries: Sequence[Entry]) -> Iterator[bytes | Exception]:
        """Read the entries in order: the bytes of each file, or why it cannot be read."""

    def unpacked(self, folder: Path) -> Source:
        """Return the source as its files can be read in any order; `folder` is for what has to be unpacked for that.

        Raises:
            DataError: It cannot be unpacked.
        """
        return self


def signature_of_files(paths: Iterable[Path]) -> str:
    """Return a signature of files: their names, sizes and times of change."""

    def line(path: Path) -> str:
        try:
            status = path.stat()
        except OSError:
            return str(path)
        return f"{path} {status.st_size} {status.st_mtime_ns}"

    return signature_of(map(line, paths))


def signature_of(lines: Iterable[str]) -> str:
    """Return the SHA-256 of some lines."""
    digest = hashlib.sha256()
    for line in lines:
        digest.update(os.fsencode(line) + b"\n")
    return digest.hexdigest()
