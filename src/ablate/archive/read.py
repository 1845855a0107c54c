"""Reading of an archive: unpacked and checked whole before anything of it is used."""

import errno
import hashlib
import json
import re
import shutil
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from pydantic import BaseModel, ValidationError

from ablate.archive.format import (
    FILES,
    FORMAT,
    MANIFEST,
    MEMBER,
    METRICS,
    PLACE,
    RUNS,
    STUDY,
    TABLE,
    TABLES,
    VERSION,
    ArchivedRun,
    Manifest,
    Runs,
)
from ablate.archive.tables import points, schema, split
from ablate.errors import DataError
from ablate.tracking.names import DEFINITION_TAG, REGISTERED_TAG, TUNING_TAG, VARIANT_TAG
from ablate.tracking.run_copy import METRIC_COLUMNS, StudyCopy
from ablate.tracking.study import join_pieces, parse_yaml

_LARGEST_TEXT = 2**28
"""Bytes of the manifest, and of what describes runs."""
_MOST_MEMBERS = 100_000
_GROWTH = 200
"""How many times as large as the file its contents may be; of a small file, `_ALWAYS` bytes."""
_ALWAYS = 2**27
_CHUNK = 2**20
_UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)
"""What Python makes of a damaged zip."""
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)

_Model = TypeVar("_Model", bound=BaseModel)


@dataclass(frozen=True)
class Archive:
    """An archive that has been unpacked.

    Attributes:
        manifest: What it holds.
        study: The study.
        runs: Its runs, the oldest first.
        folder: Its members.
    """

    manifest: Manifest
    study: StudyCopy
    runs: list[ArchivedRun]
    folder: Path

    @cached_property
    def _metrics(self) -> Mapping[str, pa.Table]:
        return {run: points(table) for run, table in split(self.folder / METRICS).items()}

    @cached_property
    def _tables(self) -> Mapping[str, Mapping[str, pa.Table]]:
        members = {member for each in self.runs for member in each.tables.values()}
        return {member: split(self.folder / member) for member in members}

    def metrics(self, run: str) -> pd.DataFrame:
        """Return the points of a run's metrics, see `run_copy.CopiedRun`."""
        if run not in self._metrics:
            return pd.DataFrame(columns=METRIC_COLUMNS)
        frame: pd.DataFrame = self._metrics[run].to_pandas()
        return frame

    def write_artifacts(self, archived: ArchivedRun, folder: Path) -> None:
        """Write the artifacts of a run to a folder."""
        for place, digest in archived.files.items():
            target = folder / place
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self.folder / FILES / digest, target)
        for place, member in archived.tables.items():
            target = folder / place
            target.parent.mkdir(parents=True, exist_ok=True)
            table = self._tables[member].get(archived.run.id)
            pq.write_table(schema(self.folder / member).empty_table() if table is None else table, target)


@contextmanager
def opened_archive(file: Path) -> Iterator[Archive]:
    """Unpack an archive to a folder that is there until the end, and check all of it.

    Raises:
        DataError: It is no archive, of a later version, damaged, or does not hold what it should.
    """
    if file.exists() and not file.is_file():  # of a device there may be no end
        raise DataError(f"the archive {file} cannot be read: it is no file")
    with tempfile.TemporaryDirectory(prefix="ablate-archive-") as name:
        folder = Path(name)
        try:
            with zipfile.ZipFile(file) as members:
                manifest = _unpack(members, file, folder)
        except FileNotFoundError:
            raise DataError(f"there is no archive {file}") from None
        except _UNREADABLE as error:
            raise _damaged(file, str(error)) from None
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            where = f"unpacked to {folder.parent} (TMPDIR names another place)" if full else "read"
            raise DataError(f"the archive {file} cannot be {where}: {error.strerror}") from None
        study = _parsed(StudyCopy, folder / STUDY, file)
        _check_study(study, file)
        opened = Archive(manifest, study, _parsed(Runs, folder / RUNS, file).runs, folder)
        _check_runs(opened, file)
        yield opened


def archived_study(file: Path) -> str | None:
    """Return the study that a file is an archive of, by its manifest alone; None where it is no archive."""
    if not file.is_file():
        return None
    try:
        with zipfile.ZipFile(file) as members, members.open(MANIFEST) as manifest:
            said = json.loads(manifest.read(_LARGEST_TEXT))
            return str(said["study"]) if said["format"] == FORMAT else None
    except (*_UNREADABLE, OSError, KeyError, TypeError):
        return None


def _damaged(file: Path, reason: str) -> DataError:
    return DataError(f"the archive {file} cannot be used: {' '.join(reason.split())}. Nothing of it was imported")


def _unpack(archive: zipfile.ZipFile, file: Path, folder: Path) -> Manifest:
    entries = archive.infolist()
    _check_entries(entries, file)
    names = {entry.filename: entry for entry in entries}
    if MANIFEST not in names:
        raise _damaged(file, f"it has no {MANIFEST}: it is no archive of a study")
    if names[MANIFEST].file_size > _LARGEST_TEXT:
        raise _damaged(file, f"{MANIFEST} is too large")
    (folder / FILES).mkdir()
    (folder / TABLES).mkdir()
    _inflate(archive, names[MANIFEST], folder / MANIFEST, names[MANIFEST].file_size, file)
    _check_version(folder / MANIFEST, file)
    manifest = _parsed(Manifest, folder / MANIFEST, file)
    if odd := sorted((names.keys() - {MANIFEST}) ^ manifest.members.keys()):
        lacks = "has no member" if odd[0] in manifest.members else "has a member that its manifest does not name:"
        raise _damaged(file, f"it {lacks} {odd[0]}")
    for name, member in manifest.members.items():
        digest = _inflate(archive, names[name], folder / name, member.size, file)
        if digest != member.sha256:
            raise _damaged(file, f"{name} is not what its manifest says (sha256 {digest[:12]}..)")
    return manifest


