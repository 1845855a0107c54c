"""A run of a sweep in a subprocess: what becomes of it when a process ends that should not."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib.util import find_spec
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

import psutil
import pytest

from ablate.errors import TrackingError
from ablate.execution.in_subprocess import process_context
from ablate.tracking.study_record import StudyRecord
from tests.support.commands import QUICK, TINY, Command
from tests.support.forked import Forked, ForkedProcess
from tests.support.processes import end, read_until, start_python_m

Study = Callable[[], StudyRecord]
LONG = [*TINY, "training.steps_per_epoch=100000", "training.log_points=100000", "hydra/launcher=basic"]


Sweep = Callable[..., ForkedProcess]


@pytest.fixture
def sweep(home: Path, forked: Forked, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sweep]:
    """Start a sweep of long runs, and wait until its first run trains, or prints something else."""
    started: list[ForkedProcess] = []

    def start(*arguments: str, until: str = "Training: ") -> ForkedProcess:
        output = tmp_path_factory.mktemp("output") / "log.txt"
        process = ForkedProcess(forked, ["ablate.run", "-m", *LONG, *arguments], folder=home, output=output)
        started.append(process)
        process.read_until(until)
        return process

    yield start
    for process in started:
        process.end()


def run_processes(sweep: ForkedProcess) -> list[psutil.Process]:
    """Return the processes of runs: the children of the process that they are forked from."""
    return [run for child in psutil.Process(sweep.pid).children() for run in child.children()]


def mapped_by_children(process: subprocess.Popen[str]) -> list[Any]:
    """Return the files that a process' children have in memory: the first of TensorFlow's while it is imported."""
    return [file for child in psutil.Process(process.pid).children() for file in child.memory_maps()]


def wait_for(condition: Callable[[], bool], seconds: float = 180) -> None:
    latest = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < latest
        time.sleep(0.1)


@pytest.mark.slow
def test_a_killed_run_is_recorded_and_the_others_run(sweep: Sweep, study: Study) -> None:
    process = sweep("training.steps_per_epoch=100000,2")
    (run,) = run_processes(process)
    run.kill()
    output = process.finish()
    assert process.returncode == 1
    assert output.count("seed 0: the process of the run was killed by SIGKILL") == 1
    assert "  failed      training.steps_per_epoch=100000 seed=0: killed by SIGKILL, as the system does" in output
    assert output.splitlines()[-1] == (
        "Error: 1 of 2 runs have no result: the same command resumes the study. "
        "See docs/resuming.md#try-a-failed-run-again"
    )
    runs = study().runs.sort_values("started")
    assert list(runs["status"]) == ["FAILED", "FINISHED"]
    assert runs["reason"].iloc[0] == "killed by SIGKILL, as the system does when memory runs out"


@pytest.mark.slow
def test_ctrl_c_ends_the_run_and_the_sweep_in_order(sweep: Sweep, study: Study) -> None:
    process = sweep("seed=0,1")
    # A terminal sends it to all processes of the command.
    os.killpg(process.pid, signal.SIGINT)
    output = process.finish()
    assert process.returncode == 130
    assert "Traceback" not in output
    assert output.splitlines()[-1] == "Interrupted"
    runs = study().runs
    assert list(runs["status"]) == ["KILLED"]
    assert runs["reason"].iloc[0] == "interrupted"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "whole_command"), [(signal.SIGTERM, False), (signal.SIGTERM, True), (signal.SIGKILL, False)]
)
def test_a_run_ends_in_order_with_its_sweep(
    number: signal.Signals, whole_command: bool, sweep: Sweep, study: Study
) -> None:
    process = sweep("seed=0,1")
    (run,) = run_processes(process)
    if whole_command:
        os.killpg(process.pid, number)
    else:
        os.kill(process.pid, number)
    output = process.finish()
    if number == signal.SIGTERM:
        # The command ends after its run.
        assert not run.is_running() or run.status() == psutil.STATUS_ZOMBIE
    wait_for(lambda: not run.is_running() or run.status() == psutil.STATUS_ZOMBIE)
    assert "Traceback" not in output
    runs = study().runs
    assert list(runs["status"]) == ["KILLED"]
    assert runs["reason"].iloc[0] == "interrupted"


@pytest.mark.slow
def test_two_sweeps_share_the_work_and_one_resumes_what_the_other_lost(sweep: Sweep, study: Study) -> None:
    arguments = ["training.epochs=3", "training.steps_per_epoch=50", "training.log_points=5", "seed=0,1"]
    killed = sweep(*arguments)
    wait_for(lambda: any(Path("checkpoints").glob("*/checkpoint.npz")))
    # Alive, but no further: the other trains the other seed meanwhile, and then waits.
    os.killpg(killed.pid, signal.SIGSTOP)
    (begun,) = study().runs.index
    other = sweep(*arguments)
    os.killpg(killed.pid, signal.SIGKILL)
    output = other.finish()
    assert other.returncode == 0, output
    assert "Resumes after step " in output
    assert "Study adhoc: 2 runs: 2 done, 0 cached, 0 failed;" in output
    runs = study().runs
    assert list(runs["status"]) == ["FINISHED"] * 2
    assert sorted(runs["seed"]) == [0, 1]
    assert runs.loc[begun, "attempts"] == "2"
    assert study().curve(begun, "val/loss")["step"].tolist() == [50, 100, 150]


@pytest.mark.slow
def test_ctrl_c_before_the_first_run_is_no_stack_trace(home: Path) -> None:
    process = start_python_m(["ablate.run", "-m", *LONG, "seed=0,1"], home)  # which imports TensorFlow
    try:
        read_until(process, "#0")
        wait_for(lambda: any("tensorflow" in file.path for file in mapped_by_children(process)))
        os.killpg(process.pid, signal.SIGINT)
        output, _ = process.communicate(timeout=180)
    finally:
        end(process)
    assert process.returncode == 130
    assert "Traceback" not in output
    assert output.splitlines()[-1] == "Interrupted"


@pytest.mark.slow
def test_a_signal_that_comes_before_a_run_listens_is_not_lost(sweep: Sweep, study: Study) -> None:
    process = sweep("seed=0,1", until="#0")
    wait_for(lambda: bool(run_processes(process)))
    os.kill(process.pid, signal.SIGTERM)
    output = process.finish()
    assert process.returncode == 130
    assert "Traceback" not in output
    assert output.splitlines()[-1] == "Interrupted by SIGTERM"
    with suppress(TrackingError):  # it has no runs, if the signal came before the run was tracked
        assert list(study().runs["status"]) == ["KILLED"]


@pytest.mark.slow
def test_what_a_process_fixes_may_differ_between_runs(forked_m: Command, study: Study) -> None:
    done = forked_m("ablate.run", "-m", *TINY, "hardware.onednn=true,false", "hardware.devices=cpu:2", "rerun=all")
    assert done.returncode == 0, done.stderr
    record = study()
    runs = record.runs
    assert list(runs["status"]) == ["FINISHED"] * 2
    assert sorted(runs["onednn"]) == ["0", "1"]
    assert runs["devices"].str.endswith(" as 2 devices").all()
    assert done.stdout.count("Global batch 16: 8 on each of 2 devices; learning rate 0.01, not scaled") == 2
    memory = record.metrics[["cost/gradient_memory_mib", "cost/optimizer_memory_mib"]]
    assert (memory > 0).all(axis=None)
    assert record.metrics["system/cpu_utilization_percentage"].notna().all()


@pytest.mark.parametrize("trains_itself", [True, False])
def test_tensorflow_is_imported_once_for_the_runs_that_need_it(
    trains_itself: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = list[list[str]]()
    monkeypatch.setattr("ablate.execution.in_subprocess._served", {})
    monkeypatch.setattr(forkserver, "set_forkserver_preload", asked.append)
    process_context(True, trains_itself=trains_itself)
    (modules,) = asked
    assert modules[0] == "ablate.execution.preload"
    assert ("ablate.execution.preload_tensorflow" in modules) != trains_itself
    assert all(find_spec(name) for name in modules)


@pytest.mark.parametrize("name", ["CUDA_VISIBLE_DEVICES", "TF_XLA_FLAGS", "OMP_NUM_THREADS"])
def test_runs_for_which_tensorflow_is_imported_otherwise_do_not_share_a_server(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ablate.execution.in_subprocess._served", {})
    ways = []
    for value in ("0", "1", "0"):
        monkeypatch.setenv(name, value)
        ways.append(process_context(True, trains_itself=False).get_start_method())
    assert ways == ["forkserver", "spawn", "forkserver"]


@pytest.mark.slow
def test_each_run_of_a_sweep_measures_its_own_memory(forked_m: Command, study: Study) -> None:
    done = forked_m("ablate.run", "-m", *QUICK, "backbone.width=1.0,0.0625", "hydra/launcher=basic")
    assert done.returncode == 0, done.stderr
    record = study()
    peak = record.metrics["cost/peak_memory_mib"].sort_index(key=lambda ids: record.runs.loc[ids, "started"])
    # The small one comes second.
    assert peak.iloc[1] < peak.iloc[0] - 100
