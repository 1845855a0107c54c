"""Sweeps with the launcher `auto`: runs side by side, the bits of any other launcher, and what interrupts them."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from ablate.study import measured_packing
from ablate.tracking.study_record import StudyRecord
from tests.support.commands import TINY, Command
from tests.support.forked import Forked, ForkedProcess
from tests.support.sweeps import assert_same_bits, found

Study = Callable[[], StudyRecord]
TWO = "hydra.launcher.runs_at_a_time=2"


@pytest.fixture
def long(home: Path, forked: Forked, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForkedProcess]:
    """Two long runs side by side, both in training."""
    arguments = [*TINY, "training.steps_per_epoch=100000", "training.log_points=100000", TWO, "seed=0,1,2"]
    output = tmp_path_factory.mktemp("output") / "log.txt"
    process = ForkedProcess(forked, ["ablate.run", "-m", *arguments], folder=home, output=output)
    for seed in (0, 1):
        process.read_until(f"seed={seed}: Training: ")
    yield process
    process.end()


def runs_of(sweep: ForkedProcess) -> list[psutil.Process]:
    return [run for child in psutil.Process(sweep.pid).children() for run in child.children()]


def wait_for_the_end(processes: list[psutil.Process], seconds: float = 180) -> None:
    latest = time.monotonic() + seconds
    while any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in processes):
        assert time.monotonic() < latest
        time.sleep(0.1)


@pytest.mark.slow
def test_its_bits_are_those_of_runs_one_after_the_other(home: Path, forked_m: Command) -> None:
    arguments = [*TINY, "dropout=light,none", "seed=3", "training.steps_per_epoch=4"]
    one = forked_m("ablate.run", "-m", *arguments, TWO, "hydra.sweep.dir=out")
    assert one.returncode == 0, one.stderr
    assert "2 runs at a time, 1 thread each" in one.stdout
    assert "dropout=light seed=3: Evaluated: " in one.stdout
    again = ["hydra/launcher=basic", "hardware.threads=1", "study.name=basic", "rerun=all"]
    other = forked_m("ablate.run", "-m", *arguments, *again)
    assert other.returncode == 0, other.stderr
    assert_same_bits(found(home, "adhoc", runs=2), found(home, "basic", runs=2))
    assert "hardware.threads=1" in (home / "out" / "0" / ".hydra" / "overrides.yaml").read_text()
    assert "dropout=light seed=3: " not in (home / "out" / "0" / "run.log").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("whole_command", [True, False])
def test_all_runs_end_in_order_with_the_sweep(long: ForkedProcess, study: Study, whole_command: bool) -> None:
    runs = runs_of(long)
    assert len(runs) == 2
    if whole_command:
        os.killpg(long.pid, signal.SIGINT)  # as a terminal does
    else:
        os.kill(long.pid, signal.SIGTERM)
    output = long.finish()
    assert long.returncode == 130
    wait_for_the_end(runs)
    assert "Traceback" not in output
    assert "#2" not in output
    record = study().runs
    assert list(record["status"]) == ["KILLED"] * 2
    assert list(record["reason"]) == ["interrupted"] * 2
    assert list(record["resumable"]) == ["true"] * 2


@pytest.mark.slow
def test_no_run_outlives_a_killed_sweep_and_a_killed_run_leaves_the_others_alone(
    long: ForkedProcess, study: Study
) -> None:
    one, other = runs_of(long)
    one.kill()
    long.read_until("the process of the run was killed by SIGKILL")
    long.read_until("seed=2: Training: ")
    assert other.is_running()
    third = runs_of(long)
    os.kill(long.pid, signal.SIGKILL)
    wait_for_the_end([other, *third])
    assert sorted(study().runs["status"]) == ["FAILED", "KILLED", "KILLED"]


@pytest.mark.slow
def test_it_measures_once_and_the_study_keeps_its_threads(
    home: Path, run_here: Callable[..., None], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(measured_packing, "WORTH_SECONDS", 0.0)
    monkeypatch.setattr("ablate.execution.throughput.SECONDS", 0.01)
    run_here("-m", *TINY, "seed=0,1")
    said = capfd.readouterr().out
    assert "2 runs at a time, 1 thread each: " in said
    assert " of training left" in said
    (file,) = (home / "calibration").iterdir()
    measured = file.read_bytes()
    run_here("-m", *TINY, "seed=0,1,2,3")
    assert "1 thread each: " not in capfd.readouterr().out
    assert file.read_bytes() == measured
