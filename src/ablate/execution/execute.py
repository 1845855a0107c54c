"""One run from its data to its evaluation, tracked; what has finished is not done again."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from ablate.config.validation import ValidConfig, validate_config
from ablate.errors import ClaimLost, ConfigError, DataError, Elsewhere, RunFailed, from_outside
from ablate.execution.code_version import differences
from ablate.execution.identity import code, configuration, identity, setting, setting_parts
from ablate.execution.job import Job
from ablate.execution.lease import Claim, claimed, holder
from ablate.execution.status import RUN_COLUMNS, Standing, State, since_finished, standing, to_run
from ablate.system.signals import ends_deferred
from ablate.task import Metric

if TYPE_CHECKING:
    from ablate.tracking.run import TrackedRun
    from ablate.training.hardware import Hardware

log = logging.getLogger(__name__)


def execute(job: Job, started: Callable[[str], None] = lambda run_id: None) -> None:
    """Load the data, train, evaluate, and track all of it, in this process; what has finished is not done again.

    Args:
        job: The run.
        started: Called with the id of MLflow's run once there is one.

    Raises:
        ConfigError: The configuration is wrong, or the code has changed since the run was described.
        Elsewhere: Another process trains it.
        RunFailed: It has failed before, and `rerun` does not say to try again.
    """
    checked = validate_config(job.values)
    changed = differences(job.code, code(checked))
    if changed:
        raise ConfigError(
            f"the code has changed since the command was given: {', '.join(changed)}. Give the command again"
        )
    from ablate.tracking.store import checkpoint_folder, open_store

    open_store(job.uri)
    from ablate.tracking.read import runs_of

    run = checked.run
    name = identity(checked, checked.task.find_data().fingerprint)
    folder = checkpoint_folder(job.uri, job.project, run.checkpoint.dir) / name
    with claimed(folder, takeover_minutes=run.checkpoint.takeover_minutes) as claim:
        if claim is None:
            trainer = holder(folder, takeover_minutes=run.checkpoint.takeover_minutes)
            raise Elsewhere(f"{job}: {trainer or 'another process'} trains it already")
        runs = runs_of([name], run.study.name, RUN_COLUMNS)
        found = standing(since_finished(runs) if run.rerun == "all" else runs, study=run.study.name, alive=None)
        if not to_run(found, run.rerun):
            _settled(job, found)
            return
        if found.state == State.TODO and found.why:
            log.warning("%s: %s", job, found.why)
        if found.state != State.INTERRUPTED:
            claim.clear()
        try:
            _train(job, checked, claim, found.run_id if found.state == State.INTERRUPTED else None, started)
        except Exception as error:
            if not from_outside(error) and not isinstance(error, ClaimLost):
                claim.clear()
            raise
        claim.clear()
    if found.state == State.INTERRUPTED:
        _refer(job, found)  # it went on where it began; this study asked for it as well


def _settled(job: Job, found: Standing) -> None:
    """Say what has become of a run that is not trained now."""
    if found.state == State.FAILED:
        raise RunFailed(f"{job} has failed before: {found.why}. rerun=failed tries again")
    log.info("%s is finished: run %s of study %s. rerun=all trains it again", job, found.run_id, found.study)
    _refer(job, found)


def _refer(job: Job, found: Standing) -> None:
    """Make a result of another study one of the job's."""
    from ablate.tracking.run import refer

    study = job.values["study"]["name"]
    if found.study != study:
        assert found.run_id is not None
        refer(found.run_id, study=study, variant=job.variant, project=job.project)


def _train(job: Job, checked: ValidConfig, claim: Claim, run_id: str | None, started: Callable[[str], None]) -> None:
    from ablate.training.hardware import configure

    run, begun = checked.run, time.monotonic()
    hardware = configure(run.hardware, seed=run.seed, deterministic=run.training.deterministic)
    data = checked.task.load_data()
    from ablate.tracking.read import CODE_FILE
    from ablate.tracking.run import track

    tags = {
        "ablate.study": run.study.name,
        "ablate.variant": job.variant,
        "ablate.seed": str(run.seed),
        "ablate.identity": claim.folder.name,
        "ablate.configuration": configuration(checked, data.fingerprint),
        "ablate.setting": setting(checked, data.fingerprint),
        **_setting_tags(checked, data.fingerprint),
    }
    if identity(checked, data.fingerprint) != claim.folder.name:
        raise DataError("the data set has changed while it was read: start again")
    log.info("Run %s, of study %s, tracked in %s", job, run.study.name, job.uri)
    log.info("Depends on %s; `python -m ablate.plan code=true` lists it", job.code)
    log.info("On %s", ", ".join(f"{name} {value}" for name, value in hardware.facts.items()))
    with track(
        study=run.study.name,
        name=job.name,
        tags=tags,
        project=job.project,
        run_id=run_id,
        monitored=run.tracking.system_metrics,
    ) as tracked:
        started(tracked.run_id)
        tracked.log_config(_shown(checked))
        tracked.log_data(data)
        tracked.log_provenance(job.project, hardware.facts)
        tracked.log_text(json.dumps(asdict(job.code), indent=1), CODE_FILE)
        _predict(checked, tracked, hardware.facts["devices"], tags["ablate.configuration"])
        _train_and_evaluate(job, checked, tracked, claim, hardware, begun)


