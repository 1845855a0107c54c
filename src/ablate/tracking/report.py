"""A report as part of its study in MLflow."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import mlflow
from mlflow.entities import RunStatus, ViewType
from mlflow.exceptions import MlflowException

from ablate.errors import TrackingError
from ablate.tracking import names
from ablate.tracking.store import open_store


@contextmanager
def tracking_of(what: str) -> Iterator[None]:
    """Write to the open store, which was opened to be read, what has been written to files already.

    Args:
        what: The name of that, for the error's message.

    Raises:
        TrackingError: The store does not take it; the files are there.
    """
    try:
        open_store(mlflow.get_tracking_uri())
        yield
    except (TrackingError, MlflowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise TrackingError(
            f"{what} is written, but cannot be tracked: {reason}. track=false leaves that out"
        ) from error


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
    with tracking_of("the report"):
        experiment = client.get_experiment_by_name(study)
        assert experiment is not None
        runs = client.search_runs(
            [experiment.experiment_id],
            filter_string=f"tags.`{names.REPORT_TAG}` = 'true'",
            run_view_type=ViewType.ACTIVE_ONLY,
            max_results=1,
        )
        tags = {names.REPORT_TAG: "true"}
        run = runs[0] if runs else client.create_run(experiment.experiment_id, run_name="report", tags=tags)
        for file in files:
            place = file.relative_to(folder).parent
            client.log_artifact(run.info.run_id, str(file), str(Path(names.REPORT_FOLDER) / place))
        client.set_terminated(run.info.run_id, RunStatus.to_string(RunStatus.FINISHED))
    return str(run.info.run_id)
