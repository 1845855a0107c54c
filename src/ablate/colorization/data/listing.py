"""Listing of a data set: the splits of its files, duplicates, leaks, and the fingerprint. No TensorFlow."""

import hashlib
import logging
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path

from ablate.colorization.data.file_names import SUFFIXES
from ablate.colorization.data.photographs import BadPhotograph
from ablate.colorization.data.sources.source import SourceListing
from ablate.colorization.data.split import (
    EVALUATION,
    SPLITS,
    TRAIN,
    UNUSED,
    SplitRule,
    only_evaluation_digest,
    split_by_content,
    split_by_folder,
)
from ablate.errors import DataError

log = logging.getLogger(__name__)

LEAKED = "evaluates under another name"
REPLACED = "another file of that name comes later in the archive"
"""Why a photograph does not train."""


@dataclass(frozen=True)
class File:
    """A file that should be a photograph: its name, path, split, and SHA-256 of its bytes."""

    name: str
    path: Path
    split: str
    digest: str


@dataclass(frozen=True)
class Listing:
    """The files of a data set.

    Attributes:
        files: Those that train or evaluate, ordered by content; whether each is a photograph, decoding tells.
        unreadable: Those that cannot be read.
        leaked: Those that do not train, because the same contents evaluate.
        ignored: Names of the files that neither train nor evaluate.
        rule: How their splits were told; of the sample each file says its own.
        by_content: Whether contents decide who evaluates.
        fingerprint: SHA-256 over the contents of the files and their splits; neither names nor dates matter. Which of
            them cannot be decoded makes no difference.
    """

    files: tuple[File, ...]
    unreadable: tuple[BadPhotograph, ...]
    leaked: tuple[BadPhotograph, ...]
    ignored: tuple[str, ...]
    rule: SplitRule
    by_content: bool
    fingerprint: str

    def of_split(self, split: str) -> list[File]:
        """Return the files of a split."""
        return [file for file in self.files if file.split == split]

    def without(self, files: Set[File], bad: Sequence[BadPhotograph]) -> "Listing":
        """Return the listing without the files that turned out to be bad, the others split anew."""
        kept = _neither_empty([file for file in self.files if file not in files])
        return replace(self, files=tuple(kept), unreadable=tuple(bad))


def with_splits(listing: SourceListing, *, label: str, eval_fraction: float) -> tuple[SourceListing, SplitRule]:
    """Give every photograph of a source the split that the rule says; what is unused counts as ignored.

    Args:
        listing: As the source lists it; its entries are changed in place, as there may be millions.
        label: What messages call the source.
        eval_fraction: Share of the photographs that evaluate where contents decide.

    Returns:
        The listing, in which the split of photographs whose contents decide is None still; and the rule.

    Raises:
        DataError: There are none, or none to train on.
    """
    entries = listing.entries
    if not entries:
        raise DataError(f"{label} holds no photographs ({', '.join(SUFFIXES)})")
    names = [entry.name for entry in entries]
    rule = listing.rule or split_by_folder(names, listing.ignored, eval_fraction=eval_fraction, label=label)
    for number, entry in enumerate(entries):
        if entry.split is None:
            entries[number] = entry._replace(split=rule.split_of(entry.name))
    unused = [entry.name for entry in entries if entry.split == UNUSED]
    if unused:
        entries[:] = [entry for entry in entries if entry.split != UNUSED]
    return replace(listing, ignored=[*listing.ignored, *unused]), rule


def listing_of(
    files: Sequence[tuple[str, Path, str | None, str | OSError]],
    ignored: Sequence[str],
    rule: SplitRule,
    eval_fraction: float,
) -> Listing:
    """List the files of a data set by their contents.

    Args:
        files: Name, path, split (None where contents decide), and digest of each, or why it cannot be read.
        ignored: Names of the other files.
        rule: How splits were told.
        eval_fraction: Share of the files that evaluate where contents decide.
    """
    by_content = any(split is None for _, _, split, _ in files)
    unreadable, found = [], list[File]()
    for name, path, split, digest in files:
        if isinstance(digest, OSError):
            unreadable.append(BadPhotograph(name, digest.strerror or str(digest)))
        else:
            found.append(File(name, path, split or split_by_content(digest, eval_fraction), digest))
    found.sort(key=lambda file: (file.digest, file.name))
    if by_content:
        found = _neither_empty(found)
    evaluating = {file.digest for file in found if file.split == EVALUATION}
    leaked = [file for file in found if file.split == TRAIN and file.digest in evaluating]
    kept = [file for file in found if file.split == EVALUATION or file.digest not in evaluating]
    return Listing(
        files=tuple(kept),
        unreadable=tuple(unreadable),
        leaked=tuple(BadPhotograph(file.name, LEAKED) for file in leaked),
        ignored=tuple(ignored),
        rule=rule,
        by_content=by_content,
        fingerprint=fingerprint_of({split: [file.digest for file in kept if file.split == split] for split in SPLITS}),
    )


def fingerprint_of(digests: Mapping[str, Iterable[str]]) -> str:
    """Return the SHA-256 over the contents of a data set's files, given their ordered digests by split."""
    whole = hashlib.sha256()
    for split in sorted(digests):
        for digest in digests[split]:
            whole.update(f"{split} {digest}\n".encode())
    return whole.hexdigest()


def _neither_empty(files: list[File]) -> list[File]:
    """Split a handful of files that all fell on one side: the lowest contents evaluate, the others train."""
    only = only_evaluation_digest((file.split, file.digest) for file in files)
    if only is None:
        return files
    return [replace(file, split=EVALUATION if file.digest == only else TRAIN) for file in files]


def check_usable(
    label: str, bad: Sequence[BadPhotograph], usable: Mapping[str, int], *, max_bad_fraction: float
) -> None:
    """Raise DataError if too many photographs are bad, or none is left to train or to evaluate on.

    Args:
        label: What messages call the data set.
        bad: Those that cannot be used.
        usable: How many can be, by split.
        max_bad_fraction: The largest share that may be bad.
    """
    total = sum(usable.values()) + len(bad)
    if len(bad) > max_bad_fraction * total:
        raise DataError(
            f"{len(bad)} of {total} photographs in {label} cannot be used, more than "
            f"data.max_bad_fraction={max_bad_fraction}: {abridged([str(photograph) for photograph in bad], 5)}"
        )
    for split, purpose in zip(SPLITS, ("train", "evaluate"), strict=True):
        if not usable.get(split):
            raise DataError(f"{label} has no usable photograph to {purpose} on")


def log_split(reason: str, counts: Mapping[str, int], *, doubtful: bool = False) -> None:
    """Log how the split was told, and how many photographs each side has."""
    level = logging.WARNING if doubtful else logging.INFO
    log.log(level, "Split: %s. %s photographs train, %s evaluate", reason, *(f"{counts[s]:,}" for s in SPLITS))


def abridged(names: Sequence[str], count: int = 50) -> str:
    """Return the first of some names, and how many more there are."""
    return ", ".join(names[:count]) + (f" and {len(names) - count:,} more" if len(names) > count else "")
