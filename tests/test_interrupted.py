"""A sweep that is killed twice ends with the same bits as one that is left alone; `make correct` kills more often."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ablate.execution.lease import checkpoint_file
from ablate.training.checkpoint import steps_done
from held import HOLD
from tests.support.commands import TINY
from tests.support.forked import Forked, ForkedProcess
from tests.support.sweeps import assert_same_bits, found, read

SWEEP = (
    *(*TINY, "dropout=light", "seed=0,1", "training.epochs=2", "training.steps_per_epoch=4", "training.log_points=8"),
    *("hardware.threads=1", "checkpoint.minutes=1e-9", "task._target_=held.Held", "hydra/launcher=basic"),
)


@pytest.fixture
def sweep(
    forked: Forked, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[Path], ForkedProcess]]:
    """Start the sweep in a folder, which has its store."""
    started: list[ForkedProcess] = []

    def start(folder: Path) -> ForkedProcess:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder / 'mlflow.db'}")
        output = tmp_path_factory.mktemp("output") / "log.txt"
        started.append(ForkedProcess(forked, ["ablate.run", "-m", *SWEEP], folder=folder, output=output))
        return started[-1]

    yield start
    for process in started:
        process.end()


@pytest.mark.slow
def test_killed_in_training_and_between_runs_it_ends_with_the_same_bits(
    home: Path, sweep: Callable[[Path], ForkedProcess], empty_store: Path
) -> None:
    alone = sweep(home)
    said = alone.finish()
    assert alone.returncode == 0, said
    folder = home / "killed"
    folder.mkdir()
    shutil.copy(empty_store, folder / "mlflow.db")

    (folder / HOLD).write_text("0")
    sweep(folder).kill_when(lambda: steps_of_checkpoints(folder) == [6])
    assert list(read(folder, "adhoc").runs["status"]) == ["RUNNING"]
    # The first resumes and finishes; the second never would.
    (folder / HOLD).write_text("1")
    second = sweep(folder)
    second.read_until("\t#1 : ")
    second.end()
    assert list(read(folder, "adhoc").runs["status"]) in (["FINISHED"], ["RUNNING", "FINISHED"])
    (folder / HOLD).unlink()
    third = sweep(folder)
    said = third.finish()
    assert third.returncode == 0, said

    one, other = found(folder, "adhoc", runs=2), found(home, "adhoc", runs=2)
    assert (one.attempts.iloc[0], list(other.attempts)) == (2, [1, 1])
    assert len(one.curves) > 2 * 20
    assert_same_bits(one, other)


def steps_of_checkpoints(folder: Path) -> list[int]:
    return [steps_done(checkpoint_file(run)) for run in (folder / "checkpoints").glob("*/")]
