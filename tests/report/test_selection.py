"""The newest finished run of each variant and seed, and gaps."""

import pandas as pd
import pytest

from ablate.report.selection import Gap, newest_finished
from tests.support.run_frames import Run, all_evaluated, frame


def test_of_each_variant_and_seed_the_newest_finished_run_is_taken() -> None:
    runs = frame(
        ("FAILED", "baseline", 0),
        ("FINISHED", "baseline", 0),
        ("FINISHED", "a=1", 0),
        ("FINISHED", "baseline", 0),
        ("FINISHED", "baseline", 1),
        ("FINISHED", "baseline", 0),
    )
    selection = newest_finished(runs, all_evaluated(runs))
    assert list(selection.runs.index) == ["run1", "run2", "run4"]
    assert selection.superseded == 2
    assert selection.gaps == []


@pytest.mark.parametrize(
    ("run", "gap"),
    [
        (("FAILED", "a=1", 0), "a=1, seed 0: failed, diverged"),
        (("RUNNING", "a=1", 0), "a=1, seed 0: running"),
        (("KILLED", "a=1", 3), "a=1, seed 3: killed"),
    ],
)
def test_what_has_not_finished_is_a_gap_with_its_reason(run: Run, gap: str) -> None:
    runs = frame(run, ("FINISHED", "baseline", 0))
    selection = newest_finished(runs, all_evaluated(runs))
    assert list(selection.runs.index) == ["run1"]
    assert [str(gap) for gap in selection.gaps] == [gap]


def test_the_newest_attempt_says_why() -> None:
    runs = frame(("RUNNING", "a=1", 0), ("FAILED", "a=1", 0))
    assert newest_finished(runs, all_evaluated(runs)).gaps == [Gap("a=1", 0, "running")]


def test_what_has_finished_without_results_is_a_gap() -> None:
    runs = frame(("FINISHED", "baseline", 0), ("FINISHED", "a=1", 0), ("FINISHED", "a=2", 0))
    selection = newest_finished(runs, pd.Series({"run0": True, "run1": False}))
    assert list(selection.runs.index) == ["run0"]
    assert selection.gaps == [Gap(variant, 0, "finished without results") for variant in ("a=1", "a=2")]


def test_an_older_run_with_results_fills_in_for_a_newer_one_without() -> None:
    runs = frame(("FINISHED", "baseline", 0), ("FINISHED", "baseline", 0))
    selection = newest_finished(runs, pd.Series({"run0": False, "run1": True}))
    assert list(selection.runs.index) == ["run1"]
    assert selection.gaps == []


def test_what_is_planned_and_was_not_begun_is_a_gap() -> None:
    runs = frame(("FINISHED", "baseline", 0), ("FAILED", "a=1", 0))
    planned = [(variant, seed) for variant in ("baseline", "a=1") for seed in (0, 1)]
    selection = newest_finished(runs, all_evaluated(runs), planned)
    assert selection.gaps == [
        Gap("a=1", 0, "failed, diverged"),
        Gap("baseline", 1, "to do"),
        Gap("a=1", 1, "to do"),
    ]


def test_without_finished_runs_nothing_is_taken() -> None:
    runs = frame(("KILLED", "baseline", 0))
    assert newest_finished(runs, all_evaluated(runs)).runs.empty
