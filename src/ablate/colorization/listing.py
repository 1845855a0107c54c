"""Which files make a data set, and which part each belongs to, by their places or their contents. No TensorFlow."""

import hashlib
import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from ablate.colorization.config import DataConfig
from ablate.colorization.photographs import SUFFIXES, BadPhotograph, folder_paths, sample_paths
from ablate.errors import DataError

PARTS = ("train", "eval")


@dataclass(frozen=True)
class File:
    """A file that should be a photograph: its name, path, part of the data set, and SHA-256 of its bytes."""

    name: str
    path: Path
    part: str
    digest: str

    @property
    def share(self) -> float:
        """Where in 0..1 its contents fall: its name and the other files do not matter."""
        return int(self.digest[:13], 16) / 16**13


@dataclass(frozen=True)
class Listing:
    """The files of a data set.

    Attributes:
        files: Those that train or evaluate, ordered by content; whether each is a photograph, decoding tells.
        unreadable: Those that cannot be read.
        twice: Those that do not train, because the same contents evaluate.
        ignored: Names of the files that are no photographs.
        by_content: Whether contents decide who evaluates, and not a folder `val`.
        fingerprint: SHA-256 over the contents of the files and their parts; neither names nor dates matter. Which of
            them cannot be decoded makes no difference.
    """

    files: tuple[File, ...]
    unreadable: tuple[BadPhotograph, ...]
    twice: tuple[BadPhotograph, ...]
    ignored: tuple[str, ...]
    by_content: bool
    fingerprint: str

    def paths(self, part: str) -> list[tuple[str, Path]]:
        """Return (name, path) of the files of a part."""
        return [(file.name, file.path) for file in self.files if file.part == part]

    def without(self, bad: Sequence[BadPhotograph]) -> "Listing":
        """Return the listing without the files that turned out to be bad, the others split anew."""
        names = {photograph.name for photograph in bad}
        kept = _neither_empty([file for file in self.files if file.name not in names])
        return replace(self, files=tuple(kept), unreadable=tuple(bad))


def place(config: DataConfig) -> str:
    """Return how a data set is called in messages."""
    return f"data.root={config.root}" if config.name == "folder" else f"data={config.name}"


def list_files(config: DataConfig) -> Listing:
    """List the files of a data set, and read their contents.

    Those of a folder are split by its `val` folder if it has one, else by their contents.

    Raises:
        DataError: There is no such folder, or no photograph in it.
    """
    if config.name == "sample":
        shipped = [_Found(part, name, path) for part in PARTS for name, path in sample_paths(part)]
        return _listing(shipped, (), 0.0)
    assert config.root is not None
    root = config.root.expanduser().absolute()
    if not root.is_dir():
        raise DataError(f"data.root={config.root} is no folder")
    photographs, ignored = folder_paths(root)
    if not photographs:
        raise DataError(f"data.root={config.root} holds no photographs ({', '.join(SUFFIXES)})")
    folders = {name.split("/")[0] for name, _ in photographs if "/" in name}
    found = []
    for name, path in photographs:
        part = None
        if "val" in folders:
            part = "eval" if name.startswith("val/") else "train"
            if part == "train" and "train" in folders and not name.startswith("train/"):
                ignored.append(name)
                continue
        found.append(_Found(part, name, path))
    return _listing(found, tuple(ignored), config.eval_fraction)


@dataclass(frozen=True)
class _Found:
    """A file as it was found; `part` is None where its contents decide."""

    part: str | None
    name: str
    path: Path


def _listing(found: Sequence[_Found], ignored: tuple[str, ...], eval_fraction: float) -> Listing:
    with ThreadPoolExecutor(2 * (os.cpu_count() or 1)) as pool:
        digests = list(pool.map(_digest, [file.path for file in found]))
    by_content = any(file.part is None for file in found)
    unreadable, files = [], []
    for one, digest in zip(found, digests, strict=True):
        if isinstance(digest, OSError):
            unreadable.append(BadPhotograph(one.name, digest.strerror or str(digest)))
            continue
        file = File(one.name, one.path, one.part or "train", digest)
        files.append(replace(file, part="eval") if by_content and file.share < eval_fraction else file)
    files.sort(key=lambda file: (file.digest, file.name))
    if by_content:
        files = _neither_empty(files)
    evaluating = {file.digest for file in files if file.part == "eval"}
    twice = [file for file in files if file.part == "train" and file.digest in evaluating]
    kept = [file for file in files if file.part == "eval" or file.digest not in evaluating]
    lines = sorted(f"{file.part} {file.digest}\n" for file in kept)
    return Listing(
        files=tuple(kept),
        unreadable=tuple(unreadable),
        twice=tuple(BadPhotograph(file.name, "evaluates under another name") for file in twice),
        ignored=ignored,
        by_content=by_content,
        fingerprint=hashlib.sha256("".join(lines).encode()).hexdigest(),
    )


def _neither_empty(files: list[File]) -> list[File]:
    """Split a handful of files that all fell on one side: the lowest contents evaluate, the others train."""
    if len({file.part for file in files}) != 1 or len({file.digest for file in files}) < 2:
        return files
    lowest = min(file.digest for file in files)
    return [replace(file, part="eval" if file.digest == lowest else "train") for file in files]


_digests: dict[tuple[str, int, int], str] = {}
"""SHA-256 by path, size and time of the last change: a process lists the same files several times."""


def _digest(path: Path) -> str | OSError:
    try:
        found = path.stat()
        key = (str(path), found.st_size, found.st_ctime_ns)
        if key in _digests:
            return _digests[key]
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        return error
    # A file that changes again right away may keep its time.
    if time.time() - found.st_ctime > 2:
        _digests[key] = digest
    return digest
