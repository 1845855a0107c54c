"""Archives that are changed by hand, and what reports are compared by."""

import hashlib
import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

Members = dict[str, bytes]


def members_of(file: Path) -> Members:
    """Return the contents of an archive's members by name."""
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write_members(file: Path, members: Mapping[str, bytes], *, sealed: bool = True) -> Path:
    """Write an archive; where it is sealed its manifest names what is in it, as one that lies would."""
    members = dict(members)
    if sealed:
        manifest = json.loads(members["manifest.json"])
        manifest["members"] = {
            name: {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
            for name, content in members.items()
            if name != "manifest.json"
        }
        members["manifest.json"] = json.dumps(manifest).encode()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file


def changed(members: Members, name: str, change: Callable[[Any], object]) -> Members:
    """Return members of which one, of JSON, was changed in place."""
    values = json.loads(members[name])
    change(values)
    return {**members, name: json.dumps(values).encode()}


def with_runs(source: Path, target: Path, kept: Callable[[Mapping[str, Any]], bool], most: int | None = None) -> Path:
    """Write an archive that has some of the runs of another, as if a machine had trained no more."""
    from ablate.archive.format import ArchivedRun
    from ablate.archive.read import opened_archive
    from ablate.archive.write import ArchiveWriter
    from ablate.tracking.run_copy import CopiedRun

    writer = ArchiveWriter()
    with opened_archive(source) as archive:
        for place, each in enumerate(archive.runs[:most]):
            assert isinstance(each, ArchivedRun)
            folder = target.with_suffix(f".{place}")
            archive.write_artifacts(each, folder)
            if kept(each.run.tags):
                writer.add(CopiedRun(each.run, archive.metrics(each.run.id), folder))
        writer.write(archive.study, target)
    return target


def contents(folder: Path) -> dict[str, bytes]:
    """Return all files of a folder by their path."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
