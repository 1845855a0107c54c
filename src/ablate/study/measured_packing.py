"""The packing that is measured: how many runs at a time train fastest with the largest network of a sweep."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import psutil

from ablate.config.paths import results_dir
from ablate.config.validation import ValidConfig
from ablate.estimate import packing
from ablate.estimate.packing import Packing, Throughput
from ablate.estimate.throughput_cache import cache_file, read_measured, write_measured
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
    """

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
