"""The photographs that a command names, and where their coloured ones go: a tree that mirrors theirs."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from glob import glob, has_magic
from pathlib import Path

from ablate.colorization.data.file_names import is_hidden, printable
from ablate.colorization.data.shown import SAMPLE
from ablate.colorization.data.sources.sample import sample_paths
from ablate.colorization.data.split import SPLITS
from ablate.colorize.photograph import SUFFIXES
from ablate.errors import ConfigError, DataError


@dataclass(frozen=True)
class Source:
    """A file that should be a photograph.

    Attributes:
        path: Where it is.
        name: Its path in the tree of results.
        problem: Why it cannot be read, where that is known: of a folder whose photographs are not.
    """

    path: Path
    name: Path
    problem: str = ""


def find_photographs(arguments: Sequence[str], out: Path) -> list[Source]:
    """Find photographs.

    Args:
        arguments: Files, folders, and patterns such as `photos/**/*.jpg`. Of a folder everything below that is called
            like a photograph is taken, but for what is hidden. `sample` are the photographs inside installed
            packages, and `sample/NAME` is one of them, where there is no such file.
        out: The folder of results, in which none is looked for unless an argument begins there.

    Returns:
        Each once, in order; links to folders are followed in patterns alone. A folder's are called as below it; below
        its name where there are several arguments.
        Files are called as below the folder that they have in common.

    Raises:
        ConfigError: Two would have one name, a result would replace its photograph, or the sample has no such one.
        DataError: There is none.
    """
    files, folders, found = list[Path](), list[Path](), list[Source]()
    for argument in arguments:
        if not argument.strip():
            raise ConfigError("an empty argument names no photograph; `.` is the folder that you are in")
        path = Path(argument)
        if path.parts[:1] == (SAMPLE,) and not path.exists():
            found += _of_sample(path)
        elif path.is_dir():
            folders.append(path)
        elif path.exists() or not has_magic(argument):
            files.append(path)
        else:
            matches = glob(argument, recursive=True)  # noqa: PTH207 - of any pattern, absolute ones too
            # Once each, by its shortest way: a folder may hold a link to one above it.
            real = {os.path.realpath(match): match for match in sorted(matches, key=len, reverse=True)}
            paths = [Path(match) for match in sorted(real.values()) if not _is_result(match, argument, out)]
            files += [path for path in paths if path.is_file() and _looks_like_one(path)]
            if not matches:
                raise DataError(f"no file matches {printable(argument)}")
    missing = [printable(str(path)) for path in files if not path.exists()]
    if missing:
        raise DataError(f"there is no {', '.join(missing)}")
    several = len(folders) > 1 or bool(files or found)
    found += [source for folder in folders for source in _below(folder, out, several=several)]
    common = Path(os.path.commonpath([path.absolute().parent for path in files])) if files else Path()
    found = [Source(path, path.absolute().relative_to(common)) for path in files] + found
    if not found:
        named = ", ".join(map(printable, arguments))
        raise DataError(f"there is no photograph in {named}: a file ending in {', '.join(SUFFIXES)}")
    return _checked(found, out)


def _of_sample(path: Path) -> list[Source]:
    paths = dict(found for split in SPLITS for found in sample_paths(split))
    chosen = list(paths) if path == Path(SAMPLE) else [path.relative_to(SAMPLE).as_posix()]
    if unknown := [name for name in chosen if name not in paths]:
        raise ConfigError(f"there is no {SAMPLE}/{unknown[0]}: {SAMPLE} has {', '.join(sorted(paths))}")
    return [Source(paths[name], Path(paths[name].name)) for name in chosen]


def _below(folder: Path, out: Path, *, several: bool) -> Iterator[Source]:
    results, unreadable = os.path.realpath(out), list[OSError]()

    def called(path: Path) -> Path:
        return Path(folder.absolute().name) / path.relative_to(folder) if several else path.relative_to(folder)

    for place, folders, names in os.walk(folder, onerror=unreadable.append):
        here = Path(place)
        folders[:] = sorted(
            name for name in folders if not is_hidden(name) and os.path.realpath(here / name) != results
        )
        for name in sorted(names):
            path = here / name
            if _looks_like_one(path):
                yield Source(path, called(path))
    for error in unreadable:
        path = Path(os.fsdecode(error.filename))
        yield Source(path, called(path), f"the folder cannot be read: {error.strerror}")


def _is_result(match: str, pattern: str, out: Path) -> bool:
    """Return whether a match lies in the folder of results, and the pattern does not begin there."""
    begin = Path(*itertools.takewhile(lambda part: not has_magic(part), Path(pattern).parts))
    return _is_below(match, out) and not _is_below(begin, out)


def _is_below(path: str | Path, folder: Path) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))


def _looks_like_one(path: Path) -> bool:
    return path.name.lower().endswith(SUFFIXES) and not is_hidden(path.name)


def _checked(found: Sequence[Source], out: Path) -> list[Source]:
    by_name = dict[Path, Source]()
    for source in found:
        other = by_name.setdefault(source.name, source)
        if os.path.realpath(other.path) != os.path.realpath(source.path):
            names = (printable(str(path)) for path in (other.path, source.path, out / source.name))
            raise ConfigError("{} and {} would both become {}: one at a time".format(*names))
    for source in by_name.values():
        if not source.problem and (out / source.name).exists() and (out / source.name).samefile(source.path):
            names = (printable(str(path)) for path in (out, source.path))
            raise ConfigError("out={} would replace {} itself: choose another folder".format(*names))
    return list(by_name.values())
