"""Photographs below a URL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ablate.colorization.data.file_names import is_hidden, is_photograph, normalized_name
from ablate.colorization.data.sources.source import Entry, FileSource, SourceListing, signature_of
from ablate.colorization.data.storage import list_files, read_file
from ablate.errors import DataError


@dataclass(frozen=True)
class Url(FileSource):
    """A tree of files in one of TensorFlow's file systems."""

    root: str

    def signature(self) -> str:
        """Return that of the files' names."""
        return signature_of(sorted(list_files(self.root)))

    def list(self) -> SourceListing:
        """List them."""
        names = sorted((normalized_name(spelled), spelled) for spelled in list_files(self.root))
        ignored = [name for name, _ in names if not is_photograph(name) and not is_hidden(name)]
        entries = [Entry(name, None, (spelled,)) for name, spelled in names if is_photograph(name)]
        return SourceListing(entries, ignored)

    def read(self, entries: Sequence[Entry]) -> Iterator[bytes | Exception]:
        """Read them."""
        for entry in entries:
            try:
                yield read_file(f"{self.root.rstrip('/')}/{entry.location[0]}")
            except (OSError, DataError) as error:
                yield error
