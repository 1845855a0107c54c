"""One attempt at a run: hardware, data, training and evaluation, each tracked."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, cast

from tqdm import tqdm

from ablate.config.user_code import properties_unmasked
from ablate.config.validation import ValidConfig
from ablate.errors import DataError
from ablate.estimate.runtime import HISTORY_COLUMNS, estimate_runtime, measured_runs
from ablate.execution.identity import configuration, identity, setting, setting_parts
from ablate.execution.job import Job
from ablate.execution.lease import Lease
from ablate.system.energy_meter import EnergyMeter
from ablate.system.phase_clock import Phase, PhaseClock
from ablate.system.signals import SIGNALS
from ablate.task import (
    DataSummary,
    Describable,
    Evaluation,
    KerasTask,
    Limited,
    Metric,
    OwnLoopTask,
    Servable,
    ServedModel,
    Task,
    planned_cost,
    trains_itself,
)
from ablate.tracking import names
from ablate.tracking.overview import describe_run
from ablate.tracking.run import track
from ablate.tracking.run_records import history
from ablate.tracking.served_model import signature_of
from ablate.tracking.store import without_password
from ablate.tracking.tracked_run import TrackedRun
from ablate.training.hardware import Hardware, configure

if TYPE_CHECKING:
    import keras

log = logging.getLogger(__name__)

_SPENT_EVERY = 60.0
"""Least seconds between two records of what is spent by a training loop of one's own."""


def run_attempt(
    job: Job,
    checked: ValidConfig,
    lease: Lease,
    *,
    resumed: str | None,
    started: Callable[[str], None],
    clock: PhaseClock | None = None,
    meter: EnergyMeter | None = None,
) -> None:
    """Load the data, train, evaluate, and track all of it in the open store.

    Args:
        job: The run.
        checked: Its configuration.
        lease: Its lease, with the checkpoint that training resumes from, if there is one.
        resumed: The id of MLflow's run that is resumed; None starts a new one.
        started: Called with the id of MLflow's run once there is one.
        clock: Of the run's phases, in its start.
        meter: Of its energy; None records none.

    Raises:
        DataError: The data set is wrong, or has changed since its fingerprint was taken.
        Diverged: The loss became NaN or infinite.
        LeaseLost: Another process has taken the run over.
        TrackingError: The store does not take what is tracked.
    """
    run, begun, clock = checked.run, time.monotonic(), clock or PhaseClock()
    hardware = _configure(checked)
    with clock.phase(Phase.DATA):
        data = checked.task.load_data()
    tags = _tags(job, checked, data.fingerprint)
    if tags[names.IDENTITY_TAG] != lease.folder.name:
        raise DataError("the data set has changed while it was read: start again")
    log.info("Run %s, of study %s, tracked in %s", job, run.study.name, without_password(job.uri))
    log.info("Depends on %s; `python -m ablate.plan code=true` lists it", job.code)
    log.info("On %s", ", ".join(f"{name} {value}" for name, value in hardware.facts.items()))
    with (
        track(
            study=run.study.name,
            name=job.name,
            tags={**tags, names.COMMAND_TAG: job.command} if job.command else tags,
            project=job.results,
            factors=job.factors,
            run_id=resumed,
            monitored=run.tracking.system_metrics,
            clock=clock,
            meter=meter,
        ) as tracked,
        properties_unmasked(),
    ):
        started(tracked.run_id)
        with clock.phase(Phase.TRACKING):
            _log_inputs(job, checked, tracked, data, hardware)
            _log_estimate(checked, tracked, data, hardware.facts, tags[names.CONFIGURATION_TAG])
        loaded = time.monotonic()
        trained = _train(job, checked, tracked, lease, hardware)
        evaluated = time.monotonic()
        evaluation = trained.evaluate()
        clock.enter(Phase.TRACKING)
        lease.ensure_held()
        tracked.log_evaluation(evaluation, checked.task.metrics)
        task = checked.task
        served, limitations = _said_of_model(task)
        if run.tracking.model and trained.model is not None:
            tracked.log_model(trained.model, served)
        seconds = loaded - begun + trained.seconds + time.monotonic() - evaluated
        tracked.log_metrics({names.SECONDS: seconds, names.EXAMPLES: trained.examples})
        tracked.log_spent()
        tracked.flush()
        describe_run(tracked.run_id, task.metrics, served, limitations)
        log.info("Evaluated: %s", ", ".join(_measured(metric, evaluation.metrics) for metric in task.metrics))


