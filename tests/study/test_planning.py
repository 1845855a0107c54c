"""Planned runs: their labels and variants."""

from pathlib import Path

import pytest

from ablate.cli.command_line import CommandLine
from ablate.study.planning import PlannedRun, distinguishing_overrides
from ablate.study.sweep import plan_sweep


def planned(*arguments: str) -> list[PlannedRun]:
    command = CommandLine(["-m", "scale=smoke", *arguments])
    return plan_sweep(command.loader, command.compose_sweep())[1]


def test_overrides_of_all_runs_and_seeds_distinguish_none() -> None:
    runs = [["a=1", "b=1", "seed=0"], ["a=1", "b=2", "seed=1"], ["a=1", "b=2", "c=3"]]
    assert distinguishing_overrides(runs) == ["b=1", "b=2", "b=2 c=3"]
    assert distinguishing_overrides([["a=1", "seed=0"]]) == [""]


@pytest.mark.slow
def test_a_label_is_the_overrides_and_a_variant_the_differences(home: Path) -> None:
    runs = planned("depth=full,shallow", "training.epochs=3", "seed=5")
    assert [run.name for run in runs] == ["depth=full seed=5", "depth=shallow seed=5"]
    assert [run.variant.name for run in runs] == ["training.epochs=3", "depth=shallow,training.epochs=3"]


@pytest.mark.slow
def test_a_name_that_a_user_gave_is_label_and_variant(home: Path) -> None:
    (run,) = planned("study.variant=mine", "depth=shallow")
    assert (run.label, run.variant.name) == ("mine", "mine")


@pytest.mark.slow
@pytest.mark.parametrize("other", ["seed=2", "study.name=other", "tracking.model=false"])
def test_runs_of_one_variant_have_one_configuration(other: str, home: Path) -> None:
    (one,), (two,) = planned("seed=1"), planned(other)
    assert one.configuration == two.configuration
    assert (one.identity == two.identity) == (one.seed == two.seed)
