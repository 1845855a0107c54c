"""`python -m ablate.check`, and the trial before a sweep, as whole commands."""

import re
from pathlib import Path

import pytest

from ablate.testing.variants import covering
from tests.support.commands import Command
from tests.support.mistaken import arguments, write_project


@pytest.fixture
def project(home: Path) -> Path:
    return write_project(home)


def left_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"conf", "experiments"}


def test_every_level_is_tried_and_nothing_is_kept(project: Path, forked_m: Command) -> None:
    before, store = left_in(project), (project / "mlflow.db").read_bytes()
    finished = forked_m("ablate.check", *arguments("Sound"))
    assert finished.returncode == 0, finished.stdout + finished.stderr
    lines = [re.sub(r" +[\d.]+ s$", "", line) for line in finished.stdout.splitlines()]
    assert lines[:-1] == [
        "2 variants, each trained for 2 steps; nothing is kept",
        "baseline    ok",
        "width=wide  ok",
        "report      ok",
    ]
    assert lines[-1] == "no problems, no warnings in"
    assert finished.stderr == ""
    assert left_in(project) == before
    assert (project / "mlflow.db").read_bytes() == store


def test_what_one_level_breaks_ends_with_1_and_the_user_s_line(project: Path, forked_m: Command) -> None:
    finished = forked_m("ablate.check", *arguments("NotInEveryLevel"))
    assert finished.returncode == 1
    assert "baseline    ok" in finished.stdout
    assert re.search(r"width=wide +wrong .*\n  \S+mistakes\.py:\d+: KeyError: 'wide'", finished.stdout)


def test_a_level_that_changes_nothing_is_a_warning(project: Path, forked_m: Command) -> None:
    (project / "experiments").mkdir()
    (project / "experiments" / "widths.yaml").write_text(
        "question: Does width matter?\nbaseline: {width: narrow}\nfactors: {width: [narrow, wide]}\n"
        "design: one_at_a_time\nseeds: [0, 1]\nmetric: {name: accuracy, direction: maximize}\n"
    )
    finished = forked_m("ablate.check", *arguments("NotRead", "experiment=widths"))
    assert finished.returncode == 0, finished.stdout
    assert "warning: width=wide trains and evaluates exactly as" in finished.stdout
    assert "does the task read config.width?" in finished.stdout


def test_help_teaches(forked_m: Command) -> None:
    assert "python -m ablate.check experiment=NAME" in forked_m("ablate.check", "--help").stdout


def test_a_sweep_starts_nothing_where_a_level_breaks(project: Path, forked_m: Command) -> None:
    finished = forked_m("ablate.run", "-m", *arguments("NotInEveryLevel", "width=narrow,wide", "seed=0,1"))
    assert finished.returncode == 1
    assert "no run has started: 1 of 2 variants fail a trial of one step" in finished.stderr
    assert re.search(r"^width=wide: \S+mistakes\.py:\d+: KeyError: 'wide'$", finished.stderr, re.MULTILINE)
    assert "seed 0, of study" not in finished.stdout + finished.stderr


def test_a_sweep_without_check_trains_what_it_can(project: Path, forked_m: Command) -> None:
    given = ["-m", *arguments("NotInEveryLevel", "width=narrow,wide", "check=false", "tracking.model=false")]
    finished = forked_m("ablate.run", *given)
    assert finished.returncode == 1
    assert "1 done" in finished.stdout
    again = forked_m("ablate.run", *given, "check=true")
    assert "1 done" in again.stdout  # what has begun is not tried again


@pytest.mark.parametrize(
    ("runs", "places"),
    [
        ([["a=1", "seed=0"], ["a=1", "seed=1"], ["a=2", "seed=0"]], [0, 2]),
        ([["a=1", "b=1"], ["a=1", "b=2"], ["a=2", "b=1"], ["a=2", "b=2"]], [0, 1, 2]),
        ([[]], [0]),
    ],
)
def test_few_runs_hold_every_level(runs: list[list[str]], places: list[int]) -> None:
    assert covering(runs) == places
