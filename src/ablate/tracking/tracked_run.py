"""A run in MLflow that is being written: metrics in batches, configuration, data, provenance, evaluation, model."""

from __future__ import annotations

import json
import logging
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec

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

from ablate.errors import TrackingError
from ablate.system.energy_meter import Energy, EnergyMeter, methods_text
from ablate.system.images import png
from ablate.system.phase_clock import Phase, PhaseClock
from ablate.tracking import names, provenance
from ablate.tracking.keras_model import log_keras_model
from ablate.tracking.retry import retry_taken
from ablate.tracking.sqlite import local_folder

if TYPE_CHECKING:
    import keras
    from PIL import Image

    from ablate.task import DataSummary, Evaluation, Metric, ServedModel

log = logging.getLogger(__name__)

_BATCH = 1000
_PARAM_BATCH = 100
"""Metrics and params that MLflow takes at a time."""
_EVALUATION = ("eval", "evaluation", "validation", "test")
"""What a task may call the examples that evaluate, in `DataSummary.counts`."""
_CONTEXT = ("mlflow.user", "mlflow.source.", "mlflow.databricks.")
"""The tags that are taken from a run's surroundings: who and what started it; no parent, and none of ours."""

_Arguments = ParamSpec("_Arguments")


def _to_store(
    method: Callable[Concatenate[TrackedRun, _Arguments], None],
) -> Callable[Concatenate[TrackedRun, _Arguments], None]:
    """Let a method that writes to the store raise `TrackingError` where that fails."""

    @wraps(method)
    def call(run: TrackedRun, /, *arguments: _Arguments.args, **options: _Arguments.kwargs) -> None:
        try:
            with run.clock.phase(Phase.TRACKING):
                method(run, *arguments, **options)
        except (MlflowException, OSError) as error:
            reason = str(error).splitlines()[0]
            raise TrackingError(f"run {run.run_id} cannot be tracked any more: {reason}") from error

    return call


@dataclass(frozen=True)
class Spent:
    """What attempts at a run took.

    Attributes:
        seconds: Of each phase.
        energy: Nothing yet, or what they took; None where not all of them recorded it.
    """

    seconds: Mapping[Phase, float] = field(default_factory=dict)
    energy: Energy | None = field(default_factory=Energy)


