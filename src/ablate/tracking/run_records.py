"""Records of runs across all studies of a store: those of an identity, and what finished ones took."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager

import mlflow
import pandas as pd
from mlflow.entities import Experiment, Run
from mlflow.exceptions import MlflowException

from ablate.errors import TrackingError
from ablate.tracking import names
from ablate.tracking.notes import without_note
from ablate.tracking.stored_runs import OURS, artifacts_of, search, unreadable, usable


def runs_of(identities: Sequence[str], study: str, columns: Sequence[str]) -> pd.DataFrame:
    """Return the runs of identities in all studies of the open store.

    Args:
        identities: The identities.
        study: The study whose runs are likely to be among them: they are read together.
        columns: The columns to return, of those of `StudyRecord.runs`.

    Returns:
        Newest first, index `run_id`.

    Raises:
        TrackingError: The store cannot be read.
    """
    with _reading():
        client = mlflow.MlflowClient()
        experiments = client.search_experiments()
        wanted = set(identities)
        own, others = (
            [experiment for experiment in experiments if (experiment.name == study) is ours] for ours in (True, False)
        )
        # Many are read together, one without the rest of its study.
        where = _has(identities[0]) if len(wanted) == 1 else ""
        found = _of_identities(search(own, where, client=client) if own else [], wanted)
        missing = _unreadable(found, client)
        done = {_identity(run) for run in found if run.info.status == "FINISHED" and run.info.run_id not in missing}
        if len(wanted - done) > 1:
            others = [experiment for experiment in others if search([experiment], OURS, limit=1, client=client)]
        if others:
            elsewhere = list[Run]()
            for identity in sorted(wanted - done):
                elsewhere += search(others, _has(identity), client=client)
            elsewhere = _of_identities(elsewhere, wanted)
            missing |= _unreadable(elsewhere, client)
            found += elsewhere
    found.sort(key=lambda run: -run.info.start_time)
    return _frame(found, _rows_of_store(found, missing, experiments), columns)


def runs_of_store(columns: Sequence[str]) -> pd.DataFrame:
    """Return the runs of all studies of the open store.

    Args:
        columns: The columns to return, of those of `StudyRecord.runs`, and `checkpoint_dir` and
            `lease_timeout_minutes` of its configuration, as text.

    Returns:
        Newest first, index `run_id`.

    Raises:
        TrackingError: The store cannot be read.
    """
    with _reading():
        client = mlflow.MlflowClient()
        experiments = client.search_experiments()
        found = usable(search(experiments, OURS, client=client)) if experiments else []
        missing = _unreadable(found, client)
    return _frame(found, _rows_of_store(found, missing, experiments), columns)


def _rows_of_store(
    found: Sequence[Run], missing: Mapping[str, str], experiments: Sequence[Experiment]
) -> list[dict[str, object]]:
    """Return the rows of runs of any study, with what `runs_of_store` adds."""
    studies = {experiment.experiment_id: experiment.name for experiment in experiments}
    return [
        {
            **row,
            "study": studies[run.info.experiment_id],
            "checkpoint_dir": run.data.params.get("checkpoint.dir"),
            "lease_timeout_minutes": run.data.params.get("checkpoint.lease_timeout_minutes"),
        }
        for run, row in zip(found, rows_of(found, missing), strict=True)
    ]


def values_of(run_ids: Collection[str], metrics: Sequence[str]) -> pd.DataFrame:
    """Return metrics of runs of the open store.

    Args:
        run_ids: The runs.
        metrics: The metrics, as they are stored: `eval/accuracy`.

    Returns:
        Index `run_id`, a column a metric; NaN where a run lacks it.

    Raises:
        TrackingError: The store cannot be read.
    """
    with _reading():
        client = mlflow.MlflowClient()
        found = {run_id: client.get_run(run_id).data.metrics for run_id in run_ids}
    rows = [[values.get(metric, float("nan")) for metric in metrics] for values in found.values()]
    return pd.DataFrame(rows, index=list(found), columns=list(metrics))


def _has(identity: str) -> str:
    return f"tags.`{names.IDENTITY_TAG}` = '{identity}'"


def _of_identities(runs: Sequence[Run], wanted: Collection[str]) -> list[Run]:
    return [run for run in usable(runs) if _identity(run) in wanted]


def _identity(run: Run) -> str:
    return str(run.data.tags[names.IDENTITY_TAG])


def _unreadable(runs: Sequence[Run], client: mlflow.MlflowClient) -> dict[str, str]:
    return unreadable(runs, artifacts_of(runs, mlflow.get_tracking_uri(), client))


_COSTS = {
    "examples": names.EXAMPLES,
    "seconds": names.SECONDS,
    "predicted": names.PREDICTED_SECONDS,
    "flops": names.FLOPS,
    "examples_per_second": names.EXAMPLES_PER_SECOND,
    "energy_kwh": names.ENERGY,
    **{metric: metric for metric in names.PHASE_SECONDS.values()},
}


def history(columns: Sequence[str], limit: int = 300) -> pd.DataFrame:
    """Return what the newest finished runs of the open store took, cached ones left out.

    Args:
        columns: The columns to return, of those of `StudyRecord.runs`, and `examples` that it trained on, `seconds` in
            all, the seconds that were `predicted`, `flops`, `examples_per_second`, `energy_kwh`, and
            `names.PHASE_SECONDS`.
        limit: Most runs to look at.

    Returns:
        Newest first, index `run_id`.

    Raises:
        TrackingError: The store cannot be read.
    """
    with _reading():
        client = mlflow.MlflowClient()
        where = f"attributes.status = 'FINISHED' and metrics.`{names.SECONDS}` > 0"
        runs = search(client.search_experiments(), where, limit=limit, client=client)
    own = [run for run in usable(runs) if names.CACHED_FROM_TAG not in names.current_tags(run.data.tags)]
    rows = [
        {**row, **{name: metrics.get(metric, float("nan")) for name, metric in _COSTS.items()}}
        for metrics, row in zip(
            (names.current_metrics(run.data.metrics) for run in own), rows_of(own, {}), strict=True
        )
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


def rows_of(runs: Sequence[Run], missing: Mapping[str, str]) -> list[dict[str, object]]:
    """Return a row for each run, with the columns of `StudyRecord.runs`.

    Args:
        runs: Runs that can be used.
        missing: By id, why the result of a run cannot be read.
    """
    return [{**_row(run), "missing": missing.get(run.info.run_id)} for run in runs]


def _row(run: Run) -> dict[str, object]:
    tags = {
        name.removeprefix(names.TAG_PREFIX): value
        # Sorted: stores give them in an order of their own.
        for name, value in sorted(names.current_tags(without_note(run.data.tags)).items())
        if name.startswith(names.TAG_PREFIX) and not name.startswith((names.ORIGIN_PREFIX, names.TYPE_TAG))
    }
    start, end = run.info.start_time, run.info.end_time
    return {
        **tags,
        "seed": int(tags["seed"]),
        "status": run.info.status,
        "started": pd.Timestamp(start, unit="ms", tz="UTC"),
        "seconds": (end - start) / 1000 if end else float("nan"),
    }
