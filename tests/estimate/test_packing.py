"""The packing of a sweep, by hand, from cores, memory and measured throughputs."""

from collections.abc import Mapping

import pytest

from ablate.estimate.packing import (
    ALONE,
    MEASURED,
    UNKNOWN_MEMORY,
    Packing,
    candidates,
    choose,
    fitting,
    gpu_places,
    makespan,
    time_for,
)

GIB = 2**30


@pytest.mark.parametrize(
    ("cores", "runs", "expected"),
    [
        (2, 10, [(2, 1), (1, 2)]),
        (16, 100, [(16, 1), (8, 2), (4, 4), (2, 8), (1, 16)]),
        (16, 3, [(3, 5), (1, 16)]),
        (6, 100, [(6, 1), (3, 2), (1, 6)]),
        (1, 10, [(1, 1)]),
    ],
)
def test_candidates_use_all_cores_and_no_more(cores: int, runs: int, expected: list[tuple[int, int]]) -> None:
    assert candidates(cores, runs) == expected


@pytest.mark.parametrize(
    ("measured", "runs", "best"),
    [
        ({(2, 1): 1930, (1, 2): 1500}, 6, (2, 1)),
        ({(2, 1): 1000, (1, 2): 1500}, 6, (1, 2)),
        # As good as equal: start and evaluation fill one core.
        ({(2, 1): 1480, (1, 2): 1500}, 6, (2, 1)),
        # In the last round one of two trains alone, no faster.
        ({(2, 1): 1500, (1, 2): 1400}, 3, (1, 2)),
        ({(2, 1): 1500, (1, 2): 1400}, 4, (2, 1)),
        # Once fewer at a time are slower, the others are not measured.
        ({(16, 1): 100, (8, 2): 200, (4, 4): 190}, 64, (8, 2)),
    ],
)
def test_the_fastest_is_chosen(measured: Mapping[tuple[int, int], float], runs: int, best: tuple[int, int]) -> None:
    chosen, rate = choose(list(measured), runs, lambda at_a_time, threads: measured[at_a_time, threads])
    assert (chosen, rate) == (best, measured[best])


def test_what_is_slower_ends_the_search() -> None:
    asked = []

    def measure(at_a_time: int, threads: int) -> float:
        asked.append(at_a_time)
        return float(at_a_time)

    assert choose(candidates(64, 1000), 1000, measure)[0] == (64, 1)
    assert asked == [64, 32]


def test_the_time_is_that_of_whole_rounds() -> None:
    assert time_for(6, 2, 10.0) == pytest.approx(6 / 10)
    assert time_for(5, 2, 10.0) == time_for(6, 2, 10.0)


@pytest.mark.parametrize(
    ("memory", "available", "runs"),
    [
        (GIB, 10 * GIB, 8),
        (3 * GIB, 10 * GIB, 2),
        (20 * GIB, 10 * GIB, 1),
        (None, 10 * UNKNOWN_MEMORY, 8),
        (GIB, 0, 1),
    ],
)
def test_runs_fit_into_memory_and_leave_some(memory: int | None, available: int, runs: int) -> None:
    assert fitting(memory, available) == runs


@pytest.mark.parametrize(
    ("gpus", "gpus_per_run", "runs_per_gpu", "places"),
    [
        (["0", "1"], 1, 1, [("0",), ("1",)]),
        (["3"], 1, 2, [("3",), ("3",)]),
        (["0", "1"], 1, 2, [("0",), ("1",), ("0",), ("1",)]),
        (["0", "1", "2", "3"], 2, 1, [("0", "1"), ("2", "3")]),
        (["0", "1", "2"], 2, 3, [("0", "1")]),
        (["0"], 2, 1, []),
        (["GPU-8a1b", "MIG-77"], 1, 1, [("GPU-8a1b",), ("MIG-77",)]),
    ],
)
def test_every_place_has_gpus_of_its_own_unless_they_are_shared(
    gpus: list[str], gpus_per_run: int, runs_per_gpu: int, places: list[tuple[str, ...]]
) -> None:
    assert gpu_places(gpus, gpus_per_run=gpus_per_run, runs_per_gpu=runs_per_gpu) == places


@pytest.mark.parametrize(
    ("packing", "text"),
    [
        (Packing(2, 1, ""), "2 runs at a time, 1 thread each"),
        (Packing(4, 4, ""), "4 runs at a time, 4 threads each"),
        (Packing(1, 2, ""), "one run after the other, 2 threads"),
        (Packing(1, None, ""), "one run after the other"),
        (Packing(2, 8, "", (("0",), ("1",))), "2 runs at a time on 2 GPUs, 8 threads each"),
        (Packing(2, 8, "", (("0",), ("0",))), "2 runs at a time on one GPU, 8 threads each"),
    ],
)
def test_it_is_said_in_words(packing: Packing, text: str) -> None:
    assert str(packing) == text


def test_it_is_said_where_it_comes_from() -> None:
    assert Packing(2, 1, MEASURED).explained == "2 runs at a time, 1 thread each (measured)"
    assert Packing(1, None, ALONE).explained == "one run after the other"


@pytest.mark.parametrize(
    ("seconds", "at_a_time", "expected"),
    [
        ([2, 2, 2], 1, 6),
        ([2, 2, 2], 2, 4),
        ([2, 2, 2], 8, 2),
        ([3, 1, 1, 1], 2, 3),
        ([1, 1, 1, 3], 2, 4),  # in order
        ([0, 0, 5], 2, 5),
        ([], 2, 0),
    ],
)
def test_all_runs_are_done_when_the_last_place_is_free(seconds: list[float], at_a_time: int, expected: float) -> None:
    assert makespan(seconds, at_a_time) == expected
