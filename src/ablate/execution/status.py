"""Where a run stands: what the store and the claims say of an identity. Imports neither TensorFlow nor MLflow."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Literal

import pandas as pd

from ablate.execution.lease import Holder

Rerun = Literal["never", "failed", "all"]


RUN_COLUMNS = ("identity", "study", "status", "started", "reason", "error", "goes_on", "reused_from", "missing")
"""What must be known of a run."""


class State(StrEnum):
    """Where a run stands."""

    TODO = "to do"
    RUNNING = "running"
    INTERRUPTED = "interrupted"
    DONE = "done"
    REUSED = "reused"
    FAILED = "failed"


@dataclass(frozen=True)
class Standing:
    """Where a run stands, and what MLflow knows it by.

    Attributes:
        state: `REUSED` is a result of another study, whether this one refers to it already or not; `INTERRUPTED` goes
            on where it stood; `FAILED` does not.
        run_id: MLflow's run: the finished one, that which goes on, or that which failed; None where there is none.
        study: The study that this run belongs to.
        why: Why it was interrupted or failed, or is to do again.
        failed: Whether it failed, be it that it goes on, as after its process was killed.
        lost: Whether nobody wrote its end, as where a machine was lost.
        holder: Who trains it.
    """

    state: State
    run_id: str | None = None
    study: str | None = None
    why: str = ""
    failed: bool = False
    lost: bool = False
    holder: Holder | None = None

    @property
    def finished(self) -> bool:
        """Whether there is a result."""
        return self.state in (State.DONE, State.REUSED)


def standing(runs: pd.DataFrame, *, study: str, alive: Holder | None) -> Standing:
    """Say where a run stands.

    Args:
        runs: The runs of its identity, newest first, with `RUN_COLUMNS`, see `tracking.read.runs_of`.
        study: The study that asks.
        alive: Who trains it, see `claims.holder`.
    """
    if alive is not None:
        return Standing(State.RUNNING, why=f"by {alive}", holder=alive)
    finished = runs[(runs["status"] == "FINISHED") & runs["missing"].isna()]
    here = finished[finished["study"] == study]
    own = here[here["reused_from"].isna()]
    if not own.empty:
        return _standing(State.DONE, own)
    if not finished.empty:
        return _standing(State.REUSED, here if not here.empty else finished)
    if runs.empty:
        return Standing(State.TODO)
    newest = runs.iloc[0]
    if newest["status"] == "FINISHED":
        return Standing(State.TODO, why=f"its result cannot be read, run trains it again: {newest['missing']}")
    lost = newest["status"] == "RUNNING"
    return replace(
        _standing(State.INTERRUPTED if lost or newest["goes_on"] == "true" else State.FAILED, runs),
        why="its process is gone" if lost else _why(newest),
        failed=newest["status"] == "FAILED" or not (lost or newest["goes_on"] == "true"),
        lost=lost,
    )


def since_finished(runs: pd.DataFrame) -> pd.DataFrame:
    """Return the runs that are newer than any finished one: with `rerun=all`, one of those goes on."""
    return runs[(runs["status"] == "FINISHED").cumsum() == 0]


def _standing(state: State, found: pd.DataFrame) -> Standing:
    return Standing(state, run_id=str(found.index[0]), study=str(found["study"].iloc[0]))


def _why(row: pd.Series) -> str:
    reason, error = (str(row[name]) if isinstance(row[name], str) else "" for name in ("reason", "error"))
    return ": ".join(filter(None, (reason, error))) or "unknown"


def to_run(found: Standing, rerun: Rerun) -> bool:
    """Say whether a run that nobody trains is trained now: a finished one only with `all`, a failed one on demand."""
    if found.finished:
        return rerun == "all"
    return found.state != State.FAILED or rerun != "never"
