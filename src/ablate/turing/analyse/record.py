"""An experiment's analysis as artifacts of its study: written by `analyse`, read by the report."""

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from ablate.errors import TrackingError
from ablate.tracking.study_artifacts import StudyArtifacts, log_study_artifacts, read_study_artifacts

KIND, SUMMARY = "turing", "summary.json"
TABLES = ("rates", "pairs", "exclusions", "photographs", "pictures")
"""The frames of an analysis, each an artifact `turing/NAME.parquet`."""
METRICS = {
    "turing/fooling_rate": "rate",
    "turing/fooling_rate_low": "low",
    "turing/fooling_rate_high": "high",
    "turing/participants": "participants",
}
"""What a variant's own run gets, by the column of `rates` that it comes from."""
PREFERENCE_METRICS = {
    "turing/preferred": "share",
    "turing/preferred_low": "low",
    "turing/preferred_high": "high",
    "turing/participants": "participants",
}
"""The same in a preference design."""
RATING_METRICS = {
    "turing/rating": "rating",
    "turing/rating_low": "low",
    "turing/rating_high": "high",
    "turing/participants": "participants",
}
"""The same in a rating design."""
_OLD_COLUMNS = {"detectable": "minimum_detectable_effect"}


@dataclass(frozen=True)
class AnalysisRecord:
    """An experiment's analysis, as the store has it.

    Attributes:
        experiment: Name of the experiment.
        run_id: The run in MLflow that holds it.
        rates: A row an algorithm: columns algorithm, participants, photographs, trials, rate, low, high (percent),
            p_chance, p_corrected, median_response_ms, and of later versions `sensitivity.SENSITIVITY`; in a preference
            design `preference.RANKING` and median_response_ms, in a rating design `ratings.RATINGS` and that.
        pairs: A row a pair: columns algorithm, other, difference (percentage points, algorithm less other), low,
            high, p, p_corrected, minimum_detectable_effect; in a preference design `preference.PREFERENCES`.
        exclusions: A row a rule, in the order in which they are applied: columns rule, participants, trials.
        photographs: A row an algorithm and a picture: columns algorithm, photograph, real, recolored, trials, fooled,
            rate.
        pictures: The most and least convincing: columns algorithm, photograph, place, rank, trials, rate, real,
            recolored (PNG files).
        summary: experiment, study, checksum, protocol, counts of participants, and the sentences `answer` and
            `warnings`.
    """

    experiment: str
    run_id: str
    rates: pd.DataFrame
    pairs: pd.DataFrame
    exclusions: pd.DataFrame
    photographs: pd.DataFrame
    pictures: pd.DataFrame
    summary: Mapping[str, Any]

    @property
    def is_preference(self) -> bool:
        """Whether algorithms were compared with each other."""
        return "share" in self.rates

    @property
    def is_rating(self) -> bool:
        """Whether pictures were rated, one at a time."""
        return "rating" in self.rates


def log_analysis(
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
        tables: `TABLES`, as `AnalysisRecord` has them.
        summary: Plain values.
        runs: By algorithm, the run that coloured its pictures, where one did.

    Returns:
        The id of the run that holds the analysis.

    Raises:
        TrackingError: The store has no such study, or does not take it.
    """
    kinds = {"share": PREFERENCE_METRICS, "rating": RATING_METRICS}
    metrics = next((kinds[column] for column in kinds if column in tables["rates"]), METRICS)
    run_metrics = {
        runs[row["algorithm"]]: {metric: float(row[column]) for metric, column in metrics.items()}
        for row in tables["rates"].to_dict("records")
        if row["algorithm"] in runs
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for table in TABLES:
            tables[table].to_parquet(folder / f"{table}.parquet", index=False)
        (folder / SUMMARY).write_text(json.dumps(summary, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        files = sorted(folder.iterdir())
        return log_study_artifacts(study, KIND, folder, files, name=experiment, run_metrics=run_metrics)


def read_analyses(study: str, experiment_id: str, uri: str) -> list[AnalysisRecord]:
    """Read the analyses of a study from the open store, the newest first; one query where there are none.

    Args:
        study: Its name.
        experiment_id: Its experiment in MLflow.
        uri: Address of the store.

    Raises:
        TrackingError: The store cannot be read, or an artifact is missing.
    """
    try:
        return [_read(found) for found in read_study_artifacts(experiment_id, uri, KIND)]
    except (TrackingError, OSError, ValueError) as error:  # ValueError: Arrow's, of a damaged file
        raise TrackingError(
            f"the human evaluation of study {study} cannot be read: {str(error).splitlines()[0]}. "
            "`python -m ablate.turing analyse` writes it again"
        ) from error


def _read(found: StudyArtifacts) -> AnalysisRecord:
    return AnalysisRecord(
        experiment=found.name,
        run_id=found.run_id,
        **{table: pd.read_parquet(found.folder / f"{table}.parquet").rename(columns=_OLD_COLUMNS) for table in TABLES},
        summary=json.loads((found.folder / SUMMARY).read_text(encoding="utf-8")),
    )
