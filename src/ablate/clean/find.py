"""Left-overs that nobody refers to: artifacts of deleted runs, checkpoints without a run, temporary files."""

import os
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pandas as pd
import psutil

from ablate.execution.lease import lease_owner, remove_run_folder, run_folders
from ablate.execution.status import STATUS_COLUMNS, after_last_finished, run_state
from ablate.system.atomic_write import remove_folder
from ablate.tracking.deleted_runs import DeletedRun, delete_model, deleted_runs, identities_beside, is_deleted
from ablate.tracking.run_records import runs_of, runs_of_store
from ablate.tracking.sqlite import sqlite_file
from ablate.tracking.store import artifact_folder, checkpoint_folder

_COLUMNS = (*STATUS_COLUMNS, "lease_timeout_minutes")
_TIMEOUT_MINUTES = 10.0
_QUIET_SECONDS = 3600.0
"""A temporary file that was not written for so long is left over, where no process of its number runs here."""
_TEMPORARY = re.compile(r"\.(?P<name>.+)\.(?P<process>\d+)")
_OF_RUN = ("lease.json", "progress.json", "checkpoint.npz")
_MLFLOW_ID = re.compile(r"(m-)?[0-9a-f]{32}")
_FINISHED, _DELETED = "its run has finished", "its run was deleted in MLflow"


@dataclass(frozen=True)
class Item:
    """Something that can be removed.

    Attributes:
        path: A file or folder.
        kind: What it is, in a word or two.
        reason: Why nobody needs it.
        size: Bytes.
        run: The deleted run whose artifacts or model it is.
        model: That model.
        timeout_minutes: Of a checkpoint, see `lease.acquire_lease`.
    """

    path: Path
    kind: str
    reason: str
    size: int = field(compare=False, default=0)
    run: str | None = None
    model: str | None = None
    timeout_minutes: float = _TIMEOUT_MINUTES


def find(uri: str, results: Path, configured: Path | None) -> list[Item]:
    """Return what can be removed.

    Args:
        uri: Address of the store, which is open.
        results: Folder of the project's results.
        configured: `checkpoint.dir` of the project.

    Raises:
        TrackingError: The store cannot be read.
    """
    checkpoints = checkpoint_folder(uri, results, configured)
    artifacts = artifact_folder(uri, results)
    deleted, runs = deleted_runs(uri), runs_of_store(_COLUMNS)
    timeouts = _timeouts(runs)
    trained = {
        folder.name
        for folder in run_folders(checkpoints)
        if lease_owner(folder, timeout_minutes=timeouts.get(folder.name, _TIMEOUT_MINUTES)) is not None
    }
    found = [
        *_artifacts([run for run in deleted if run.identity not in trained]),
        *_checkpoints(checkpoints, uri, runs, {run.identity for run in deleted}, trained, timeouts),
        *_temporary(uri, results, checkpoints, artifacts),
    ]
    roots = [root.resolve() for root in (checkpoints, artifacts, results) if root is not None]
    file = sqlite_file(uri)
    return [one for one in found if _inside(one.path, roots) or (file is not None and one.path.parent == file.parent)]


def remove(item: Item, uri: str) -> bool:
    """Remove something, unless it is needed again meanwhile.

    Returns:
        Whether it was removed; not where another process was faster.

    Raises:
        TrackingError: The store cannot be read.
        OSError: It cannot be removed.
    """
    try:
        return _removed(item, uri)
    except FileNotFoundError:
        return False


def _removed(item: Item, uri: str) -> bool:
    if item.run is not None:
        if not is_deleted(item.run):
            return False
        remove_folder(item.path)
        if item.model is not None:
            delete_model(item.model)
        return True
    if item.kind == "checkpoint":
        unneeded = partial(_is_unneeded, item.path.name, uri, deleted=item.reason == _DELETED)
        return remove_run_folder(item.path, timeout_minutes=item.timeout_minutes, unneeded=unneeded)
    if item.path.is_dir():
        shutil.rmtree(item.path)  # it has left its place already
    else:
        item.path.unlink()
    return True


