"""Artifacts of a study as a whole, such as its report: in MLflow, a run of their own beside those that are trained."""

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import mlflow
from mlflow.entities import Metric, Run, RunStatus, ViewType
from mlflow.exceptions import MlflowException

from ablate.errors import TrackingError
from ablate.tracking.names import TAG_PREFIX, TYPE_TAG
from ablate.tracking.origin import origin_of
from ablate.tracking.sqlite import located
from ablate.tracking.store import open_store

log = logging.getLogger(__name__)

ONLY = "true"
"""Name of artifacts of which a study has one set, as of its report."""


@dataclass(frozen=True)
class StudyArtifacts:
    """Artifacts of a study, as the store has them.

    Attributes:
        name: What tells them from others of their kind.
        run_id: The run in MLflow that holds them, as it is called where they were made.
        folder: A copy of them on this machine.
    """

    name: str
    run_id: str
    folder: Path


def log_study_artifacts(
    study: str,
    kind: str,
    folder: Path,
    files: Sequence[Path],
    *,
    name: str = ONLY,
    run_metrics: Mapping[str, Mapping[str, float]] | None = None,
) -> str:
    """Write files to the open store, which was opened to be read: into a run of the study, called as their kind.

    Those of before, of the same kind and name, are replaced.

    Args:
        study: Name of the study.
        kind: What they are, in a word: the run's name, the folder of its artifacts, and its tag `ablate.KIND`.
        folder: Where the files are.
        files: They, somewhere below the folder.
        name: What tells them from others of their kind.
        run_metrics: By the id of a trained run, metrics that it gets as well; a run that is gone is left out.

    Returns:
        The id of the run that holds them.

    Raises:
        TrackingError: The store has no such study, or does not take them; the files stay.
    """
    client = mlflow.MlflowClient()
    with _tracked_too(kind):
        experiment = client.get_experiment_by_name(study)
        if experiment is None or experiment.lifecycle_stage != "active":
            raise TrackingError(
                f"the {kind} is written, but the store {mlflow.get_tracking_uri()} has no study {study} to track it "
                "in. uri= names another store, track=false leaves that out"
            )
        older = _newest_first(client, experiment.experiment_id, f"tags.`{_tag(kind)}` = '{name}'")
        tags = {_tag(kind): name, TYPE_TAG: kind}
        run = older[0] if older else client.create_run(experiment.experiment_id, run_name=kind, tags=tags)
        client.set_tag(run.info.run_id, TYPE_TAG, kind)  # one of an older version has none
        # Read while they are half replaced, they would be of two versions.
        client.update_run(run.info.run_id, RunStatus.to_string(RunStatus.RUNNING))
        for file in files:
            place = file.relative_to(folder).parent
            client.log_artifact(run.info.run_id, str(file), kind if place == Path() else f"{kind}/{place}")
        for run_id, metrics in (run_metrics or {}).items():
            _log_metrics(client, run_id, metrics)
        client.set_terminated(run.info.run_id, RunStatus.to_string(RunStatus.FINISHED))
    return str(run.info.run_id)


def read_study_artifacts(experiment_id: str, uri: str, kind: str) -> list[StudyArtifacts]:
    """Read artifacts of a study from the open store, the newest first; one query where there are none.

    Args:
        experiment_id: The study's experiment in MLflow.
        uri: Address of the store.
        kind: See `log_study_artifacts`.

    Raises:
        TrackingError: The store cannot be read.
    """
    where = f"tags.`{_tag(kind)}` LIKE '%' and attributes.status = 'FINISHED'"
    try:
        return [
            StudyArtifacts(run.data.tags[_tag(kind)], origin_of(run, uri).run_id, _downloaded(run, kind, uri))
            for run in _newest_first(mlflow.MlflowClient(), experiment_id, where)
        ]
    except (MlflowException, OSError) as error:
        raise TrackingError(str(error).splitlines()[0]) from error


@contextmanager
def _tracked_too(kind: str) -> Iterator[None]:
    try:
        open_store(mlflow.get_tracking_uri())
    except TrackingError as error:
        raise TrackingError(_untracked(kind, error)) from error
    try:
        yield
    except (MlflowException, OSError) as error:
        raise TrackingError(_untracked(kind, error)) from error


def _untracked(kind: str, error: Exception) -> str:
    return f"the {kind} is written, but cannot be tracked: {str(error).splitlines()[0]}. track=false leaves that out"


def _tag(kind: str) -> str:
    return f"{TAG_PREFIX}{kind}"


def _newest_first(client: mlflow.MlflowClient, experiment_id: str, where: str) -> list[Run]:
    found = client.search_runs(
        [experiment_id],
        filter_string=where,
        run_view_type=ViewType.ACTIVE_ONLY,
        order_by=["attributes.end_time DESC"],
    )
    return list(found)


def _downloaded(run: Run, kind: str, uri: str) -> Path:
    address = f"{located(run.info.artifact_uri, uri).rstrip('/')}/{kind}"
    return Path(mlflow.artifacts.download_artifacts(address, tracking_uri=uri))


def _log_metrics(client: mlflow.MlflowClient, run_id: str, metrics: Mapping[str, float]) -> None:
    try:
        client.get_run(run_id)
    except MlflowException:
        log.warning("The store has no run %s any more: %s are with the study alone", run_id, ", ".join(metrics))
        return
    now = int(time.time() * 1000)
    client.log_batch(run_id, metrics=[Metric(name, value, now, 0) for name, value in metrics.items()])
