"""Sweeps with the launcher `auto`: runs side by side, the bits of any other launcher, and what interrupts them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ablate.tracking.study_record import StudyRecord
from tests.support.commands import TINY, Command
from tests.support.sweeps import assert_same_bits, found

Study = Callable[[], StudyRecord]
TWO = "hydra.launcher.runs_at_a_time=2"


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