def _artifacts(deleted: list[DeletedRun]) -> Iterator[Item]:
    for run in deleted:
        # The model first: it is found by its run.
        for model, folder in run.models:
            if folder is not None:
                yield Item(folder, "model", _DELETED, _size(folder), run.run_id, model)
        if run.folder is not None:
            yield Item(run.folder, "artifacts", _DELETED, _size(run.folder), run.run_id)


def _checkpoints(
    checkpoints: Path,
    uri: str,
    runs: pd.DataFrame,
    deleted: set[str],
    trained: set[str],
    timeouts: Mapping[str, float],
) -> Iterator[Item]:
    groups = dict(list(runs.groupby("identity", sort=False)))
    beside: set[str] | None = None
    for folder in run_folders(checkpoints):
        identity = folder.name
        if identity in trained:
            continue
        known = groups.get(identity)
        if known is None and identity not in deleted:
            continue  # another store's, perhaps
        reason = _DELETED if known is None else _FINISHED
        if known is not None and not _has_finished(known):
            continue
        if beside is None:
            beside = identities_beside(uri)
        if identity not in beside:
            timeout = timeouts.get(identity, _TIMEOUT_MINUTES)
            yield Item(folder, "checkpoint", reason, _size(folder), timeout_minutes=timeout)


def _has_finished(runs: pd.DataFrame) -> bool:
    """Return whether the records of an identity have a result, and none is newer: `rerun=all` resumes such a one."""
    state = run_state(runs, study=str(runs.iloc[0]["study"]), owner=None)
    return state.finished and after_last_finished(runs).empty


def _is_unneeded(identity: str, uri: str, *, deleted: bool) -> bool:
    runs = runs_of([identity], "", STATUS_COLUMNS)
    if identity in identities_beside(uri):
        return False
    return runs.empty if deleted else not runs.empty and _has_finished(runs)


def _timeouts(runs: pd.DataFrame) -> dict[str, float]:
    minutes = pd.to_numeric(runs["lease_timeout_minutes"], errors="coerce").fillna(_TIMEOUT_MINUTES)
    # The longest: a lease is rather alive than not.
    return {str(identity): float(value) for identity, value in minutes.groupby(runs["identity"]).max().items()}


def _temporary(uri: str, results: Path, checkpoints: Path, artifacts: Path | None) -> Iterator[Item]:
    """Return what killed processes have left: files of `atomic_write`, folders of `remove_folder`."""
    store = sqlite_file(uri)
    places: list[tuple[Path, Callable[[str], bool]]] = [
        (checkpoints, lambda name: True),
        *((folder, _OF_RUN.__contains__) for folder in run_folders(checkpoints)),
        (results / "archives", lambda name: name.endswith(".zip")),
    ]
    if store is not None:
        places.append((store.parent, store.name.__eq__))
    if artifacts is not None and artifacts.is_dir():
        for study in sorted(artifacts.iterdir()):
            places += [(folder, lambda name: bool(_MLFLOW_ID.fullmatch(name))) for folder in (study, study / "models")]
    for folder, of_ours in places:
        for path in sorted(folder.glob(".*")) if folder.is_dir() else ():
            named = _TEMPORARY.fullmatch(path.name)
            if named and of_ours(named["name"]) and _is_left_over(path, int(named["process"])):
                yield Item(path, "temporary", f"process {named['process']} is gone", _size(path))


def _is_left_over(path: Path, process: int) -> bool:
    """Return whether nobody goes on with something: a folder was left while it was removed, and can go at once."""
    try:
        quiet = path.is_dir() or time.time() - path.lstat().st_mtime > _QUIET_SECONDS
        return quiet and not psutil.pid_exists(process)
    except OSError:
        return False  # it has gone by itself


def _inside(path: Path, roots: list[Path]) -> bool:
    """Return whether something lies among results: a link to another place does not."""
    return not path.is_symlink() and any(path.resolve().is_relative_to(root) for root in roots)


def _size(path: Path) -> int:
    """Return the bytes of a file, or of all files in a folder; links are not followed."""
    if not path.is_dir() or path.is_symlink():
        return path.lstat().st_size if path.exists() else 0
    total = 0
    for folder, _, files in os.walk(path):
        for name in files:
            try:
                total += (Path(folder) / name).lstat().st_size
            except OSError:
                continue  # it has gone by itself
    return total
