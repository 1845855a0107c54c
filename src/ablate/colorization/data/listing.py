"""Which files make a data set, and which part each belongs to, by their places or their contents. No TensorFlow."""

import hashlib
import time
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path

from ablate.colorization.config import DataConfig
from ablate.colorization.data.file_names import SUFFIXES
from ablate.colorization.data.photographs import BadPhotograph, digest_of, folder_paths, sample_paths
from ablate.colorization.data.split import IGNORED, Split, split_by_folder
from ablate.config.paths import absolute
from ablate.errors import DataError
from ablate.system.threads import map_ahead

PARTS = ("train", "eval")
SHIPPED = Split("as the photographs ship with their packages")
EVALUATES = "evaluates under another name"
REPLACED = "another file of that name comes later in the archive"
"""Why a photograph does not train."""


@dataclass(frozen=True)
class File:
    """A file that should be a photograph: its name, path, part of the data set, and SHA-256 of its bytes."""

    name: str
    path: Path
    part: str
    digest: str


@dataclass(frozen=True)
class Listing:
    """The files of a data set.

    Attributes:
        files: Those that train or evaluate, ordered by content; whether each is a photograph, decoding tells.
        unreadable: Those that cannot be read.
        twice: Those that do not train, because the same contents evaluate.
        ignored: Names of the files that are no photographs.
        split: How their parts were told; of the sample each file says its own.
        by_content: Whether contents decide who evaluates.
        fingerprint: SHA-256 over the contents of the files and their parts; neither names nor dates matter. Which of
            them cannot be decoded makes no difference.
    """

    files: tuple[File, ...]
    unreadable: tuple[BadPhotograph, ...]
    twice: tuple[BadPhotograph, ...]
    ignored: tuple[str, ...]
    split: Split
    by_content: bool
    fingerprint: str

    def part(self, part: str) -> list[File]:
        """Return the files of a part."""
        return [file for file in self.files if file.part == part]

    def without(self, files: Set[File], bad: Sequence[BadPhotograph]) -> "Listing":
        """Return the listing without the files that turned out to be bad, the others split anew."""
        kept = _neither_empty([file for file in self.files if file not in files])
        return replace(self, files=tuple(kept), unreadable=tuple(bad))


def check_usable(config: DataConfig, bad: Sequence[BadPhotograph], usable: Mapping[str, int]) -> None:
    """Raise DataError if too many photographs are bad, or none is left to train or to evaluate on.

    Args:
        config: The section `data`.
        bad: Those that cannot be used.
        usable: How many can be, by part.
    """
    total = sum(usable.values()) + len(bad)
    if len(bad) > config.max_bad_fraction * total:
        raise DataError(
            f"{len(bad)} of {total} photographs in {place(config)} cannot be used, more than "
            f"data.max_bad_fraction={config.max_bad_fraction}: {first([str(photograph) for photograph in bad], 5)}"
        )
    for part, purpose in zip(PARTS, ("train", "evaluate"), strict=True):
        if not usable.get(part):
            raise DataError(f"{place(config)} has no usable photograph to {purpose} on")


def first(names: Sequence[str], count: int = 50) -> str:
    """Return the first of some names, and how many more there are."""
    return ", ".join(names[:count]) + (f" and {len(names) - count:,} more" if len(names) > count else "")


def place(config: DataConfig) -> str:
    """Return how a data set is called in messages."""
    if config.name == "tfds":
        return f"data.dataset={config.dataset}"
    return f"data={config.name}" if config.root is None else f"data.root={config.root}"


def list_files(config: DataConfig) -> Listing:
    """List the files of a data set, and read their contents.

    Those of a folder are split by its folders, see `split_by_folder`, or else by their contents.

    Raises:
        DataError: There is no such folder, no photograph in it, or none to train on.
    """
    if config.name == "sample":
        shipped = [_Found(part, name, path) for part in PARTS for name, path in sample_paths(part)]
        return _listing(shipped, (), SHIPPED, 0.0)
    root = absolute(config.root or "")
    if config.name == "tfds" or not root.is_dir():
        prepare = ": `python -m ablate.prepare` makes a prepared data set of it, for data=prepared"
        known = config.name == "tfds" or root.exists() or "://" in str(config.root)
        raise DataError(f"{place(config)} is no folder{prepare * known}")
    photographs, ignored = folder_paths(root)
    if not photographs:
        raise DataError(f"data.root={config.root} holds no photographs ({', '.join(SUFFIXES)})")
    names = [name for name, _ in photographs]
    split = split_by_folder(names, ignored, eval_fraction=config.eval_fraction, place=place(config))
    found = [_Found(split.part(name), name, path) for name, path in photographs]
    beside = [file.name for file in found if file.part == IGNORED]
    used = [file for file in found if file.part != IGNORED]
    return _listing(used, (*ignored, *beside), split, config.eval_fraction)


@dataclass(frozen=True)
class _Found:
    """A file as it was found; `part` is None where its contents decide."""

    part: str | None
    name: str
    path: Path


def _listing(found: Sequence[_Found], ignored: tuple[str, ...], split: Split, eval_fraction: float) -> Listing:
    by_content = any(file.part is None for file in found)
    unreadable, files = [], []
    for one, digest in zip(found, map_ahead(_digest, [file.path for file in found]), strict=True):
        if isinstance(digest, OSError):
            unreadable.append(BadPhotograph(one.name, digest.strerror or str(digest)))
            continue
        file = File(one.name, one.path, one.part or "train", digest)
        files.append(replace(file, part=part_by_content(digest, eval_fraction)) if by_content else file)
    files.sort(key=lambda file: (file.digest, file.name))
    if by_content:
        files = _neither_empty(files)
    evaluating = {file.digest for file in files if file.part == "eval"}
    twice = [file for file in files if file.part == "train" and file.digest in evaluating]
    kept = [file for file in files if file.part == "eval" or file.digest not in evaluating]
    return Listing(
        files=tuple(kept),
        unreadable=tuple(unreadable),
        twice=tuple(BadPhotograph(file.name, EVALUATES) for file in twice),
        ignored=ignored,
        split=split,
        by_content=by_content,
        fingerprint=fingerprint_of({part: [file.digest for file in kept if file.part == part] for part in PARTS}),
    )


def part_by_content(digest: str, eval_fraction: float) -> str:
    """Return the part of a file by where in 0..1 its contents fall: its name and the other files do not matter."""
    return "eval" if int(digest[:13], 16) / 16**13 < eval_fraction else "train"


def fingerprint_of(digests: Mapping[str, Iterable[str]]) -> str:
    """Return the SHA-256 over the contents of a data set's files, given their digests by part, each part in order."""
    whole = hashlib.sha256()
    for part in sorted(digests):
        for digest in digests[part]:
            whole.update(f"{part} {digest}\n".encode())
    return whole.hexdigest()


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
        digest = digest_of(path)
    except OSError as error:
        return error
    # A file that changes again right away may keep its time.
    if time.time() - found.st_ctime > 2:
        _digests[key] = digest
    return digest
