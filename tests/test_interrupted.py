"""A sweep that is killed twice ends with the same bits as one that is left alone; `make correct` kills more often."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ablate.execution.lease import checkpoint_file
from ablate.training.checkpoint import steps_done
from held import HOLD
from tests.support.commands import TINY
from tests.support.sweeps import assert_same_bits, finish, found, kill_when, read, start

SWEEP = (
    *(*TINY, "dropout=light", "seed=0,1", "training.epochs=2", "training.steps_per_epoch=4", "training.log_points=8"),
    *("hardware.threads=1", "checkpoint.minutes=1e-9", "task._target_=held.Held", "hydra/launcher=basic"),
)


@pytest.mark.slow
def test_killed_in_training_and_between_runs_it_ends_with_the_same_bits(
    home: Path, run_here: Callable[..., None], empty_store: Path
) -> None:
    run_here("-m", *SWEEP)
    folder = home / "killed"
    folder.mkdir()
    shutil.copy(empty_store, folder / "mlflow.db")

    (folder / HOLD).write_text("0")
    kill_when(start(folder, *SWEEP), lambda: steps_of_checkpoints(folder) == [6])
    assert list(read(folder, "adhoc").runs["status"]) == ["RUNNING"]
    # The first resumes and finishes; the second never would.
    (folder / HOLD).write_text("1")
    kill_when(start(folder, *SWEEP), lambda: "\t#1 : " in (folder / "log.txt").read_text())
    assert list(read(folder, "adhoc").runs["status"]) in (["FINISHED"], ["RUNNING", "FINISHED"])
    (folder / HOLD).unlink()
    finish(start(folder, *SWEEP), folder)

    killed, alone = found(folder, "adhoc", runs=2), found(home, "adhoc", runs=2)
    assert (killed.attempts.iloc[0], list(alone.attempts)) == (2, [1, 1])
    assert len(killed.curves) > 2 * 20
    assert_same_bits(killed, alone)


def steps_of_checkpoints(folder: Path) -> list[int]:
    return [steps_done(checkpoint_file(run)) for run in (folder / "checkpoints").glob("*/")]
