"""The tracking store: whether it answers in time and can be used, its version, and whether it can be written."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil

from ablate.config.paths import results_dir
from ablate.doctor.finding import Finding, Group, note, ok, problem
from ablate.errors import AblateError, EmptyStore, TrackingError
from ablate.tracking.sqlite import damage, sqlite_file
from ablate.tracking.store import open_store, store_uri, without_password
from ablate.tracking.store_version import store_version

SECONDS = 30.0
"""A server that accepts connections and never answers would be waited for many minutes."""
_CHECK_SECONDS = 10.0
"""That long a file is searched for damage: 140 MB take half a second."""
_ANOTHER = "set tracking.uri or MLFLOW_TRACKING_URI to another store"
_REMOTE = ("nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "9p", "afs", "ceph", "lustre", "glusterfs")
"""File systems of other machines, on which SQLite's locks may not hold."""


def examine_store(configured: str | None, *, seconds: float = SECONDS) -> Group:
    """Open the store to read it, and say what it is; nothing is written, made or upgraded.

    Args:
        configured: `tracking.uri`.
        seconds: How long it has to answer.
    """
    try:
        uri = store_uri(configured, results_dir())
    except AblateError as error:
        return Group("Store", [problem(str(error), _ANOTHER)])
    return Group("Store", [*_findings(uri, seconds), *_file_findings(sqlite_file(uri))])


def _findings(uri: str, seconds: float) -> Iterator[Finding]:
    shown = without_password(uri)
    try:
        version = _Opening(uri).result(seconds)
    except EmptyStore:
        yield ok(f"{shown}: no runs yet; the first one makes the store")
    except AblateError as error:
        yield problem(str(error).replace(uri, shown), _advice(str(error), sqlite_file(uri)))
    else:
        yield ok(f"{shown}: {version}" if version else shown)


def _advice(said: str, file: Path | None) -> str:
    if file is not None and "database is locked" in said:
        return f"end the program that holds it, which `fuser {file}` names, or {_ANOTHER}"
    if file is not None and "damaged: " in said:
        return f"put a copy in its place, or try what `sqlite3 {file} .recover` saves, or {_ANOTHER}"
    return f"mend that, or {_ANOTHER}"


class _Opening:
    """A store that is opened in a thread, which is left behind where it takes too long."""

    def __init__(self, uri: str):
        self._uri, self._version = uri, ""
        self._error: BaseException | None = None

    def result(self, seconds: float) -> str:
        """Return the store's version.

        Raises:
            TrackingError: It cannot be used, or did not answer in time.
        """
        thread = threading.Thread(target=self._open, name="ablate doctor: store", daemon=True)
        thread.start()
        thread.join(seconds)
        if thread.is_alive():
            raise TrackingError(f"the tracking store {self._uri} does not answer within {seconds:.0f} s")
        if self._error is not None:
            raise self._error
        return self._version

    def _open(self) -> None:
        try:
            open_store(self._uri, to_read=True)
            self._version = store_version(self._uri)
            file = sqlite_file(self._uri)
            wrong = damage(file, seconds=_CHECK_SECONDS) if file is not None else ""
            if wrong:
                raise TrackingError(f"the tracking store {self._uri} is damaged: {wrong}")
        except AblateError as error:
            self._error = error
        except Exception as error:  # whatever a library makes of what it finds
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            self._error = TrackingError(f"the tracking store {self._uri} cannot be used: {reason}")


def _file_findings(file: Path | None) -> Iterator[Finding]:
    """Yield what hinders a SQLite file from being written; its folder is a place of `disk`."""
    if file is None:
        return
    if file.exists() and not os.access(file, os.W_OK):
        yield problem(f"{file} cannot be written", f"give yourself the right to write it, or {_ANOTHER}")
    kind = file_system(file)
    if kind in _REMOTE:
        yield note(
            f"{file} lies on {kind}, where SQLite's locks may not hold when several machines write",
            f"{_ANOTHER}, such as a server's, before you train on several machines",
        )


def file_system(path: Path) -> str:
    """Return the kind of file system that a path lies on, as in `ext4`; empty where the system does not say."""
    mounts = [part for part in psutil.disk_partitions(all=True) if path.is_relative_to(part.mountpoint)]
    return max(mounts, key=lambda part: len(part.mountpoint)).fstype if mounts else ""
