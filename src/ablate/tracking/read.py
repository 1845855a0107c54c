"""Reading a study back from the store: everything that a report needs, as frames."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from mlflow.entities import Experiment, Run, ViewType
from mlflow.exceptions import MlflowException

from ablate.errors import TrackingError
from ablate.tracking.study import ALIASES, DEFINITION, NO_ALIASES, QUESTION, joined

CODE_FILE = "provenance/code.json"
"""The modules and libraries that a run's result depends on, see `ablate.study.code.Code`."""


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
            where a run lacks it.
        metrics: Index `run_id`, one column a metric, its last value.
        params: Index `run_id`, one column a param, as text.
        artifacts: By `run_id`, the address of the folder of a run's artifacts.
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
    artifacts: Mapping[str, str]

    def curve(self, run_id: str, metric: str) -> pd.DataFrame:
        """Return a metric's history: columns `step` and `value`, by step."""
        history = mlflow.MlflowClient().get_metric_history(self._source(run_id), metric)
        frame = pd.DataFrame({"step": [m.step for m in history], "value": [m.value for m in history]})
        # A run that went on after it was killed has done the steps since its last checkpoint twice.
        return frame.drop_duplicates("step", keep="last").sort_values("step", ignore_index=True)

    def per_example(self, run_id: str) -> pd.DataFrame:
        """Return a run's table of evaluation metrics, one row an example."""
        return pd.read_parquet(self._artifact(run_id, "evaluation/per_example.parquet"))

    def metric_specs(self, run_id: str) -> pd.DataFrame:
        """Return what the metrics mean: index `name`, columns label, unit, higher_is_better, description."""
        text = self._artifact(run_id, "evaluation/metrics.json").read_text(encoding="utf-8")
        return pd.DataFrame(json.loads(text)).set_index("name")

    def samples(self, run_id: str) -> pd.DataFrame:
        """Return a run's sample pictures: columns kind (given, truth, output), example, and picture, a PNG file."""
        return pd.read_parquet(self._artifact(run_id, "evaluation/samples.parquet"))

    def distribution(self, run_id: str) -> pd.DataFrame | None:
        """Return how a run's outputs spread beside the truth, see `ablate.task.Evaluation`; None where it has none."""
        listed = mlflow.artifacts.list_artifacts(self._address(run_id, "evaluation"), tracking_uri=self.uri)
        if "distribution.parquet" not in {Path(file.path).name for file in listed}:
            return None
        return pd.read_parquet(self._artifact(run_id, "evaluation/distribution.parquet"))

    def code(self, run_id: str) -> Mapping[str, Any] | None:
        """Return the attributes of `ablate.study.code.Code` of a run; None where it does not say."""
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
        source = self._source(run_id)
        folder = self.artifacts[run_id] if source == run_id else _artifact_folder(source, self.uri)
        return f"{folder.rstrip('/')}/{place}"

    def _artifact(self, run_id: str, place: str) -> Path:
        try:
            return Path(mlflow.artifacts.download_artifacts(self._address(run_id, place), tracking_uri=self.uri))
        except (MlflowException, OSError) as error:
            raise TrackingError(f"run {run_id} has no artifact {place}: {str(error).splitlines()[0]}") from error


@cache
def _artifact_folder(run_id: str, uri: str) -> str:
    """Return where a run of any study has its artifacts: that never changes."""
    return str(mlflow.MlflowClient(uri).get_run(run_id).info.artifact_uri)


def study_names() -> list[str]:
    """Return the names of the studies in the open store, that with the newest run first.

    Experiments that hold no run of ours, on a server that others use too, are no studies.
    """
    newest = {
        experiment.name: run.info.start_time
        for experiment in mlflow.MlflowClient().search_experiments()
        for run in _runs([experiment], limit=1, only_ours=True)
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
    runs = _runs([experiment], only_ours=True)
    if not runs:
        raise TrackingError(f"study {name} in {uri} has no runs yet")
    ids = pd.Index([run.info.run_id for run in runs], name="run_id")
    return StudyRecord(
        name=name,
        question=experiment.tags.get(QUESTION),
        definition=joined(experiment.tags, DEFINITION) or None,
        aliases=[line for line in joined(experiment.tags, ALIASES).splitlines() if line != NO_ALIASES],
        uri=uri,
        experiment_id=experiment.experiment_id,
        runs=pd.DataFrame([_row(run) for run in runs], index=ids),
        metrics=pd.DataFrame([run.data.metrics for run in runs], index=ids),
        params=pd.DataFrame([run.data.params for run in runs], index=ids),
        artifacts={run.info.run_id: run.info.artifact_uri for run in runs},
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
        wanted, found = set(identities), list[Run]()
        own = [experiment for experiment in experiments if experiment.name == study]
        if own:
            found += [run for run in _runs(own, only_ours=True) if run.data.tags["ablate.identity"] in wanted]
        finished = {run.data.tags["ablate.identity"] for run in found if run.info.status == "FINISHED"}
        others = [
            experiment
            for experiment in experiments
            if experiment.name != study and _runs([experiment], limit=1, only_ours=True)
        ]
        if others:
            for identity in sorted(wanted - finished):
                found += _runs(others, where=f"tags.`ablate.identity` = '{identity}'", client=client)
    found.sort(key=lambda run: -run.info.start_time)
    names = {experiment.experiment_id: experiment.name for experiment in experiments}
    return _frame(found, [{**_row(run), "study": names[run.info.experiment_id]} for run in found], columns)


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
        runs = _runs(client.search_experiments(), limit=limit, where=where, client=client)
    own = [run for run in runs if "ablate.reused_from" not in run.data.tags]
    rows = [
        {**_row(run), **{name: run.data.metrics.get(metric, float("nan")) for name, metric in _COSTS.items()}}
        for run in own
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


def _runs(
    experiments: Sequence[Experiment],
    limit: int | None = None,
    only_ours: bool = False,
    where: str = "",
    client: mlflow.MlflowClient | None = None,
) -> list[Run]:
    client = client or mlflow.MlflowClient()
    found, token = list[Run](), None
    while True:
        page = client.search_runs(
            [experiment.experiment_id for experiment in experiments],
            filter_string="tags.`ablate.identity` LIKE '%'" if only_ours else where,
            run_view_type=ViewType.ACTIVE_ONLY,
            max_results=limit or 1000,
            order_by=["attributes.start_time DESC"],
            page_token=token,
        )
        found += page
        token = page.token
        if not token or (limit and len(found) >= limit):
            return found


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
