"""Runs of a sweep in each status, without a store."""

from types import SimpleNamespace
from typing import Any, cast

from ablate.execution.lease import LeaseOwner
from ablate.execution.status import RunState, Status
from ablate.study.planning import PlannedRun

DONE, CACHED, TODO = RunState(Status.DONE), RunState(Status.CACHED), RunState(Status.TODO)
FAILED = RunState(Status.FAILED, reason="diverged: the loss is NaN", failed=True)
KILLED = RunState(Status.INTERRUPTED, reason="its process is gone", orphaned=True)
DISK_FULL = RunState(Status.INTERRUPTED, reason="OSError: no space left", failed=True)


def running(**progress: Any) -> RunState:
    """Return the state of a run that another process trains."""
    owner = LeaseOwner("here", 7, progress)
    return RunState(Status.RUNNING, reason=f"by {owner}", owner=owner)


def planned(count: int, name: str = "run") -> list[PlannedRun]:
    """Return runs of a study `own`, as far as they are printed."""
    return [
        cast(
            PlannedRun,
            SimpleNamespace(study="own", uri="sqlite:////own.db", name=f"{name}{place}", identity=f"id{place}"),
        )
        for place in range(count)
    ]
