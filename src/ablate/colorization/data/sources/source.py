"""The interface of a source of photographs, which `data=NAME` names."""

from __future__ import annotations

import hashlib
import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ablate.colorization.config import DataConfig
from ablate.colorization.data.photographs import Photographs
from ablate.colorization.data.preprocessing import Preprocessing
from ablate.colorization.data.split import SplitRule
from ablate.errors import DataError


class Entry(NamedTuple):
    """A file that should be a photograph: its name, its split where that is given, and where the source finds it."""

    name: str
    split: str | None
    location: tuple[Any, ...]


@dataclass(frozen=True)
class SourceListing:
    """The contents of a source.

    Attributes:
        entries: The photographs; the order is always the same.
        ignored: Names of the files that neither train nor evaluate.
        replaced: Names of photographs that a later one of the same name replaces.
        rule: How their splits are told; None where folders say, see `split_by_folder`.
    """

    entries: list[Entry]
    ignored: Sequence[str]
    replaced: Sequence[str] = ()
    rule: SplitRule | None = None


@dataclass(frozen=True, kw_only=True)
class Source(ABC):
    """A place that holds photographs.

    Attributes:
        label: What messages call it, as in `data.root=DIR`.
        origin: Where the photographs come from, for whoever reads of them on another machine.
    """

    label: str = ""
    origin: str = ""

    @abstractmethod
    def open(self, config: DataConfig, preprocessing: Preprocessing) -> Photographs:
        """Open the photographs for training.

        Args:
            config: The section `data`.
            preprocessing: The settings that prepared data should have.

        Raises:
            DataError: There are none, none to train on, or they have to be prepared first.
        """


class FileSource(Source):
    """A source of picture files, which `ablate.prepare` turns into a prepared data set. It can be pickled."""

    @abstractmethod
    def signature(self) -> str:
        """Return a hash that changes with the source, found without reading contents.

        Raises:
            DataError: It cannot be read.
        """

    @abstractmethod
    def list(self) -> SourceListing:
        """List the photographs. Raises as `signature`."""

    @abstractmethod
    def read(self, entries: Sequence[Entry]) -> Iterator[bytes | Exception]:
        """Read the entries in order: the bytes of each file, or why it cannot be read."""

    def unpacked(self, folder: Path) -> FileSource:
        """Return a source whose files can be read in any order; `folder` is for what has to be unpacked for that.

        Raises:
            DataError: It cannot be unpacked.
        """
        return self

    def open(self, config: DataConfig, preprocessing: Preprocessing) -> Photographs:
        """Refuse: its files cannot be read at any time, in any order, by any thread, but for `LocalFiles`."""
        raise DataError(
            f"{self.label} is no folder: `python -m ablate.prepare` makes a prepared data set of it, for data=prepared"
        )


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
