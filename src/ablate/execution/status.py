"""The status of a run: to do, running, interrupted, done, cached or failed. Imports neither TensorFlow nor MLflow."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Literal

import pandas as pd

from ablate.execution.lease import LeaseOwner

Rerun = Literal["never", "failed", "all"]
_Record = Mapping[Any, Any]

STATUS_COLUMNS = (
    *("identity", "study", "status", "started", "reason", "error", "resumable", "cached_from", "missing", "threads"),
)
"""The columns of a run's record that its status is determined from."""


class Status(StrEnum):
    """The status of a run."""

    TODO = "to do"
    RUNNING = "running"
    INTERRUPTED = "interrupted"
    DONE = "done"
    CACHED = "cached"
    FAILED = "failed"


@dataclass(frozen=True)
class RunState:
    """The status of a run, with the record in MLflow that it comes from.

    Attributes:
        status: `CACHED` is a result of another study, whether this one links it already or not; `INTERRUPTED` is
            resumed; `FAILED` is not.
        run_id: MLflow's run: the finished one, the one to resume, or the failed one; None where there is none.
        study: The study that this run belongs to.
        reason: Why it was interrupted, failed, or is to do again.
        failed: Whether it failed, even if it is resumed, as after its process was killed.
        orphaned: Whether its process ended without recording it, as where a machine was lost.
        owner: The process that trains it.
        threads: The threads of an operation that it was last trained with, where that is known.
    """

    status: Status
    run_id: str | None = None
    study: str | None = None
    reason: str = ""
    failed: bool = False
    orphaned: bool = False
    owner: LeaseOwner | None = None
    threads: int | None = None

    @property
    def finished(self) -> bool:
        """Whether there is a result."""
        return self.status in (Status.DONE, Status.CACHED)


def run_state(runs: pd.DataFrame, *, study: str, owner: LeaseOwner | None) -> RunState:
    """Determine the status of a run.

    Args:
        runs: The records of its identity, newest first, with `STATUS_COLUMNS`.
        study: The study that asks.
        owner: The process that trains it, see `lease.lease_owner`.
    """
    if owner is not None:
        return RunState(Status.RUNNING, reason=f"by {owner}", owner=owner)
    # As plain values: a store has thousands of runs, and each selection of a frame would take as long as all of this.
    rows = zip(runs.index, runs.to_numpy(dtype=object).tolist(), strict=True)
    records = [{**dict(zip(runs.columns, row, strict=True)), "run_id": run_id} for run_id, row in rows]
    finished = [one for one in records if one["status"] == "FINISHED" and pd.isna(one["missing"])]
    here = [one for one in finished if one["study"] == study]
    own = [one for one in here if pd.isna(one["cached_from"])]
    if own:
        return _recorded(Status.DONE, own[0])
    if finished:
        return _recorded(Status.CACHED, (here or finished)[0])
    if not records:
        return RunState(Status.TODO)
    newest = records[0]
    if newest["status"] == "FINISHED":
        return RunState(Status.TODO, reason=f"its result cannot be read, run trains it again: {newest['missing']}")
    orphaned = newest["status"] == "RUNNING"
    resumable = orphaned or newest["resumable"] == "true"
    return replace(
        _recorded(Status.INTERRUPTED if resumable else Status.FAILED, newest),
        reason="its process is gone" if orphaned else _reason(newest),
        failed=newest["status"] == "FAILED" or not resumable,
        orphaned=orphaned,
    )


def after_last_finished(runs: pd.DataFrame) -> pd.DataFrame:
    """Return the records that are newer than any finished one: `rerun=all` resumes one of those."""
    return runs[(runs["status"] == "FINISHED").cumsum() == 0]


def _recorded(status: Status, record: _Record) -> RunState:
    threads = int(record["threads"]) if str(record["threads"]).isdecimal() else None
    return RunState(status, run_id=str(record["run_id"]), study=str(record["study"]), threads=threads)


def _reason(record: _Record) -> str:
    reason, error = (str(record[name]) if isinstance(record[name], str) else "" for name in ("reason", "error"))
    return ": ".join(filter(None, (reason, error))) or "unknown"


def should_train(state: RunState, rerun: Rerun) -> bool:
    """Return whether a run without an owner is trained now: `all` repeats finished ones, `failed` failed ones."""
    if state.finished:
        return rerun == "all"
    return state.status != Status.FAILED or rerun != "never"
