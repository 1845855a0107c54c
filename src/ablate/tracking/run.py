"""A run in MLflow: started, filled in batches, and ended in the right state whatever happens."""

from __future__ import annotations

import json
import logging
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import mlflow
import pandas as pd
import yaml
from mlflow.data.code_dataset_source import CodeDatasetSource
from mlflow.data.meta_dataset import MetaDataset
from mlflow.entities import DatasetInput, InputTag, Param, RunStatus, RunTag
from mlflow.entities import Metric as MlflowMetric
from mlflow.exceptions import MlflowException
from mlflow.tracking.context.registry import resolve_tags
from mlflow.utils.mlflow_tags import MLFLOW_DATASET_CONTEXT
from mlflow.utils.validation import MAX_PARAM_VAL_LENGTH

from ablate.config.short_names import run_name
from ablate.errors import AblateError, ClaimLost, Diverged, TrackingError, from_outside
from ablate.system.images import png
from ablate.tracking import provenance
from ablate.tracking.keras_model import log_keras_model
from ablate.tracking.search import REUSED
from ablate.tracking.sqlite import local_folder
from ablate.tracking.store import artifact_folder
from ablate.tracking.system_metrics import system_metrics

if TYPE_CHECKING:
    import keras
    from PIL import Image

    from ablate.task import DataSummary, Evaluation, Metric

log = logging.getLogger(__name__)

WEIGHTS = "model.weights.h5"
"""Artifact with the weights of a model that could not be tracked whole."""
_BATCH = 1000
_REASON, _ERROR, _GOES_ON = "ablate.reason", "ablate.error", "ablate.goes_on"
"""Why a run has not finished, what it said, and whether it goes on in the next session."""
_SESSIONS = "ablate.sessions"
_CONTEXT = ("mlflow.user", "mlflow.source.", "mlflow.databricks.")
"""The tags that are taken from a run's surroundings: who and what started it; no parent, and none of ours."""

_Method = TypeVar("_Method", bound=Callable[..., Any])


def _stored(method: _Method) -> _Method:
    """Let a method that writes to the store raise `TrackingError` where that fails."""

    @wraps(method)
    def call(run: TrackedRun, *arguments: Any, **options: Any) -> Any:
        try:
            return method(run, *arguments, **options)
        except (MlflowException, OSError) as error:
            reason = str(error).splitlines()[0]
            raise TrackingError(f"run {run.run_id} cannot be tracked any more: {reason}") from error

    return cast(_Method, call)


