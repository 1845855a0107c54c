"""Training loops of one's own: what a task that trains itself is given, and what came of it. No TensorFlow."""

from __future__ import annotations

import json
import logging
import os
import random
import re
import resource
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from ablate.config.training import HardwareConfig
from ablate.errors import TaskError
from ablate.system.atomic_write import atomic_write
from ablate.system.processor import processor_name
from ablate.system.signals import SIGNALS
from ablate.system.threads import job_threads
from ablate.task import Evaluation, LoopRun, OwnLoopTask
from ablate.tracking.names import EVALUATION_GROUP, group_of

log = logging.getLogger(__name__)

_RESERVED = frozenset({EVALUATION_GROUP, "cost", "plan", "system", "reference", "data", "turing"})
"""Groups of metrics that the framework writes."""
_NAME = re.compile(r"[\w\-. :/]+")
"""Names that MLflow takes."""
_SECONDS, _JOURNAL = "seconds.json", "metrics.jsonl"
_EVERY = 5.0
"""Least seconds between two writes of metrics to the store, and of the time that was spent."""


@dataclass(frozen=True)
class OwnTraining:
    """A finished training loop.

    Attributes:
        evaluation: What it measured.
        seconds: Wall time of all attempts.
        peak_memory_mib: Most that the process occupied in the last one.
    """

    evaluation: Evaluation
    seconds: float
    peak_memory_mib: float


class MetricJournal:
    """Metrics that the store may lack where the process is killed: a file with a line for each call."""

    def __init__(self, file: Path):
        self._file = file

    def read(self) -> list[tuple[dict[str, float], int]]:
        """Return what an attempt before left: metrics and their step; a line that is cut off ends it."""
        left = list[tuple[dict[str, float], int]]()
        try:
            lines = self._file.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return left
        for line in lines:
            try:
                metrics, step = json.loads(line)
            except ValueError:
                break
            left.append((metrics, step))
        return left

    def add(self, metrics: Mapping[str, float], step: int) -> None:
        """Add a line; the system has it when this returns."""
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps([dict(metrics), step]) + "\n")

    def clear(self) -> None:
        """Forget what the store has."""
        self._file.unlink(missing_ok=True)


class Loop:
    """The `LoopRun` that a task gets.

    Args:
        folder: Where the loop keeps its checkpoints; made here.
        log_metrics: Tracks metrics at a step, which may be kept in memory for a while.
        flush: Writes those to the store.
        ensure_held: Raises `LeaseLost` where another process has taken the run.
        report_progress: Writes progress for the sweep.
    """

    def __init__(
        self,
        folder: Path,
        *,
        log_metrics: Callable[[Mapping[str, float], int], None],
        flush: Callable[[], None],
        ensure_held: Callable[[], None],
        report_progress: Callable[[Mapping[str, Any]], None],
    ):
        self.folder = folder / "files"
        self.folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / _SECONDS
        self._before = _read_seconds(self._file)
        self._began = self._written = time.monotonic()
        self._log_metrics, self._flush = log_metrics, flush
        self._ensure_held, self._report_progress = ensure_held, report_progress
        # The task's checkpoint may be newer than what the store has where the process is killed.
        self._journal = MetricJournal(folder / _JOURNAL)
        for metrics, step in self._journal.read():
            log_metrics(metrics, step)
        self._store_metrics()
        self._first: tuple[int, float] | None = None
        self._polling = ExitStack()
        self._poll: Callable[[], BaseException | None] | None = None

    @property
    def seconds(self) -> float:
        """Wall time of all attempts so far."""
        return self._before + time.monotonic() - self._began

    def log_metrics(self, metrics: Mapping[str, float], step: int = 0) -> None:
        """Track points of curves; a name without a group is one of `train`.

        Raises:
            TaskError: A name belongs to the framework.
        """
        named = {name if "/" in name else f"train/{name}": float(value) for name, value in metrics.items()}
        for name in named:
            if group_of(name) in _RESERVED:
                raise TaskError(f"log_metrics: {name} belongs to ablate; curves are train/NAME or val/NAME")
            if not _NAME.fullmatch(name):
                raise TaskError(f"log_metrics: {name!r} is no name; letters, digits, spaces, _, -, ., : and / are")
        step = int(step)  # NumPy's numbers are none of JSON's
        self._journal.add(named, step)
        self._log_metrics(named, step)
        self._keep_time()

    def report_progress(self, step: int, steps: int) -> None:
        """Tell how many steps of how many are done."""
        step, steps, now = int(step), int(steps), time.monotonic()
        if self._first is None:
            self._first = (step, now)
        first, began = self._first
        left = (now - began) / (step - first) * (steps - step) if step > first else None
        self._report_progress({"step": step, "steps": steps, "epochs": 1, "seconds_left": left})
        if left is not None:
            log.debug("step %d of %d, %s left", step, steps, tqdm.format_interval(left))
        self._keep_time()

    def should_stop(self) -> bool:
        """Tell whether the run is interrupted; from the first call on, signals wait for the next one."""
        if self._poll is None:
            self._poll = self._polling.enter_context(SIGNALS.polled())
        self._ensure_held()
        self._keep_time()
        return self._poll() is not None

    def close(self) -> None:
        """End the polling, and write the time that was spent.

        Raises:
            KeyboardInterrupt: A signal has come.
        """
        self._keep_time(every=0.0)
        self._polling.close()

    def _store_metrics(self) -> None:
        self._flush()
        self._journal.clear()

    def _keep_time(self, every: float = _EVERY) -> None:
        if time.monotonic() - self._written >= every:
            self._written = time.monotonic()
            self._store_metrics()
            with atomic_write(self._file, durable=False) as file:
                file.write(json.dumps(self.seconds).encode())


def _read_seconds(file: Path) -> float:
    try:
        return float(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return 0.0


def configure_own_loop(hardware: HardwareConfig, *, seed: int) -> Mapping[str, str]:
    """Seed Python's and NumPy's global generators, and set the threads of libraries that are imported later.

    Returns:
        What tracking says of the hardware.
    """
    seed_generators(seed)
    threads = str(hardware.threads or job_threads())
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = threads
    return {"devices": f"CPU: {processor_name()}", "threads": threads, "precision": hardware.precision}


def seed_generators(seed: int) -> None:
    """Seed Python's and NumPy's global generators."""
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - the one that libraries of others draw from


def trained(task: OwnLoopTask, seed: int, run: LoopRun) -> Evaluation:
    """Let a task train and evaluate itself.

    Raises:
        TaskError: It returned no evaluation.
    """
    evaluation = task.train_and_evaluate(seed, run)
    if not isinstance(evaluation, Evaluation):
        raise TaskError(f"{type(task).__name__} returned {type(evaluation).__name__} in place of an evaluation")
    return evaluation


def train_own_loop(task: OwnLoopTask, *, seed: int, loop: Loop) -> OwnTraining:
    """Let a task train and evaluate itself, and measure what that takes.

    Args:
        task: The task, its data loaded.
        seed: The run's seed.
        loop: What it is given.

    Raises:
        KeyboardInterrupt: A signal interrupted it: what it returned does not count.
        TaskError: It returned no evaluation.
    """
    try:
        evaluation = trained(task, seed, loop)
    finally:
        loop.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    return OwnTraining(evaluation, loop.seconds, peak)
