"""Copies of a study's runs as plain values and files: what a store has of them, apart from models and machine load."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import mlflow
import pandas as pd
from mlflow.entities import DatasetInput, Experiment, Run
from mlflow.exceptions import MlflowException
from mlflow.utils.mlflow_tags import MLFLOW_RUN_NAME
from pydantic import Field

from ablate.config.schema import Schema, validate
from ablate.config.sections import StudyName
from ablate.errors import TrackingError
from ablate.tracking import names
from ablate.tracking.keras_model import model_files
from ablate.tracking.notes import without_note
from ablate.tracking.origin import origin_of
from ablate.tracking.served_model import KERAS_FILE
from ablate.tracking.sqlite import local_folder
from ablate.tracking.stored_runs import artifacts_of, search, source_of
from ablate.tracking.study import piece_tag

_ID = r"^[0-9A-Za-z_-]{1,64}$"
METRIC_COLUMNS = ["key", "timestamp", "step", "value"]
Milliseconds = Annotated[int, Field(ge=0, le=2**63 // 10**6)]
"""Since 1970, up to where pandas has times."""
_CURVES = (names.TRAINING_GROUP, names.VALIDATION_GROUP)
_LOAD = "system"
"""The group of metrics that say how busy the machine was: many points, and no report shows them."""
_REPORT = "report"
_FOLDERS = (names.EVALUATION_FOLDER, names.PROVENANCE_FOLDER)
_FILES = (
    *(names.CONFIG_FILE, names.TRACEBACK_FILE, names.PROBLEMS_FILE, names.CARD_FILE),
    *(names.WEIGHTS_FILE, names.MODEL_FILE, names.SERVED_MODEL_FILE),
)
_MODEL = {KERAS_FILE: names.MODEL_FILE, names.SERVED_FILE: names.SERVED_MODEL_FILE}
"""The files of a model that are copied, and what they are called in an archive."""


class DatasetCopy(Schema):
    """A data set input of a run, as MLflow has it."""

    name: str
    digest: str
    source_type: str
    source: str
    data_schema: str | None = None
    profile: str | None = None
    tags: dict[str, str]


class RunCopy(Schema):
    """What a store has of a run beside its metrics and artifacts.

    Attributes:
        id: Its id in the store where it was trained, as the next two.
        experiment: The experiment of its study.
        store: What a page says of that store, see `store.store_name`.
        name: Its name.
        kind: None of a run that was trained; else what artifacts of its study it holds, see `study_artifacts`.
        status: MLflow's.
        started: Milliseconds since 1970.
        ended: Milliseconds since 1970; None where it has not.
        tags: By name.
        params: The configuration, flattened, in the order of the store.
        datasets: Its data.
    """

    id: str = Field(pattern=_ID)
    experiment: str = Field(pattern=_ID)
    store: str
    name: str
    kind: str | None = Field(default=None, pattern=r"^[a-z][a-z_]*$")
    status: Literal["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"]
    started: Milliseconds
    ended: Milliseconds | None
    tags: dict[str, str]
    params: dict[str, str]
    datasets: list[DatasetCopy]

    @property
    def finished(self) -> bool:
        """Whether it has ended with a result."""
        return self.status == "FINISHED"

    @property
    def identity(self) -> str | None:
        """Its identity; None of one that was not trained."""
        return self.tags.get(names.IDENTITY_TAG)

    def takes(self, file: str) -> bool:
        """Return whether a file, by its path among the artifacts, is one that tracking writes for such a run."""
        folder = file.partition("/")[0]
        return folder == self.kind if self.kind else folder in _FOLDERS or file in _FILES


class StudyCopy(Schema):
    """What a store has of a study beside its runs.

    Attributes:
        name: Its name.
        tags: Of its experiment: question, definition, registration, aliases, tuning.
    """

    name: StudyName
    tags: dict[str, str]


@dataclass(frozen=True)
class CopiedRun:
    """A run with what belongs to it.

    Attributes:
        run: The run.
        metrics: Columns `METRIC_COLUMNS`, a row a point, in the order of the store.
        folder: Its artifacts, that of another study's run where the result is cached; None where there are none.
        model: The folder of its model; None where it has none, or none was asked for.
    """

    run: RunCopy
    metrics: pd.DataFrame
    folder: Path | None
    model: Path | None = None


def copy_study(name: str, uri: str) -> StudyCopy:
    """Copy a study of the open store, without its runs.

    Raises:
        TrackingError: There is no such study.
        ConfigError: It has a name that no study has.
    """
    return validate(StudyCopy, {"name": name, "tags": _study_tags(_experiment(name, uri))})


def copy_runs(name: str, uri: str, *, models: bool = False) -> Iterator[CopiedRun]:
    """Copy all runs of a study of the open store, one at a time, the oldest first; files are there until the next.

    Args:
        name: Name of the study.
        uri: Address of the store.
        models: Whether models are asked for.

    Raises:
        TrackingError: There is no such study, or the store cannot be read.
    """
    client, experiment = mlflow.MlflowClient(), _experiment(name, uri)
    with _reading():
        runs = [run for run in search([experiment], client=client) if _is_copied(run)]
        runs.sort(key=lambda run: (run.info.start_time, origin_of(run, uri).run_id))
        artifacts = artifacts_of(runs, uri, client)
        for run in runs:
            metrics = _metrics(client, run)
            model = _model_folder(client, run, uri) if models else None
            with _local(artifacts[run.info.run_id], uri) as folder, _local(model, uri) as files:
                yield CopiedRun(_copy(run, uri), metrics, folder, files)


def _experiment(name: str, uri: str) -> Experiment:
    with _reading():
        experiment = mlflow.MlflowClient().get_experiment_by_name(name)
    if experiment is None or experiment.lifecycle_stage != "active":
        from ablate.tracking.study_record import study_names

        raise TrackingError(f"the store {uri} has no study {name}. Its studies: {', '.join(study_names()) or 'none'}")
    return experiment


def _is_copied(run: Run) -> bool:
    """Return whether a run is one of ours; the report is not: it is made again."""
    tags = run.data.tags
    kind = tags.get(names.TYPE_TAG, names.TRAINING)
    if kind not in (names.TRAINING, _REPORT):
        return run.info.status == "FINISHED" and f"{names.TAG_PREFIX}{kind}" in tags
    return names.IDENTITY_TAG in tags


def _copy(run: Run, uri: str) -> RunCopy:
    origin, tags = origin_of(run, uri), run.data.tags
    kind = tags.get(names.TYPE_TAG, names.TRAINING)
    return RunCopy(
        id=origin.run_id,
        experiment=origin.experiment_id,
        store=origin.store,
        name=run.info.run_name,
        kind=None if kind == names.TRAINING else kind,
        status=run.info.status,
        started=run.info.start_time,
        ended=run.info.end_time,
        tags={
            name: value
            for name, value in sorted(without_note(tags).items())
            if name not in (MLFLOW_RUN_NAME, names.TYPE_TAG) and not name.startswith(names.ORIGIN_PREFIX)
        },
        params=dict(run.data.params),
        datasets=[_dataset(each) for each in run.inputs.dataset_inputs] if run.inputs else [],
    )


def _dataset(given: DatasetInput) -> DatasetCopy:
    data = given.dataset
    return DatasetCopy(
        name=data.name,
        digest=data.digest,
        source_type=data.source_type,
        source=data.source,
        data_schema=data.schema,
        profile=data.profile,
        tags={tag.key: tag.value for tag in given.tags},
    )


def _study_tags(experiment: Experiment) -> dict[str, str]:
    """Return the tags of a study that do not depend on its store: neither views, nor what a report said."""
    tags = dict(experiment.tags)
    summary = {piece_tag(names.SUMMARY_TAG, place) for place in range(len(tags))}
    kept = (name for name in without_note(tags) if name.startswith((names.TAG_PREFIX, names.NOTE_TAG)))
    return {name: tags[name] for name in sorted(kept) if name not in summary}


def _metrics(client: mlflow.MlflowClient, run: Run) -> pd.DataFrame:
    """Return the points of all metrics, those of a cached run from where it was trained."""
    source, rows = source_of(run), list[tuple[str, int, int, float]]()
    for metric in run.data._metric_objs:
        group = names.group_of(metric.key)
        if group == _LOAD:
            continue
        # What was measured once needs no query of its own.
        history = client.get_metric_history(source, metric.key) if group in _CURVES or metric.step else []
        rows += [(each.key, each.timestamp, each.step, each.value) for each in history or [metric]]
    return pd.DataFrame(rows, columns=METRIC_COLUMNS).astype({"timestamp": "int64", "step": "int64", "value": float})


def _model_folder(client: mlflow.MlflowClient, run: Run, uri: str) -> str | None:
    """Return the address of a model's folder: that of another study's run where the result is cached."""
    source = source_of(run)
    return model_files(client, run if source == run.info.run_id else client.get_run(source), uri)


@contextmanager
def _local(address: str | None, uri: str) -> Iterator[Path | None]:
    """Yield the folder of artifacts on this machine: a copy, where they are elsewhere."""
    folder = None if address is None else local_folder(address)
    if address is None or (folder is not None and not folder.is_dir()):
        yield None
    elif folder is not None:
        yield folder
    else:
        with tempfile.TemporaryDirectory() as name:
            yield Path(mlflow.artifacts.download_artifacts(address, dst_path=name, tracking_uri=uri))


@contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except (MlflowException, OSError) as error:
        raise TrackingError(f"the tracking store cannot be read: {str(error).splitlines()[0]}") from error


def files_of(copied: CopiedRun) -> Sequence[tuple[str, Path]]:
    """Return the artifacts of a run that tracking wrote, by their paths, sorted."""
    if copied.folder is None:
        return []
    found = {path.relative_to(copied.folder).as_posix(): path for path in copied.folder.rglob("*") if path.is_file()}
    if copied.model is not None:
        of_model = {name: copied.model / file for file, name in _MODEL.items()}
        found |= {name: path for name, path in of_model.items() if path.is_file()}
    return [(file, path) for file, path in sorted(found.items()) if copied.run.takes(file)]
