"""Photographs in zip and tar archives, read by their offsets in any order."""

from __future__ import annotations

import bz2
import gzip
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from ablate.colorization.data.file_names import is_hidden, is_photograph, normalized_name
from ablate.colorization.data.files import MAX_BYTES, too_large
from ablate.colorization.data.sources.source import Entry, FileSource, SourceListing, signature_of_files
from ablate.colorization.data.split import common_root
from ablate.errors import DataError
from ablate.system.atomic_write import atomic_write

File = TypeVar("File")

_OPENED = {"gz": gzip.open, "z2": bz2.open, "xz": lzma.open}
_MIB = 2**20
_MAX_RATIO = 100
"""How many times its size an archive may unpack to, if that is more than a gibibyte: photographs hardly shrink."""
TAR_SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")


@dataclass(frozen=True)
class _Archive(FileSource):
    """An archive."""

    path: Path

    def signature(self) -> str:
        """Return that of the archive."""
        return signature_of_files([self.path])


@dataclass(frozen=True)
class Zip(_Archive):
    """A zip archive."""

    def list(self) -> SourceListing:
        """Read the archive's directory."""
        try:
            with zipfile.ZipFile(self.path) as archive:
                files = [info for info in archive.infolist() if not info.filename.endswith(("/", "\\"))]
            del archive  # it holds its directory, half a kilobyte a file
        except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
            raise DataError(f"{self.path.name} cannot be read as a zip archive: {error}") from None
        return _listing(
            files,
            lambda info: info.filename,
            lambda info: (info.header_offset, info.compress_size, info.file_size, info.compress_type, info.CRC),
        )

    def read(self, entries: Sequence[Entry]) -> Iterator[bytes | Exception]:
        """Read them by their offsets: no worker needs the archive's whole directory."""
        with self.path.open("rb") as file:
            for entry in entries:
                try:
                    yield _unzipped(file, *entry.location)
                except (OSError, zlib.error, DataError, struct.error) as error:
                    yield error


def _unzipped(file: BinaryIO, offset: int, packed: int, size: int, method: int, checksum: int) -> bytes:
    """Return a file of an archive (PKWARE APPNOTE, 4.3.7: the local header ends in a name and an extra field).

    Memory is bounded by `MAX_BYTES`, whatever sizes the archive claims.
    """
    if max(packed, size) > MAX_BYTES:
        raise too_large(max(packed, size))
    file.seek(offset)
    flags, name, extra = struct.unpack("<6xH18xHH", file.read(30))
    if flags & 1 or method not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise DataError("encrypted in the archive" if flags & 1 else f"packed in the archive by method {method}")
    file.seek(offset + 30 + name + extra)
    content = file.read(packed)
    if method == zipfile.ZIP_DEFLATED:
        content = zlib.decompressobj(-zlib.MAX_WBITS).decompress(content, size + 1)
    if len(content) != size or zlib.crc32(content) != checksum:
        raise DataError("damaged in the archive")
    return content


@dataclass(frozen=True)
class Tar(_Archive):
    """A tar archive; a compressed one has to be unpacked to a plain one."""

    def unpacked(self, folder: Path) -> FileSource:
        """Return the plain archive."""
        if self.path.suffix.lower() == ".tar":
            return self
        plain = folder / "source.tar"
        try:
            if not plain.exists():
                opened: Any = _OPENED[self.path.name.lower()[-2:]]
                with opened(self.path, "rb") as compressed, atomic_write(plain) as file:
                    self._copy(compressed, file)
        except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile) as error:
            raise self._unreadable(error) from None
        except OSError as error:
            if error.errno is not None:  # of the disk; bz2's own have none
                raise
            raise self._unreadable(error) from None
        return replace(self, path=plain)

    def _copy(self, compressed: BinaryIO, plain: BinaryIO) -> None:
        most = max(1024 * _MIB, _MAX_RATIO * self.path.stat().st_size)
        while piece := compressed.read(_MIB):
            if plain.tell() > most:
                raise DataError(f"{self.path.name} unpacks to more than {most // _MIB:,} MiB: that is no photographs")
            plain.write(piece)

    def list(self) -> SourceListing:
        """Read the headers of its files."""
        try:
            files = []
            with tarfile.open(self.path, "r:") as archive:
                for member in archive:
                    if member.isfile():
                        files.append((member.name, member.offset_data, member.size))
                    archive.members = []  # type: ignore[attr-defined]  # it would keep all it has seen
        except (tarfile.TarError, ValueError, OSError) as error:
            raise self._unreadable(error) from None
        return _listing(files, lambda file: file[0], lambda file: file[1:])

    def read(self, entries: Sequence[Entry]) -> Iterator[bytes | Exception]:
        """Read them by their offsets."""
        with self.path.open("rb") as file:
            for entry in entries:
                offset, size = entry.location
                if size > MAX_BYTES:
                    yield too_large(size)
                    continue
                file.seek(offset)
                content = file.read(max(size, 0))
                yield content if len(content) == size else DataError("cut off in the archive")

    def _unreadable(self, error: Exception) -> DataError:
        return DataError(f"{self.path.name} cannot be read as a tar archive: {error}")


def _listing(
    files: list[File], name_of: Callable[[File], str], location: Callable[[File], tuple[Any, ...]]
) -> SourceListing:
    """List the files of an archive, which are used up, by their names below the folder that holds all photographs.

    Of a name that is there twice the last file counts, as unpacking would have it.
    """
    photographs: dict[str, tuple[Any, ...]] = {}
    ignored, replaced = set[str](), list[str]()
    files.reverse()
    while files:
        file = files.pop()
        name = normalized_name(name_of(file))
        if is_photograph(name):
            if name in photographs:
                replaced.append(name)
            photographs[name] = location(file)
        elif not is_hidden(name):
            ignored.add(name)
    root = common_root(list(photographs))
    return SourceListing(
        [Entry(name.removeprefix(root), None, photographs[name]) for name in sorted(photographs)],
        sorted(name.removeprefix(root) for name in ignored),
        [name.removeprefix(root) for name in replaced],
    )
