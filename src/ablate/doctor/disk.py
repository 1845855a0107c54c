"""The disk: room for the store, checkpoints and temporary files, and whether they can be written there."""

import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import psutil

from ablate.doctor.finding import Finding, Group, note, ok, problem
from ablate.doctor.size import size_text

_AMPLE = 5
"""Times of what is needed: where less is free, other programs may fill it meanwhile."""


@dataclass(frozen=True)
class Place:
    """A folder that runs write to, which may not exist yet.

    Attributes:
        what: What lies there.
        folder: The folder.
        needed: Bytes that the runs need there.
    """

    what: str
    folder: Path
    needed: int


def examine_disk(places: Sequence[Place]) -> Group:
    """Write a file that has no name to folders, and examine the room of those that can be written, by file system."""
    known = [(_existing(place.folder).stat().st_dev, place) for place in places]
    known.sort(key=lambda pair: pair[0])
    groups = [[place for _, place in same] for _, same in groupby(known, key=lambda pair: pair[0])]
    found = [finding for same in groups for finding in list(_unwritable(same)) or _room(same)]
    return Group("Disk", [*found, *temporary_findings(os.environ.get("TMPDIR", ""), tempfile.gettempdir())])


def temporary_findings(named: str, used: str) -> Iterator[Finding]:
    """Yield that temporary files do not lie where they should.

    Args:
        named: The folder that `TMPDIR` names; empty where it names none.
        used: The one that Python takes.
    """
    if named and Path(named).absolute() != Path(used).absolute():
        yield note(
            f"TMPDIR={named} cannot be written: temporary files lie in {used}", "make that folder, or unset TMPDIR"
        )


def _room(places: Sequence[Place]) -> Iterator[Finding]:
    """Yield how much is free on a file system."""
    folder, needed = _existing(places[0].folder), sum(place.needed for place in places)
    free = psutil.disk_usage(str(folder)).free
    what = " and ".join(filter(None, [", ".join(place.what for place in places[:-1]), places[-1].what]))
    text = f"{what} on the disk of {folder}: {size_text(free)} free, about {size_text(needed)} needed"
    advice = (
        "make room, for example of what `python -m ablate.clean` lists; tracking.uri, checkpoint.dir and TMPDIR name "
        "other places"
    )
    if free < needed:
        yield problem(text, advice)
    elif free < _AMPLE * needed:
        yield note(text, advice)
    else:
        yield ok(text)


def _unwritable(places: Sequence[Place]) -> Iterator[Finding]:
    for folder, what in {_existing(place.folder): place.what for place in reversed(places)}.items():
        try:
            with tempfile.TemporaryFile(dir=folder) as file:
                file.write(bytes(1))
        except OSError as error:
            yield problem(
                f"{what}: {folder} cannot be written: {error.strerror}",
                "mend that, or name other places: tracking.uri, checkpoint.dir, TMPDIR",
            )


def _existing(folder: Path) -> Path:
    """Return a folder, or the nearest one above it that exists."""
    return next(each for each in (folder, *folder.parents) if each.exists())
