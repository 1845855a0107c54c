"""Throughput of runs side by side: real training steps in as many processes, timed together for seconds."""

from __future__ import annotations

import os
import statistics
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from multiprocessing.connection import Connection
from typing import Any, cast

import psutil
from tqdm import tqdm

from ablate.config.validation import validate_config
from ablate.estimate.packing import Throughput
from ablate.execution.in_subprocess import end_process, end_with_the_parent, process_context, processes_lock
from ablate.system.signals import SIGNALS, signals_held
from ablate.task import KerasTask

SECONDS = 2.0
"""Least time that steps are timed for."""
_WARM_STEPS, _LEAST_STEPS, _MOST_STEPS = 3, 3, 2000
_READY_SECONDS = 120.0
"""Data that take longer to load are not waited for."""


class MeasurementFailed(Exception):
    """Steps could not be timed; the message says why."""


class TookTooLong(MeasurementFailed):
    """The first steps were not done in time."""


def measure_throughput(
    values: Mapping[str, Any], runs: int, threads: int, *, patience: float = _READY_SECONDS
) -> Throughput:
    """Train in as many processes as runs, and time the steps that they do at the same time.

    Args:
        values: The configuration of a run, resolved.
        runs: How many at a time.
        threads: Of each.
        patience: Seconds to wait for the first steps, and for those that are timed.

    Returns:
        The examples per second of all together, and the memory of one.

    Raises:
        TookTooLong: A process did not come to its first steps in time.
        MeasurementFailed: It ended before.
        KeyboardInterrupt: This process was interrupted.
    """
    hardware = {**values["hardware"], "threads": threads}
    context = process_context(bool(hardware["onednn"]), trains_itself=False)
    with ExitStack() as stack:
        connections = []
        for _ in range(runs):
            here, there = context.Pipe()
            stack.callback(here.close)
            arguments = ({**values, "hardware": hardware}, dict(os.environ), there)
            process = context.Process(target=_child, args=arguments, name="ablate calibration")
            with signals_held(), processes_lock:
                process.start()
            stack.callback(end_process, process)
            there.close()
            connections.append(here)
        latest = time.monotonic() + patience
        for connection in connections:
            _received(connection, latest, patience)
        for connection in connections:
            connection.send(True)
        measured = [_received(connection, time.monotonic() + patience, patience) for connection in connections]
    return Throughput(sum(rate for rate, _ in measured), max(memory for _, memory in measured))


def _received(connection: Connection, latest: float, patience: float) -> Any:
    try:
        while not connection.poll(0.2):
            interrupt = SIGNALS.poll()
            if interrupt is not None:
                raise interrupt
            if time.monotonic() > latest:
                raise TookTooLong(f"the first steps took more than {patience:.0f} s")
        answer = connection.recv()
    except (EOFError, OSError):
        raise MeasurementFailed("the process was killed") from None
    if isinstance(answer, str):
        raise MeasurementFailed(answer)
    return answer


def _child(values: Mapping[str, Any], environment: Mapping[str, str], connection: Connection) -> None:
    try:
        with suppress(KeyboardInterrupt, OSError, EOFError):  # the process that waits has ended, or ends
            SIGNALS.install()
            os.environ.clear()
            os.environ.update(environment)
            end_with_the_parent()
            tqdm.set_lock(threading.RLock())  # the bar's own would be left behind
            _send_measurement(values, connection)
    finally:
        os._exit(0)  # nothing of it is kept; it may be asked to end at any moment


def _send_measurement(values: Mapping[str, Any], connection: Connection) -> None:
    try:
        _train(values, connection)
    except _Measured as measured:
        connection.send(measured.args)
    except Exception as error:  # whatever the code of a user raises
        connection.send(f"{type(error).__name__}: {error}")


class _Measured(Exception):
    """Ends a training that was timed: its examples per second, and the bytes that it occupied."""


def _train(values: Mapping[str, Any], connection: Connection) -> None:
    from ablate.training.hardware import configure

    config = validate_config(values)
    run, task = config.run, cast(KerasTask, config.task)
    hardware = configure(run.hardware, seed=run.seed, deterministic=run.training.deterministic)
    task.load_data()
    from ablate.training.fit import train

    clock = _Clock(connection, run.training.batch_size)
    train(
        task,
        optimizer=run.optimizer,
        schedule=run.schedule,
        training=run.training.model_copy(update={"epochs": 1, "steps_per_epoch": _MOST_STEPS}),
        seed=run.seed,
        log_metrics=lambda metrics, step: None,
        report_progress=clock.after_step,
        hardware=hardware,
        show_bar=False,
    )


class _Clock:
    """Times the steps of a training once the other trainings are as far."""

    def __init__(self, connection: Connection, batch_size: int):
        self.connection, self.batch_size = connection, batch_size
        self.times: list[float] = []

    def after_step(self, progress: Mapping[str, Any]) -> None:
        step = int(progress["step"])
        if step < _WARM_STEPS:
            return
        if step == _WARM_STEPS:
            self.connection.send(True)
            self.connection.recv()
        self.times.append(time.monotonic())
        steps = len(self.times) - 1
        if step == _MOST_STEPS - 1 or (steps >= _LEAST_STEPS and self.times[-1] - self.times[0] >= SECONDS):
            each = [after - before for before, after in zip(self.times[:-1], self.times[1:], strict=True)]
            raise _Measured(self.batch_size / statistics.median(each), psutil.Process().memory_info().rss)
