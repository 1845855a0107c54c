"""Reading a study back from the store: everything that a report needs, as frames."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from mlflow.entities import Run
from mlflow.exceptions import MlflowException

from ablate.errors import TrackingError
from ablate.tracking.names import is_result
from ablate.tracking.search import OURS, REUSED, artifacts_of, search, unread, usable
from ablate.tracking.study import ALIASES, DEFINITION, NO_ALIASES, QUESTION, joined

CODE_FILE = "provenance/code.json"
"""The modules and libraries that a run's result depends on, see `ablate.execution.code_version.Code`."""


@dataclass(frozen=True)
class StudyRecord:
    """A study's runs.

    Attributes:
        name: Name of the study.
        question: What it asks, None where that was never said.
        definition: Its file, as YAML; None for a sweep without one.
        aliases: Effects that its design cannot tell apart, a line each.
        uri: Address of the store.
        experiment_id: The study's experiment in MLflow.
        runs: One row a run, newest first, index `run_id`: columns `status` (FINISHED, FAILED, KILLED, RUNNING),
            `started` (UTC), `seconds`, and every tag that starts with `ablate.` without that start:
            `variant`, `seed` (int), `identity`, `configuration`, `setting`, `reason`, `error`, `commit`, ...; missing
            where a run lacks it. `missing` says why a finished run's result cannot be read.
        metrics: Index `run_id`, one column a metric, its last value.
        params: Index `run_id`, one column a param, as text.
        artifacts: By `run_id`, the address of the folder of a run's artifacts, which another study's run has where
            that is reused; None where it is gone.
    """

    name: str
    question: str | None
    definition: str | None
    aliases: Sequence[str]
    uri: str
    experiment_id: str
    runs: pd.DataFrame
    metrics: pd.DataFrame
    params: pd.DataFrame
    artifacts: Mapping[str, str | None]

    @property
    def readable(self) -> "pd.Series[bool]":
        """Whether a run has a result that can be read, by `run_id`."""
        return (self.runs["status"] == "FINISHED") & self.runs["missing"].isna()

    @property
    def results(self) -> pd.DataFrame:
        """The metrics that are results: runs of one identity have the same bits there."""
        return self.metrics[[name for name in map(str, self.metrics) if is_result(name)]]

    def curve(self, run_id: str, metric: str) -> pd.DataFrame:
        """Return a metric's history: columns `step` and `value`, by step."""
        history = mlflow.MlflowClient().get_metric_history(self._source(run_id), metric)
        frame = pd.DataFrame({"step": [m.step for m in history], "value": [m.value for m in history]})
        # A run that went on after it was killed has done the steps since its last checkpoint twice.
        return frame.drop_duplicates("step", keep="last").sort_values("step", ignore_index=True)

    def per_example(self, run_id: str) -> pd.DataFrame:
        """Return a run's table of evaluation metrics, one row an example."""
        return self._table(run_id, "evaluation/per_example.parquet")

    def metric_specs(self, run_id: str) -> pd.DataFrame:
        """Return what the metrics mean: index `name`, columns label, unit, higher_is_better, description."""
        with _intact(run_id, "evaluation/metrics.json"):
            text = self._artifact(run_id, "evaluation/metrics.json").read_text(encoding="utf-8")
            return pd.DataFrame(json.loads(text)).set_index("name")

    def samples(self, run_id: str) -> pd.DataFrame:
        """Return a run's sample pictures: columns kind (given, truth, output), example, and picture, a PNG file."""
        return self._table(run_id, "evaluation/samples.parquet")

    def distribution(self, run_id: str) -> pd.DataFrame | None:
        """Return how a run's outputs spread beside the truth, see `ablate.task.Evaluation`; None where it has none."""
        listed = mlflow.artifacts.list_artifacts(self._address(run_id, "evaluation"), tracking_uri=self.uri)
        if "distribution.parquet" not in {Path(file.path).name for file in listed}:
            return None
        return self._table(run_id, "evaluation/distribution.parquet")

    def code(self, run_id: str) -> Mapping[str, Any] | None:
        """Return the attributes of `ablate.execution.code_version.Code` of a run; None where it does not say."""
        try:
            return dict(json.loads(self._artifact(run_id, CODE_FILE).read_text(encoding="utf-8")))
        except TrackingError:
            return None

    def problems(self, run_id: str) -> list[str]:
        """Return the files that were left out of a run's data set, a line each."""
        if not self.metrics.loc[run_id].get("data/bad", 0) and not self.metrics.loc[run_id].get("data/ignored", 0):
            return []
        return self._artifact(run_id, "data/problems.txt").read_text(encoding="utf-8").splitlines()

    def _source(self, run_id: str) -> str:
        """Return the run that made a result: another study's where it is reused."""
        reused = self.runs.loc[run_id].get("reused_from")
        return reused if isinstance(reused, str) else run_id

    def _address(self, run_id: str, place: str) -> str:
        # Asked for by a run's id, MLflow reads that run from the store several times for each file.
        folder = self.artifacts[run_id]
        if folder is None:
            raise TrackingError(f"run {run_id} has no artifact {place}: {self.runs['missing'][run_id]}")
        return f"{folder.rstrip('/')}/{place}"

    def _table(self, run_id: str, place: str) -> pd.DataFrame:
        with _intact(run_id, place):
            return pd.read_parquet(self._artifact(run_id, place))

    def _artifact(self, run_id: str, place: str) -> Path:
        try:
            return Path(mlflow.artifacts.download_artifacts(self._address(run_id, place), tracking_uri=self.uri))
        except (MlflowException, OSError) as error:
            raise TrackingError(f"run {run_id} has no artifact {place}: {str(error).splitlines()[0]}") from error


