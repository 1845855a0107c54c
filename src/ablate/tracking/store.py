"""The tracking store: its address, checks that it can be used, and its schema, made once."""

import hashlib
import logging
import os
import socket
import sqlite3
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from filelock import FileLock

from ablate.config.paths import STORE, has_store_at_top, project_dir
from ablate.errors import EmptyStore, TrackingError
from ablate.system.atomic_write import beside
from ablate.system.garbage import collection_paused
from ablate.tracking.database_schema import check_schema
from ablate.tracking.sqlite import ARTIFACTS, absolute_address, local_folder, relocate, sqlite_address, sqlite_file

log = logging.getLogger(__name__)

_PROBE = 2**20
_FIXED = {
    # A run would end before its last metrics are written, and lose them.
    "MLFLOW_ENABLE_ASYNC_LOGGING": "false",
    # A long name or value would end a run.
    "MLFLOW_TRUNCATE_LONG_VALUES": "true",
}
"""What the environment must not decide: whether all of a run is recorded."""
_opened: str | None = None
"""The store that was opened last in this process; MLflow takes any that the environment names for selected."""


def store_uri(configured: str | None, project: Path) -> str:
    """Return the address of the store: the configured one, else `MLFLOW_TRACKING_URI`, else SQLite beside results.

    Args:
        configured: `tracking.uri`; an address that MLflow understands, or None.
        project: Folder of the default store: that of results.

    Returns:
        An address; that of a file or folder is absolute, so that jobs in other folders find the same one.

    Raises:
        TrackingError: It is SQLite's, and names no file.
    """
    named = configured or os.environ.get("MLFLOW_TRACKING_URI")
    if named:
        return absolute_address(named)
    if has_store_at_top() and project == project_dir():
        _say_where_results_stay(project)
    return sqlite_address(project / STORE)


@cache
def _say_where_results_stay(folder: Path) -> None:
    log.info("Results stay in %s, where an earlier version has made %s", folder, STORE)


def without_password(uri: str) -> str:
    """Leave out the user and password of an address."""
    parts = urlsplit(uri)
    options = "&".join(option for option in parts.query.split("&") if not option.startswith("password="))
    if "@" not in parts.netloc and options == parts.query:
        return uri  # unsplitting would spell that of a file in another way
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query=options).geturl()


def store_name(uri: str) -> str:
    """Return what a page that others read says of a store: of a file its name alone."""
    return uri.rpartition("/")[2] if uri.startswith("sqlite") else without_password(uri)


def artifact_folder(uri: str, project: Path) -> Path | None:
    """Return where the artifacts of a store are kept, or None where that is for its server to say."""
    file = sqlite_file(uri)
    if file is not None:
        return file.parent / ARTIFACTS
    return project / ARTIFACTS if "sql" in urlsplit(uri).scheme else None


def checkpoint_folder(uri: str, project: Path, configured: Path | None) -> Path:
    """Return where runs of a store that have not finished are kept: one folder for each store."""
    file = sqlite_file(uri)
    if file is not None and configured is None:
        return file.parent / "checkpoints"
    base = configured or project / "checkpoints"
    # Neither options nor links make another store of a file.
    store = uri if file is None else f"sqlite:///{file.resolve()}"
    return base / hashlib.sha256(store.encode()).hexdigest()[:8]


def open_store(uri: str, *, to_read: bool = False) -> None:
    """Make sure that the store can be used, make its schema if it is new, and select it in MLflow.

    A file that has been moved gets the addresses that its artifacts have now; where it is only read, `sqlite.located`
    tells them.

    Args:
        uri: Address of the store.
        to_read: Whether it is only read: what does not exist, or is empty, is an error then, instead of a new store.

    Raises:
        EmptyStore: It is only read, and does not exist or is empty.
        TrackingError: It cannot be reached or written; the message says what to do.
    """
    path = sqlite_file(uri)
    if to_read:
        place = path or local_folder(uri)
        if place is not None and not place.exists():
            raise EmptyStore(f"there are no runs yet: {place} does not exist. `python -m ablate.run` makes one")
        if path is None:
            _check_answers(uri)
        _select(uri, to_read=True)
        return
    check_store(uri)
    # Two processes that make the schema at the same time get in each other's way.
    with FileLock(store_lock(uri)):
        _select(uri)
        if path is not None:
            try:
                relocate(uri)
            except sqlite3.Error as error:
                raise TrackingError(f"the tracking store {uri} cannot be written: {error}") from error


