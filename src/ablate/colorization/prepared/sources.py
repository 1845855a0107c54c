"""Where photographs come from: folders, zip and tar archives, TensorFlow Datasets, installed packages.

A source lists what it holds once; each worker then reads a part of the list by itself.
"""

from __future__ import annotations

import bz2
import gzip
import hashlib
import logging
import lzma
import os
import shutil
import struct
import tarfile
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TypeVar

from ablate.colorization.config import DataConfig
from ablate.colorization.listing import PARTS
from ablate.colorization.photographs import SUFFIXES, folder_paths, printable, sample_paths
from ablate.colorization.prepared.places import is_url, names_below, whole
from ablate.errors import ConfigError, DataError
from ablate.files import replacing

File = TypeVar("File")

_OPENED = {"gz": gzip.open, "z2": bz2.open, "xz": lzma.open}
_TAR = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")


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
    """

    entries: list[Entry]
    ignored: Sequence[str]


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


def source_of(config: DataConfig) -> Source:
    """Return the source that a configuration names.

    Raises:
        ConfigError: It names none.
    """
    if config.name == "sample":
        return Sample()
    if config.name == "tfds":
        assert config.dataset is not None
        return TensorFlowDataset(config.dataset, config.root)
    if config.name != "folder" or config.root is None:
        raise ConfigError("what is prepared is data=folder data.root=DIR|ZIP|TAR, data=tfds or data=sample")
    if is_url(config.root):
        return Remote(config.root)
    path = Path(config.root).expanduser().absolute()
    name = path.name.lower()
    if path.is_file() and name.endswith(".zip"):
        return Zip(path)
    if path.is_file() and name.endswith(_TAR):
        return Tar(path)
    if path.is_dir():
        return Folder(path)
    raise DataError(f"data.root={config.root} is no folder, .zip or {', '.join(_TAR)} file")


class _OfFiles(Source):
    """A source whose entries say the path of a file."""

    def read(self, entries: Sequence[Entry]) -> Iterator[bytes | Exception]:
        """Read them."""
        for entry in entries:
            try:
                yield Path(entry.at[0]).read_bytes()
            except OSError as error:
                yield error


@dataclass(frozen=True)
class Sample(_OfFiles):
    """The photographs inside installed packages."""

    def signature(self) -> str:
        """Return that of the files."""
        return _of_files(Path(entry.at[0]) for entry in self.list().entries)

    def list(self) -> Listed:
        """List them."""
        return Listed([Entry(name, part, (str(path),)) for part in PARTS for name, path in sample_paths(part)], ())


@dataclass(frozen=True)
class Folder(_OfFiles):
    """A tree of files."""

    root: Path

    def signature(self) -> str:
        """Return that of the files."""
        return _of_files(path for _, path in folder_paths(self.root)[0])

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
        return _signature(sorted(names_below(self.root)))

    def list(self) -> Listed:
        """List them."""
        names = sorted(names_below(self.root))
        ignored = [name for name in names if not _photograph(name) and not _hidden(name)]
        return Listed([Entry(name, None, ()) for name in names if _photograph(name)], ignored)

    def read(self, entries: Sequence[Entry]) -> Iterator[bytes | Exception]:
        """Read them."""
        for entry in entries:
            try:
                yield whole(f"{self.root.rstrip('/')}/{entry.name}")
            except (OSError, DataError) as error:
                yield error


@dataclass(frozen=True)
class Zip(Source):
    """A zip archive."""

    path: Path

    def signature(self) -> str:
        """Return that of the archive."""
        return _of_files([self.path])

    def list(self) -> Listed:
        """Read the archive's directory."""
        try:
            with zipfile.ZipFile(self.path) as archive:
                files = [info for info in archive.infolist() if not info.is_dir()]
            del archive  # it holds its directory, half a kilobyte a file
        except (zipfile.BadZipFile, OSError) as error:
            raise DataError(f"{self.path.name} cannot be read as a zip archive: {error}") from None
        return _listed(
            files,
            lambda info: info.filename,
            lambda info: (info.header_offset, info.compress_size, info.compress_type, info.CRC),
        )

    def read(self, entries: Sequence[Entry]) -> Iterator[bytes | Exception]:
        """Read them by their places: no worker needs the archive's whole directory."""
        with self.path.open("rb") as file:
            for entry in entries:
                try:
                    yield _unzipped(file, *entry.at)
                except (OSError, zlib.error, DataError, struct.error) as error:
                    yield error


def _unzipped(file: BinaryIO, offset: int, size: int, method: int, checksum: int) -> bytes:
    """Return a file of an archive (PKWARE APPNOTE, 4.3.7: the local header ends in a name and an extra field)."""
    file.seek(offset)
    flags, name, extra = struct.unpack("<6xH18xHH", file.read(30))
    if flags & 1 or method not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise DataError("encrypted in the archive" if flags & 1 else f"packed in the archive by method {method}")
    file.seek(offset + 30 + name + extra)
    content = file.read(size)
    if method == zipfile.ZIP_DEFLATED:
        content = zlib.decompress(content, -zlib.MAX_WBITS)
    if zlib.crc32(content) != checksum:
        raise DataError("damaged in the archive")
    return content


