"""SQLite stores: the file of an address, and the artifacts of a store that has been moved."""

import re
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from ablate.config.paths import absolute
from ablate.errors import TrackingError

ARTIFACTS = "mlartifacts"
"""The folder beside a store that holds its artifacts."""
_ADDRESS = re.compile(r"(?P<dialect>sqlite(\+\w+)?)://(/(?P<file>[^?]*))?(?P<options>\?.*)?")
_WITHOUT_PROTOCOL = (
    (re.compile(r"[\w.-]+:\d+(/.*)?"), "http://"),
    (re.compile(r"[^:]+\.(db|sqlite3?)"), "sqlite:///"),
)
_FOLDERS = (ARTIFACTS, "mlruns")
"""What artifacts lie in beside a store: ours, and MLflow's own for an experiment that it made."""
_RECORDED = (
    *(("experiments", "artifact_location"), ("runs", "artifact_uri"), ("logged_models", "artifact_location")),
    ("model_versions", "storage_location"),
)
"""The tables and columns in which MLflow keeps addresses of artifacts; those of SQLite are absolute."""


def sqlite_file(uri: str) -> Path | None:
    """Return the file of a store, or None where it is none; options as `?timeout=60` are no part of its name."""
    found = _ADDRESS.fullmatch(uri)
    return Path(unquote(found["file"])).absolute() if found and found["file"] else None


def sqlite_address(file: Path, *, dialect: str = "sqlite", options: str = "") -> str:
    """Return the address of a SQLite file, in which SQLAlchemy reads % and ? as signs of its own."""
    quoted = str(file).replace("%", "%25").replace("?", "%3F")
    if dialect == "sqlite" and quoted != str(file):
        dialect = "sqlite+pysqlite"  # of the short form, MLflow makes the folder that is spelled so
    return f"{dialect}:///{quoted}{options}"


def absolute_address(uri: str) -> str:
    """Return the address of a store, of a file or folder with its absolute path, options kept.

    Raises:
        TrackingError: It names no file, but SQLite's memory or a URI of its own; or it is a host or a file alone.
    """
    found = _ADDRESS.fullmatch(uri)
    for kind, protocol in _WITHOUT_PROTOCOL:
        if kind.fullmatch(uri):
            raise TrackingError(f"the tracking store {uri} names no protocol: write {protocol}{uri}")
    if found is None:
        place = urlsplit(uri)
        if place.scheme == "file" and not place.path.startswith("/"):
            return absolute(place.path).as_uri()
        return uri if place.scheme or uri == "databricks" else str(absolute(uri))
    file = unquote(found["file"] or ":memory:")
    if file.startswith((":memory:", "file:")):
        raise TrackingError(
            f"the tracking store {uri} must be a file, as sqlite:///mlflow.db or sqlite:////DIR/mlflow.db"
        )
    path = absolute(file)
    if ".." in path.parts:
        path = path.parent.resolve() / path.name
    return sqlite_address(path, dialect=found["dialect"], options=found["options"] or "")


def local_folder(address: str) -> Path | None:
    """Return the folder that an address of artifacts names on this machine, or None where they are elsewhere."""
    parts = urlsplit(address)
    if parts.scheme == "file":
        return Path(url2pathname(parts.path))
    return Path(address) if address.startswith("/") else None


def located(address: str, uri: str) -> str:
    """Return where artifacts are now that their store may have been moved, or copied, with them.

    MLflow records absolute addresses. One that lies beside the store is right. Of another, what is beside the store
    under the same name comes first, then what is still at the recorded place.

    Args:
        address: The recorded address.
        uri: Address of the store.
    """
    file, recorded = sqlite_file(uri), local_folder(address)
    if file is None or recorded is None or recorded.is_relative_to(file.parent):
        return address
    beside = [
        file.parent.joinpath(*recorded.parts[place:])
        for place, part in enumerate(recorded.parts)
        if part in _FOLDERS and place + 1 < len(recorded.parts)
    ]
    if not beside or recorded.resolve().is_relative_to(file.parent.resolve()):
        return address
    there = [folder for folder in beside if folder.exists()]
    # A folder that is mounted twice is one.
    if recorded.exists() and not (there and not there[0].samefile(recorded)):
        return address
    return (there or beside)[0].as_uri()


def damage(file: Path, *, seconds: float) -> str:
    """Return what SQLite finds wrong in a file that it can open; empty for nothing, and where it takes too long.

    Raises:
        sqlite3.Error: It cannot be read.
    """
    end = time.monotonic() + seconds
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        connection.set_progress_handler(lambda: time.monotonic() > end, 10_000)
        try:
            said = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
        except sqlite3.OperationalError:
            if time.monotonic() > end:
                return ""
            raise
    return "" if said == "ok" else " ".join(said.split())


def relocate(uri: str) -> None:
    """Write into a store that has been moved where its artifacts are now, for new runs and for MLflow's pages.

    Args:
        uri: Address of a SQLite store that can be written, whose lock is held.

    Raises:
        sqlite3.Error: It cannot be written.
    """
    file = sqlite_file(uri)
    assert file is not None
    home = f"{file.parent.as_uri()}/"
    with closing(sqlite3.connect(file, timeout=60)) as connection, connection:
        for table, column in _RECORDED:
            elsewhere = connection.execute(
                f"SELECT rowid, {column} FROM {table} WHERE substr({column}, 1, ?) != ?", (len(home), home)
            ).fetchall()
            moved = [(now, row) for row, then in elsewhere for now in [located(then, uri)] if now != then]
            if moved:
                connection.executemany(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", moved)