@contextmanager
def opened_to_read(uri: str) -> Iterator[None]:
    """Open a store to read it, in a process that may use MLflow itself: afterwards MLflow's settings are as before.

    Raises:
        TrackingError: See `open_store`.
    """
    global _opened
    before = {name: value for name, value in os.environ.items() if name.startswith("MLFLOW_")}
    try:
        open_store(uri, to_read=True)
        yield
    finally:
        _opened = None
        # What MLflow was told before stands in its environment as well.
        if "mlflow" in sys.modules:
            sys.modules["mlflow"].set_tracking_uri(None)
        for name in [name for name in os.environ if name.startswith("MLFLOW_")]:
            del os.environ[name]
        os.environ.update(before)


def exists(uri: str) -> bool:
    """Return whether a store exists; one that is no file is taken to."""
    file = sqlite_file(uri)
    return file is None or file.is_file()


def is_open(uri: str) -> bool:
    """Return whether a store is the one that was opened last, and is still selected in MLflow."""
    mlflow = sys.modules.get("mlflow")
    return uri == _opened and mlflow is not None and mlflow.get_tracking_uri() == uri


def store_lock(uri: str, what: str = "") -> Path:
    """Return the lock of a store: beside its file; of one that is no file, it holds for this user on this machine.

    Args:
        uri: Address of the store.
        what: What it locks, in a word, where it is not the making of its schema.
    """
    path, ending = sqlite_file(uri), f".{what}.lock" if what else ".lock"
    if path is not None:
        return path.with_name(f"{path.name}{ending}")
    name = hashlib.sha256(f"{os.getuid()} {uri}".encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"ablate-{name}{ending}"


def check_store(uri: str) -> None:
    """Make sure, without MLflow, that a file can be written or a server answers.

    Raises:
        TrackingError: It cannot; the message says what to do.
    """
    file = sqlite_file(uri)
    if file is not None:
        _check_writable(file)
    else:
        _check_answers(uri)


def _check_writable(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(path, timeout=60)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.rollback()
        (path.parent / ARTIFACTS).mkdir(exist_ok=True)
        # A full disk lets files be made, but nothing be written to them.
        probe = beside(path)
        try:
            probe.write_bytes(bytes(_PROBE))
        finally:
            probe.unlink(missing_ok=True)
    except (OSError, sqlite3.Error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise TrackingError(
            f"the tracking store {path} cannot be written: {reason}. "
            "Set tracking.uri or MLFLOW_TRACKING_URI to a place that can"
        ) from None


def _check_answers(uri: str) -> None:
    address = urlsplit(uri)
    if address.scheme not in ("http", "https") or address.hostname is None:
        return
    try:
        port = address.port or (443 if address.scheme == "https" else 80)
    except ValueError as error:
        raise TrackingError(f"the tracking server {uri} is no address: {error}") from None
    try:
        # MLflow itself would try again for minutes.
        socket.create_connection((address.hostname, port), timeout=10).close()
    except OSError as error:
        raise TrackingError(f"the tracking server {uri} does not answer: {error.strerror or error}") from None


@collection_paused()
def _select(uri: str, *, to_read: bool = False) -> None:
    global _opened
    for name in ("alembic", "mlflow.tracking.fluent"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # It prints the stack trace of every error that it raises as well.
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)
    # A server that is gone would be asked again for many minutes.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "4")
    # One bar for every small file would bury all else.
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    os.environ.update(_FIXED)
    if sqlite_file(uri) is not None:
        # It is for servers: who has not set it would not find the runs of a file.
        os.environ["MLFLOW_ENABLE_WORKSPACES"] = "false"
    import mlflow
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    if "sql" in urlsplit(uri).scheme:
        check_schema(uri, to_read=to_read)
    mlflow.set_tracking_uri(uri)
    # Every metric would be one of the model that MLFLOW_ACTIVE_MODEL_ID names as well, or refused.
    mlflow.clear_active_model()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            mlflow.MlflowClient().search_experiments(max_results=1)
    except (MlflowException, SQLAlchemyError, ImportError, ValueError) as error:
        raise TrackingError(f"the tracking store {uri} cannot be used: {str(error).splitlines()[0]}") from error
    _opened = uri
