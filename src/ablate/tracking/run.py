"""A run in MLflow: started or resumed, and ended with the right status whatever happens."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path

import mlflow
from mlflow.entities import RunStatus
from mlflow.exceptions import MlflowException

from ablate.errors import AblateError, Diverged, LeaseLost, TrackingError, is_resumable
from ablate.system.energy_meter import Energy, EnergyMeter, methods_of, methods_text
from ablate.system.phase_clock import Phase, PhaseClock
from ablate.tracking import names
from ablate.tracking.factors import factor_levels, factor_params
from ablate.tracking.notes import note_tags
from ablate.tracking.study import definition_of, describe_study, set_experiment_tags, stamp_tag, study_experiment
from ablate.tracking.system_metrics import system_metrics
from ablate.tracking.tracked_run import Spent, TrackedRun, context_tags, log_params

log = logging.getLogger(__name__)


@contextmanager
def track(
    *,
    study: str,
    name: str,
    tags: Mapping[str, str],
    project: Path,
    factors: Mapping[str, str] | None = None,
    run_id: str | None = None,
    monitored: bool = False,
    clock: PhaseClock | None = None,
    meter: EnergyMeter | None = None,
) -> Iterator[TrackedRun]:
    """Start or resume a run in the open store, and end it FINISHED, FAILED or KILLED, the reason as a tag.

    Args:
        study: Name of the study, which is the experiment in MLflow.
        name: Name of the run.
        tags: Its first tags.
        project: Where artifacts are kept, in mlartifacts, if the store is a database that is not a file; a file's
            are beside it, and a server has its own place.
        factors: The levels that are known of it, see `factors.factor_levels`.
        run_id: The run to resume, in whatever study it is; it keeps its name and tags.
        monitored: Whether the machine's load is recorded meanwhile, see `system_metrics`.
        clock: Of the phases of this attempt, recorded at its end together with those of the attempts before; None
            records none.
        meter: Of the energy of this attempt, recorded like the phases; None records none.

    Yields:
        The run, to be filled.
    """
    with nullcontext() if clock is None else clock.phase(Phase.TRACKING):
        try:
            if run_id is None:
                energy = Energy(methods=meter.spent().methods) if meter is not None else Energy()
                known = {names.ENERGY_TAG: methods_text(energy.methods)} if meter is not None else {}
                own, earlier = _start(study, name, {**tags, **known}, project, factors or {}), Spent(energy=energy)
            else:
                own, earlier = run_id, _resume(run_id)
        except MlflowException as error:
            raise TrackingError(f"MLflow refuses to start a run: {str(error).splitlines()[0]}") from error
    run = TrackedRun(own, clock, meter, earlier=earlier)
    load = system_metrics(run.run_id, resumed=run_id is not None) if monitored else nullcontext()
    try:
        with load:
            try:
                yield run
            finally:
                run.clock.enter(Phase.TRACKING)
        run.flush()
    except KeyboardInterrupt:
        _end(run, RunStatus.KILLED, "interrupted", resumable=True)
        raise
    except LeaseLost:
        raise  # it is somebody else's now, and its end too
    except Exception as error:  # raised again: whatever it is, the run has failed
        reason = names.DIVERGED if isinstance(error, Diverged) else type(error).__name__
        _end(run, RunStatus.FAILED, reason, error, resumable=is_resumable(error))
        raise
    _end(run, RunStatus.FINISHED, None)


def _start(study: str, name: str, tags: Mapping[str, str], project: Path, factors: Mapping[str, str]) -> str:
    """Make a run; MLflow's fluent functions would take one that the environment names instead."""
    client = mlflow.MlflowClient()
    experiment = study_experiment(study, project)
    run = client.create_run(
        experiment.experiment_id,
        run_name=name,
        tags={**context_tags(), **tags, names.TYPE_TAG: names.TRAINING, **stamp_tag(experiment.tags)},
    )
    definition = definition_of(experiment.tags)
    baseline = definition["baseline"] if definition else None
    variant = tags.get(names.VARIANT_TAG, "")
    log_params(client, run.info.run_id, factor_params(factor_levels(factors, variant, baseline)))
    if names.NOTE_TAG not in experiment.tags:
        set_experiment_tags(experiment, note_tags(experiment.tags, describe_study(experiment, experiment.tags)))
    return str(run.info.run_id)


def _resume(run_id: str) -> Spent:
    """Open a run that was interrupted; return what it has spent so far."""
    client = mlflow.MlflowClient()
    data = client.get_run(run_id).data
    stored = data.tags
    for tag in (names.REASON_TAG, names.ERROR_TAG, *names.stored_tags(names.RESUMABLE_TAG)):
        if tag in stored:
            client.delete_tag(run_id, tag)
    attempts = names.current_tags(stored).get(names.ATTEMPTS_TAG, "1")
    client.set_tag(run_id, names.ATTEMPTS_TAG, str(int(attempts) + 1 if attempts.isdecimal() else 2))
    client.update_run(run_id, status=RunStatus.to_string(RunStatus.RUNNING))
    seconds = {phase: data.metrics.get(metric, 0.0) for phase, metric in names.PHASE_SECONDS.items()}
    kwh, methods = data.metrics.get(names.ENERGY, 0.0), stored.get(names.ENERGY_TAG)
    return Spent(seconds, None if methods is None else Energy(kwh, methods_of(methods)))


def _end(
    run: TrackedRun, status: int, reason: str | None, error: Exception | None = None, *, resumable: bool = False
) -> None:
    """Write the end of a run; where the store itself fails, the run's own error matters more."""
    try:
        run.log_spent()
        run.flush()
    except TrackingError as problem:
        log.error("%s", problem)
    try:
        if reason:
            run.set_tags({names.REASON_TAG: reason, names.RESUMABLE_TAG: str(resumable).lower()})
        if error is not None:
            run.set_tags({names.ERROR_TAG: " ".join(str(error).split())[:1000]})
            if not isinstance(error, AblateError):
                run.log_text("".join(traceback.format_exception(error)), names.TRACEBACK_FILE)
        run.end(status)
    except (AblateError, MlflowException, OSError) as problem:
        log.error("The end of run %s could not be tracked: %s", run.run_id, str(problem).splitlines()[0])


def fail_orphaned_run(run_id: str, reason: str) -> None:
    """End a run of the open store whose process is gone as FAILED and resumable, unless it had ended itself.

    Raises:
        TrackingError: The store does not take it.
    """
    try:
        client = mlflow.MlflowClient()
        if client.get_run(run_id).info.status != RunStatus.to_string(RunStatus.RUNNING):
            return
        client.set_tag(run_id, names.REASON_TAG, reason)
        client.set_tag(run_id, names.RESUMABLE_TAG, "true")
        client.set_terminated(run_id, RunStatus.to_string(RunStatus.FAILED))
    except (MlflowException, OSError) as error:
        raise TrackingError(f"the end of run {run_id} cannot be tracked: {str(error).splitlines()[0]}") from error
