"""The packing of a sweep: how many of its runs train at a time, each with how many threads. Pure functions."""

import heapq
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MEASURED, SHORT, SETTLED, KEPT, ALONE, ON_GPUS, NOT_MEASURED = (
    "measured",
    "too short to measure",
    "as was asked for",
    "with the threads of the study's other runs",
    "one after the other",
    "on GPUs",
    "not measured",
)
"""Where a packing comes from."""
MEMORY_SHARE = 0.8
"""Of the memory that is free, what runs may take: an evaluation may need more than training."""
UNKNOWN_MEMORY = 2 * 2**30
"""Bytes that a run is taken to need where none has been measured."""
_AS_FAST = 1.05
"""Up to this ratio of times more runs at a time are preferred: loading and evaluation fill few cores."""


@dataclass(frozen=True)
class Throughput:
    """What runs side by side were measured to do.

    Attributes:
        examples_per_second: Of all together.
        memory: Bytes that one of them occupied.
    """

    examples_per_second: float
    memory: int


@dataclass(frozen=True)
class Packing:
    """How the runs of a sweep share a machine.

    Attributes:
        runs_at_a_time: How many train at the same time.
        threads: Of each; None leaves it to the run: as many as there are cores.
        basis: One of those above.
        gpus: The GPUs of each place, as in `("0",)`; empty without GPUs.
        examples_per_second: Of all together, where measured.
    """

    runs_at_a_time: int
    threads: int | None
    basis: str
    gpus: Sequence[tuple[str, ...]] = ()
    examples_per_second: float | None = None

    @property
    def explained(self) -> str:
        """The packing in words, with where it comes from."""
        return str(self) if self.basis == ALONE else f"{self} ({self.basis})"

    def __str__(self) -> str:
        runs = f"{self.runs_at_a_time} runs at a time" if self.runs_at_a_time > 1 else "one run after the other"
        if self.gpus:
            number = len({gpu for place in self.gpus for gpu in place})
            runs += f" on {number} GPUs" if number > 1 else " on one GPU"
        if self.threads is None:
            return runs
        return f"{runs}, {self.threads} thread{'s' * (self.threads > 1)}{' each' * (self.runs_at_a_time > 1)}"


def fitting(memory: int | None, available: int) -> int:
    """Return how many runs fit into memory at a time, one at least.

    Args:
        memory: Bytes of one; None where unknown.
        available: Bytes that are free.
    """
    return max(1, int(MEMORY_SHARE * available // (memory or UNKNOWN_MEMORY)))


def candidates(cores: int, runs: int) -> list[tuple[int, int]]:
    """Return what is worth measuring: runs at a time, and threads of each, the most runs first.

    Args:
        cores: Cores that may be used.
        runs: Runs to do, or that fit.
    """
    most = max(1, min(runs, cores))
    halved = {max(1, most >> shift) for shift in range(most.bit_length())}
    return [(at_a_time, cores // at_a_time) for at_a_time in sorted(halved, reverse=True)]


def time_for(runs: int, at_a_time: int, examples_per_second: float) -> float:
    """Return the time that some runs take by a throughput, in seconds for each example of a run.

    Args:
        runs: How many.
        at_a_time: How many at a time; in the last round there may be fewer, which are not faster.
        examples_per_second: Of all at a time together.
    """
    return math.ceil(runs / at_a_time) * at_a_time / examples_per_second


def makespan(seconds: Iterable[float], at_a_time: int) -> float:
    """Return the time until all runs are done, where each begins in order as soon as there is a place.

    Args:
        seconds: What each takes.
        at_a_time: How many places there are.
    """
    ends = [0.0] * at_a_time
    for each in seconds:
        heapq.heapreplace(ends, ends[0] + each)
    return max(ends)


def choose(
    options: Sequence[tuple[int, int]], runs: int, measure: Callable[[int, int], float]
) -> tuple[tuple[int, int], float]:
    """Return the fastest way to do some runs, and its throughput.

    From the most runs at a time on, until fewer at a time are slower; ways about as fast count as slower.

    Args:
        options: See `candidates`.
        runs: How many runs there are to do.
        measure: Returns the examples per second of all together, of runs at a time with so many threads each.
    """
    best, rate = options[0], measure(*options[0])
    for option in options[1:]:
        other = measure(*option)
        if time_for(runs, option[0], other) * _AS_FAST >= time_for(runs, best[0], rate):
            break
        best, rate = option, other
    return best, rate


def gpu_places(gpus: Sequence[str], *, gpus_per_run: int, runs_per_gpu: int) -> list[tuple[str, ...]]:
    """Return the GPUs of each place where a run can train: groups of them, or one that several share.

    Args:
        gpus: What `CUDA_VISIBLE_DEVICES` calls them.
        gpus_per_run: How many a run trains on.
        runs_per_gpu: How many runs share one, where each needs just one.
    """
    groups = [tuple(gpus[first : first + gpus_per_run]) for first in range(0, len(gpus), gpus_per_run)]
    whole = [group for group in groups if len(group) == gpus_per_run]
    # The first run of every GPU comes before the second of any.
    return whole * (runs_per_gpu if gpus_per_run == 1 else 1)


def ray_shares(machines: Sequence[Mapping[str, Any]], given: Mapping[str, Any]) -> dict[str, float]:
    """Return a run's share of a machine with Ray: where there are GPUs, one and its part of the cores; else one core.

    Args:
        machines: Their resources: `CPU`, and `GPU` where there are any.
        given: Shares that are settled: without a GPU, a run has one core.
    """
    per_gpu = [each.get("CPU", 1) // each["GPU"] for each in machines if each.get("GPU", 0) >= 1]
    gpus = given.get("num_gpus", 1 if per_gpu else 0)
    return {"num_cpus": max(1, int(min(per_gpu) * gpus)) if per_gpu and gpus else 1, "num_gpus": gpus}