@contextmanager
def _intact(run_id: str, place: str) -> Iterator[None]:
    try:
        yield
    except (ValueError, KeyError, OSError) as error:  # Arrow's, JSON's
        raise TrackingError(
            f"the artifact {place} of run {run_id} is damaged: {str(error).splitlines()[0]}. rerun=all trains it again"
        ) from error


def study_names() -> list[str]:
    """Return the names of the studies in the open store, that with the newest run first.

    Experiments that hold no run of ours, on a server that others use too, are no studies.
    """
    newest = {
        experiment.name: run.info.start_time
        for experiment in mlflow.MlflowClient().search_experiments()
        for run in search([experiment], OURS, limit=1)
    }
    return sorted(newest, key=lambda name: -newest[name])


def read_study(name: str, uri: str) -> StudyRecord:
    """Read a study from the open store.

    Args:
        name: Name of the study.
        uri: Address of the store, which is open.

    Raises:
        TrackingError: There is no such study, or it has no runs.
    """
    experiment = mlflow.MlflowClient().get_experiment_by_name(name)
    if experiment is None or experiment.lifecycle_stage != "active":
        known = ", ".join(study_names()) or "none"
        raise TrackingError(f"the store {uri} has no study {name}. Its studies: {known}")
    runs = usable(search([experiment]), foreign=True)
    if not runs:
        raise TrackingError(f"study {name} in {uri} has no runs yet")
    artifacts = artifacts_of(runs, uri)
    ids = pd.Index([run.info.run_id for run in runs], name="run_id")
    return StudyRecord(
        name=name,
        question=experiment.tags.get(QUESTION),
        definition=joined(experiment.tags, DEFINITION) or None,
        aliases=[line for line in joined(experiment.tags, ALIASES).splitlines() if line != NO_ALIASES],
        uri=uri,
        experiment_id=experiment.experiment_id,
        runs=pd.DataFrame(_rows(runs, unread(runs, artifacts)), index=ids),
        metrics=pd.DataFrame([run.data.metrics for run in runs], index=ids),
        params=pd.DataFrame([run.data.params for run in runs], index=ids),
        artifacts=artifacts,
    )