def _setting_tags(checked: ValidConfig, fingerprint: str) -> dict[str, str]:
    """Return what a report names where runs cannot be compared; the data's fingerprint is tracked with the data."""
    parts = setting_parts(checked, fingerprint)
    evaluation = ", ".join(f"{name} {value}" for name, value in sorted(parts["comparison"].items()))
    return {"ablate.evaluation": evaluation, "ablate.scale": str(parts["scale"]), "ablate.code": parts["code"]}


def _predict(checked: ValidConfig, tracked: TrackedRun, devices: str, configuration: str) -> None:
    """Note what the plan would have said, so that it can say how good it is."""
    from ablate.estimate.runtime import HISTORY_COLUMNS, estimate_runtime, measured_runs
    from ablate.tracking.read import history

    predicted = estimate_runtime(
        measured_runs(history(HISTORY_COLUMNS), devices),
        configuration=configuration,
        flops=checked.task.cost()["flops_per_image"],
        examples=checked.run.training.total_examples(checked.task.examples_per_epoch()),
    )
    if predicted is not None:
        tracked.log_metrics({"plan/predicted_seconds": predicted.seconds})
        log.info("Will take about %s", tqdm.format_interval(predicted.seconds))


def _train_and_evaluate(
    job: Job, checked: ValidConfig, tracked: TrackedRun, claim: Claim, hardware: Hardware, begun: float
) -> None:
    from ablate.training.checkpoint import Checkpoints
    from ablate.training.fit import train

    def before_a_checkpoint() -> None:
        claim.check()
        tracked.flush()

    run, task = checked.run, checked.task
    tracked.log_metrics({f"cost/{name}": value for name, value in task.cost().items()})
    loaded = time.monotonic() - begun
    with ends_deferred() as stop:
        training = train(
            task,
            optimizer=run.optimizer,
            training=run.training,
            seed=run.seed,
            log_metrics=tracked.log_metrics,
            hardware=hardware,
            checkpoints=Checkpoints(claim.checkpoint, run.checkpoint.minutes, before_a_checkpoint, stop),
            say=claim.say,
            bar=job.alone,
        )
    spent = {
        "cost/wall_seconds": training.seconds,
        "cost/images_per_second": training.examples_per_second,
        "cost/peak_memory_mib": training.peak_memory_mib,
        "cost/peak_device_memory_mib": training.peak_device_memory_mib,
        "cost/gradient_memory_mib": training.gradient_memory_mib,
        "cost/optimizer_memory_mib": training.optimizer_memory_mib,
    }
    tracked.log_metrics({name: value for name, value in spent.items() if value is not None}, training.steps)
    trained = time.monotonic()
    evaluation = task.evaluate(training.model)
    claim.check()
    tracked.log_evaluation(evaluation, task.metrics)
    if run.tracking.model:
        tracked.log_model(training.model)
    tracked.log_metrics(
        {
            "plan/seconds": loaded + training.seconds + time.monotonic() - trained,
            "plan/examples": training.steps * run.training.batch_size,
        },
        training.steps,
    )
    log.info("Evaluated: %s", ", ".join(_measured(metric, evaluation.metrics) for metric in task.metrics))


def _measured(metric: Metric, values: Mapping[str, float]) -> str:
    return f"{metric.label} {values[metric.name]:.4g} {metric.unit}".rstrip()


def _shown(checked: ValidConfig) -> dict[str, Any]:
    """Return the configuration as it is tracked: the task's sections stand where they are set, and only there."""
    return {**checked.values, "task": {"_target_": checked.values["task"]["_target_"]}}
