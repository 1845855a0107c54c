"""The record of a study, read back from the store: everything that a report needs, as frames."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from mlflow.entities import Experiment, Run
from mlflow.exceptions import MlflowException

from ablate.errors import TrackingError
from ablate.tracking import names
from ablate.tracking.factors import recorded_levels
from ablate.tracking.origin import Origin, origin_of
from ablate.tracking.run_records import rows_of
from ablate.tracking.stored_runs import OURS, artifacts_of, search, unreadable, usable
from ablate.tracking.study import NO_ALIASES, join_pieces, question_of, tuning_of
from ablate.tracking.views import view_address

_ONE_BY_ONE = 20
"""Configurations that are searched for one by one; of more, all runs are read."""


@dataclass(frozen=True)
class StudyRecord:
    """A study's runs.

    Attributes:
        name: Name of the study.
        question: The question that it asks; None where none was recorded.
        definition: Its file, as YAML; None for a sweep without one.
        aliases: Effects that its design aliases, a line each.
        uri: Address of the store.
        experiment_id: The study's experiment in MLflow.
        runs: One row a run, newest first, index `run_id`: columns `status` (FINISHED, FAILED, KILLED, RUNNING),
            `started` (UTC), `seconds`, and every tag that starts with `ablate.` without that start:
            `variant`, `seed` (int), `identity`, `configuration`, `setting`, `reason`, `error`, `commit`, ...; missing
            where a run lacks it. `missing` says why a finished run's result cannot be read.
        metrics: Index `run_id`, one column a metric, its last value.
        params: Index `run_id`, one column a key of the configuration, as text.
        factors: Index `run_id`, one column a factor, its level as text; missing where a run does not record it.
        artifacts: By `run_id`, the address of the folder of a run's artifacts, that of another study's run where the
            result is cached; None where it is gone.
        origins: By `run_id`, where a run was trained.
        tuning: What the search of its `tune` tried and chose, see `study.tuning.Tuned`; None where it has none.
        registered: Its file as it was before its first result, as YAML; None for a sweep without one, and where it was
            not recorded then.
        registered_at: When that was recorded, in UTC.
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
    factors: pd.DataFrame
    artifacts: Mapping[str, str | None]
    origins: Mapping[str, Origin] = field(default_factory=dict)
    tuning: Mapping[str, Any] | None = None
    registered: str | None = None
    registered_at: str = ""

    @property
    def readable(self) -> "pd.Series[bool]":
        """Whether a run has a result that can be read, by `run_id`."""
        return (self.runs["status"] == "FINISHED") & self.runs["missing"].isna()

    @property
    def results(self) -> pd.DataFrame:
        """The metrics that are results: runs of one identity have the same bits there."""
        return self.metrics[[name for name in map(str, self.metrics) if names.is_result(name)]]

    def curve(self, run_id: str, metric: str) -> pd.DataFrame:
        """Return a metric's history: columns `step` and `value`, by step."""
        history = mlflow.MlflowClient().get_metric_history(self._source(run_id), metric)
        frame = pd.DataFrame({"step": [m.step for m in history], "value": [m.value for m in history]})
        # A run that was killed and resumed has done the steps since its last checkpoint twice.
        return frame.drop_duplicates("step", keep="last").sort_values("step", ignore_index=True)

    def per_example(self, run_id: str) -> pd.DataFrame:
        """Return a run's table of evaluation metrics, one row an example."""
        table = self._table(run_id, names.PER_EXAMPLE_FILE, "example")
        with _intact(run_id, names.PER_EXAMPLE_FILE):
            if not all(isinstance(name, str) for name in table["example"]):
                raise ValueError("an example has no name")
        return table

    def metric_specs(self, run_id: str) -> pd.DataFrame:
        """Return what the metrics mean: index `name`, columns label, unit, higher_is_better, description."""
        with _intact(run_id, names.METRIC_SPECS_FILE):
            text = self._artifact(run_id, names.METRIC_SPECS_FILE).read_text(encoding="utf-8")
            specs = pd.DataFrame(json.loads(text)).set_index("name")
            if lacking := sorted({"label", "unit", "higher_is_better"} - {*map(str, specs)}):
                raise ValueError(f"its metrics have no {lacking[0]}")
            return specs

    def samples(self, run_id: str) -> pd.DataFrame:
        """Return a run's sample pictures: columns kind (given, truth, output), example, and picture, a PNG file."""
        return self._table(run_id, names.SAMPLES_FILE, "kind", "example", "picture")

    def distribution(self, run_id: str) -> pd.DataFrame | None:
        """Return how a run's outputs spread beside the truth, see `ablate.task.Evaluation`; None where it has none."""
        return self._optional_table(run_id, names.DISTRIBUTION_FILE, "truth", "output")

    def replicates(self, run_id: str) -> pd.DataFrame | None:
        """Return a run's metrics of the whole set on bootstrapped examples, one row a replicate; None without any."""
        return self._optional_table(run_id, names.REPLICATES_FILE)

    def code(self, run_id: str) -> Mapping[str, Any] | None:
        """Return the attributes of `ablate.execution.code_version.Code` of a run; None where it does not say."""
        try:
            text = self._artifact(run_id, names.CODE_FILE).read_text(encoding="utf-8")
        except TrackingError:
            return None
        with _intact(run_id, names.CODE_FILE):
            said = json.loads(text)
            tables = {name: dict(said[name]) for name in ("modules", "libraries")}
            return {**tables, "version": str(said["version"])}

    def packages(self, run_id: str) -> dict[str, str]:
        """Return the versions of packages that a run was trained with; empty where it does not say.

        They are those of `ablate` and what it stands on, and those that the task's code imports.
        """
        try:
            text = self._artifact(run_id, names.ENVIRONMENT_FILE).read_text(encoding="utf-8")
        except TrackingError:
            return {}
        with _intact(run_id, names.ENVIRONMENT_FILE):
            packages = {str(name): str(version) for name, version in json.loads(text).get("packages", {}).items()}
        code = self.code(run_id) or {"libraries": {}}
        imported = {str(name): str(version) for name, version in code["libraries"].items()}
        return packages | {name: imported[name] for name in sorted(imported.keys() - packages.keys())}

    def uncommitted(self, run_id: str) -> str:
        """Return the uncommitted changes that a run was last trained with, see `provenance.git_diff`."""
        attempt = self.runs.loc[run_id].get("attempts")
        folder = names.provenance_folder(attempt if isinstance(attempt, str) else "1")
        try:
            return self._artifact(run_id, f"{folder}/{names.UNCOMMITTED_FILE}").read_text(encoding="utf-8")
        except TrackingError:
            return ""

    def problems(self, run_id: str) -> list[str]:
        """Return the files that were left out of a run's data set, a line each."""
        metrics = self.metrics.loc[run_id]
        if not metrics.get(names.UNUSABLE_FILES, 0) and not metrics.get(names.IGNORED_FILES, 0):
            return []
        return self._artifact(run_id, names.PROBLEMS_FILE).read_text(encoding="utf-8").splitlines()

    def _source(self, run_id: str) -> str:
        """Return the run that has a result: another study's where it is cached, unless it was imported."""
        source = self.runs.loc[run_id].get("cached_from")
        imported = run_id in self.origins and self.origins[run_id].imported
        return source if isinstance(source, str) and not imported else run_id

    def _address(self, run_id: str, place: str) -> str:
        # Asked for by a run's id, MLflow reads that run from the store several times for each file.
        folder = self.artifacts[run_id]
        if folder is None:
            raise TrackingError(f"run {run_id} has no artifact {place}: {self.runs['missing'][run_id]}")
        return f"{folder.rstrip('/')}/{place}"

    def _table(self, run_id: str, place: str, *columns: str) -> pd.DataFrame:
        """Read a table, and check that it has columns."""
        with _intact(run_id, place):
            table = pd.read_parquet(self._artifact(run_id, place))
            if lacking := sorted({*columns} - {*map(str, table)}):
                raise ValueError(f"it has no column {lacking[0]}")
            return table

    def _optional_table(self, run_id: str, place: str, *columns: str) -> pd.DataFrame | None:
        listed = mlflow.artifacts.list_artifacts(self._address(run_id, names.EVALUATION_FOLDER), tracking_uri=self.uri)
        known = {Path(file.path).name for file in listed}
        return self._table(run_id, place, *columns) if Path(place).name in known else None

    def _artifact(self, run_id: str, place: str) -> Path:
        try:
            return Path(mlflow.artifacts.download_artifacts(self._address(run_id, place), tracking_uri=self.uri))
        except (MlflowException, OSError) as error:
            raise TrackingError(f"run {run_id} has no artifact {place}: {str(error).splitlines()[0]}") from error


