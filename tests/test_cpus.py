"""How many threads a run may have."""

import os

import pytest
from joblib import Parallel, delayed

from ablate.cpus import job_threads


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


def test_joblib_s_workers_share_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    alone = job_threads()
    assert Parallel(n_jobs=2)(delayed(job_threads)() for _ in range(2)) == [max(1, alone // 2)] * 2
