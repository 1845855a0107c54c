"""Where photographs come from: folders, zip and tar archives, TensorFlow Datasets, installed packages.

A source lists what it holds once; each worker then reads a part of the list by itself.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TypeVar

from ablate.colorization.config import DataConfig
from ablate.colorization.listing import PARTS
from ablate.colorization.photographs import SUFFIXES, folder_paths, printable, sample_paths
from ablate.errors import ConfigError, DataError

File = TypeVar("File")

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
        signature: Another one when the source has changed, told without reading it.
    """

    entries: list[Entry]
    ignored: Sequence[str]
    signature: str


class Source:
    """Something that holds photographs. It can be sent to another process."""

    def list(self, folder: Path) -> Listed:
        """List the photographs; `folder` is for what has to be unpacked first.

        Raises:
            DataError: It cannot be read.
        """
        raise NotImplementedError

    def read(self, entries: Sequence[Entry]) -> Iterator[bytes | Exception]:
        """Read the entries in order: the bytes of each file, or why it cannot be read."""
        raise NotImplementedError


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


def is_url(place: str) -> bool:
    """Return whether a place is for TensorFlow's file systems, as gs://bucket/folder is."""
    return "://" in place


@dataclass(frozen=True)
class Sample(Source):
    """The photographs inside installed packages."""

    def list(self, folder: Path) -> Listed:
        """List them."""
        entries = [Entry(name, part, (str(path),)) for part in PARTS for name, path in sample_paths(part)]
        return Listed(entries, (), _signature(entry.name for entry in entries))

    def read(self, entries: Sequence[Entry]) -> Iterator[bytes | Exception]:
        """Read them."""
        return _read_files(Path(entry.at[0]) for entry in entries)


@dataclass(frozen=True)
class Folder(Source):
    """A tree of files."""

    root: Path

    def list(self, folder: Path) -> Listed:
        """List them, links followed."""
        photographs, ignored = folder_paths(self.root)
        entries, lines = [], []
        for name, path in photographs:
            entries.append(Entry(name, None, (str(path),)))
            try:
                status = path.stat()
            except OSError:
                lines.append(name)
            else:
                lines.append(f"{name} {status.st_size} {status.st_mtime_ns}")
        return Listed(entries, ignored, _signature(lines))

    def read(self, entries: Sequence[Entry]) -> Iterator[bytes | Exception]:
        """Read them."""
        return _read_files(Path(entry.at[0]) for entry in entries)


@dataclass(frozen=True)
class Remote(Source):
    """A tree of files in one of TensorFlow's file systems."""

    root: str

    def list(self, folder: Path) -> Listed:
        """List them."""
        gfile = file_system()
        root = self.root.rstrip("/")
        names = []
        try:
            for place, _, files in gfile.walk(root):
                names += [f"{place.rstrip('/')}/{file}".removeprefix(f"{root}/") for file in files]
        except Exception as error:  # of TensorFlow, which has a class for every reason
            raise DataError(f"data.root={self.root} cannot be read: {_first_line(error)}") from None
        entries = [Entry(name, None, ()) for name in sorted(filter(_photograph, names))]
        ignored = [name for name in sorted(names) if not _photograph(name) and not _hidden(name)]
        return Listed(entries, ignored, _signature(entry.name for entry in entries))

    def read(self, entries: Sequence[Entry]) -> Iterator[bytes | Exception]:
        """Read them."""
        gfile = file_system()
        for entry in entries:
            try:
                with gfile.GFile(f"{self.root.rstrip('/')}/{entry.name}", "rb") as file:
                    yield file.read()
            except Exception as error:  # the same
                yield DataError(_first_line(error))


