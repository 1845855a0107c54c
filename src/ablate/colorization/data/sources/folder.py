"""Photographs in a folder."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ablate.colorization.config import DataConfig
from ablate.colorization.data.file_names import is_hidden, is_photograph, normalized_name, printable
from ablate.colorization.data.files import read_bytes
from ablate.colorization.data.local import LocalPhotographs
from ablate.colorization.data.photographs import Photographs
from ablate.colorization.data.preprocessing import Preprocessing
from ablate.colorization.data.sources.source import Entry, FileSource, SourceListing, signature_of_files

log = logging.getLogger(__name__)


class LocalFiles(FileSource):
    """A source of files in the local file system: an entry's location is a path, and training reads it directly."""

    def read(self, entries: Sequence[Entry]) -> Iterator[bytes | Exception]:
        """Read them."""
        for entry in entries:
            try:
                yield read_bytes(Path(entry.location[0]))
            except OSError as error:
                yield error

    def open(self, config: DataConfig, preprocessing: Preprocessing) -> Photographs:
        """List the files and hash their contents."""
        return LocalPhotographs(self.list(), self.label, config, preprocessing)


@dataclass(frozen=True)
class Folder(LocalFiles):
    """A tree of files."""

    root: Path

    def signature(self) -> str:
        """Return that of the files."""
        return signature_of_files(path for _, path in find_photographs(self.root)[0])

    def list(self) -> SourceListing:
        """List them, links followed."""
        photographs, ignored = find_photographs(self.root)
        return SourceListing([Entry(name, None, (str(path),)) for name, path in photographs], ignored)


def find_photographs(root: Path) -> tuple[list[tuple[str, Path]], list[str]]:
    """Find the photographs below a folder, following links, and the other files.

    Returns:
        (name, path) of the files that end in one of `SUFFIXES`, sorted by name; and the names of the others.
        Hidden files and folders count as neither. No two files have one name.
    """
    found = _walk(root)
    photographs, others = [], []
    taken = {spelled for spelled, _ in found}
    for spelled, path in found:
        name = normalized_name(spelled)
        if name != spelled and name in taken:
            name = printable(spelled)
        taken.add(name)
        if is_photograph(name) and _is_regular(path):
            photographs.append((name, path))
        elif not is_hidden(name):
            others.append(name)
    return sorted(photographs), sorted(others)


def _walk(root: Path) -> list[tuple[str, Path]]:
    """Return the path below the root, as it is spelled, and the whole path of every file that is not hidden."""
    found, seen = list[tuple[str, Path]](), set[str]()

    def unreadable(error: OSError) -> None:
        log.warning("The folder %s cannot be read: %s", error.filename, error.strerror)

    for folder, children, files in os.walk(root, onerror=unreadable, followlinks=True):
        # A link to a folder above would be walked for ever.
        real = os.path.realpath(folder)
        if real in seen:
            children.clear()
            continue
        seen.add(real)
        children[:] = sorted(child for child in children if not is_hidden(child))
        for file in sorted(file for file in files if not is_hidden(file)):
            path = Path(folder) / file
            found.append((path.relative_to(root).as_posix(), path))
    return found


def _is_regular(path: Path) -> bool:
    """Tell files from pipes, sockets and devices, which reading could wait on for ever; a broken link is a file."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return True