def _check_entries(entries: list[zipfile.ZipInfo], file: Path) -> None:
    size = file.stat().st_size
    if len(entries) > _MOST_MEMBERS:
        raise _damaged(file, f"it has {len(entries):,} members, more than {_MOST_MEMBERS:,}")
    known = set[str]()
    for entry in entries:
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if not MEMBER.fullmatch(entry.orig_filename) or kind not in (0, stat.S_IFREG):
            raise _damaged(file, f"it has a member {entry.orig_filename[:80]!r}, which no archive of a study has")
        if entry.filename in known:
            raise _damaged(file, f"it has two members {entry.filename}")
        if entry.flag_bits & 1:
            raise _damaged(file, f"{entry.filename} is encrypted")
        if entry.compress_type not in _METHODS:
            raise _damaged(file, f"{entry.filename} is compressed in a way that no archive of a study has")
        known.add(entry.filename)
    if sum(entry.compress_size for entry in entries) > size:
        raise _damaged(file, "its members overlap")
    contents, most = sum(entry.file_size for entry in entries), max(_GROWTH * size, _ALWAYS)
    if contents > most:
        raise _damaged(file, f"its contents are {contents:,} bytes, more than {_GROWTH} times its own {size:,}")


def _inflate(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, size: int, file: Path) -> str:
    """Write a member to a file, and return its digest; no more is written than it should have."""
    digest, written = hashlib.sha256(), 0
    with archive.open(entry) as source, target.open("wb") as out:
        while chunk := source.read(min(_CHUNK, size - written + 1)):
            written += len(chunk)
            if written > size:
                break
            digest.update(chunk)
            out.write(chunk)
    if written != size:
        raise _damaged(file, f"{entry.filename} has not the {size:,} bytes that it should have")
    return digest.hexdigest()


def _check_version(manifest: Path, file: Path) -> None:
    """Tell an archive of a later version, whatever else its manifest has."""
    try:
        said = json.loads(manifest.read_bytes())
        kind, version = said["format"], said["version"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise _damaged(file, f"{MANIFEST} does not say what it is") from None
    if kind != FORMAT:
        raise _damaged(file, f"its format is {str(kind)[:40]!r}, not {FORMAT!r}")
    if type(version) is not int or version < 1:
        raise _damaged(file, f"its version is {str(version)[:40]!r}, no number from 1")
    if version > VERSION:
        raise DataError(
            f"the archive {file} is of version {version} of the format; this ablate reads up to {VERSION}. "
            "Install a later one"
        )


def _parsed(model: type[_Model], path: Path, file: Path) -> _Model:
    try:
        if path.stat().st_size > _LARGEST_TEXT:
            raise _damaged(file, f"{path.name} is too large")
        return model.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise _damaged(file, f"it has no {path.name}") from None
    except ValidationError as error:
        problem = error.errors()[0]
        place = ".".join(map(str, problem["loc"]))[:120]
        raise _damaged(file, f"{path.name} is wrong at {place or 'its start'}: {problem['msg']}") from None


def _check_study(study: StudyCopy, file: Path) -> None:
    try:
        for tag in (DEFINITION_TAG, REGISTERED_TAG, TUNING_TAG):
            parse_yaml(join_pieces(study.tags, tag))
    except yaml.YAMLError as error:
        raise _damaged(file, f"{STUDY} has YAML that cannot be read: {str(error).splitlines()[0]}") from None


def _check_runs(archive: Archive, file: Path) -> None:
    """Check that runs are named once, and that artifacts are where they may be and there."""
    members, ids = archive.manifest.members, [each.run.id for each in archive.runs]
    if METRICS not in members or len(set(ids)) < len(ids) or archive.study.name != archive.manifest.study:
        raise _damaged(file, "its runs, its metrics and its manifest do not fit together")
    for each in archive.runs:
        if _CONTROL.search(each.run.tags.get(VARIANT_TAG, "")):
            raise _damaged(file, f"run {each.run.id} has a variant with characters that control terminals")
        places = {**{place: f"{FILES}/{digest}" for place, digest in each.files.items()}, **each.tables}
        for place, member in places.items():
            if not PLACE.fullmatch(place) or not each.run.takes(place):
                raise _damaged(file, f"run {each.run.id} has an artifact {place[:80]!r}, which no run has")
            if member not in members or (place in each.tables) != member.startswith(TABLES):
                raise _damaged(file, f"the artifact {place} of run {each.run.id} is not in it")
            if (place in each.tables) != place.endswith(TABLE):
                raise _damaged(file, f"the artifact {place} of run {each.run.id} is no table")
    _check_tables(archive, file)


def _check_tables(archive: Archive, file: Path) -> None:
    try:
        known = {each.run.id for each in archive.runs}
        for tables in (archive._metrics, *archive._tables.values()):
            if strangers := sorted(tables.keys() - known):
                raise ValueError(f"it has rows of a run {strangers[0]!r} that it does not have")
    except (OSError, ValueError, MemoryError, pa.ArrowException) as error:
        raise _damaged(file, str(error)) from None
