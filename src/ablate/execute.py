"""One run from its data to its evaluation, tracked; of a sweep, in a process of its own."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, SpawnContext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.utils import configure_log
from omegaconf import OmegaConf
from tqdm import tqdm

from ablate.cli import end_orderly_at_signals, signals_held
from ablate.config import Checked, check, set_onednn
from ablate.errors import AblateError, Interrupted, RunFailed
from ablate.study.identity import code_of, configuration, identity, setting
from ablate.task import Metric

if TYPE_CHECKING:
    from ablate.tracking.run import TrackedRun

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """What a run needs to know, as plain values that another process can be given.

    Attributes:
        values: The configuration, resolved.
        variant: Name of the variant.
        uri: Address of the tracking store.
        project: Folder that results belong to.
        logging: How to log: Hydra's section `job_logging`.
        verbose: Which loggers say more: Hydra's `verbose`.
    """

    values: Mapping[str, Any]
    variant: str
    uri: str
    project: Path
    logging: Mapping[str, Any]
    verbose: bool | str | Sequence[str]


def execute(job: Job, started: Callable[[str], None] = lambda run_id: None) -> None:
    """Load the data, train, evaluate, and track all of it, in this process.

    Args:
        job: The run.
        started: Called with the id of MLflow's run once there is one.
    """
    checked = check(OmegaConf.create(dict(job.values)))
    code_of(checked.task)  # where its code is not found, before anything takes time
    from ablate.tracking.store import open_store

    open_store(job.uri)
    from ablate.training.hardware import configure

    run = checked.run
    hardware = configure(run.hardware, seed=run.seed, deterministic=run.training.deterministic)
    data = checked.task.load_data()
    from ablate.tracking.run import track

    tags = {
        "ablate.study": run.study.name,
        "ablate.variant": job.variant,
        "ablate.seed": str(run.seed),
        "ablate.identity": identity(checked, data.fingerprint),
        "ablate.configuration": configuration(checked, data.fingerprint),
        "ablate.setting": setting(checked, data.fingerprint),
    }
    log.info("Run %s, seed %d, of study %s, tracked in %s", job.variant, run.seed, run.study.name, job.uri)
    log.info("On %s", ", ".join(f"{name} {value}" for name, value in hardware.items()))
    name = f"{job.variant} seed={run.seed}"
    with track(study=run.study.name, name=name, tags=tags, project=job.project) as tracked:
        started(tracked.run_id)
        tracked.log_config(_shown(checked))
        tracked.log_data(data)
        tracked.log_provenance(job.project, hardware)
        _train_and_evaluate(checked, tracked)


def _train_and_evaluate(checked: Checked, tracked: TrackedRun) -> None:
    from ablate.training.fit import train

    run, task = checked.run, checked.task
    cost = task.cost()
    tracked.log_metrics({f"cost/{name}": value for name, value in cost.items()})
    log.info("The model has %s parameters", f"{cost['parameters']:,.0f}")
    training = train(
        task, optimizer=run.optimizer, training=run.training, seed=run.seed, log_metrics=tracked.log_metrics
    )
    spent = {
        "cost/wall_seconds": training.seconds,
        "cost/images_per_second": training.examples_per_second,
        "cost/peak_memory_mib": training.peak_memory_mib,
        "cost/peak_device_memory_mib": training.peak_device_memory_mib,
    }
    tracked.log_metrics({name: value for name, value in spent.items() if value is not None}, training.steps)
    evaluation = task.evaluate(training.model)
    tracked.log_evaluation(evaluation, task.metrics)
    if run.tracking.model:
        tracked.log_model(training.model)
    log.info("Evaluated: %s", ", ".join(_measured(metric, evaluation.metrics) for metric in task.metrics))


def _measured(metric: Metric, values: Mapping[str, float]) -> str:
    return f"{metric.label} {values[metric.name]:.4g} {metric.unit}".rstrip()


def _shown(checked: Checked) -> dict[str, Any]:
    """Return the configuration as it is tracked: the task's sections stand where they are set, and only there."""
    return {**checked.values, "task": {"_target_": checked.values["task"]["_target_"]}}


