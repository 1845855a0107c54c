"""Threads: the number that a run may have, whoever launched it, and a parallel map in them."""

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import joblib

Item = TypeVar("Item")
Made = TypeVar("Made")

SHARES = ("SLURM_CPUS_PER_TASK", "OMP_NUM_THREADS")
"""Set by SLURM for a job with `cpus_per_task`; by joblib and Ray for their workers, and by people."""


def job_threads() -> int:
    """Return the number of threads that leave the cores of other jobs alone.

    The least of the cores that this process may use (its affinity and its container's quota) and of the shares that
    SLURM, joblib or Ray name in the environment. A share that is no positive number is none.
    """
    shares = (share_of(os.environ.get(name, "")) for name in SHARES)
    cores: int = joblib.cpu_count()
    return min([cores, *(share for share in shares if share)])


def share_of(value: str) -> int | None:
    """Return the threads that a variable names, the first of several with commas between; None for no such number."""
    first = value.partition(",")[0].strip()
    return int(first) if first.isdecimal() and int(first) > 0 else None


def parallel_map(
    make: Callable[[Item], Made], items: Iterable[Item], *, per_thread: int = 2, threads: int | None = None
) -> Generator[Made, None, None]:
    """Map a function over items in threads, in order and a few items ahead.

    In threads of Python: what takes time here, reading, decoding and hashing, leaves the others to work. What an item
    raises is raised in its turn. After that, and where whoever iterates stops early, nothing new is begun.

    Args:
        make: What to make of an item.
        items: No more of them are taken than are worked ahead.
        per_thread: Results for each thread that may wait to be taken: they and what makes them are held in memory.

        threads: Their number; None takes `job_threads`.

    Yields:
        What was made, in the order of the items.
    """
    threads = threads or job_threads()
    waiting: deque[Future[Made]] = deque()
    pool = ThreadPoolExecutor(threads)
    try:
        for item in items:
            waiting.append(pool.submit(make, item))
            if len(waiting) > per_thread * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
