"""Import of copied runs into a store: each is there whole, or does not count."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import mlflow
import pandas as pd
from filelock import FileLock
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, Run, RunTag
from mlflow.exceptions import MlflowException

from ablate.errors import TrackingError
from ablate.tracking import names
from ablate.tracking.keras_model import import_keras_model
from ablate.tracking.origin import Origin, origin_of, origin_tags
from ablate.tracking.retry import retry_taken
from ablate.tracking.run_copy import METRIC_COLUMNS, DatasetCopy, RunCopy, StudyCopy
from ablate.tracking.run_records import runs_of
from ablate.tracking.store import store_lock
from ablate.tracking.stored_runs import search
from ablate.tracking.study import set_experiment_tags, study_experiment
from ablate.tracking.study_merge import merged_tags
from ablate.tracking.tracked_run import log_metrics, log_params

_TAGS = 100
"""Tags that MLflow takes at a time."""


@dataclass(frozen=True)
class StoredResult:
    """A result that a store has.

    Attributes:
        run_id: The run there.
        study: Its study.
        metrics: Its metrics that are results: runs of one identity have the same bits there.
    """

    run_id: str
    study: str
    metrics: Mapping[str, float]


@contextmanager
def importing(study: StudyCopy, uri: str) -> Iterator["StudyImport"]:
    """Prepare to add runs to a study of the open store: one import at a time.

    Args:
        study: The study.
        uri: Address of the store.

    Raises:
        TrackingError: The store cannot be read, or does not take something.
    """
    with FileLock(store_lock(uri, "import")):
        try:
            yield StudyImport(study, uri)
        except (MlflowException, OSError) as error:
            raise TrackingError(
                f"study {study.name} cannot be imported: {str(error).splitlines()[0]}. Runs that were added stay; "
                "mend that, and the same command adds the rest"
            ) from error


class StudyImport:
    """A study of the open store to which runs are added; made by `importing`.

    Attributes:
        known: The runs that the study has, by their ids where they were trained, and whether they have finished.
    """

    def __init__(self, study: StudyCopy, uri: str):
        self._client, self._study = mlflow.MlflowClient(), study
        self._experiment = self._client.get_experiment_by_name(study.name)
        self._left_over, self._replaced = list[str](), dict[str, str]()
        self.known = dict[str, bool]()
        for run in search([self._experiment], client=self._client) if self._experiment else []:
            origin, finished = origin_of(run, uri), run.info.status == "FINISHED"
            if origin.imported and not _is_whole(run):
                self._left_over.append(run.info.run_id)
                continue
            self.known[origin.run_id] = finished or self.known.get(origin.run_id, False)
            if origin.imported and not finished:
                self._replaced[origin.run_id] = run.info.run_id

    def start(self, project: Path) -> None:
        """Make the study where there is none, bring it up to date, and remove what a killed import has left.

        Args:
            project: Where artifacts are kept, see `run.track`.

        Raises:
            TrackingError: The store has another study of this name.
        """
        self._experiment = study_experiment(self._study.name, project)
        tags = merged_tags(self._study.name, self._experiment.tags, self._study.tags)
        set_experiment_tags(self._experiment, tags)
        for run_id in self._left_over:
            self._client.delete_run(run_id)

    def add(self, run: RunCopy, metrics: pd.DataFrame, folder: Path) -> str:
        """Add a run, in place of an unfinished copy of it.

        Args:
            run: The run.
            metrics: See `run_copy.CopiedRun`.
            folder: Its artifacts.

        Returns:
            Its id in this store.
        """
        client = self._client
        assert self._experiment is not None
        tags = {**origin_tags(Origin(run.id, run.experiment, run.store)), names.TYPE_TAG: run.kind or names.TRAINING}
        made = client.create_run(
            self._experiment.experiment_id, start_time=run.started, run_name=run.name or None, tags=tags
        ).info.run_id
        log_params(client, made, [Param(key, value) for key, value in run.params.items()])
        points = metrics[METRIC_COLUMNS].itertuples(index=False, name=None)
        log_metrics(client, made, [Metric(key, value, at, step) for key, at, step, value in points])
        if run.datasets:
            datasets = [_dataset(each) for each in run.datasets]
            retry_taken(lambda: client.log_inputs(made, datasets=datasets))
        model = folder / names.MODEL_FILE
        if model.is_file():
            import_keras_model(client, client.get_run(made), model, folder / names.SERVED_MODEL_FILE)
        client.log_artifacts(made, str(folder))
        if run.status != "RUNNING":
            client.set_terminated(made, run.status, end_time=run.ended)
        # What makes it count comes last.
        given = [RunTag(name, value) for name, value in run.tags.items() if not name.startswith(names.ORIGIN_PREFIX)]
        given.sort(key=lambda tag: _counts(tag.key, run))
        for start in range(0, len(given), _TAGS):
            client.log_batch(made, tags=given[start : start + _TAGS])
        if run.id in self._replaced:
            client.delete_run(self._replaced.pop(run.id))
        self.known[run.id] = run.finished
        return str(made)


def _counts(tag: str, run: RunCopy) -> bool:
    return tag == (f"{names.TAG_PREFIX}{run.kind}" if run.kind else names.IDENTITY_TAG)


def _is_whole(run: Run) -> bool:
    kind = run.data.tags.get(names.TYPE_TAG)
    return names.IDENTITY_TAG in run.data.tags or f"{names.TAG_PREFIX}{kind}" in run.data.tags


def _dataset(data: DatasetCopy) -> DatasetInput:
    entity = Dataset(data.name, data.digest, data.source_type, data.source, data.data_schema, data.profile)
    return DatasetInput(entity, [InputTag(key, value) for key, value in data.tags.items()])


def stored_results(identities: Collection[str], study: str, besides: Collection[str]) -> dict[str, StoredResult]:
    """Return by identity a result that the open store has, in any study: the newest of the study's own, if any.

    Args:
        identities: The identities.
        study: The study.
        besides: Runs, by their ids where they were trained, that do not count.

    Raises:
        TrackingError: The store cannot be read.
    """
    if not identities:
        return {}
    runs = runs_of(sorted(identities), study, ("identity", "study", "status", "missing"))
    found = runs[(runs["status"] == "FINISHED") & runs["missing"].isna()]
    client, uri, results = mlflow.MlflowClient(), mlflow.get_tracking_uri(), dict[str, StoredResult]()
    for run_id, row in pd.concat([found[found["study"] == study], found[found["study"] != study]]).iterrows():
        if row["identity"] in results:
            continue
        run = client.get_run(str(run_id))
        if origin_of(run, uri).run_id not in besides:
            metrics = names.current_metrics(run.data.metrics)
            own = {name: value for name, value in metrics.items() if names.is_result(name)}
            results[str(row["identity"])] = StoredResult(str(run_id), str(row["study"]), own)
    return results
