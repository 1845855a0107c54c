"""The packing that is measured: how many runs at a time train fastest with the largest network of a sweep."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import psutil

from ablate.config.paths import results_dir
from ablate.estimate import packing
from ablate.estimate.packing import Packing, Throughput
from ablate.estimate.throughput_cache import cache_file, one_at_a_time, read_measured, write_measured
from ablate.execution.identity import code
from ablate.execution.throughput import MeasurementFailed
from ablate.study.planning import PlannedRun
from ablate.system.memory import available_memory
from ablate.system.processor import processor_name
from ablate.task import planned_cost

log = logging.getLogger(__name__)

WORTH_SECONDS = 120.0
"""A sweep that takes less, one run after the other, is not worth a measurement."""

Measure = Callable[[Mapping[str, Any], int, int], Throughput]
"""Measures a configuration with runs at a time and threads of each, see `measure_throughput`."""


def fitting(runs: int, most: int, memory: int | None) -> int:
    """Return how many runs train at a time where so many are to do, may at most, and one needs so much memory."""
    return max(1, min(runs, most, packing.fitting(memory, available_memory())))


class _NotMeasured(Exception):
    """The cache lacks it, and nothing is measured."""


class MeasuredPacking:
    """The choice of a packing by the throughputs of the largest network of a sweep.

    Args:
        planned: The runs of the sweep.
        runs: How many of them are to do.
        cores: Cores that may be used.
        threads: Of each run, where they are settled.
        seconds: About what the runs take, one after the other; NaN where unknown.
        measure: Measures what the cache lacks; None does not.
        settled: The basis of the packing where the threads are settled.
    """

    def __init__(
        self,
        planned: Sequence[PlannedRun],
        runs: int,
        cores: int,
        threads: int | None,
        seconds: float,
        measure: Measure | None,
        *,
        settled: str = packing.SETTLED,
    ):
        self.runs, self.cores, self.threads, self.seconds, self._measure = runs, cores, threads, seconds, measure
        self._settled = settled
        self.largest = max(planned, key=_flops_of_step)
        self.file = cache_file(results_dir(), _network(self.largest), machine(cores))
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
            return self._unmeasured(self._settled)  # the memory is known
        if not self.measured and self._measure is not None:
            log.info("Measures how many runs at a time train fastest here, which takes some seconds")
        alone = self._throughput(1, self.threads or self.cores)
        training = self.largest.config.run.training
        examples = training.total_examples(self.largest.data.examples_per_epoch)
        if self.runs * examples / alone.examples_per_second < WORTH_SECONDS:
            return self._unmeasured(packing.SHORT)
        if self.threads is not None:
            return self._unmeasured(self._settled)
        most = fitting(self.runs, self.cores, alone.memory)
        (at_a_time, threads), rate = packing.choose(
            packing.candidates(self.cores, most),
            self.runs,
            lambda at_a_time, threads: self._throughput(at_a_time, threads).examples_per_second,
        )
        return Packing(at_a_time, threads, packing.MEASURED, examples_per_second=rate)

    def _unmeasured(self, basis: str) -> Packing:
        memory = max((each.memory for each in self.measured.values()), default=None)
        at_a_time = fitting(self.runs, self.cores // (self.threads or 1), memory)
        return Packing(at_a_time, self.threads or self.cores // at_a_time, basis)

    def _throughput(self, at_a_time: int, threads: int) -> Throughput:
        if (at_a_time, threads) not in self.measured:
            if self._measure is None:
                raise _NotMeasured
            with one_at_a_time(results_dir()):
                self.measured |= read_measured(self.file)  # of another sweep, that was waited for
                if (at_a_time, threads) not in self.measured:
                    self.measured[at_a_time, threads] = self._measured_now(self._measure, at_a_time, threads)
        return self.measured[at_a_time, threads]

    def _measured_now(self, measure: Measure, at_a_time: int, threads: int) -> Throughput:
        measured = measure(self.largest.config.values, at_a_time, threads)
        log.info("%s: %.4g examples/s", Packing(at_a_time, threads, ""), measured.examples_per_second)
        task = type(self.largest.config.task).__qualname__
        try:
            write_measured(
                self.file,
                {**self.measured, (at_a_time, threads): measured},
                task=task,
                variant=self.largest.label or "defaults",
                machine=machine(self.cores),
            )
        except OSError as error:
            log.warning("What was measured is not kept, the next sweep measures again: %s", error)
        return measured


def machine(cores: int) -> dict[str, object]:
    """Return what the speed of this machine depends on."""
    memory = round(psutil.virtual_memory().total / 2**30)
    return {"processor": processor_name(), "cores": cores, "memory_gib": memory}


def _flops_of_step(planned: PlannedRun) -> float:
    """Return what a step costs; where FLOPs are not known, its examples tell."""
    cost = planned_cost(planned.config.task).get("flops_per_example", 1.0)
    return cost * planned.config.run.training.batch_size


def _network(planned: PlannedRun) -> dict[str, object]:
    """Return what the time and the memory of a step depend on, besides the machine."""
    run, task = planned.config.run, planned.config.task
    return {
        "code": code(planned.config).version,
        "task": f"{type(task).__module__}.{type(task).__qualname__}",
        "config": dict(task.result_config()),
        "section": planned.config.values.get("task"),  # what changes no result may change the memory
        "data": planned.data.fingerprint,
        "batch_size": run.training.batch_size,
        "deterministic": run.training.deterministic,
        "optimizer": run.optimizer.model_dump(by_alias=True)["_target_"],
        "hardware": run.hardware.model_dump(exclude={"threads"}),
    }
