"""A report as part of its study in MLflow."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import mlflow
from mlflow.entities import RunStatus, ViewType
from mlflow.exceptions import MlflowException

from ablate.errors import TrackingError
from ablate.tracking.store import open_store

_TAG = "ablate.report"


@contextmanager
def beside_files(what: str) -> Iterator[None]:
    """Track what has been written to files as well, in the open store, which was opened to be read.

    Args:
        what: That, for the message.

    Raises:
        TrackingError: The store does not take it; the files are there.
    """
    try:
        open_store(mlflow.get_tracking_uri())
    except TrackingError as error:
        raise TrackingError(_untracked(what, error)) from error
    try:
        yield
    except (MlflowException, OSError) as error:
        raise TrackingError(_untracked(what, error)) from error


def _untracked(what: str, error: Exception) -> str:
    return f"{what} is written, but cannot be tracked: {str(error).splitlines()[0]}. track=false leaves that out"


def log_report(study: str, folder: Path, files: Sequence[Path]) -> str:
    """Write a report's files to the open store, as artifacts of the study's run `report`; it replaces an older one's.

    Args:
        study: Name of the study, which is there.
        folder: Where the report is.
        files: Its files, somewhere below the folder.

    Returns:
        The run's id.

    Raises:
        TrackingError: The store does not take it.
    """
    client = mlflow.MlflowClient()
    with beside_files("the report"):
        experiment = client.get_experiment_by_name(study)
        assert experiment is not None
        runs = client.search_runs(
            [experiment.experiment_id],
            filter_string=f"tags.`{_TAG}` = 'true'",
            run_view_type=ViewType.ACTIVE_ONLY,
            max_results=1,
        )
        run = runs[0] if runs else client.create_run(experiment.experiment_id, run_name="report", tags={_TAG: "true"})
        for file in files:
            place = file.relative_to(folder).parent
            client.log_artifact(run.info.run_id, str(file), "report" if place == Path() else f"report/{place}")
        client.set_terminated(run.info.run_id, RunStatus.to_string(RunStatus.FINISHED))
    return str(run.info.run_id)