@dataclass(frozen=True)
class _Trained:
    """A finished training, whoever did it.

    Attributes:
        evaluate: Evaluates what was trained.
        model: Keras' model; None where the task trained itself.
        seconds: Wall time of all attempts.
        examples: How many examples they took.
    """

    evaluate: Callable[[], Evaluation]
    model: keras.Model | None
    seconds: float
    examples: int


def _said_of_model(task: Task) -> tuple[ServedModel | None, Sequence[str]]:
    """Return what a task says of a trained model: how it is served, and its limits. An error costs no result."""
    served: ServedModel | None = None
    limitations: Sequence[str] = ()
    try:
        if isinstance(task, Servable):
            served = task.served_model()
            signature_of(served)
        if isinstance(task, Limited):
            limitations = tuple(map(str, task.limitations()))
    except Exception as error:  # whatever the task's code says
        log.warning("What the task says of its model is left out: %s: %s", type(error).__name__, error)
        return None, ()
    return served, limitations


def _configure(checked: ValidConfig) -> Hardware:
    run = checked.run
    if trains_itself(checked.task):
        from ablate.training.own_loop import configure_own_loop

        return Hardware(configure_own_loop(run.hardware, seed=run.seed))
    return configure(run.hardware, seed=run.seed, deterministic=run.training.deterministic)


def _tags(job: Job, checked: ValidConfig, fingerprint: str) -> dict[str, str]:
    """Return a run's first tags; its data's fingerprint is tracked with the data."""
    run, parts = checked.run, setting_parts(checked, fingerprint)
    scale = {} if parts["scale"] is None else {names.SCALE_TAG: str(parts["scale"])}
    return {
        names.STUDY_TAG: run.study.name,
        names.VARIANT_TAG: job.variant.name,
        names.SEED_TAG: str(run.seed),
        names.IDENTITY_TAG: identity(checked, fingerprint),
        names.CONFIGURATION_TAG: configuration(checked, fingerprint),
        names.SETTING_TAG: setting(checked, fingerprint),
        # The report names these where runs cannot be compared.
        names.EVALUATION_TAG: ", ".join(f"{name} {value}" for name, value in sorted(parts["comparison"].items())),
        **scale,
        names.CODE_TAG: parts["code"],
        names.EXAMPLE_TAG: checked.task.example,
        names.NO_RESULT_KEYS_TAG: " ".join(getattr(checked.task, "no_result_keys", ())),
    }


def _log_inputs(job: Job, checked: ValidConfig, tracked: TrackedRun, data: DataSummary, hardware: Hardware) -> None:
    # Sections that the task names once more stand where they are set, and only there.
    own = {key: value for key, value in checked.values["task"].items() if key not in checked.values}
    config = {**checked.values, "task": own}
    tracked.log_config(config)
    tracked.log_data(data)
    tracked.log_provenance(job.project, hardware.facts)
    tracked.log_text(json.dumps(asdict(job.code), indent=1), names.CODE_FILE)
    cost = checked.task.cost() if isinstance(checked.task, Describable) else {}
    tracked.log_metrics({names.metric_name(names.COST_GROUP, name): value for name, value in cost.items()})