def _config(params: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in params.items() if not names.is_factor(key)}


@contextmanager
def _intact(run_id: str, place: str) -> Iterator[None]:
    try:
        yield
    except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:  # Arrow's, JSON's, of other contents
        raise TrackingError(
            f"the artifact {place} of run {run_id} is damaged: {str(error).splitlines()[0]}. rerun=all trains it again"
        ) from error


def study_names() -> list[str]:
    """Return the names of the studies in the open store, that with the newest run first.

    Experiments that hold no run of ours, on a server that others use too, are no studies.
    """
    return [experiment.name for experiment in _studies()]


def study_addresses() -> dict[str, str]:
    """Return by study the address of its runs in MLflow, from the start page; that with the newest run first."""
    return {experiment.name: view_address(experiment.experiment_id) for experiment in _studies()}


def _studies() -> list[Experiment]:
    newest = [
        (run.info.start_time, experiment)
        for experiment in mlflow.MlflowClient().search_experiments()
        for run in search([experiment], OURS, limit=1)
    ]
    return [experiment for _, experiment in sorted(newest, key=lambda found: -found[0])]


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
    # MLflow sorts runs that began at once by their ids here, which imported ones have not had before.
    runs.sort(key=lambda run: (-run.info.start_time, origin_of(run, uri).run_id))
    return _record_of(runs, uri, name, experiment.experiment_id, experiment.tags)