class TrackedRun:
    """A run of MLflow that is being written; made by `run.track`.

    Args:
        run_id: The run.
        clock: Of the phases of this attempt; None records none.
        meter: Of the energy of this attempt; None records none.
        earlier: What the attempts before have spent, with the energy's methods that the run has as its tag.

    Raises:
        TrackingError: From every method, where the store does not take what is written.
    """

    def __init__(
        self,
        run_id: str,
        clock: PhaseClock | None = None,
        meter: EnergyMeter | None = None,
        *,
        earlier: Spent | None = None,
    ):
        self.run_id = run_id
        self.clock = clock or PhaseClock()
        self._timed = clock is not None
        self._earlier = earlier or Spent()
        # A sum that lacks an attempt would be wrong.
        self._meter = meter if self._earlier.energy is not None else None
        self._energy = self._earlier.energy or Energy()
        self._client = mlflow.MlflowClient()
        self._waiting: list[MlflowMetric] = []
        self._flushed = self._spent_logged = time.monotonic()

    def log_metrics(self, metrics: Mapping[str, float], step: int = 0) -> None:
        """Record metrics; they are written together, every few seconds."""
        now = int(time.time() * 1000)
        self._waiting += [MlflowMetric(name, float(value), now, step) for name, value in metrics.items()]
        if len(self._waiting) >= _BATCH or time.monotonic() - self._flushed > 5:
            self.flush()

    def log_spent(self, *, every: float = 0.0) -> None:
        """Record the seconds of each phase and the energy so far, over all attempts, at most once in some seconds."""
        if time.monotonic() - self._spent_logged < every:
            return
        self._spent_logged = time.monotonic()
        if self._timed:
            spent = self.clock.seconds()
            both = {phase: spent[phase] + self._earlier.seconds.get(phase, 0.0) for phase in Phase}
            self.log_metrics({names.PHASE_SECONDS[phase]: seconds for phase, seconds in both.items() if seconds})
        if self._meter is not None:
            energy = (self._earlier.energy or Energy()) + self._meter.spent()
            self.log_metrics({names.ENERGY: energy.kwh})
            if energy.methods != self._energy.methods:
                self.set_tags({names.ENERGY_TAG: methods_text(energy.methods)})
            self._energy = energy

    @_to_store
    def flush(self) -> None:
        """Write the metrics recorded so far."""
        log_metrics(self._client, self.run_id, self._waiting)
        self._waiting.clear()
        self._flushed = time.monotonic()

    @_to_store
    def set_tags(self, tags: Mapping[str, str]) -> None:
        """Set tags; None of them may be longer than 8,000 characters."""
        self._client.log_batch(self.run_id, tags=[RunTag(name, value) for name, value in tags.items()])

    @_to_store
    def log_config(self, config: Mapping[str, Any]) -> None:
        """Write the resolved configuration: flattened as params, whole as the artifact config.yaml.

        Params that are written stay, as MLflow has it: paths and threads may differ where a run is resumed.
        """
        known = self._client.get_run(self.run_id).data.params
        params = [Param(key, str(value)[:MAX_PARAM_VAL_LENGTH]) for key, value in _flatten(config) if key not in known]
        log_params(self._client, self.run_id, params)
        self.log_text(yaml.safe_dump(dict(config), sort_keys=False), names.CONFIG_FILE)

    @_to_store
    def log_data(self, data: DataSummary) -> None:
        """Write the data set: MLflow's dataset input, its fingerprint and counts, and what was left out."""
        evaluation = {name: count for name, count in data.counts.items() if name in _EVALUATION and count}
        training = {name: count for name, count in data.counts.items() if name not in evaluation}
        given = [_input(data, data.name, training, "training")]
        if evaluation:
            given.append(_input(data, f"{data.name} evaluation", evaluation, "evaluation"))
        retry_taken(lambda: self._client.log_inputs(self.run_id, datasets=given))
        self.set_tags({names.FINGERPRINT_TAG: data.fingerprint})
        self.log_metrics({names.metric_name(names.DATA_GROUP, name): count for name, count in data.counts.items()})
        if data.problems:
            self.log_text("\n".join(data.problems) + "\n", names.PROBLEMS_FILE)

    @_to_store
    def log_provenance(self, folder: Path, hardware: Mapping[str, str]) -> None:
        """Write where the result comes from: commit, uncommitted changes, packages, machine, devices.

        Each attempt after the first has a folder of its own, `provenance/attempt-2` and so on; a warning names what
        it computes with that the one before did not.
        """
        commit = provenance.git_commit(folder)
        facts = {**provenance.machine(), **hardware, "commit": commit or "none"}
        tags = {f"{names.TAG_PREFIX}{name}": value for name, value in facts.items()}
        before = names.current_tags(self._client.get_run(self.run_id).data.tags)
        attempt = before.get(names.ATTEMPTS_TAG, "1")
        for name in sorted({*hardware, "python"}):
            then = before.get(f"{names.TAG_PREFIX}{name}", facts[name])
            if then != facts[name]:
                log.warning("The run began with %s=%s and resumes with %s: bits may differ", name, then, facts[name])
        self.set_tags(tags)
        place = names.provenance_folder(attempt)
        packages = provenance.package_versions()
        self.log_text(json.dumps({**facts, "packages": packages}, indent=2), f"{place}/environment.json")
        diff = provenance.git_diff(folder) if commit else ""
        if diff:
            self.log_text(diff, f"{place}/{names.UNCOMMITTED_FILE}")

    @_to_store
    def log_evaluation(self, evaluation: Evaluation, metrics: Sequence[Metric]) -> None:
        """Write an evaluation: metrics, references, the per-example table, what else there is."""
        self.log_metrics(
            {names.metric_name(names.EVALUATION_GROUP, name): value for name, value in evaluation.metrics.items()}
        )
        for name, figure in evaluation.figures.items():
            self._client.log_image(self.run_id, figure, artifact_file=f"{names.EVALUATION_FOLDER}/{name}.png")
        for reference, values in evaluation.references.items():
            group = names.metric_name(names.REFERENCE_GROUP, reference)
            self.log_metrics({names.metric_name(group, name): value for name, value in values.items()})
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / names.EVALUATION_FOLDER).mkdir()
            specs = json.dumps([asdict(metric) for metric in metrics], indent=2)
            (folder / names.METRIC_SPECS_FILE).write_text(specs)
            evaluation.per_example.to_parquet(folder / names.PER_EXAMPLE_FILE, index=False)
            _sample_table(evaluation.samples).to_parquet(folder / names.SAMPLES_FILE, index=False)
            if evaluation.distribution is not None:
                evaluation.distribution.to_parquet(folder / names.DISTRIBUTION_FILE, index=False)
            if evaluation.replicates is not None:
                evaluation.replicates.to_parquet(folder / names.REPLICATES_FILE, index=False)
            self._client.log_artifacts(self.run_id, str(folder))

    def log_model(self, model: keras.Model, served: ServedModel | None = None) -> None:
        """Write a Keras model in MLflow's format, or its weights alone; where neither can be, a warning says so.

        A result is more than its model: it is not lost with it.

        Args:
            model: The model.
            served: How it is served; None for Keras' arrays.
        """
        with self.clock.phase(Phase.TRACKING):
            try:
                own = self._client.get_run(self.run_id)
                log_keras_model(self._client, own, model, _of_context(own.data.tags), served)
            except Exception as error:  # whatever layers, Keras, MLflow or the disk say
                log.warning("The model of run %s cannot be tracked: %s", self.run_id, _one_line(error))
                self._log_weights(model)

    def _log_weights(self, model: keras.Model) -> None:
        try:
            with tempfile.TemporaryDirectory() as name:
                model.save_weights(Path(name) / names.WEIGHTS_FILE)
                self._client.log_artifacts(self.run_id, name)
        except Exception as error:  # as above
            log.warning("Neither can its weights: %s", _one_line(error))
            folder = local_folder(self._client.get_run(self.run_id).info.artifact_uri)
            if folder is not None:
                (folder / names.WEIGHTS_FILE).unlink(missing_ok=True)
        else:
            log.warning("Its weights are: %s, for `load_weights` of the same model", names.WEIGHTS_FILE)

    @_to_store
    def log_text(self, text: str, file: str) -> None:
        """Write a text as an artifact."""
        self._client.log_text(self.run_id, text, file)

    @_to_store
    def end(self, status: int) -> None:
        """Write that it has ended, and how: a `RunStatus`."""
        self._client.set_terminated(self.run_id, RunStatus.to_string(status))


