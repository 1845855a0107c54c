"""The state of the studies of a store: how far they are, read from its runs and from the leases beside them."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from ablate.config.schema import validate
from ablate.errors import ConfigError
from ablate.execution.lease import LeaseOwner, lease_owner, leased_folders, orphaned_owner
from ablate.execution.status import STATUS_COLUMNS, RunState, Status, run_state
from ablate.study.definition import StudyFile
from ablate.tracking.run_records import runs_of_store
from ablate.tracking.sqlite import sqlite_file
from ablate.tracking.store import checkpoint_folder, without_password
from ablate.tracking.study import study_definitions

_COLUMNS = (*STATUS_COLUMNS, "variant", "seed", "host", "checkpoint_dir", "lease_timeout_minutes")
_TIMEOUT_MINUTES = 10.0
"""Where the run's configuration is unknown, as it has just begun: the default."""
_COUNTED = {Status.DONE: "done", Status.CACHED: "done", Status.RUNNING: "running", Status.FAILED: "failed"}


@dataclass(frozen=True)
class StudyStatus:
    """How far a study is.

    Attributes:
        study: Its name.
        done: Runs with a result, those of other studies that it shows included.
        running: Runs that a live process trains.
        interrupted: Runs that the next sweep resumes.
        failed: Runs that it does not.
        todo: Runs that have no record yet; None for a sweep without a study file, whose number is recorded nowhere.
        runs: All runs that it may have; None as before.
        started: When its newest run began, in UTC.
    """

    study: str
    done: int
    running: int
    interrupted: int
    failed: int
    todo: int | None
    runs: int | None
    started: str


@dataclass(frozen=True)
class Training:
    """A run that trains, or did until its process was gone.

    Attributes:
        study: Its study; None where it has just begun, and is not tracked yet.
        variant: Its variant; None as before.
        seed: Its seed; None as before.
        identity: Its identity, which its folder of checkpoints is called.
        host: Where its process is.
        process: The number of its process there.
        since: When that took the run, in UTC; None where it does not say.
        step: The steps that it has reported; None before the first.
        steps: Of so many.
        epoch: The epoch that the next step is in, from 1; None before the first step.
        epochs: Of so many.
        seconds_left: The time that it reports to need still; None where unknown.
    """

    study: str | None
    variant: str | None
    seed: int | None
    identity: str
    host: str
    process: int
    since: str | None
    step: int | None
    steps: int | None
    epoch: int | None
    epochs: int | None
    seconds_left: float | None


@dataclass(frozen=True)
class Unseen:
    """A run that the store calls running, and that has no lease where this machine sees checkpoints.

    It trains on a machine that keeps them elsewhere, or its machine was lost.
    """

    study: str
    variant: str
    seed: int
    host: str | None
    started: str


@dataclass(frozen=True)
class StoreStatus:
    """How far the studies of a store are: that with the newest run first."""

    store: str
    studies: list[StudyStatus]
    running: list[Training]
    orphaned: list[Training]
    unseen: list[Unseen]


def read_status(uri: str, results: Path, configured: Path | None) -> StoreStatus:
    """Read how far the studies of a store are.

    Args:
        uri: Address of the store, which is open.
        results: Folder of the project's results.
        configured: `checkpoint.dir` of the project.

    Raises:
        TrackingError: The store cannot be read.
    """
    # Before the store: a run that ends in between counts as running, and is done at the next look.
    first = _Leases([checkpoint_folder(uri, results, configured)])
    runs = runs_of_store(_COLUMNS)
    leases = first.with_folders({checkpoint_folder(uri, results, place) for place in _places(runs)}, runs)
    elsewhere = sqlite_file(uri) is None
    studies, unseen = list[StudyStatus](), list[Unseen]()
    definitions = study_definitions()
    for study, own in runs.groupby("study", sort=False):
        cells = ["variant", "seed"]
        last = own[own["identity"] == own.groupby(cells, sort=False)["identity"].transform("first")]
        states = {key: _state(group, leases, elsewhere) for key, group in last.groupby(cells, sort=False)}
        studies.append(_study_status(str(study), own, states, _cells(definitions.get(str(study)))))
        unseen += [
            _unseen(str(study), key, own.loc[state.run_id])
            for key, state in states.items()
            if state.status == Status.RUNNING and state.owner is None
        ]
    known = runs.drop_duplicates("identity").set_index("identity")
    return StoreStatus(
        store=without_password(uri),
        studies=studies,
        running=[_training(identity, owner, known) for identity, owner in leases.alive.items()],
        orphaned=[_training(identity, owner, known) for identity, owner in leases.orphaned.items()],
        unseen=unseen,
    )


