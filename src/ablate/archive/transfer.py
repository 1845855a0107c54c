"""Export of a study from a store to an archive, and import of archives into a store."""

import math
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ablate.archive.format import ArchivedRun, Manifest
from ablate.archive.read import Archive, archived_study, opened_archive
from ablate.archive.write import ArchiveWriter
from ablate.cli.terminal import visible_line
from ablate.config.short_names import shorten
from ablate.errors import ConfigError, DataError, TrackingError
from ablate.tracking import names
from ablate.tracking.overview import update_study
from ablate.tracking.run_copy import RunCopy, copy_runs, copy_study
from ablate.tracking.run_import import StoredResult, importing, stored_results
from ablate.tracking.sqlite import sqlite_address
from ablate.tracking.store import open_store

_RUNS, _METRICS = 10, 3
"""Conflicts, and metrics of one, that a message names."""
_IMPORTING = "Nothing was imported. conflicts=keep imports the rest and keeps what is there; uri= names another store."
_READING = (
    '"there" is an archive that is named before. Name one of them alone, or import them into a store, in which '
    "conflicts=keep keeps what came first: python -m ablate.archive import FILE... conflicts=keep uri=sqlite:///FILE"
)


@dataclass(frozen=True)
class Imported:
    """What an import did.

    Attributes:
        study: Name of the study.
        added: Runs that were added.
        there: Runs that the store had already.
        same: Runs whose result it had already, by another run.
        kept: Runs whose result is another one than it has, and that were left out.
    """

    study: str
    added: int
    there: int
    same: int
    kept: int


def export_study(
    name: str,
    uri: str,
    file: Path,
    *,
    samples: bool = True,
    figures: bool = True,
    models: bool = False,
    anonymous: bool = False,
    without: Sequence[Path] = (),
) -> Manifest:
    """Write a study of the open store to an archive.

    Args:
        name: Name of the study.
        uri: Address of the store.
        file: The archive.
        samples: Whether it has the pictures of its runs.
        figures: Whether it has what its runs drew of their evaluation, too; a report needs it not.
        models: Whether it has their models.
        anonymous: Whether who ran it, where and in which folders is left out.
        without: Archives whose finished runs are left out: this one is a further part of them.

    Raises:
        ConfigError: The file is there, and is not an older archive of this study.
        DataError: One of the other archives cannot be used, or the file cannot be written.
        TrackingError: There is no such study, it has no run, or it cannot be read.
    """
    study = copy_study(name, uri)
    _check_place(file, name, without)
    writer = ArchiveWriter(samples=samples, figures=figures, models=models, anonymous=anonymous)
    before = finished_runs(without)
    for copied in copy_runs(name, uri, models=models):
        if copied.run.id not in before:
            writer.add(copied)
    if writer.empty:
        raise TrackingError(f"study {name} in {uri} has no {'more ' if before else ''}runs{'' if before else ' yet'}")
    return writer.write(study, file)


def _check_place(file: Path, study: str, without: Sequence[Path]) -> None:
    if any(file.resolve() == each.resolve() for each in without):
        raise ConfigError(f"{file} would lose its runs, which without= leaves out: out= must name another file")
    if file.exists() and archived_study(file) != study:
        raise ConfigError(f"{file} is there, and is no archive of study {study}: out= must name another file")


def finished_runs(files: Sequence[Path]) -> set[str]:
    """Return the ids of the finished runs that archives have.

    Raises:
        DataError: One cannot be used.
    """
    found = set[str]()
    for file in files:
        with opened_archive(file) as archive:
            found |= {each.run.id for each in archive.runs if each.run.finished}
    return found


