"""Writing of an archive: the same bytes for the same study."""

import hashlib
import json
import re
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ablate import __version__
from ablate.archive.anonymous import anonymous_file, anonymous_run
from ablate.archive.format import (
    FILES,
    FORMAT,
    IMAGES,
    MANIFEST,
    METRICS,
    PLACE,
    RUNS,
    STUDY,
    TABLE,
    TABLES,
    VERSION,
    WEIGHTS,
    ArchivedRun,
    Manifest,
    Member,
    Runs,
)
from ablate.archive.tables import POINTS, joined, parquet, without_pictures
from ablate.errors import DataError, TrackingError
from ablate.system.atomic_write import atomic_write
from ablate.tracking.names import EVALUATION_FOLDER
from ablate.tracking.run_copy import CopiedRun, StudyCopy, files_of

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time of every member: that of writing would change the bytes."""


@dataclass
class ArchiveWriter:
    """What goes into an archive, as it is collected.

    Attributes:
        samples: Whether pictures are taken.
        figures: Whether, of the pictures, those that runs drew at their evaluation are taken: a report needs none.
        models: Whether models are taken.
        anonymous: Whether who ran it, where and in which folders is left out, see `anonymous`.
    """

    samples: bool = True
    figures: bool = True
    models: bool = False
    anonymous: bool = False
    _runs: list[ArchivedRun] = field(default_factory=list)
    _metrics: dict[str, pa.Table] = field(default_factory=dict)
    _files: dict[str, bytes] = field(default_factory=dict)
    _tables: dict[str, dict[str, pa.Table]] = field(default_factory=dict)
    _schemas: dict[tuple[str, str], str] = field(default_factory=dict)

    def add(self, copied: CopiedRun) -> None:
        """Take a run.

        Raises:
            TrackingError: A table of it is damaged.
        """
        run = anonymous_run(copied.run) if self.anonymous else copied.run
        files, tables = dict[str, str](), dict[str, str]()
        for name, path in files_of(copied):
            if not PLACE.fullmatch(name) or not self._takes(name):
                continue
            if name.endswith(TABLE):
                tables[name] = self._add_table(run.id, name, path)
                continue
            content = path.read_bytes() if not self.anonymous else anonymous_file(name, path.read_bytes())
            if content is not None:
                files[name] = hashlib.sha256(content).hexdigest()
                self._files[files[name]] = content
        points = pa.Table.from_pandas(copied.metrics, schema=POINTS, preserve_index=False)
        self._metrics[run.id] = points.replace_schema_metadata(None)
        self._runs.append(ArchivedRun(run=run, files=files, tables=tables))

    @property
    def empty(self) -> bool:
        """Whether no run was taken."""
        return not self._runs

    def write(self, study: StudyCopy, file: Path) -> Manifest:
        """Write what was taken to a file, which is there whole or not at all.

        Raises:
            DataError: It cannot be written.
        """
        members = dict(self._members(study))
        manifest = Manifest(
            format=FORMAT,
            version=VERSION,
            made_by=f"ablate {__version__}",
            study=study.name,
            runs=len(self._runs),
            samples=self.samples,
            models=self.models,
            members={
                name: Member(sha256=hashlib.sha256(content).hexdigest(), size=len(content))
                for name, content in members.items()
            },
        )
        try:
            with suppress(FileExistsError):  # of a file in place of its folder, the next line says more
                file.parent.mkdir(parents=True, exist_ok=True)
            with atomic_write(file) as target, zipfile.ZipFile(target, "w") as archive:
                for name, content in [(MANIFEST, _json(manifest.model_dump())), *members.items()]:
                    entry = zipfile.ZipInfo(name, _EPOCH)
                    entry.create_system, entry.external_attr = 3, 0o100644 << 16
                    entry.compress_type = zipfile.ZIP_STORED if name.endswith(TABLE) else zipfile.ZIP_DEFLATED
                    archive.writestr(entry, content, compresslevel=9)
        except OSError as error:
            raise DataError(f"the archive {file} cannot be written: {error.strerror}") from None
        return manifest

    def _takes(self, name: str) -> bool:
        if name.endswith(IMAGES):
            return self.samples and (self.figures or not name.startswith(f"{EVALUATION_FOLDER}/"))
        return self.models or not name.endswith(WEIGHTS)

    def _add_table(self, run: str, name: str, path: Path) -> str:
        try:
            table = pq.read_table(path, partitioning=None)
        except (OSError, ValueError) as error:
            raise TrackingError(
                f"the artifact {name} of run {run} is damaged: {str(error).splitlines()[0]}. rerun=all trains it again"
            ) from error
        if not self.samples:
            table = without_pictures(table)
        kind = (name, table.schema.to_string(show_field_metadata=True, truncate_metadata=False))
        member = self._schemas.setdefault(kind, self._member_of(path.stem))
        self._tables.setdefault(member, {})[run] = table
        return member

    def _member_of(self, stem: str) -> str:
        """Return a name for a table, with a number where a table of another schema has it."""
        known, plain = set(self._schemas.values()), re.sub("[^a-z0-9_]", "_", stem.lower())
        names = (f"{TABLES}/{plain}{f'-{number}' if number > 1 else ''}{TABLE}" for number in count(1))
        return next(name for name in names if name not in known)

    def _members(self, study: StudyCopy) -> Iterator[tuple[str, bytes]]:
        yield STUDY, _json(study.model_dump())
        yield RUNS, _json(Runs(runs=self._runs).model_dump())
        yield METRICS, parquet(joined(self._metrics))
        for member, tables in self._tables.items():
            yield member, parquet(joined(tables))
        for digest in sorted(self._files):
            yield f"{FILES}/{digest}", self._files[digest]


def _json(values: Any) -> bytes:
    return (json.dumps(values, indent=1, ensure_ascii=False) + "\n").encode()
