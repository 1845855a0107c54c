"""The execution of a run in this process, under its lease: a cached result is linked, an interrupted run resumed."""

import logging
from collections.abc import Callable

from ablate.config.user_code import properties_unmasked
from ablate.config.validation import ValidConfig, validate_config
from ablate.errors import AlreadyRunning, ConfigError, LeaseLost, RunFailed, is_resumable
from ablate.execution.code_version import differences
from ablate.execution.identity import code, identity
from ablate.execution.job import Job
from ablate.execution.lease import acquire_lease, lease_owner
from ablate.execution.status import STATUS_COLUMNS, RunState, Status, after_last_finished, run_state, should_train
from ablate.system.energy_meter import EnergyMeter
from ablate.system.phase_clock import Phase, PhaseClock

log = logging.getLogger(__name__)


@properties_unmasked()
def execute(job: Job, started: Callable[[str], None] = lambda run_id: None, *, age: float = 0.0) -> None:
    """Execute a run, and track it; a finished one is not trained again.

    Args:
        job: The run.
        started: Called with the id of MLflow's run once there is one.
        age: Seconds that its start has taken so far: those of this process, where it is the run's alone.

    Raises:
        ConfigError: The configuration is wrong, or the code has changed since the run was described.
        AlreadyRunning: Another process trains it.
        RunFailed: It has failed before, and `rerun` does not say to try again.
    """
    clock = PhaseClock(age=age)
    checked = validate_config(job.values)
    _ensure_same_code(job, checked)
    # MLflow is imported once the configuration is known to be right.
    from ablate.execution.attempt import run_attempt
    from ablate.tracking.store import checkpoint_folder, open_store

    with clock.phase(Phase.TRACKING):
        open_store(job.uri)
    with clock.phase(Phase.DATA):
        fingerprint = checked.task.find_data().fingerprint
    name, checkpoint = identity(checked, fingerprint), checked.run.checkpoint
    folder, timeout = checkpoint_folder(job.uri, job.results, checkpoint.dir) / name, checkpoint.lease_timeout_minutes
    with acquire_lease(folder, timeout_minutes=timeout) as lease:
        if lease is None:
            owner = lease_owner(folder, timeout_minutes=timeout)
            raise AlreadyRunning(f"{job}: {owner or 'another process'} trains it already")
        with clock.phase(Phase.TRACKING):
            state = _stored_state(name, checked)
        if not should_train(state, checked.run.rerun):
            _use_stored(job, state)
            return
        if state.status == Status.TODO and state.reason:
            log.warning("%s: %s", job, state.reason)
        resumed = state.run_id if state.status == Status.INTERRUPTED else None
        if resumed is None:
            lease.discard_checkpoint()
        try:
            with EnergyMeter() as meter:
                run_attempt(job, checked, lease, resumed=resumed, started=started, clock=clock, meter=meter)
        except Exception as error:  # raised again: whatever ended the attempt, its checkpoint is of no more use
            if not is_resumable(error) and not isinstance(error, LeaseLost):
                lease.discard_checkpoint()
            raise
        lease.discard_checkpoint()
    if resumed is not None:
        _link(job, state)  # it was resumed in the study where it began; this study asked for it as well


def _ensure_same_code(job: Job, checked: ValidConfig) -> None:
    changed = differences(job.code, code(checked))
    if changed:
        raise ConfigError(
            f"the code has changed since the command was given: {', '.join(changed)}. Give the command again"
        )


def _stored_state(name: str, checked: ValidConfig) -> RunState:
    """Return the state of an identity whose lease this process owns."""
    from ablate.tracking.run_records import runs_of

    study = checked.run.study.name
    runs = runs_of([name], study, STATUS_COLUMNS)
    return run_state(after_last_finished(runs) if checked.run.rerun == "all" else runs, study=study, owner=None)


def _use_stored(job: Job, state: RunState) -> None:
    """Take the stored result of a run, or raise its stored failure."""
    if state.status == Status.FAILED:
        raise RunFailed(f"{job} has failed before: {state.reason}. rerun=failed tries again")
    log.info("Cache hit: %s is run %s of study %s. rerun=all trains it again", job, state.run_id, state.study)
    _link(job, state)


def _link(job: Job, state: RunState) -> None:
    """Link a result of another study to the job's."""
    from ablate.tracking.cached_run import link_cached_run

    study = job.values["study"]["name"]
    if state.study != study:
        assert state.run_id is not None
        link_cached_run(state.run_id, study=study, variant=job.variant.name, project=job.results, factors=job.factors)
