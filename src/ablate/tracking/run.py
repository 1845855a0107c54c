"""A run in MLflow: started, filled in batches, and ended in the right state whatever happens."""

from __future__ import annotations

import json
import logging
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import asdict
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import mlflow
import numpy as np
import pandas as pd
import yaml
from mlflow.data.code_dataset_source import CodeDatasetSource
from mlflow.data.meta_dataset import MetaDataset
from mlflow.entities import Metric as MlflowMetric
from mlflow.entities import Param, RunStatus
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.types import Schema, TensorSpec
from mlflow.utils.validation import MAX_PARAM_VAL_LENGTH

from ablate.errors import AblateError, ClaimLost, Diverged, TrackingError, from_outside
from ablate.pictures import png
from ablate.tracking import provenance
from ablate.tracking.store import artifact_folder
from ablate.tracking.system_metrics import system_metrics

if TYPE_CHECKING:
    import keras
    from PIL import Image

    from ablate.task import DataSummary, Evaluation, Metric

log = logging.getLogger(__name__)

_BATCH = 1000
_REASON, _ERROR, _GOES_ON = "ablate.reason", "ablate.error", "ablate.goes_on"
"""Why a run has not finished, what it said, and whether it goes on in the next session."""
_SESSIONS, _REUSED = "ablate.sessions", "ablate.reused_from"

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
        mlflow.set_tags(dict(tags))

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
        mlflow.log_input(_TrackedData(data), context="training")
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
            mlflow.log_image(figure, artifact_file=f"evaluation/{name}.png")
        for reference, values in evaluation.references.items():
            self.log_metrics({f"reference/{reference}/{name}": value for name, value in values.items()})
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "metrics.json").write_text(json.dumps([asdict(metric) for metric in metrics], indent=2))
            evaluation.per_example.to_parquet(folder / "per_example.parquet", index=False)
            _sample_table(evaluation.samples).to_parquet(folder / "samples.parquet", index=False)
            if evaluation.distribution is not None:
                evaluation.distribution.to_parquet(folder / "distribution.parquet", index=False)
            mlflow.log_artifacts(str(folder), "evaluation")

    @_stored
    def log_model(self, model: keras.Model) -> None:
        """Write a Keras model in MLflow's format, which `mlflow.keras.load_model` reads."""
        import mlflow.tensorflow

        requirements = [f"{name}=={version}" for name, version in provenance.package_versions().items()]
        ends = (model.inputs[0], model.outputs[0])
        given, made = (Schema([TensorSpec(np.dtype(end.dtype), (-1, *end.shape[1:]))]) for end in ends)
        signature = ModelSignature(inputs=given, outputs=made)
        mlflow.tensorflow.log_model(model, name="model", pip_requirements=requirements, signature=signature)

    @_stored
    def log_text(self, text: str, file: str) -> None:
        """Write a text as an artifact."""
        mlflow.log_text(text, file)


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
        if run_id is None:
            mlflow.set_experiment(experiment_id=experiment_id(study, project))
            started = mlflow.start_run(run_name=name, tags=dict(tags), log_system_metrics=False)
        else:
            started = _go_on(run_id)
    except MlflowException as error:
        raise TrackingError(f"MLflow refuses to start a run: {str(error).splitlines()[0]}") from error
    run = TrackedRun(started.info.run_id)
    load = system_metrics(run.run_id, resumed=run_id is not None) if monitored else nullcontext()
    try:
        with load:
            yield run
        run.flush()
    except KeyboardInterrupt:
        _end(run, RunStatus.KILLED, "interrupted", goes_on=True)
        raise
    except ClaimLost:
        # It is somebody else's now, and its end too.
        _forget(RunStatus.RUNNING)
        raise
    except Exception as error:
        reason = "diverged" if isinstance(error, Diverged) else type(error).__name__
        _end(run, RunStatus.FAILED, reason, error, goes_on=from_outside(error))
        raise
    _end(run, RunStatus.FINISHED, None)


def _go_on(run_id: str) -> mlflow.ActiveRun:
    client = mlflow.MlflowClient()
    run = client.get_run(run_id)
    mlflow.set_experiment(experiment_id=run.info.experiment_id)
    for tag in (_REASON, _ERROR, _GOES_ON):
        if tag in run.data.tags:
            client.delete_tag(run_id, tag)
    client.set_tag(run_id, _SESSIONS, str(int(run.data.tags.get(_SESSIONS, "1")) + 1))
    return mlflow.start_run(run_id=run_id, log_system_metrics=False)


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
            run_name=f"{variant} seed={kept['ablate.seed']}",
            tags={**kept, "ablate.study": study, "ablate.variant": variant, _REUSED: kept.get(_REUSED, run_id)},
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
        mlflow.end_run(RunStatus.to_string(status))
    except (AblateError, MlflowException, OSError) as problem:
        log.error("The end of run %s could not be tracked: %s", run.run_id, str(problem).splitlines()[0])
        _forget(status)


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


def _forget(status: int) -> None:
    """Leave a run of which the store does not take everything; the next run must not begin inside it."""
    with suppress(MlflowException, OSError):
        mlflow.end_run(RunStatus.to_string(status))


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
