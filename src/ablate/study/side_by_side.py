"""How many runs of a sweep train at a time: settled by who asks, known from the cache, or measured."""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import psutil
from omegaconf import DictConfig

from ablate.config.paths import results_dir
from ablate.config.validation import ValidConfig
from ablate.estimate import packing
from ablate.estimate.packing import Packing, Throughput
from ablate.estimate.throughput_cache import cache_file, read_measured, write_measured
from ablate.execution.status import RunState, Status, should_train
from ablate.execution.throughput import MeasurementFailed, measure_throughput
from ablate.study.planning import PlannedRun
from ablate.system.gpus import visible_gpus
from ablate.system.memory import available_memory
from ablate.system.processor import processor_name
from ablate.system.threads import job_threads
from ablate.task import planned_cost, trains_itself

log = logging.getLogger(__name__)

AUTO_LAUNCHER = "hydra_plugins.ablate_launchers.auto.AutoLauncher"
WORTH_SECONDS = 120.0
"""A sweep that takes less, one run after the other, is not worth a measurement."""
_STEP_PER_FORWARD = 3.0
_FLOPS_PER_SECOND = 25e9
"""Of a core; only tells whether a sweep is short."""

Measure = Callable[[Mapping[str, Any], int, int], Throughput]
"""Measures a configuration with runs at a time and threads of each, see `measure_throughput`."""


@dataclass(frozen=True)
class AutoOptions:
    """The options of `hydra/launcher=auto`.

    Attributes:
        runs_at_a_time: None works it out.
        runs_per_gpu: How many runs share a GPU.
    """

    runs_at_a_time: int | None = None
    runs_per_gpu: int = 1


def auto_options(config: DictConfig) -> AutoOptions | None:
    """Return the options of a sweep's launcher; None where it is another one."""
    launcher = config.hydra.launcher
    if launcher.get("_target_") != AUTO_LAUNCHER:
        return None
    return AutoOptions(launcher.runs_at_a_time, launcher.runs_per_gpu)