def read_configurations(configurations: Sequence[str], uri: str) -> StudyRecord | None:
    """Read the finished runs of some configurations, of all studies of the open store, as if they were one study's.

    Args:
        configurations: Identities apart from the seed.
        uri: Address of the store, which is open.

    Returns:
        None where there is no such run.

    Raises:
        TrackingError: The store cannot be read.
    """
    try:
        client = mlflow.MlflowClient()
        experiments = client.search_experiments()
        finished = "attributes.status = 'FINISHED'"
        if len(configurations) > _ONE_BY_ONE:
            found = search(experiments, f"{finished} and {OURS}", client=client)
        else:
            where = f"{finished} and tags.`{names.CONFIGURATION_TAG}` = "
            found = [run for one in configurations for run in search(experiments, f"{where}'{one}'", client=client)]
        wanted = set(configurations)
        runs = [run for run in usable(found) if run.data.tags.get(names.CONFIGURATION_TAG) in wanted]
        if not runs:
            return None
        runs.sort(key=lambda run: -run.info.start_time)
        return _record_of(runs, uri, "", "", {})
    except (MlflowException, OSError) as error:
        raise TrackingError(f"the tracking store cannot be read: {str(error).splitlines()[0]}") from error


def _record_of(runs: Sequence[Run], uri: str, name: str, experiment_id: str, tags: Mapping[str, str]) -> StudyRecord:
    artifacts = artifacts_of(runs, uri)
    ids = pd.Index([run.info.run_id for run in runs], name="run_id")
    return StudyRecord(
        name=name,
        question=question_of(tags),
        definition=join_pieces(tags, names.DEFINITION_TAG) or None,
        registered=join_pieces(tags, names.REGISTERED_TAG) or None,
        registered_at=tags.get(names.REGISTERED_AT_TAG, ""),
        aliases=[line for line in join_pieces(tags, names.ALIASES_TAG).splitlines() if line != NO_ALIASES],
        uri=uri,
        experiment_id=experiment_id,
        runs=pd.DataFrame(rows_of(runs, unreadable(runs, artifacts)), index=ids),
        metrics=pd.DataFrame([names.current_metrics(run.data.metrics) for run in runs], index=ids),
        params=pd.DataFrame([_config(run.data.params) for run in runs], index=ids),
        factors=pd.DataFrame([recorded_levels(run.data.params) for run in runs], index=ids),
        artifacts=artifacts,
        origins={run.info.run_id: origin_of(run, uri) for run in runs},
        tuning=tuning_of(tags),
    )