def _log_estimate(
    checked: ValidConfig, tracked: TrackedRun, data: DataSummary, facts: Mapping[str, str], configuration: str
) -> None:
    """Track the runtime estimate that the plan gives, for the plan to show its prediction error."""
    predicted = estimate_runtime(
        measured_runs(history(HISTORY_COLUMNS), facts["devices"], int(facts["threads"])),
        configuration=configuration,
        flops=planned_cost(checked.task).get("flops_per_example"),
        examples=checked.run.training.total_examples(checked.task.find_data().examples_per_epoch),
    )
    if predicted is not None:
        tracked.log_metrics({names.PREDICTED_SECONDS: predicted.seconds})
        log.info("Will take about %s", tqdm.format_interval(predicted.seconds))


def _train(job: Job, checked: ValidConfig, tracked: TrackedRun, lease: Lease, hardware: Hardware) -> _Trained:
    task = checked.task
    if trains_itself(task):
        return _train_own_loop(cast(OwnLoopTask, task), checked, tracked, lease)
    return _train_with_keras(job, cast(KerasTask, task), checked, tracked, lease, hardware)


def _train_with_keras(
    job: Job, task: KerasTask, checked: ValidConfig, tracked: TrackedRun, lease: Lease, hardware: Hardware
) -> _Trained:
    # It imports Keras, which `configure` must come before.
    from ablate.training.checkpoint import Checkpoints
    from ablate.training.fit import train

    def before_save() -> None:
        lease.ensure_held()
        tracked.log_spent()
        tracked.flush()

    run = checked.run
    with SIGNALS.polled() as poll:
        training = train(
            task,
            optimizer=run.optimizer,
            schedule=run.schedule,
            training=run.training,
            seed=run.seed,
            log_metrics=tracked.log_metrics,
            hardware=hardware,
            checkpoints=Checkpoints(lease.checkpoint, run.checkpoint.minutes, before_save, poll),
            report_progress=lease.report_progress,
            show_bar=job.owns_terminal,
            clock=tracked.clock,
        )
    spent = {
        names.WALL_SECONDS: training.seconds,
        names.EXAMPLES_PER_SECOND: training.examples_per_second,
        names.PEAK_MEMORY: training.peak_memory_mib,
        names.PEAK_DEVICE_MEMORY: training.peak_device_memory_mib,
        names.GRADIENT_MEMORY: training.gradient_memory_mib,
        names.OPTIMIZER_MEMORY: training.optimizer_memory_mib,
    }
    # Without a step: MLflow draws them as bars.
    tracked.log_metrics({name: value for name, value in spent.items() if value is not None})

    def evaluate() -> Evaluation:
        with tracked.clock.phase(Phase.EVALUATION):
            return task.evaluate(training.model)

    return _Trained(
        evaluate=evaluate,
        model=training.model,
        seconds=training.seconds,
        examples=training.steps * run.training.batch_size,
    )


def _train_own_loop(task: OwnLoopTask, checked: ValidConfig, tracked: TrackedRun, lease: Lease) -> _Trained:
    from ablate.training.own_loop import Loop, train_own_loop

    def flush() -> None:
        tracked.log_spent(every=_SPENT_EVERY)
        tracked.flush()

    loop = Loop(
        lease.loop_folder,
        log_metrics=tracked.log_metrics,
        flush=flush,
        ensure_held=lease.ensure_held,
        report_progress=lease.report_progress,
    )
    with tracked.clock.phase(Phase.TRAINING):
        training = train_own_loop(task, seed=checked.run.seed, loop=loop)
    spent = {
        names.WALL_SECONDS: training.seconds,
        names.EXAMPLES_PER_SECOND: 1 / max(training.seconds, 1e-9),
        names.PEAK_MEMORY: training.peak_memory_mib,
    }
    tracked.log_metrics(spent)
    return _Trained(lambda: training.evaluation, None, training.seconds, examples=1)


def _measured(metric: Metric, values: Mapping[str, float]) -> str:
    return f"{metric.label} {values[metric.name]:.4g} {metric.unit}".rstrip()
