"""The number of a sweep's runs that train at a time: settled by who asks, known from the cache, or measured."""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
from omegaconf import DictConfig

from ablate.config.validation import ValidConfig
from ablate.errors import ConfigError
from ablate.estimate import packing
from ablate.estimate.packing import Packing
from ablate.execution.status import RunState, Status, should_train
from ablate.execution.throughput import measure_throughput
from ablate.study.measured_packing import Measure, MeasuredPacking, fitting
from ablate.study.planning import PlannedRun
from ablate.system.gpus import visible_gpus
from ablate.system.threads import job_threads
from ablate.task import planned_cost, trains_itself

log = logging.getLogger(__name__)

AUTO_LAUNCHER = "hydra_plugins.ablate_launchers.auto.AutoLauncher"
_STEP_PER_FORWARD = 3.0
_FLOPS_PER_SECOND = 25e9
"""Of a core; only tells whether a sweep is short."""


@dataclass(frozen=True)
class AutoOptions:
    """The options of `hydra/launcher=auto`.

    Attributes:
        runs_at_a_time: None works it out.
        runs_per_gpu: How many runs share a GPU.

    Raises:
        ConfigError: One of them is no number above 0.
    """

    runs_at_a_time: int | None = None
    runs_per_gpu: int = 1

    def __post_init__(self) -> None:
        for name, number in (("runs_at_a_time", self.runs_at_a_time), ("runs_per_gpu", self.runs_per_gpu)):
            if number is not None and (type(number) is not int or number < 1):
                raise ConfigError(f"hydra.launcher.{name} must be a number above 0. Received: {number}")


def auto_options(config: DictConfig) -> AutoOptions | None:
    """Return the options of a sweep's launcher; None where it is another one.

    Raises:
        ConfigError: One of them is wrong.
    """
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
    threads, settled = _given_threads(planned, cores), packing.SETTLED
    if threads is None:
        threads, settled = _kept_threads(planned, earlier or states, cores), packing.KEPT
    gpus = [] if isinstance(config.run.hardware.devices, str) else visible_gpus()
    if gpus:
        return _on_gpus(gpus, config, options, runs, cores, threads)
    if options.runs_at_a_time is not None:
        each = threads or max(1, cores // options.runs_at_a_time)
        return Packing(options.runs_at_a_time, each, packing.SETTLED)
    if trains_itself(config.task):
        at_a_time = 1 if threads is None else fitting(runs, cores // threads, None)
        return Packing(at_a_time, threads, packing.ALONE if threads is None else settled)
    if min(runs, cores // (threads or 1)) <= 1:
        return Packing(1, threads, packing.ALONE if threads is None else settled)
    left = sum(_seconds(planned[place], seconds[place], cores, step_seconds) for place in todo.values())
    return MeasuredPacking(planned, runs, cores, threads, left, measure, settled=settled).packing()


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


def _on_gpus(
    gpus: Sequence[str], config: ValidConfig, options: AutoOptions, runs: int, cores: int, threads: int | None
) -> Packing:
    wanted = config.run.hardware.devices
    places = packing.gpu_places(
        gpus, gpus_per_run=wanted if isinstance(wanted, int) else 1, runs_per_gpu=options.runs_per_gpu
    )
    # Where there are too few, a run says so.
    at_a_time = max(1, min(options.runs_at_a_time or len(places), len(places), runs))
    each = threads or (max(1, cores // at_a_time) if at_a_time > 1 else None)
    return Packing(at_a_time, each, packing.ON_GPUS, tuple(places[:at_a_time]))


def _given_threads(planned: Sequence[PlannedRun], cores: int) -> int | None:
    """Return the most threads that the user gives a run, None where they are left open."""
    given = {run.config.run.hardware.threads for run in planned}
    return None if given == {None} else max(threads or cores for threads in given)


def _kept_threads(planned: Sequence[PlannedRun], states: Sequence[RunState], cores: int) -> int | None:
    """Return the threads that most runs of the study have had; None where none has, or it is more than the cores."""
    counted = Counter(
        state.threads
        for run, state in zip(planned, states, strict=True)
        if state.threads is not None and state.study == run.study
    )
    kept = counted.most_common(1)[0][0] if counted else None
    if kept is None or kept > cores:
        return None
    threads = f"{kept} thread{'s' * (kept > 1)}"
    log.info("Runs keep the %s of those that the study has: hardware.threads=N gives them others", threads)
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