def pack(
    planned: Sequence[PlannedRun],
    states: Sequence[RunState],
    seconds: Sequence[float],
    options: AutoOptions,
    measure: Measure | None = None,
    *,
    earlier: Sequence[RunState] | None = None,
    step_seconds: float | None = None,
) -> Packing | None:
    """Return how many runs train at a time, and with how many threads each.

    Runs of the study that are done or interrupted settle the threads: the same number gives the same bits.

    Args:
        planned: The runs of a sweep.
        states: The status of each.
        seconds: Runtime estimate of each; NaN where unknown.
        options: What the user asks for.
        measure: Measures what the cache lacks; None does not.
        earlier: The statuses before what `rerun=all` repeats.
        step_seconds: Most seconds of a step, uncompiled on all cores, where one was tried.

    Returns:
        The packing; None where it is to be measured first.
    """
    rerun = planned[0].config.run.rerun
    todo = {
        run.identity: place
        for place, (run, state) in enumerate(zip(planned, states, strict=True))
        if state.status != Status.RUNNING and should_train(state, rerun)
    }
    runs, cores = max(1, len(todo)), job_threads()
    config = planned[0].config
    gpus = [] if isinstance(config.run.hardware.devices, str) else visible_gpus()
    if gpus:
        return _on_gpus(gpus, config, options, runs, cores)
    threads = _settled_threads(planned, earlier or states, cores)
    if options.runs_at_a_time is not None:
        each = threads or max(1, cores // options.runs_at_a_time)
        return Packing(options.runs_at_a_time, each, packing.SETTLED)
    if trains_itself(config.task):
        at_a_time = 1 if threads is None else _fitting(runs, cores // threads, None)
        return Packing(at_a_time, threads, packing.ALONE if threads is None else packing.SETTLED)
    if min(runs, cores // (threads or 1)) == 1:
        return Packing(1, threads, packing.ALONE if threads is None else packing.SETTLED)
    left = sum(_seconds(planned[place], seconds[place], cores, step_seconds) for place in todo.values())
    return _Measurement(planned, runs, cores, threads, left, measure).packing()


def pack_measured(
    planned: Sequence[PlannedRun],
    states: Sequence[RunState],
    seconds: Sequence[float],
    options: AutoOptions,
    *,
    earlier: Sequence[RunState] | None = None,
    step_seconds: float | None = None,
) -> Packing:
    """Return how many runs of a sweep train at a time, see `pack`; measure what is not known.

    Raises:
        KeyboardInterrupt: This process was interrupted.
    """
    found = pack(planned, states, seconds, options, measure_throughput, earlier=earlier, step_seconds=step_seconds)
    assert found is not None
    return found


def side_by_side(packing: Packing | None, history: pd.DataFrame) -> int:
    """Return by how many runs at a time the time of all is to be divided.

    One, where no run has had so many threads yet: what is known of the others holds for all cores.

    Args:
        packing: The packing; None where it is not known.
        history: The runs that estimates come from, see `measured_runs`.
    """
    if packing is None or packing.runs_at_a_time == 1:
        return 1
    known = packing.threads is None or (history["threads"] == str(packing.threads)).any()
    return packing.runs_at_a_time if known else 1


def _on_gpus(gpus: Sequence[str], config: ValidConfig, options: AutoOptions, runs: int, cores: int) -> Packing:
    wanted = config.run.hardware.devices
    places = packing.gpu_places(
        gpus, gpus_per_run=wanted if isinstance(wanted, int) else 1, runs_per_gpu=options.runs_per_gpu
    )
    # Where there are too few, a run says so.
    at_a_time = max(1, min(options.runs_at_a_time or len(places), len(places)))
    threads = config.run.hardware.threads or (max(1, cores // at_a_time) if at_a_time > 1 else None)
    return Packing(at_a_time, threads, packing.ON_GPUS, tuple(places[:at_a_time]))


def _settled_threads(planned: Sequence[PlannedRun], states: Sequence[RunState], cores: int) -> int | None:
    """Return the threads that the user gives, or else those that most runs of the study have had."""
    given = {run.config.run.hardware.threads for run in planned}
    if given != {None}:
        return min(max(threads or cores for threads in given), cores)
    counted = Counter(
        state.threads
        for run, state in zip(planned, states, strict=True)
        if state.threads is not None and state.study == run.study
    )
    kept = counted.most_common(1)[0][0] if counted else None
    if kept is None or kept > cores:
        return None
    log.info("Runs keep the %d threads of those that the study has: hardware.threads=N gives them others", kept)
    return kept


def _seconds(run: PlannedRun, estimate: float, cores: int, step_seconds: float | None) -> float:
    """Return about what a run takes, NaN where nothing is known."""
    if not math.isnan(estimate):
        return estimate
    if step_seconds is not None:
        return step_seconds * run.config.run.training.total_steps(run.data.examples_per_epoch)
    flops = planned_cost(run.config.task).get("flops_per_example", math.nan)
    examples = run.config.run.training.total_examples(run.data.examples_per_epoch)
    return examples * flops * _STEP_PER_FORWARD / (cores * _FLOPS_PER_SECOND)


def _fitting(runs: int, most: int, memory: int | None) -> int:
    return max(1, min(runs, most, packing.fitting(memory, available_memory())))


class _NotMeasured(Exception):
    """The cache lacks it, and nothing is measured."""


class _Measurement:
    """The choice of a packing by the throughputs of the largest network of a sweep."""

    def __init__(
        self,
        planned: Sequence[PlannedRun],
        runs: int,
        cores: int,
        threads: int | None,
        seconds: float,
        measure: Measure | None,
    ):
        self.runs, self.cores, self.threads, self.seconds, self._measure = runs, cores, threads, seconds, measure
        self.largest = max(planned, key=lambda run: planned_cost(run.config.task).get("flops_per_example", 0.0))
        self.file = cache_file(results_dir(), _network(self.largest.config), machine(cores))
        self.measured = read_measured(self.file)

    def packing(self) -> Packing | None:
        """Return the packing; None where it is to be measured first."""
        if self.seconds < WORTH_SECONDS:
            return self._unmeasured(packing.SHORT)
        try:
            return self._by_throughput()
        except _NotMeasured:
            return None
        except MeasurementFailed as failure:
            log.warning("How many runs at a time are fastest cannot be measured: %s", failure)
            return self._unmeasured(packing.NOT_MEASURED)

    def _by_throughput(self) -> Packing:
        if self.threads is not None and self.measured:
            return self._unmeasured(packing.SETTLED)  # the memory is known
        if not self.measured and self._measure is not None:
            log.info("Measures how many runs at a time train fastest here, which takes some seconds")
        alone = self._throughput(1, self.threads or self.cores)
        training = self.largest.config.run.training
        examples = training.total_examples(self.largest.data.examples_per_epoch)
        if self.runs * examples / alone.examples_per_second < WORTH_SECONDS:
            return self._unmeasured(packing.SHORT)
        if self.threads is not None:
            return self._unmeasured(packing.SETTLED)
        most = _fitting(self.runs, self.cores, alone.memory)
        (at_a_time, threads), rate = packing.choose(
            packing.candidates(self.cores, most),
            self.runs,
            lambda at_a_time, threads: self._throughput(at_a_time, threads).examples_per_second,
        )
        return Packing(at_a_time, threads, packing.MEASURED, examples_per_second=rate)

    def _unmeasured(self, basis: str) -> Packing:
        memory = max((each.memory for each in self.measured.values()), default=None)
        at_a_time = _fitting(self.runs, self.cores // (self.threads or 1), memory)
        return Packing(at_a_time, self.threads or self.cores // at_a_time, basis)

    def _throughput(self, at_a_time: int, threads: int) -> Throughput:
        known = self.measured.get((at_a_time, threads))
        if known is not None:
            return known
        if self._measure is None:
            raise _NotMeasured
        measured = self._measure(self.largest.config.values, at_a_time, threads)
        self.measured[at_a_time, threads] = measured
        log.info("%s: %.4g examples/s", Packing(at_a_time, threads, ""), measured.examples_per_second)
        task = type(self.largest.config.task).__qualname__
        try:
            write_measured(
                self.file, self.measured, task=task, variant=self.largest.label, machine=machine(self.cores)
            )
        except OSError as error:
            log.warning("What was measured is not kept, the next sweep measures again: %s", error)
        return measured


def machine(cores: int) -> dict[str, object]:
    """Return what the speed of this machine depends on."""
    memory = round(psutil.virtual_memory().total / 2**30)
    return {"processor": processor_name(), "cores": cores, "memory_gib": memory}


def _network(config: ValidConfig) -> dict[str, object]:
    run, task = config.run, config.task
    return {
        "task": f"{type(task).__module__}.{type(task).__qualname__}",
        "config": dict(task.result_config()),
        "batch_size": run.training.batch_size,
        "deterministic": run.training.deterministic,
        "optimizer": run.optimizer.model_dump(by_alias=True)["_target_"],
        "hardware": run.hardware.model_dump(exclude={"threads"}),
    }