class TrackedRun:
    """A run of MLflow that is being written; made by `track`. Its methods raise `TrackingError` where that fails."""

    def __init__(self, run_id: str):
        self.run_id = run_id
        self._client = mlflow.MlflowClient()
        self._waiting: list[MlflowMetric] = []
        self._flushed = time.monotonic()

    def log_metrics(self, metrics: Mapping[str, float], step: int = 0) -> None:
        """Note metrics; they are written together, every few seconds."""
        now = int(time.time() * 1000)
        self._waiting += [MlflowMetric(name, float(value), now, step) for name, value in metrics.items()]
        if len(self._waiting) >= _BATCH or time.monotonic() - self._flushed > 5:
            self.flush()

    @_stored
    def flush(self) -> None:
        """Write the metrics noted so far."""
        for start in range(0, len(self._waiting), _BATCH):
            self._client.log_batch(self.run_id, metrics=self._waiting[start : start + _BATCH])
        self._waiting.clear()
        self._flushed = time.monotonic()

    @_stored
    def set_tags(self, tags: Mapping[str, str]) -> None:
        """Set tags; None of them may be longer than 8,000 characters."""
        self._client.log_batch(self.run_id, tags=[RunTag(name, value) for name, value in tags.items()])

    @_stored
    def log_config(self, config: Mapping[str, Any]) -> None:
        """Write the resolved configuration: flattened as params, whole as the artifact config.yaml.

        Params that are written stay, as MLflow has it: paths and threads may differ where a run goes on.
        """
        known = self._client.get_run(self.run_id).data.params
        params = [Param(key, str(value)[:MAX_PARAM_VAL_LENGTH]) for key, value in _flatten(config) if key not in known]
        for start in range(0, len(params), 100):
            self._client.log_batch(self.run_id, params=params[start : start + 100])
        self.log_text(yaml.safe_dump(dict(config), sort_keys=False), "config.yaml")

    @_stored
    def log_data(self, data: DataSummary) -> None:
        """Write the data set: MLflow's dataset input, its fingerprint and counts, and what was left out."""
        dataset = _TrackedData(data)._to_mlflow_entity()
        given = DatasetInput(dataset, [InputTag(MLFLOW_DATASET_CONTEXT, "training")])
        self._client.log_inputs(self.run_id, datasets=[given])
        self.set_tags({"ablate.data.fingerprint": data.fingerprint})
        self.log_metrics({f"data/{name}": count for name, count in data.counts.items()})
        if data.problems:
            self.log_text("\n".join(data.problems) + "\n", "data/problems.txt")

    @_stored
    def log_provenance(self, folder: Path, hardware: Mapping[str, str]) -> None:
        """Write where the result comes from: commit, uncommitted changes, packages, machine, devices.

        Of a run that goes on, each session has a folder of its own, `provenance/session-2` and so on; a warning says
        where it computes with something else than the one before.
        """
        commit = provenance.git_commit(folder)
        facts = {**provenance.machine(), **hardware, "commit": commit or "none"}
        before = self._client.get_run(self.run_id).data.tags
        session = before.get(_SESSIONS, "1")
        for name in sorted({*hardware, "python"}):
            if before.get(f"ablate.{name}", facts[name]) != facts[name]:
                then = before[f"ablate.{name}"]
                log.warning("The run began with %s=%s and goes on with %s: bits may differ", name, then, facts[name])
        self.set_tags({f"ablate.{name}": value for name, value in facts.items()})
        place = "provenance" if session == "1" else f"provenance/session-{session}"
        packages = provenance.package_versions()
        self.log_text(json.dumps({**facts, "packages": packages}, indent=2), f"{place}/environment.json")
        diff = provenance.git_diff(folder) if commit else ""
        if diff:
            self.log_text(diff, f"{place}/uncommitted.diff")

    @_stored
    def log_evaluation(self, evaluation: Evaluation, metrics: Sequence[Metric]) -> None:
        """Write an evaluation: metrics, references, the per-example table, sample pictures and the distribution."""
        self.log_metrics({f"eval/{name}": value for name, value in evaluation.metrics.items()})
        for name, figure in evaluation.figures.items():
            self._client.log_image(self.run_id, figure, artifact_file=f"evaluation/{name}.png")
        for reference, values in evaluation.references.items():
            self.log_metrics({f"reference/{reference}/{name}": value for name, value in values.items()})
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "metrics.json").write_text(json.dumps([asdict(metric) for metric in metrics], indent=2))
            evaluation.per_example.to_parquet(folder / "per_example.parquet", index=False)
            _sample_table(evaluation.samples).to_parquet(folder / "samples.parquet", index=False)
            if evaluation.distribution is not None:
                evaluation.distribution.to_parquet(folder / "distribution.parquet", index=False)
            self._client.log_artifacts(self.run_id, str(folder), "evaluation")

    def log_model(self, model: keras.Model) -> None:
        """Write a Keras model in MLflow's format, or its weights alone; where neither can be, a warning says so.

        A result is more than its model: it is not lost with it.
        """
        try:
            log_keras_model(self._client, self._client.get_run(self.run_id), model, _context_tags())
        except Exception as error:  # whatever layers, Keras, MLflow or the disk say
            log.warning("The model of run %s cannot be tracked: %s", self.run_id, _told(error))
            self._log_weights(model)

    def _log_weights(self, model: keras.Model) -> None:
        try:
            with tempfile.TemporaryDirectory() as name:
                model.save_weights(Path(name) / WEIGHTS)
                self._client.log_artifacts(self.run_id, name)
        except Exception as error:  # as above
            log.warning("Neither can its weights: %s", _told(error))
            folder = local_folder(self._client.get_run(self.run_id).info.artifact_uri)
            if folder is not None:
                (folder / WEIGHTS).unlink(missing_ok=True)
        else:
            log.warning("Its weights are: %s, for `load_weights` of the same model", WEIGHTS)

    @_stored
    def log_text(self, text: str, file: str) -> None:
        """Write a text as an artifact."""
        self._client.log_text(self.run_id, text, file)

    @_stored
    def end(self, status: int) -> None:
        """Write that it has ended, and how: a `RunStatus`."""
        self._client.set_terminated(self.run_id, RunStatus.to_string(status))