def runs_of(identities: Sequence[str], study: str, columns: Sequence[str]) -> pd.DataFrame:
    """Return the runs of identities in all studies of the open store.

    Args:
        identities: Which.
        study: The study whose runs are likely to be among them: they are read together.
        columns: What to tell of them, of the columns of `StudyRecord.runs`.

    Returns:
        Newest first, index `run_id`.

    Raises:
        TrackingError: The store cannot be read.
    """
    with _reading():
        client = mlflow.MlflowClient()
        experiments = client.search_experiments()
        wanted, own = set(identities), [experiment for experiment in experiments if experiment.name == study]
        found = _of_identities(search(own, client=client) if own else [], wanted)
        missing = _unread(found, client)
        done = {_identity(run) for run in found if run.info.status == "FINISHED" and run.info.run_id not in missing}
        others = [
            experiment
            for experiment in experiments
            if experiment.name != study and search([experiment], OURS, limit=1, client=client)
        ]
        if others and wanted - done:
            elsewhere = list[Run]()
            for identity in sorted(wanted - done):
                elsewhere += search(others, f"tags.`ablate.identity` = '{identity}'", client=client)
            elsewhere = _of_identities(elsewhere, wanted)
            missing |= _unread(elsewhere, client)
            found += elsewhere
    found.sort(key=lambda run: -run.info.start_time)
    names = {experiment.experiment_id: experiment.name for experiment in experiments}
    rows = [
        {**row, "study": names[run.info.experiment_id]} for run, row in zip(found, _rows(found, missing), strict=True)
    ]
    return _frame(found, rows, columns)


def _of_identities(runs: Sequence[Run], wanted: Collection[str]) -> list[Run]:
    return [run for run in usable(runs) if _identity(run) in wanted]


def _identity(run: Run) -> str:
    return str(run.data.tags["ablate.identity"])


def _unread(runs: Sequence[Run], client: mlflow.MlflowClient) -> dict[str, str]:
    return unread(runs, artifacts_of(runs, mlflow.get_tracking_uri(), client))


_COSTS = {
    "examples": "plan/examples",
    "seconds": "plan/seconds",
    "predicted": "plan/predicted_seconds",
    "flops": "cost/flops_per_image",
    "examples_per_second": "cost/images_per_second",
}


def history(columns: Sequence[str], limit: int = 300) -> pd.DataFrame:
    """Return what the newest finished runs of the open store took, those that were reused left out.

    Args:
        columns: What to tell of them: those of `StudyRecord.runs`, and `examples` that it trained on and `seconds` in
            all, the seconds that were `predicted`, `flops` and `examples_per_second`.
        limit: How many runs to look at.

    Returns:
        Newest first, index `run_id`.

    Raises:
        TrackingError: The store cannot be read.
    """
    with _reading():
        client = mlflow.MlflowClient()
        where = "attributes.status = 'FINISHED' and metrics.`plan/seconds` > 0"
        runs = search(client.search_experiments(), where, limit=limit, client=client)
    own = [run for run in usable(runs) if REUSED not in run.data.tags]
    rows = [
        {**row, **{name: run.data.metrics.get(metric, float("nan")) for name, metric in _COSTS.items()}}
        for run, row in zip(own, _rows(own, {}), strict=True)
    ]
    return _frame(own, rows, columns)


@contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except (MlflowException, OSError) as error:
        raise TrackingError(f"the tracking store cannot be read: {str(error).splitlines()[0]}") from error


def _frame(runs: Sequence[Run], rows: Sequence[Mapping[str, object]], columns: Sequence[str]) -> pd.DataFrame:
    ids = pd.Index([run.info.run_id for run in runs], name="run_id", dtype=object)
    return pd.DataFrame(list(rows), index=ids).reindex(columns=list(columns))


def _rows(runs: Sequence[Run], missing: Mapping[str, str]) -> list[dict[str, object]]:
    return [{**_row(run), "missing": missing.get(run.info.run_id)} for run in runs]


def _row(run: Run) -> dict[str, object]:
    tags = {name.removeprefix("ablate."): value for name, value in run.data.tags.items() if name.startswith("ablate.")}
    start, end = run.info.start_time, run.info.end_time
    return {
        **tags,
        "seed": int(tags["seed"]),
        "status": run.info.status,
        "started": pd.Timestamp(start, unit="ms", tz="UTC"),
        "seconds": (end - start) / 1000 if end else float("nan"),
    }
