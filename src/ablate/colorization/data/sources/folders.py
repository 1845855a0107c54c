"""Photographs as files: inside installed packages, in a folder, below a URL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ablate.colorization.data.file_names import hidden, is_photograph, plain
from ablate.colorization.data.listing import PARTS, SHIPPED
from ablate.colorization.data.photographs import folder_paths, read_bytes, sample_paths
from ablate.colorization.data.sources.source import (
    Entry,
    Listed,
    Source,
    signature_of,
    signature_of_files,
)
from ablate.colorization.data.storage import names_below, whole
from ablate.errors import DataError


class _OfFiles(Source):
    """A source whose entries say the path of a file."""

    def read(self, entries: Sequence[Entry]) -> Iterator[bytes | Exception]:
        """Read them."""
        for entry in entries:
            try:
                yield read_bytes(Path(entry.at[0]))
            except OSError as error:
                yield error


@dataclass(frozen=True)
class Sample(_OfFiles):
    """The photographs inside installed packages."""

    def signature(self) -> str:
        """Return that of the files."""
        return signature_of_files(Path(entry.at[0]) for entry in self.list().entries)

    def list(self) -> Listed:
        """List them."""
        entries = [Entry(name, part, (str(path),)) for part in PARTS for name, path in sample_paths(part)]
        return Listed(entries, (), split=SHIPPED)


@dataclass(frozen=True)
class Folder(_OfFiles):
    """A tree of files."""

    root: Path

    def signature(self) -> str:
        """Return that of the files."""
        return signature_of_files(path for _, path in folder_paths(self.root)[0])

    def list(self) -> Listed:
        """List them, links followed."""
        photographs, ignored = folder_paths(self.root)
        return Listed([Entry(name, None, (str(path),)) for name, path in photographs], ignored)


@dataclass(frozen=True)
class Remote(Source):
    """A tree of files in one of TensorFlow's file systems."""

    root: str

    def signature(self) -> str:
        """Return that of the files' names."""
        return signature_of(sorted(names_below(self.root)))

    def list(self) -> Listed:
        """List them."""
        names = sorted((plain(spelled), spelled) for spelled in names_below(self.root))
        ignored = [name for name, _ in names if not is_photograph(name) and not hidden(name)]
        return Listed([Entry(name, None, (spelled,)) for name, spelled in names if is_photograph(name)], ignored)

    def read(self, entries: Sequence[Entry]) -> Iterator[bytes | Exception]:
        """Read them."""
        for entry in entries:
            try:
                yield whole(f"{self.root.rstrip('/')}/{entry.at[0]}")
            except (OSError, DataError) as error:
                yield error
