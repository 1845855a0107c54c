"""Artifacts of runs that were deleted in MLflow, and that nothing refers to any more."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import mlflow
from mlflow.entities import Experiment, LoggedModel, ViewType
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from ablate.errors import TrackingError
from ablate.tracking import names
from ablate.tracking.sqlite import local_folder, located, sqlite_file
from ablate.tracking.stored_runs import search, source_of

_DELETED = "deleted"
_ID = re.compile(r"(?:\bm-)?[0-9a-f]{32}")
"""Of a run, or of a model."""


@dataclass(frozen=True)
class DeletedRun:
    """A run that was deleted in MLflow, whose result no other run shows, and whose model is not registered.

    Attributes:
        run_id: The run.
        study: Its study.
        identity: Its identity; empty where it is no training, but a report or the like.
        folder: Its folder of artifacts on this machine; None where they are elsewhere, or are removed.
        models: By id, the folders of its models; None as before.
        on_server: Whether its artifacts are where only a server, or the keeper of a bucket, removes them.
    """

    run_id: str
    study: str
    identity: str
    folder: Path | None
    models: tuple[tuple[str, Path | None], ...]
    on_server: bool


def deleted_runs(uri: str) -> list[DeletedRun]:
    """Return the runs of the open store that were deleted, and that nothing refers to.

    Args:
        uri: Address of the store.

    Raises:
        TrackingError: It cannot be read.
    """
    with _reading():
        client = mlflow.MlflowClient()
        experiments = client.search_experiments(view_type=ViewType.ALL)
        found = search(experiments, client=client, view=ViewType.DELETED_ONLY) if experiments else []
        deleted = [run for run in found if _ours(run.data.tags)]
        if not deleted:
            return []
        versions, models = _versions(client), _models(client, experiments)
        needed = _shown(client, experiments)
        needed |= {run_id for run_id, _ in _kept_beside(uri)}
        registered = {name for version in versions for name in _referred(version)}
        needed |= registered
        needed |= {model.source_run_id for model in models if model.source_run_id and model.model_id in registered}
    studies = {experiment.experiment_id: experiment.name for experiment in experiments}
    return [
        DeletedRun(
            run_id=run.info.run_id,
            study=studies[run.info.experiment_id],
            identity=run.data.tags.get(names.IDENTITY_TAG, ""),
            folder=_folder(run.info.artifact_uri, run.info.run_id, uri),
            models=tuple(
                (model.model_id, _folder(model.artifact_location, model.model_id, uri))
                for model in models
                if model.source_run_id == run.info.run_id
            ),
            on_server=local_folder(run.info.artifact_uri) is None,
        )
        for run in deleted
        if run.info.run_id not in needed
    ]


def is_deleted(run_id: str) -> bool:
    """Return whether a run of the open store is deleted still: it may have been restored.

    Raises:
        TrackingError: The store cannot be read.
    """
    with _reading():
        return bool(mlflow.MlflowClient().get_run(run_id).info.lifecycle_stage == _DELETED)


def delete_model(model_id: str) -> None:
    """Delete a model of the open store, whose files are gone.

    Raises:
        TrackingError: The store does not take it.
    """
    with _reading():
        mlflow.MlflowClient().delete_logged_model(model_id)


def identities_beside(uri: str) -> set[str]:
    """Return the identities in the other stores of a SQLite store's folder, which share its checkpoints.

    Raises:
        TrackingError: One of them cannot be read.
    """
    return {identity for _, identity in _kept_beside(uri)}


def _ours(tags: dict[str, str]) -> bool:
    return any(name.startswith(names.TAG_PREFIX) for name in tags)


def _shown(client: mlflow.MlflowClient, experiments: list[Experiment]) -> set[str]:
    """Return the ids of the runs whose results others show."""
    showing = (f"tags.`{name}` LIKE '%'" for name in names.all_names(names.CACHED_FROM_TAG))
    return {source_of(run) for where in showing for run in search(experiments, where, client=client)}


def _versions(client: mlflow.MlflowClient) -> list[ModelVersion]:
    found, token = list[ModelVersion](), None
    while True:
        page = client.search_model_versions(page_token=token)
        found += page
        token = page.token
        if not token:
            return found


def _referred(version: ModelVersion) -> set[str]:
    """Return the ids of the runs and models that a registered version needs; its source may be a path."""
    return {*_ID.findall(f"{version.source or ''} {version.run_id or ''} {version.model_id or ''}")}


def _models(client: mlflow.MlflowClient, experiments: list[Experiment]) -> list[LoggedModel]:
    found, token = list[LoggedModel](), None
    ids = [experiment.experiment_id for experiment in experiments]
    while True:
        page = client.search_logged_models(ids, page_token=token)
        found += page
        token = page.token
        if not token:
            return found


def _folder(address: str, name: str, uri: str) -> Path | None:
    """Return the folder that is called as a run or a model, with all that MLflow keeps of it."""
    artifacts = local_folder(located(address, uri))
    if artifacts is None or artifacts.parent.name != name or not artifacts.parent.is_dir():
        return None
    return artifacts.parent


def _kept_beside(uri: str) -> set[tuple[str, str]]:
    """Return id and identity of the runs in other stores of a SQLite store's folder, such as a copy of it."""
    own, found = sqlite_file(uri), set[tuple[str, str]]()
    for file in sorted(own.parent.iterdir()) if own is not None else ():
        if file.is_file() and not file.samefile(str(own)) and _is_sqlite(file):
            found |= _kept_in(file)
    return found


def _is_sqlite(file: Path) -> bool:
    try:
        with file.open("rb") as stream:
            return stream.read(15) == b"SQLite format 3"
    except OSError:
        return False


def _kept_in(file: Path) -> set[tuple[str, str]]:
    query = (
        "SELECT runs.run_uuid, coalesce(tags.value, '') FROM runs LEFT JOIN tags "
        "ON tags.run_uuid = runs.run_uuid AND tags.key = ? WHERE runs.lifecycle_stage = 'active'"
    )
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=60)) as connection:
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if not {"runs", "tags"} <= tables:
                return set()
            return {
                (str(run_id), str(identity)) for run_id, identity in connection.execute(query, [names.IDENTITY_TAG])
            }
    except sqlite3.Error as error:
        raise TrackingError(f"{file}, which may need the same files, cannot be read: {error}") from error


@contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except (MlflowException, OSError) as error:
        raise TrackingError(f"the tracking store cannot be used: {str(error).splitlines()[0]}") from error
