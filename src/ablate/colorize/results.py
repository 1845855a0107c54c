"""The files that a command makes of photographs: where each goes, and the writing of them."""

from __future__ import annotations

import errno
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from ablate.colorization.data.file_names import printable
from ablate.colorize.colorizer import Colorizer
from ablate.colorize.files import Source
from ablate.errors import ConfigError, DataError
from ablate.system.atomic_write import atomic_write

_OF_THE_NAME = (errno.ENAMETOOLONG, errno.EISDIR, errno.ENOTDIR, errno.EEXIST, errno.EINVAL, errno.EILSEQ)
"""Errors that only files of such a name have; any other, as on a full disk, the next file has as well."""


class WriteError(DataError):
    """Nothing more can be written where the results go."""


@dataclass(frozen=True)
class Results:
    """What is made of a photograph.

    Attributes:
        source: The photograph.
        coloured: Where each network's colours of it go.
        sheet: Where its sheet goes, if there is one.
    """

    source: Source
    coloured: Mapping[Colorizer, Path]
    sheet: Path | None

    @property
    def files(self) -> list[Path]:
        """All of them."""
        return [*self.coloured.values(), *([self.sheet] if self.sheet else [])]


def results_of(
    sources: Sequence[Source], colorizers: Sequence[Colorizer], out: Path, *, sheets: bool
) -> list[Results]:
    """Return what is made of photographs: in `out`, or of several networks in a folder of each in it.

    Raises:
        ConfigError: Two photographs would have one file, one would replace a photograph, or `out` is no folder.
    """
    place = next(each for each in (out, *out.parents) if each.exists() or each.is_symlink())
    if not place.is_dir():
        raise ConfigError(f"out={printable(str(out))}: {printable(str(place))} is no folder; choose another place")
    folders = _folders(colorizers, out)
    found = [
        Results(
            source,
            {colorizer: folder / source.name for colorizer, folder in folders.items()},
            out / source.name.with_name(f"{source.name.name}.compare.png") if sheets else None,
        )
        for source in sources
    ]
    _check(found)
    return found


def _folders(colorizers: Sequence[Colorizer], out: Path) -> dict[Colorizer, Path]:
    if len(colorizers) == 1:
        return {colorizers[0]: out}
    folders = {each: out / (re.sub(r"[^\w=.,+-]+", "_", each.name).strip("._") or "model") for each in colorizers}
    if len(set(folders.values())) < len(folders):
        return {each: folder.with_name(f"{folder.name}-{n}") for n, (each, folder) in enumerate(folders.items(), 1)}
    return folders


def _check(found: Sequence[Results]) -> None:
    photographs = {identity: each.source for each in found for identity in _identity(each.source.path)}
    made = dict[Path, Source]()
    for each in found:
        for file in each.files:
            other = made.setdefault(file, each.source)
            if other is not each.source:
                names = (printable(str(path)) for path in (other.path, each.source.path, file))
                raise ConfigError("{} and {} would both make {}: one at a time, or compare=false".format(*names))
            for identity in _identity(file):
                if identity in photographs:
                    replaced = printable(str(photographs[identity].path))
                    raise ConfigError(
                        f"{printable(str(file))} would replace {replaced} itself: choose another out=DIR"
                    )


def _identity(path: Path) -> Iterator[tuple[int, int]]:
    """Yield what tells a file from all others, under whatever name, if it is there."""
    try:
        status = path.stat()
    except OSError:
        return
    yield status.st_dev, status.st_ino


class _Stream(io.BufferedIOBase):
    """An open file without its number, by which Pillow writes half a JPEG on a full disk and takes it for whole."""

    def __init__(self, file: BinaryIO):
        self._file = file

    def write(self, content: Any) -> int:
        """Write bytes."""
        return self._file.write(content)

    def seek(self, place: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place."""
        return self._file.seek(place, whence)

    def tell(self) -> int:
        """Return the place."""
        return self._file.tell()


def write_result(write: Callable[[BinaryIO], object], file: Path) -> None:
    """Write a file, whole or not at all, and the folders above it.

    Args:
        write: Writes what is in it.
        file: Its place.

    Raises:
        WriteError: Nothing can be written there.
        OSError: A file of this name, or with this in it, cannot be written.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(file, durable=False) as opened:
            write(cast(BinaryIO, _Stream(opened)))
    except OSError as error:
        if error.errno is None or error.errno in _OF_THE_NAME:
            raise
        raise WriteError(
            f"{printable(str(file))} cannot be written: {error.strerror}. What is coloured stays, and the "
            "same command resumes"
        ) from None