def _told(error: Exception) -> str:
    """Say an error in one line."""
    return f"{type(error).__name__}: {next(iter(str(error).splitlines()), '')}"


def _sample_table(samples: Mapping[str, Mapping[str, Image.Image]]) -> pd.DataFrame:
    """Put pictures into one file: columns kind, example, and picture, a PNG file."""
    rows = [
        {"kind": kind, "example": example, "picture": png(picture)}
        for kind, pictures in samples.items()
        for example, picture in pictures.items()
    ]
    return pd.DataFrame(rows, columns=["kind", "example", "picture"])


class _TrackedData(MetaDataset):
    """A data set as MLflow shows it, with the counts as its profile."""

    def __init__(self, data: DataSummary):
        self._counts = dict(data.counts)
        # MLflow allows a digest 36 characters; the whole fingerprint is a tag of the run.
        super().__init__(CodeDatasetSource(tags={"source": data.source}), name=data.name, digest=data.fingerprint[:32])

    @property
    def profile(self) -> dict[str, int]:
        return self._counts

    def to_dict(self) -> dict[str, str]:
        return {**super().to_dict(), "profile": json.dumps(self._counts)}


@contextmanager
def track(
    *,
    study: str,
    name: str,
    tags: Mapping[str, str],
    project: Path,
    run_id: str | None = None,
    monitored: bool = False,
) -> Iterator[TrackedRun]:
    """Start a run in the open store, or go on with one, and end it FINISHED, FAILED or KILLED, the reason as a tag.

    Args:
        study: Name of the study, which is the experiment in MLflow.
        name: Name of the run.
        tags: Its first tags.
        project: Where artifacts are kept, in mlartifacts, if the store is a database that is not a file; a file's
            are beside it, and a server has its own place.
        run_id: The run to go on with, in whatever study it is; it keeps its name and tags.
        monitored: Whether the machine's load is recorded meanwhile, see `system_metrics`.

    Yields:
        The run, to be filled.
    """
    try:
        own = _begin(study, name, tags, project) if run_id is None else _go_on(run_id)
    except MlflowException as error:
        raise TrackingError(f"MLflow refuses to start a run: {str(error).splitlines()[0]}") from error
    run = TrackedRun(own)
    load = system_metrics(run.run_id, resumed=run_id is not None) if monitored else nullcontext()
    try:
        with load:
            yield run
        run.flush()
    except KeyboardInterrupt:
        _end(run, RunStatus.KILLED, "interrupted", goes_on=True)
        raise
    except ClaimLost:
        raise  # it is somebody else's now, and its end too
    except Exception as error:
        reason = "diverged" if isinstance(error, Diverged) else type(error).__name__
        _end(run, RunStatus.FAILED, reason, error, goes_on=from_outside(error))
        raise
    _end(run, RunStatus.FINISHED, None)


def _begin(study: str, name: str, tags: Mapping[str, str], project: Path) -> str:
    """Make a run; MLflow's fluent functions would take one that the environment names instead."""
    client = mlflow.MlflowClient()
    run = client.create_run(experiment_id(study, project), run_name=name, tags={**_context_tags(), **tags})
    return str(run.info.run_id)


def _context_tags() -> dict[str, str]:
    return {name: value for name, value in resolve_tags().items() if name.startswith(_CONTEXT)}


def _go_on(run_id: str) -> str:
    client = mlflow.MlflowClient()
    before = client.get_run(run_id).data.tags
    for tag in (_REASON, _ERROR, _GOES_ON):
        if tag in before:
            client.delete_tag(run_id, tag)
    sessions = before.get(_SESSIONS, "1")
    client.set_tag(run_id, _SESSIONS, str(int(sessions) + 1 if sessions.isdecimal() else 2))
    client.update_run(run_id, status=RunStatus.to_string(RunStatus.RUNNING))
    return run_id