class _Leases:
    """The leases in folders of checkpoints, by identity.

    Attributes:
        alive: Those of live processes.
        orphaned: Those of processes that are gone.
    """

    def __init__(self, folders: Iterable[Path], minutes: Mapping[str, float] | None = None):
        self.folders = list(folders)
        self.alive: dict[str, LeaseOwner] = {}
        self.orphaned: dict[str, LeaseOwner] = {}
        for folder in (leased for each in self.folders for leased in leased_folders(each)):
            timeout = (minutes or {}).get(folder.name, _TIMEOUT_MINUTES)
            owner = lease_owner(folder, timeout_minutes=timeout)
            gone = orphaned_owner(folder, timeout_minutes=timeout) if owner is None else None
            if owner is not None:
                self.alive[folder.name] = owner
            elif gone is not None:
                self.orphaned[folder.name] = gone

    def with_folders(self, folders: Iterable[Path], runs: pd.DataFrame) -> "_Leases":
        """Return them with those of more folders, and by the timeouts of the runs; what was alive stays so."""
        known = runs.drop_duplicates("identity")
        given = zip(known["identity"], known["lease_timeout_minutes"], strict=True)
        found = _Leases({*self.folders, *folders}, {str(one): _minutes(value) for one, value in given})
        found.alive = {**self.alive, **found.alive}
        found.orphaned = {key: owner for key, owner in found.orphaned.items() if key not in found.alive}
        return found


def _minutes(recorded: Any) -> float:
    try:
        value = float(recorded)
    except (TypeError, ValueError):
        return _TIMEOUT_MINUTES
    return value if math.isfinite(value) else _TIMEOUT_MINUTES


def _places(runs: pd.DataFrame) -> set[Path]:
    """Return the folders of checkpoints that the configurations of unfinished runs name."""
    recorded = runs.loc[runs["status"] != "FINISHED", "checkpoint_dir"].dropna().unique()
    return {Path(place) for place in map(str, recorded) if Path(place).is_absolute()}


def _state(group: pd.DataFrame, leases: _Leases, elsewhere: bool) -> RunState:
    """Return the state of a variant with a seed.

    Args:
        group: Its runs of the configuration that it was trained with last.
        leases: The leases.
        elsewhere: Whether the store may be another machine's too.
    """
    identity = str(group["identity"].iloc[0])
    state = run_state(group, study=str(group["study"].iloc[0]), owner=leases.alive.get(identity))
    if elsewhere and state.orphaned and identity not in leases.orphaned:
        return RunState(Status.RUNNING, run_id=state.run_id)
    return state


def _cells(definition: Mapping[str, Any] | None) -> set[tuple[str, int]] | None:
    """Return variant and seed of all runs that a study may have; None where no definition says so."""
    if definition is None:
        return None
    try:
        study = validate(StudyFile, dict(definition))
    except ConfigError:
        return None  # of another version
    return {(study.variant_of(levels).name, seed) for levels, seed in study.cells()}


def _study_status(
    study: str, runs: pd.DataFrame, states: Mapping[Any, RunState], cells: set[tuple[str, int]] | None
) -> StudyStatus:
    counts = dict.fromkeys(("done", "running", "interrupted", "failed"), 0)
    lost = 0
    for state in states.values():
        if state.status == Status.TODO:
            lost += 1  # its result cannot be read, and it is trained again
        else:
            counts[_COUNTED.get(state.status, "interrupted")] += 1
    todo = None if cells is None else len(cells - states.keys()) + lost
    return StudyStatus(
        study=study,
        **counts,
        todo=todo,
        runs=None if cells is None else len(cells | states.keys()),
        started=runs["started"].max().isoformat(timespec="seconds"),
    )


def _training(identity: str, owner: LeaseOwner, known: pd.DataFrame) -> Training:
    run: Any = known.loc[identity] if identity in known.index else None
    step, steps, epochs = (_whole(owner.progress.get(name)) for name in ("step", "steps", "epochs"))
    left = owner.progress.get("seconds_left")
    since = pd.Timestamp(owner.since, unit="s", tz="UTC") if isinstance(owner.since, int | float) else None
    return Training(
        study=None if run is None else str(run["study"]),
        variant=None if run is None else str(run["variant"]),
        seed=None if run is None else int(run["seed"]),
        identity=identity,
        host=owner.host,
        process=owner.pid,
        since=None if since is None else since.isoformat(timespec="seconds"),
        step=step,
        steps=steps,
        epoch=min(step * epochs // steps + 1, epochs) if step is not None and steps and epochs else None,
        epochs=epochs,
        seconds_left=float(left) if isinstance(left, int | float) else None,
    )


def _whole(value: Any) -> int | None:
    return int(value) if isinstance(value, int | float) else None


def _unseen(study: str, key: Any, run: Any) -> Unseen:
    host = run["host"]
    return Unseen(
        study=study,
        variant=str(key[0]),
        seed=int(key[1]),
        host=host if isinstance(host, str) else None,
        started=run["started"].isoformat(timespec="seconds"),
    )