def import_archive(
    archive: Archive, uri: str, project: Path, *, keep: bool = False, temporary: bool = False
) -> Imported:
    """Add the runs of an archive to the open store, those that it does not have.

    Args:
        archive: The archive.
        uri: Address of the store.
        project: Where artifacts are kept, see `run.track`.
        keep: Whether, where the store has another result of an identity, that is kept; else the archive is refused.
        temporary: Whether the store is read once and removed: the descriptions that MLflow shows are left out.

    Raises:
        DataError: The store has other results, and is not to keep them; nothing was added then.
        TrackingError: The store does not take it.
    """
    name, ids = archive.study.name, {each.run.id for each in archive.runs}
    with importing(archive.study, uri) as study:
        new = [each for each in archive.runs if _is_new(each.run, study.known)]
        identities = {each.run.identity for each in new if each.run.identity}
        stored = stored_results(identities, name, ids)
        conflicting = [found for each in new if (found := _conflict(archive, each, stored))]
        if conflicting and not keep:
            raise DataError(_refusal(name, conflicting, _READING if temporary else _IMPORTING))
        added = [each for each in new if each.run.identity not in stored]
        study.start(project)
        for each in added:
            with tempfile.TemporaryDirectory(prefix="ablate-archive-") as folder:
                archive.write_artifacts(each, Path(folder))
                study.add(each.run, archive.metrics(each.run.id), Path(folder))
    if added and not temporary:
        update_study(name, add_factors=False)  # a copy stays one
    same = len(new) - len(added) - len(conflicting)
    return Imported(name, len(added), len(archive.runs) - len(new), same, len(conflicting))


def _is_new(run: RunCopy, known: Mapping[str, bool]) -> bool:
    """Return whether a run is to be added: the store has it not, or not yet finished."""
    return run.id not in known or (run.finished and not known[run.id])


def _conflict(archive: Archive, each: ArchivedRun, stored: Mapping[str, StoredResult]) -> str | None:
    """Say in what the result of a run differs from the store's of the same identity; None where it does not."""
    there = stored.get(each.run.identity or "")
    if there is None or not each.run.finished:
        return None
    points = archive.metrics(each.run.id)
    latest = points.sort_values(["step", "timestamp"], kind="stable").drop_duplicates("key", keep="last")
    metrics = names.current_metrics(dict(zip(latest["key"], latest["value"], strict=True)))
    differing = [
        _differing(key, value, there.metrics.get(key))
        for key, value in metrics.items()
        if names.is_result(key) and not _same(value, there.metrics.get(key))
    ]
    if not differing:
        return None
    tags, more = each.run.tags, len(differing) - _METRICS
    variant, seed = shorten(tags.get(names.VARIANT_TAG, "")), tags.get(names.SEED_TAG, "")
    return (
        f"{visible_line(variant)}, seed {seed} (run {each.run.id[:8]}, there {there.run_id[:8]} of study "
        f"{there.study}): {'; '.join(differing[:_METRICS])}{f'; and {more} more' if more > 0 else ''}"
    )


def _differing(metric: str, value: float, there: float | None) -> str:
    if there is None:
        return f"{metric} {_number(value)}, there none"
    change = value - there
    by = "" if math.isnan(change) else f" ({change:+.3g})"
    return f"{metric} {_number(value)}, there {_number(there)}{by}"


def _same(value: float, other: float | None) -> bool:
    return other is not None and (value == other or (math.isnan(value) and math.isnan(other)))


def _number(value: float) -> str:
    return repr(float(value))


def _refusal(study: str, conflicting: Sequence[str], what_to_do: str) -> str:
    runs = f"{len(conflicting)} run{'s' * (len(conflicting) != 1)}"
    more = [f"  and {len(conflicting) - _RUNS} more"] if len(conflicting) > _RUNS else []
    return "\n".join(
        [
            f"the store has other results for {runs} of study {study}, and one identity stands for one result:",
            *(f"  {line}" for line in conflicting[:_RUNS]),
            *more,
            what_to_do,
        ]
    )


@contextmanager
def temporary_store(files: Sequence[Path]) -> Iterator[tuple[str, list[str]]]:
    """Import archives into a store of their own, which is open and is there until the end.

    Yields:
        Its address, and the names of the studies.

    Raises:
        DataError: One is no archive, or they do not agree.
    """
    with tempfile.TemporaryDirectory(prefix="ablate-archive-") as folder:
        uri, studies = sqlite_address(Path(folder) / "mlflow.db"), list[str]()
        try:
            open_store(uri)
        except TrackingError as error:
            place = Path(folder).parent
            raise DataError(f"archives cannot be unpacked to {place} (TMPDIR names another place): {error}") from None
        for file in files:
            with opened_archive(file) as archive:
                import_archive(archive, uri, Path(folder), temporary=True)
                studies.append(archive.study.name)
        yield uri, list(dict.fromkeys(studies))