def refer(run_id: str, *, study: str, variant: str, project: Path) -> None:
    """Make a finished run of another study a result of this one as well: a run that shows its numbers.

    Its artifacts are not copied; the tag `ablate.reused_from` says where they are.

    Args:
        run_id: The finished run.
        study: Name of the study that reuses it.
        variant: What that calls the run's variant.
        project: See `track`.

    Raises:
        TrackingError: The store does not take it.
    """
    try:
        client = mlflow.MlflowClient()
        source = client.get_run(run_id)
        kept = {key: value for key, value in source.data.tags.items() if key.startswith("ablate.")}
        made = client.create_run(
            experiment_id(study, project),
            start_time=source.info.start_time,
            run_name=run_name(variant, kept["ablate.seed"]),
            tags={**kept, "ablate.study": study, "ablate.variant": variant, REUSED: kept.get(REUSED, run_id)},
        ).info.run_id
        params = [Param(key, value) for key, value in source.data.params.items()]
        for start in range(0, len(params), 100):
            client.log_batch(made, params=params[start : start + 100])
        now = int(time.time() * 1000)
        metrics = [MlflowMetric(key, value, now, 0) for key, value in source.data.metrics.items()]
        for start in range(0, len(metrics), _BATCH):
            client.log_batch(made, metrics=metrics[start : start + _BATCH])
        client.set_terminated(made, RunStatus.to_string(RunStatus.FINISHED), end_time=source.info.end_time)
    except (MlflowException, OSError) as error:
        raise TrackingError(f"run {run_id} cannot be reused: {str(error).splitlines()[0]}") from error


def _end(
    run: TrackedRun, status: int, reason: str | None, error: Exception | None = None, *, goes_on: bool = False
) -> None:
    """Write the last words of a run; where the store itself fails, the run's own error matters more."""
    try:
        run.flush()
    except TrackingError as problem:
        log.error("%s", problem)
    try:
        if reason:
            run.set_tags({_REASON: reason, _GOES_ON: str(goes_on).lower()})
        if error is not None:
            run.set_tags({_ERROR: str(error)[:1000]})
            if not isinstance(error, AblateError):
                run.log_text("".join(traceback.format_exception(error)), "traceback.txt")
        run.end(status)
    except (AblateError, MlflowException, OSError) as problem:
        log.error("The end of run %s could not be tracked: %s", run.run_id, str(problem).splitlines()[0])


def end_lost(run_id: str, reason: str) -> None:
    """End a run of the open store whose process is gone as FAILED, unless it had ended itself.

    Raises:
        TrackingError: The store does not take it.
    """
    try:
        client = mlflow.MlflowClient()
        if client.get_run(run_id).info.status != RunStatus.to_string(RunStatus.RUNNING):
            return
        client.set_tag(run_id, _REASON, reason)
        client.set_tag(run_id, _GOES_ON, "true")
        client.set_terminated(run_id, RunStatus.to_string(RunStatus.FAILED))
    except (MlflowException, OSError) as error:
        raise TrackingError(f"the end of run {run_id} cannot be tracked: {str(error).splitlines()[0]}") from error


def experiment_id(study: str, project: Path) -> str:
    """Return a study's experiment in MLflow, made where there is none.

    Raises:
        TrackingError: It was deleted.
    """
    client = mlflow.MlflowClient()
    found = client.get_experiment_by_name(study)
    if found is None:
        folder = artifact_folder(mlflow.get_tracking_uri(), project)
        try:
            location = (folder / study).as_uri() if folder else None
            return str(client.create_experiment(study, artifact_location=location))
        except MlflowException:
            # Another process was faster.
            found = client.get_experiment_by_name(study)
            if found is None:
                raise
    if found.lifecycle_stage != "active":
        raise TrackingError(
            f"study {study} was deleted in MLflow: restore it there (experiment {found.experiment_id}), "
            "or choose another study.name"
        )
    return str(found.experiment_id)


def _flatten(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and value:
            yield from _flatten(value, f"{name}.")
        else:
            yield name, value
