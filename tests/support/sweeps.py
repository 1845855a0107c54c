"""Sweeps as processes that may be killed, and what their runs found; `make correct` proves the same at length."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ablate.execution.lease import LOCK
from ablate.tracking.store import open_store
from ablate.tracking.study_record import StudyRecord, read_study


@dataclass(frozen=True)
class Found:
    """What the runs of a study found, and the number of attempts at each.

    Attributes:
        results: The last values of all metrics that are results; index variant and seed.
        curves: Their histories, by variant, seed and metric.
        tables: The metrics of every example, by variant and seed.
        attempts: How often each run was started; index variant and seed.
    """

    results: pd.DataFrame
    curves: Mapping[tuple[str, int, str], pd.DataFrame]
    tables: Mapping[tuple[str, int], pd.DataFrame]
    attempts: pd.Series


def start(folder: Path, *overrides: str) -> subprocess.Popen[bytes]:
    """Start a sweep in a folder, which has its store; it adds what it prints to log.txt."""
    folder.mkdir(exist_ok=True)
    with (folder / "log.txt").open("a") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "ablate.run", "-m", *overrides],
            cwd=folder,
            env={**os.environ, "MLFLOW_TRACKING_URI": _uri(folder), "PYTHONUNBUFFERED": "1"},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill all processes of a sweep, which cannot notice."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(60)


def finish(process: subprocess.Popen[bytes], folder: Path) -> None:
    """Wait until a sweep ends, as it should within half an hour."""
    assert process.wait(1800) == 0, (folder / "log.txt").read_text()[-5000:]


def found(folder: Path, study: str, *, runs: int) -> Found:
    """Return what the runs of a study found, of which each has finished exactly once and left nothing behind."""
    record = read(folder, study)
    assert (record.runs["status"] == "FINISHED").all(), record.runs["status"]
    assert len(record.runs) == record.runs["identity"].nunique() == runs, record.runs["identity"]
    assert [path.name for path in (folder / "checkpoints").iterdir()] == [LOCK]
    keys = {str(run_id): (str(run["variant"]), int(run["seed"])) for run_id, run in record.runs.iterrows()}
    index = pd.MultiIndex.from_tuples(list(keys.values()), names=["variant", "seed"])
    attempts = record.runs.get("attempts", pd.Series(index=record.runs.index, dtype=object)).fillna("1").astype(int)
    return Found(
        results=record.results.set_axis(index).sort_index().sort_index(axis=1),
        curves={
            (*key, metric): record.curve(run_id, metric) for run_id, key in keys.items() for metric in record.results
        },
        tables={key: record.per_example(run_id) for run_id, key in keys.items()},
        attempts=attempts.set_axis(index).sort_index(),
    )


def read(folder: Path, study: str) -> StudyRecord:
    """Read a study from the store in a folder."""
    open_store(_uri(folder))
    return read_study(study, _uri(folder))


def assert_same_bits(one: Found, other: Found) -> None:
    """Make sure that two studies found the same to the last bit."""
    pd.testing.assert_frame_equal(one.results, other.results, check_exact=True)
    for mine, others in ((one.curves, other.curves), (one.tables, other.tables)):
        assert mine.keys() == others.keys()
        for key, table in mine.items():
            pd.testing.assert_frame_equal(table, others[key], check_exact=True, obj=str(key))


def _uri(folder: Path) -> str:
    return f"sqlite:///{folder / 'mlflow.db'}"