@dataclass(frozen=True)
class Zip(Source):
    """A zip archive."""

    path: Path

    def list(self, folder: Path) -> Listed:
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
            self.path,
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
    """A tar archive; a compressed one is unpacked to a plain one first, so that its files can be read in any order."""

    path: Path
    _plain: list[Path] = field(default_factory=list)

    def list(self, folder: Path) -> Listed:
        """Read the headers of its files."""
        try:
            plain = self.path if self.path.suffix.lower() == ".tar" else _decompressed(self.path, folder)
            files = []
            with tarfile.open(plain, "r:") as archive:
                for member in archive:
                    if member.isfile():
                        files.append((member.name.removeprefix("./"), member.offset_data, member.size))
                    archive.members = []  # type: ignore[attr-defined]  # it would keep all it has seen
        except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
            raise DataError(f"{self.path.name} cannot be read as a tar archive: {error}") from None
        self._plain[:] = [plain]
        return _listed(files, lambda file: file[0], lambda file: file[1:], self.path)

    def read(self, entries: Sequence[Entry]) -> Iterator[bytes | Exception]:
        """Read them by their places."""
        with self._plain[0].open("rb") as file:
            for entry in entries:
                offset, size = entry.at
                file.seek(offset)
                content = file.read(size)
                yield content if len(content) == size else DataError("cut off in the archive")


def _decompressed(path: Path, folder: Path) -> Path:
    import bz2
    import gzip
    import lzma

    plain = folder / "source.tar"
    if plain.exists():
        return plain
    kind = path.name.lower().rpartition(".")[2].removeprefix("t")
    opened: Any = {"gz": gzip.open, "bz2": bz2.open, "bz": bz2.open, "xz": lzma.open}[kind]
    aside = plain.with_suffix(".partial")
    try:
        with opened(path, "rb") as compressed, aside.open("wb") as file:
            shutil.copyfileobj(compressed, file, 1 << 20)
    except lzma.LZMAError as error:
        raise DataError(f"{path.name} cannot be unpacked: {error}") from None
    aside.replace(plain)
    return plain


@dataclass(frozen=True)
class TensorFlowDataset(Source):
    """A data set of TensorFlow Datasets with a feature `image`; its splits `validation` or `test` evaluate."""

    dataset: str
    root: str | None

    def list(self, folder: Path) -> Listed:
        """List its examples by number."""
        info = self._builder().info
        evaluating = "validation" if "validation" in info.splits else "test"
        known = {
            name: count for name in ("train", evaluating) if name in info.splits and (count := _count(info, name))
        }
        if not known or "image" not in info.features:
            raise DataError(f"data.dataset={self.dataset} has no split of photographs with a feature `image`")
        parts = {"train": "train" if len(known) > 1 else None, evaluating: "eval" if len(known) > 1 else None}
        entries = [
            Entry(f"{split}/{number:08}", parts[split], (split, number))
            for split, count in known.items()
            for number in range(count)
        ]
        return Listed(entries, (), _signature([info.full_name, *(f"{name} {known[name]}" for name in known)]))

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
            raise DataError(f"data.dataset={self.dataset} cannot be had: {_first_line(error)}") from error
        return builder


def _count(info: Any, split: str) -> int:
    return int(info.splits[split].num_examples)


def _tfds() -> Any:
    file_system()  # TensorFlow, without what it prints
    try:
        import tensorflow_datasets as tfds
    except ImportError:
        raise ConfigError('data=tfds needs TensorFlow Datasets: pip install "ablate[tfds]"') from None
    tfds.disable_progress_bar()
    return tfds


@lru_cache
def file_system() -> Any:
    """Return TensorFlow's file systems, `tf.io.gfile`."""
    from ablate.training.hardware import import_tensorflow

    import_tensorflow()
    import tensorflow as tf

    return tf.io.gfile


def _listed(
    files: list[File], name_of: Callable[[File], str], at: Callable[[File], tuple[Any, ...]], path: Path
) -> Listed:
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
    status = path.stat()
    return Listed(entries, ignored, _signature([str(status.st_size), str(status.st_mtime_ns)]))


def _hidden(name: str) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in name.split("/"))


def _photograph(name: str) -> bool:
    return name.lower().endswith(SUFFIXES) and not _hidden(name)


def _read_files(paths: Iterable[Path]) -> Iterator[bytes | Exception]:
    for path in paths:
        try:
            yield path.read_bytes()
        except OSError as error:
            yield error


def _signature(lines: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for line in lines:
        digest.update(os.fsencode(line) + b"\n")
    return digest.hexdigest()


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