def _one_line(error: Exception) -> str:
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

    def __init__(self, data: DataSummary, name: str, counts: Mapping[str, int]):
        self._counts = dict(counts)
        # MLflow allows a digest 36 characters; the whole fingerprint is a tag of the run.
        super().__init__(CodeDatasetSource(tags={"source": data.source}), name=name, digest=data.fingerprint[:32])

    @property
    def profile(self) -> dict[str, int]:
        return self._counts

    def to_dict(self) -> dict[str, str]:
        return {**super().to_dict(), "profile": json.dumps(self._counts)}


def _input(data: DataSummary, name: str, counts: Mapping[str, int], context: str) -> DatasetInput:
    # By name and digest, MLflow tells the examples that train from those that evaluate.
    entity = _TrackedData(data, name, counts)._to_mlflow_entity()
    return DatasetInput(entity, [InputTag(MLFLOW_DATASET_CONTEXT, context)])


def log_params(client: mlflow.MlflowClient, run_id: str, params: Sequence[Param]) -> None:
    """Write any number of params."""
    for start in range(0, len(params), _PARAM_BATCH):
        client.log_batch(run_id, params=params[start : start + _PARAM_BATCH])


def log_metrics(client: mlflow.MlflowClient, run_id: str, metrics: Sequence[MlflowMetric]) -> None:
    """Write any number of metrics."""
    for start in range(0, len(metrics), _BATCH):
        client.log_batch(run_id, metrics=metrics[start : start + _BATCH])


def context_tags() -> dict[str, str]:
    """Return the tags that say who and what started this process."""
    return _of_context(resolve_tags())


def _of_context(tags: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in tags.items() if name.startswith(_CONTEXT)}


def _flatten(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and value:
            yield from _flatten(value, f"{name}.")
        else:
            yield name, value
