"""What people said, as part of its study in MLflow: written by an analysis, read by the report."""

import json
import logging
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from mlflow.entities import Metric, Run, RunStatus, ViewType
from mlflow.exceptions import MlflowException

from ablate.errors import TrackingError
from ablate.tracking.report import tracking_of
from ablate.tracking.sqlite import located
from ablate.tracking.study_record import StudyRecord

log = logging.getLogger(__name__)

FOLDER, SUMMARY = "turing", "summary.json"
TABLES = ("rates", "pairs", "exclusions", "photographs", "pictures")
"""The frames of an analysis, each an artifact `turing/NAME.parquet`."""
METRICS = {
    "turing/fooling_rate": "rate",
    "turing/fooling_rate_low": "low",
    "turing/fooling_rate_high": "high",
    "turing/participants": "participants",
}
"""What a variant's own run gets, by the column of `rates` that it comes from."""
_TAG = "ablate.turing"


@dataclass(frozen=True)
class TuringRecord:
    """An experiment's analysis, as the store has it.

    Attributes:
        experiment: Name of the experiment.
        run_id: The run in MLflow that holds it.
        rates: A row an algorithm: columns algorithm, participants, photographs, trials, rate, low, high (percent),
            p_chance, p_corrected, median_response_ms.
        pairs: A row a pair: columns algorithm, other, difference (percentage points, algorithm less other), low,
            high, p, p_corrected.
        exclusions: A row a rule, in the order in which they are applied: columns rule, participants, trials.
        photographs: A row an algorithm and a picture: columns algorithm, photograph, real, recolored, trials, fooled,
            rate.
        pictures: The most and least convincing: columns algorithm, photograph, place, rank, trials, rate, real,
            recolored (PNG files).
        summary: experiment, study, checksum, protocol, counts of participants, and the sentences `answer`.
    """

    experiment: str
    run_id: str
    rates: pd.DataFrame
    pairs: pd.DataFrame
    exclusions: pd.DataFrame
    photographs: pd.DataFrame
    pictures: pd.DataFrame
    summary: Mapping[str, Any]


def log_turing(
    study: str,
    experiment: str,
    *,
    tables: Mapping[str, pd.DataFrame],
    summary: Mapping[str, Any],
    runs: Mapping[str, str],
) -> str:
    """Write an analysis to the open store: a run `turing` of the study for each experiment; it replaces an older one.

    Each variant's own run gets its rate as metrics as well. Where several experiments judge one run, those are of the
    analysis that came last.

    Args:
        study: Name of the study, which is there.
        experiment: Name of the experiment.
        tables: `TABLES`, as `TuringRecord` has them.
        summary: Plain values.
        runs: By algorithm, the run that coloured its pictures, where one did.

    Returns:
        The id of the run that holds the analysis.

    Raises:
        TrackingError: The store has no such study, or does not take it.
    """
    client = mlflow.MlflowClient()
    with tracking_of("the analysis"):
        found = client.get_experiment_by_name(study)
        if found is None or found.lifecycle_stage != "active":
            raise TrackingError(
                f"the analysis is written, but the store {mlflow.get_tracking_uri()} has no study {study} to track it "
                "in. uri= names another store, track=false leaves that out"
            )
        older = _runs(client, found.experiment_id, f"tags.`{_TAG}` = '{experiment}'")
        run = older[0] if older else client.create_run(found.experiment_id, run_name="turing", tags={_TAG: experiment})
        # Read while it is half replaced, it would be of two analyses.
        client.update_run(run.info.run_id, RunStatus.to_string(RunStatus.RUNNING))
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for table in TABLES:
                tables[table].to_parquet(folder / f"{table}.parquet", index=False)
            (folder / SUMMARY).write_text(json.dumps(summary, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
            client.log_artifacts(run.info.run_id, str(folder), FOLDER)
        for row in tables["rates"].to_dict("records"):
            if row["algorithm"] in runs:
                _log_rate(client, runs[row["algorithm"]], {name: float(row[of]) for name, of in METRICS.items()})
        client.set_terminated(run.info.run_id, RunStatus.to_string(RunStatus.FINISHED))
    return str(run.info.run_id)


def read_turing(record: StudyRecord) -> list[TuringRecord]:
    """Read the analyses of a study from the open store, the newest first; one query where there are none.

    Raises:
        TrackingError: The store cannot be read, or an artifact is missing.
    """
    where = f"tags.`{_TAG}` LIKE '%' and attributes.status = 'FINISHED'"
    try:
        return [_read(run, record.uri) for run in _runs(mlflow.MlflowClient(), record.experiment_id, where)]
    except (MlflowException, OSError, ValueError) as error:  # ValueError: Arrow's, of a damaged file
        raise TrackingError(
            f"what people said of study {record.name} cannot be read: {str(error).splitlines()[0]}. "
            "`python -m ablate.turing analyse` writes it again"
        ) from error


def _runs(client: mlflow.MlflowClient, experiment_id: str, where: str) -> list[Run]:
    """Return the runs that hold analyses, that with the last one first."""
    found = client.search_runs(
        [experiment_id],
        filter_string=where,
        run_view_type=ViewType.ACTIVE_ONLY,
        order_by=["attributes.end_time DESC"],
    )
    return list(found)


def _read(run: Run, uri: str) -> TuringRecord:
    address = f"{located(run.info.artifact_uri, uri).rstrip('/')}/{FOLDER}"
    folder = Path(mlflow.artifacts.download_artifacts(address, tracking_uri=uri))
    return TuringRecord(
        experiment=run.data.tags[_TAG],
        run_id=run.info.run_id,
        **{table: pd.read_parquet(folder / f"{table}.parquet") for table in TABLES},
        summary=json.loads((folder / SUMMARY).read_text(encoding="utf-8")),
    )


def _log_rate(client: mlflow.MlflowClient, run_id: str, metrics: Mapping[str, float]) -> None:
    try:
        client.get_run(run_id)
    except MlflowException:
        log.warning("The store has no run %s any more: its fooling rate is with the study alone", run_id)
        return
    now = int(time.time() * 1000)
    client.log_batch(run_id, metrics=[Metric(name, value, now, 0) for name, value in metrics.items()])
