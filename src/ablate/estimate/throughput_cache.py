"""The cache of measured throughputs: a file for each network on each kind of machine."""

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock

from ablate.estimate.packing import Throughput
from ablate.system.atomic_write import atomic_write

FOLDER = "calibration"
"""Of the folder of results."""
Measured = Mapping[tuple[int, int], Throughput]
"""By runs at a time and threads of each."""


def cache_file(results: Path, network: Mapping[str, object], machine: Mapping[str, object]) -> Path:
    """Return the file of a network on a machine, each told by plain values.

    Args:
        results: The folder of results.
        network: All that the time of a step depends on.
        machine: The machine: processor, cores, memory.
    """
    key = json.dumps([network, machine], sort_keys=True)
    return results / FOLDER / f"{hashlib.sha256(key.encode()).hexdigest()[:16]}.json"


def read_measured(file: Path) -> dict[tuple[int, int], Throughput]:
    """Return what a file holds; nothing where it is missing or damaged: it is measured anew."""
    with suppress(OSError, ValueError, TypeError, KeyError, RecursionError):
        rows = json.loads(file.read_text(encoding="utf-8"))["measured"]
        return {
            (int(row["runs_at_a_time"]), int(row["threads"])): Throughput(
                _positive(float(row["examples_per_second"])), int(_positive(row["memory"]))
            )
            for row in rows
        }
    return {}


def write_measured(file: Path, measured: Measured, **described: object) -> None:
    """Write a file as a whole.

    Args:
        file: The file.
        measured: What was measured.
        described: What of, for people.
    """
    rows = [
        {
            "runs_at_a_time": runs,
            "threads": threads,
            "examples_per_second": round(throughput.examples_per_second, 3),
            "memory": throughput.memory,
        }
        for (runs, threads), throughput in sorted(measured.items())
    ]
    file.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(file) as opened:
        opened.write(json.dumps({**described, "measured": rows}, indent=1).encode())


@contextmanager
def one_at_a_time(results: Path) -> Iterator[None]:
    """Wait until no other sweep measures: its steps would slow those of this one.

    Where the file of the lock cannot be made, nobody is waited for.

    Args:
        results: The folder of results.
    """
    lock = FileLock(results / f"{FOLDER}.lock")
    with suppress(OSError):
        results.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _positive(value: float) -> float:
    if not 0 < value < math.inf:
        raise ValueError
    return value