def execute_apart(job: Job) -> None:
    """Execute a run in a process of its own, so that it measures its own memory, and takes no other with it.

    The process is forked off a server that has TensorFlow imported already, which spares each run of a sweep that.

    Raises:
        AblateError: What the run ended with, `RunFailed` where its process was killed.
        KeyboardInterrupt: This process was interrupted; the run's has ended in order.
    """
    context = _context(job.values["hardware"]["onednn"])
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(job, sender), name="ablate run")
    run_id, error = None, None
    try:
        with signals_held():
            process.start()
            sender.close()
        for said in _received(receiver):
            run_id, error = (said, error) if isinstance(said, str) else (run_id, said)
        process.join()
    except KeyboardInterrupt:
        # Ctrl-C has reached the run's process as well, another signal perhaps only this one.
        if process.pid is not None:
            process.terminate()
            while not _closed(receiver, seconds=2):
                process.terminate()  # the first came before it listened, or a library has caught it
            process.join()
        raise
    if error is not None:
        raise error
    if process.exitcode:
        raise _lost(job, run_id, process.exitcode)


_served: dict[str, str] = {}
"""The environment that runs are forked off with: what was set when the first one was."""


def _context(onednn: bool) -> ForkServerContext | SpawnContext:
    """Return how to start a run's process: forked where TensorFlow is imported as it needs it, else a new one."""
    value = set_onednn(onednn)
    if _served.setdefault("onednn", value) != value:
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["ablate.training.preload", "ablate.tracking.run"])
    return context


def _received(receiver: Connection) -> Iterator[str | BaseException]:
    """Yield what a run says until it says no more: the id of MLflow's run, and what it ended with."""
    while True:
        try:
            yield receiver.recv()
        except EOFError:
            return


def _closed(receiver: Connection, seconds: float) -> bool:
    """Wait for the end of a run's process, with which its end of the pipe closes."""
    try:
        while receiver.poll(seconds):
            receiver.recv()
    except EOFError:
        return True
    return False


def _child(job: Job, sender: Connection) -> None:
    error: BaseException | None = None
    try:
        end_orderly_at_signals()
        configure_log(OmegaConf.create(dict(job.logging)), job.verbose)
        # The bar's own lock is one between processes, which a killed one would leave behind.
        tqdm.set_lock(threading.RLock())
        _end_with_the_parent()
        execute(job, started=sender.send)
    except AblateError as failure:
        log.error("%s", failure)
        error = failure
    except KeyboardInterrupt as interrupt:
        said = str(interrupt) or "Interrupted"
        log.error("%s: what was tracked is kept", said)
        error = Interrupted(said)
    except Exception as failure:
        log.exception("The run failed")
        error = RunFailed(f"{type(failure).__name__}: {failure}")
    if error is not None:
        # Nobody listens where the process that waited is gone.
        with suppress(OSError):
            sender.send(error)
    sender.close()


def _end_with_the_parent() -> None:
    """End in order when the process that waits for this one is no more: nobody would know of the run."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        while True:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(5)

    threading.Thread(target=watch, daemon=True).start()


def _lost(job: Job, run_id: str | None, exit_code: int) -> RunFailed:
    """Record the end of a run whose process could not do it itself."""
    reason = f"killed by {signal.Signals(-exit_code).name}" if exit_code < 0 else f"ended with code {exit_code}"
    if exit_code == -signal.SIGKILL:
        reason += ", as the system does when memory runs out"
    failure = RunFailed(f"{job.variant}, seed {job.values['seed']}: the process of the run was {reason}")
    log.error("%s", failure)
    if run_id is not None:
        from ablate.tracking.run import end_lost
        from ablate.tracking.store import open_store

        open_store(job.uri)
        end_lost(run_id, reason)
    return failure
