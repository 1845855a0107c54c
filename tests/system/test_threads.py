"""Threads: how many a run may have, and the map that uses them."""

import os
import threading
import time
from contextlib import closing

import pytest
from joblib import Parallel, delayed

from ablate.system.threads import job_threads, parallel_map


@pytest.mark.parametrize(
    ("environment", "cores", "threads"),
    [
        ({}, 8, 8),
        ({"SLURM_CPUS_PER_TASK": "4"}, 8, 4),
        ({"OMP_NUM_THREADS": "2"}, 8, 2),
        ({"OMP_NUM_THREADS": "3,2"}, 8, 3),
        ({"SLURM_CPUS_PER_TASK": "4", "OMP_NUM_THREADS": "6"}, 8, 4),
        ({"SLURM_CPUS_PER_TASK": "16"}, 8, 8),
        ({"SLURM_CPUS_PER_TASK": "", "OMP_NUM_THREADS": "0"}, 8, 8),
        ({"OMP_NUM_THREADS": "all"}, 8, 8),
    ],
)
def test_the_least_bound_counts(
    environment: dict[str, str], cores: int, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SLURM_CPUS_PER_TASK", "OMP_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("joblib.cpu_count", lambda: cores)
    assert job_threads() == threads


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no affinity")
def test_a_pinned_process_has_as_many_threads_as_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.delenv("SLURM_CPUS_PER_TASK", raising=False)
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        assert job_threads() == 1
    finally:
        os.sched_setaffinity(0, before)


@pytest.mark.slow
def test_joblib_s_workers_share_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    alone = job_threads()
    assert Parallel(n_jobs=2)(delayed(job_threads)() for _ in range(2)) == [max(1, alone // 2)] * 2


def test_results_come_in_order_however_long_each_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ablate.system.threads.job_threads", lambda: 4)

    def make(item: int) -> int:
        time.sleep(0.005 * (-item % 4))
        return item * item

    assert list(parallel_map(make, range(30))) == [item * item for item in range(30)]
    assert list(parallel_map(make, [])) == []


@pytest.mark.parametrize(("threads", "per_thread"), [(1, 1), (1, 2), (3, 2)])
def test_no_more_is_made_than_may_wait(threads: int, per_thread: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ablate.system.threads.job_threads", lambda: threads)
    taken = iter(range(1000))
    made = parallel_map(lambda item: item, taken, per_thread=per_thread)
    assert [next(made) for _ in range(5)] == [0, 1, 2, 3, 4]
    assert next(taken) == 5 + threads * per_thread
    made.close()


def test_an_error_comes_in_its_turn_and_ends_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ablate.system.threads.job_threads", lambda: 1)
    begun = []

    def make(item: int) -> int:
        begun.append(item)
        if item == 2:
            raise OSError("disk full")
        time.sleep(0.02)
        return item

    made = parallel_map(make, range(1000), per_thread=100)
    assert [next(made), next(made)] == [0, 1]
    with pytest.raises(OSError, match="disk full"):
        next(made)
    assert len(begun) < 50
    assert list(made) == []


def test_who_stops_early_waits_for_nothing_that_has_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ablate.system.threads.job_threads", lambda: 1)
    begun = []

    def make(item: int) -> None:
        begun.append(item)
        time.sleep(0.02)

    with closing(parallel_map(make, range(1000), per_thread=100)) as made:
        next(made)
    assert len(begun) < 50
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("ThreadPoolExecutor")]