@dataclass(frozen=True)
class Tar(Source):
    """A tar archive; a compressed one has to be unpacked to a plain one."""

    path: Path

    def signature(self) -> str:
        """Return that of the archive."""
        return _of_files([self.path])

    def unpacked(self, folder: Path) -> Source:
        """Return the plain archive."""
        if self.path.suffix.lower() == ".tar":
            return self
        plain = folder / "source.tar"
        try:
            if not plain.exists():
                opened: Any = _OPENED[self.path.name.lower()[-2:]]
                with opened(self.path, "rb") as compressed, replacing(plain) as file:
                    shutil.copyfileobj(compressed, file, 1 << 20)
        except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile) as error:
            raise self._unreadable(error) from None
        except OSError as error:
            if error.errno is not None:  # of the disk; bz2's own have none
                raise
            raise self._unreadable(error) from None
        return Tar(plain)

    def list(self) -> Listed:
        """Read the headers of its files."""
        try:
            files = []
            with tarfile.open(self.path, "r:") as archive:
                for member in archive:
                    if member.isfile():
                        files.append((member.name.removeprefix("./"), member.offset_data, member.size))
                    archive.members = []  # type: ignore[attr-defined]  # it would keep all it has seen
        except (tarfile.TarError, OSError) as error:
            raise self._unreadable(error) from None
        return _listed(files, lambda file: file[0], lambda file: file[1:])

    def read(self, entries: Sequence[Entry]) -> Iterator[bytes | Exception]:
        """Read them by their places."""
        with self.path.open("rb") as file:
            for entry in entries:
                offset, size = entry.at
                file.seek(offset)
                content = file.read(size)
                yield content if len(content) == size else DataError("cut off in the archive")

    def _unreadable(self, error: Exception) -> DataError:
        return DataError(f"{self.path.name} cannot be read as a tar archive: {error}")


@dataclass(frozen=True)
class TensorFlowDataset(Source):
    """A data set of TensorFlow Datasets with a feature `image`; its splits `validation` or `test` evaluate."""

    dataset: str
    root: str | None

    def signature(self) -> str:
        """Return that of the version and the sizes of its splits."""
        info = self._builder().info
        return _signature([info.full_name, *(f"{name} {count}" for name, count in self._splits().items())])

    def list(self) -> Listed:
        """List its examples by number."""
        splits = self._splits()
        entries = [
            Entry(f"{split}/{number:08}", _part_of(split) if len(splits) > 1 else None, (split, number))
            for split, count in splits.items()
            for number in range(count)
        ]
        return Listed(entries, ())

    def _splits(self) -> dict[str, int]:
        """Return how many examples train and evaluate, by the name of their split."""
        info = self._builder().info
        evaluating = "validation" if "validation" in info.splits else "test"
        counts = {name: int(info.splits[name].num_examples) for name in ("train", evaluating) if name in info.splits}
        known = {name: count for name, count in counts.items() if count}
        if not known or "image" not in info.features:
            raise DataError(f"data.dataset={self.dataset} has no split of photographs with a feature `image`")
        return known

    def read(self, entries: Sequence[Entry]) -> Iterator[bytes | Exception]:
        """Read them as they are encoded."""
        tfds, builder = _tfds(), self._builder()
        for split in dict.fromkeys(entry.at[0] for entry in entries):
            numbers = [entry.at[1] for entry in entries if entry.at[0] == split]
            examples = builder.as_dataset(
                split=tfds.core.ReadInstruction(split, from_=numbers[0], to=numbers[-1] + 1, unit="abs"),
                decoders={"image": tfds.decode.SkipDecoding()},
                shuffle_files=False,
            )
            for example in examples:
                yield example["image"].numpy()

    def _builder(self) -> Any:
        tfds = _tfds()
        try:
            builder = tfds.builder(self.dataset, data_dir=self.root)
            builder.download_and_prepare()
        except Exception as error:  # of any kind: a data set is a program of its own
            raise DataError(f"data.dataset={self.dataset} cannot be had: {' '.join(str(error).split())}") from error
        return builder


def _part_of(split: str) -> str:
    return "train" if split == "train" else "eval"


def _tfds() -> Any:
    from ablate.training.hardware import import_tensorflow

    import_tensorflow()  # without what it prints
    try:
        import tensorflow_datasets as tfds
    except ImportError:
        raise ConfigError('data=tfds needs TensorFlow Datasets: pip install "ablate[tfds]"') from None
    tfds.disable_progress_bar()
    logging.getLogger("absl").setLevel(logging.ERROR)  # it says where it looked before it found
    return tfds


def _listed(files: list[File], name_of: Callable[[File], str], at: Callable[[File], tuple[Any, ...]]) -> Listed:
    """List the files of an archive, which are used up, by their names below the folder that holds them all, if any."""
    tops = {name_of(file).partition("/")[0] if "/" in name_of(file) else "" for file in files}
    top = f"{tops.pop()}/" if len(tops) == 1 and tops.isdisjoint(("", "train", "val")) else ""
    files.sort(key=name_of, reverse=True)
    entries, ignored = [], []
    while files:
        file = files.pop()
        name = name_of(file).removeprefix(top)
        if _photograph(name):
            entries.append(Entry(printable(name), None, at(file)))
        elif not _hidden(name):
            ignored.append(name)
    return Listed(entries, ignored)


def _hidden(name: str) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in name.split("/"))


def _photograph(name: str) -> bool:
    return name.lower().endswith(SUFFIXES) and not _hidden(name)


def _of_files(paths: Iterable[Path]) -> str:
    """Return a signature of files: their names, sizes and times of change."""

    def line(path: Path) -> str:
        try:
            status = path.stat()
        except OSError:
            return str(path)
        return f"{path} {status.st_size} {status.st_mtime_ns}"

    return _signature(map(line, paths))


def _signature(lines: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for line in lines:
        digest.update(os.fsencode(line) + b"\n")
    return digest.hexdigest()
