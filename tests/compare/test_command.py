"""The command `python -m ablate.compare`: what it judges, what it counts, where it refuses."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import mlflow
import numpy as np
import pytest

from ablate.archive.transfer import export_study
from ablate.compare.__main__ import main
from ablate.compare.judge import Change, Judgement, compared, judge
from ablate.compare.ledger import enter, key_of, next_place, read_ledger
from ablate.compare.sides import primary_metric, read_side
from ablate.statistics.online import next_level
from ablate.tracking.store import open_store
from ablate.tracking.study_record import read_study, study_names
from tests.support.commands import TINY, Command, called_here
from tests.support.stores import ODD, PHOTOGRAPHS, add_run

BEFORE, AFTER = "c" * 40, "d" * 40


@pytest.fixture
def compare(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[str, int]]:
    """Call the command in this process: what it prints, to either stream, and its exit code."""

    def call(*arguments: str) -> tuple[str, int]:
        monkeypatch.setattr("sys.argv", ["ablate.compare", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        printed = capsys.readouterr()
        code = end.value.code
        assert isinstance(code, int)
        return printed.out or printed.err, code

    return call


def add_study(home: Path, name: str, *, gain: float, variant: str = "baseline", **more: str) -> None:
    for seed in (0, 1, 2):
        own = {"identity": f"{name}{seed}", "configuration": name, **more}
        add_run(home, variant, seed, gain=gain, study=name, tags=own)


def uri() -> str:
    return os.environ["MLFLOW_TRACKING_URI"]


def change_of(study: str, against: str) -> Change:
    after, before = (read_side(read_study(name, uri()), "baseline", name) for name in (study, against))
    return compared(before, after, "baseline", primary_metric(before, after, "auc", None))


def test_a_change_is_better_and_its_reverse_worse(hand_made: Path, compare: Callable[..., tuple[str, int]]) -> None:
    add_study(hand_made, "changed", gain=5.0)
    said, code = compare("study=changed", "against=hand")
    assert code == 0
    assert "baseline: study hand (before) against study changed (after)\nBetter: +" in said
    assert "] points (AuC 69." in said
    assert "3 seeds and 12 examples" in said
    assert "It is change number 1 of the ledger changed: better from p 0.022 down" in said
    assert "RMSE <b>" in said
    said, code = compare("study=hand", "against=changed")
    assert code == 3
    assert "Worse: -" in said


def test_what_lies_within_the_margin_is_equivalent_and_else_not_known(
    hand_made: Path, compare: Callable[..., tuple[str, int]]
) -> None:
    add_study(hand_made, "alike", gain=0.001)
    said, code = compare("study=alike", "against=hand")
    assert (code, "Not known: " in said) == (4, True)
    assert "no margin says what does not matter" in said
    said, code = compare("study=alike", "against=hand", "margin=3")
    assert (code, "Equivalent: " in said) == (0, True)
    assert "lies within the margin of 3.000 points" in said
    assert "It is change number 2 of the ledger alike" in said
    said, code = compare("study=alike", "against=hand", "margin=0.0001")
    assert (code, "more than the margin" in said) == (4, True)


def test_seeds_of_one_side_alone_are_in_no_mean(hand_made: Path, compare: Callable[..., tuple[str, int]]) -> None:
    add_study(hand_made, "changed", gain=5.0)
    add_run(hand_made, "baseline", 3, gain=500.0, study="changed", tags={"configuration": "changed"})
    found = json.loads(compare("study=changed", "against=hand", "--json")[0])
    assert (found["seeds"], found["left_out_seeds"]) == ([0, 1, 2], [3])
    for row in (found["metric"], *found["others"].values()):
        assert row["mean"] - row["mean_before"] == pytest.approx(row["difference"])


def test_a_change_is_shown_without_what_commands_a_terminal(
    hand_made: Path, compare: Callable[..., tuple[str, int]]
) -> None:
    add_study(hand_made, "changed", gain=5.0, scale="\x1b[2J\nEquivalent: forged")
    said, _ = compare("study=changed", "against=hand")
    assert r"  scale: smoke before, \x1b[2J\nEquivalent: forged after" in said.splitlines()


def test_other_code_with_the_same_results_is_equivalent_and_a_try(
    hand_made: Path, compare: Callable[..., tuple[str, int]]
) -> None:
    add_study(hand_made, "tidied", gain=0.0)
    said, code = compare("study=tidied", "against=hand")
    assert (code, "All results are the same to the last bit" in said, "change number 1 of" in said) == (0, True, True)
    assert "Equivalent: +0 points" in said


def test_the_same_runs_are_equivalent_and_no_try(hand_made: Path, compare: Callable[..., tuple[str, int]]) -> None:
    said, code = compare("study=hand", f"against={BEFORE[:8]}")
    assert (code, "Equivalent: both states have the same runs" in said, "It is no try" in said) == (0, True, True)
    assert read_ledger(read_study("hand", uri()).experiment_id, uri()) == []


def test_the_newest_runs_of_a_study_stand_against_those_of_a_commit(
    hand_made: Path, compare: Callable[..., tuple[str, int]]
) -> None:
    for seed in (0, 1):
        new = {"identity": f"new{seed}", "code": "beef", "commit": AFTER}
        add_run(hand_made, "baseline", seed, gain=-5.0, tags=new)
    said, code = compare("study=hand", f"against={BEFORE[:10]}", "--json")
    found = json.loads(said)
    assert (code, found["exit_code"], found["judgement"]) == (3, 3, "worse")
    assert (found["before"]["commits"], found["after"]["commits"]) == ([BEFORE], [AFTER])
    assert (found["seeds"], found["left_out_seeds"]) == ([0, 1], [2])
    assert found["before"]["identities"] == ["baseline0", "baseline1", "baseline2"]
    assert found["metric"]["low"] < found["metric"]["difference"] < found["metric"]["high"] < 0
    assert found["others"]["rmse"]["verdict"] == "worse"
    assert found["ledger"]["number"] == 1
    text, _ = compare("study=hand", f"against={BEFORE[:10]}")
    assert "Left out, as one side alone has them: seeds 2" in text


def add_changed(home: Path, study: str, said: str) -> None:
    """Add runs that were trained at the commit `BEFORE`, with what `said` of uncommitted changes."""
    for seed in (0, 1):
        changed = {"identity": f"{study}{seed}", "code": "beef"}
        run_id = add_run(home, "baseline", seed, gain=-5.0, study=study, tags=changed)
        mlflow.MlflowClient().log_text(run_id, said, "provenance/uncommitted.diff")


def test_runs_with_uncommitted_changes_are_not_those_of_their_commit(
    hand_made: Path, compare: Callable[..., tuple[str, int]]
) -> None:
    add_changed(hand_made, "hand", "diff --git a/loss.py b/loss.py\n-1\n+2\n")
    said, code = compare("study=hand", f"against={BEFORE}", "--json")
    assert (code, json.loads(said)["before"]["identities"]) == (3, ["baseline0", "baseline1", "baseline2"])
    add_changed(hand_made, "drafts", "diff --git a/loss.py b/loss.py\n-1\n+2\n")
    said, code = compare("study=drafts", f"against={BEFORE}")
    assert (code, "study drafts at commit cccccccccc has no run without uncommitted changes" in said) == (1, True)
    add_changed(hand_made, "new", "# not in git: experiments/new.yaml\n")
    said, code = compare("study=new", f"against={BEFORE}")
    assert (code, "both states have the same runs" in said) == (0, True)


def test_a_study_comes_before_a_file_of_its_name(hand_made: Path, compare: Callable[..., tuple[str, int]]) -> None:
    add_study(hand_made, "changed", gain=5.0)
    (hand_made / "hand").write_text("no archive")
    said, code = compare("study=changed", "against=hand")
    assert (code, "study hand (before)" in said) == (0, True)


def test_an_archive_is_another_state(hand_made: Path, compare: Callable[..., tuple[str, int]], tmp_path: Path) -> None:
    file = tmp_path / "before.zip"
    export_study("hand", uri(), file)
    add_study(hand_made, "changed", gain=5.0)
    said, code = compare("study=changed", f"against={file}")
    assert code == 0
    assert f"study hand of {file} (before)" in said
    assert len(read_ledger(read_study("changed", uri()).experiment_id, uri())) == 1


def test_of_one_seed_nothing_is_known(hand_made: Path, compare: Callable[..., tuple[str, int]]) -> None:
    add_run(hand_made, "baseline", 0, gain=5.0, study="single", tags={"identity": "single"})
    for arguments in ([], ["margin=9"]):
        said, code = compare("study=single", "against=hand", *arguments)
        assert (code, "One seed says nothing of another" in said) == (4, True)


def test_the_same_identities_with_other_results_are_judged(
    hand_made: Path, compare: Callable[..., tuple[str, int]]
) -> None:
    for seed in (0, 1, 2):
        add_run(hand_made, "baseline", seed, gain=5.0, study="twin", tags={"identity": f"baseline{seed}"})
    said, code = compare("study=hand", "against=twin")
    assert (code, "Worse: -" in said) == (3, True)
    assert said.endswith("runs of the same identities, and other results: of another machine, or changed.\n")


def test_the_same_comparison_counts_once_and_each_other_one_takes_a_place(
    hand_made: Path, compare: Callable[..., tuple[str, int]]
) -> None:
    add_study(hand_made, "changed", gain=5.0)
    first, _ = compare("study=changed", "against=hand")
    assert compare("study=changed", "against=hand") == (first, 0)
    compare("study=changed", "against=hand", "metric=rmse")
    experiment = read_study("changed", uri()).experiment_id
    ledger = read_ledger(experiment, uri())
    assert [(entry.number, entry.metric) for entry in ledger] == [(1, "auc"), (2, "rmse")]
    assert len(read_study("changed", uri()).runs) == 3, "entries are no runs"


def test_studies_of_single_commits_share_a_ledger(hand_made: Path, compare: Callable[..., tuple[str, int]]) -> None:
    for name in ("gate-1", "gate-2"):
        add_study(hand_made, name, gain=5.0)
        said, _ = compare(f"study={name}", "against=hand", "ledger=gate")
    assert "It is change number 2 of the ledger gate: better from p 0.029 down" in said
    experiment = mlflow.MlflowClient().get_experiment_by_name("gate")
    assert experiment is not None
    assert [entry.after for entry in read_ledger(experiment.experiment_id, uri())] == ["study gate-1", "study gate-2"]
    assert "gate" not in study_names()


def test_the_tenth_try_is_judged_as_the_tenth(hand_made: Path) -> None:
    add_study(hand_made, "alike", gain=0.001)
    add_study(hand_made, "changed", gain=5.0)
    experiment, none = read_study("alike", uri()).experiment_id, change_of("alike", "hand")
    for number in range(1, 10):
        tried = replace(none, margin=number * 1e-5)
        entry = enter(tried, "alike", uri(), hand_made)
        assert (entry.number, entry.judgement) == (number, Judgement.NOT_KNOWN)
    ledger = read_ledger(experiment, uri())
    assert next_place(ledger) == (10, pytest.approx(0.05 * 10**-1.6 / 2.28577, rel=1e-4))
    found = change_of("changed", "hand")
    below, above = found.row["p"] / 2, found.row["p"] * 2
    assert judge(found, above) == Judgement.BETTER
    assert judge(found, below) == Judgement.NOT_KNOWN


def test_a_place_is_behind_all_and_passes_on_a_level_of_what_is_there_alone(hand_made: Path) -> None:
    add_study(hand_made, "alike", gain=0.001)
    none = replace(enter(change_of("alike", "hand"), "alike", uri(), hand_made), number=1)
    better = replace(none, judgement=Judgement.BETTER)
    level = [next_level([]), next_level([False]), next_level([False, False])]
    assert next_place([]) == (1, level[0])
    assert next_place([better]) == (2, pytest.approx(level[0] + level[1]))
    # Two that took one place, of which one was killed before it made way; a place that nobody has any more.
    assert next_place([better, better]) == (3, pytest.approx(level[2]))
    assert next_place([replace(better, number=2)]) == (3, pytest.approx(level[1] + level[2]))
    assert next_place([better, replace(none, number=9)])[0] == 10


def test_who_took_the_same_place_at_once_makes_way(hand_made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add_study(hand_made, "alike", gain=0.001)
    experiment, change = read_study("alike", uri()).experiment_id, change_of("alike", "hand")
    # The earlier key is the second: who came first has its answer, and cannot make way.
    other, one = sorted((replace(change, margin=margin) for margin in (1e-5, 2e-5)), key=key_of)
    entries = [enter(one, "alike", uri(), hand_made)]
    import ablate.compare.ledger as module

    real, calls = module.read_ledger, []

    def blind_at_first(*arguments: str) -> list[module.Entry]:
        calls.append(arguments)
        return [] if len(calls) == 1 else real(*arguments)

    monkeypatch.setattr(module, "read_ledger", blind_at_first)
    entries.append(enter(other, "alike", uri(), hand_made))
    kept = {entry.key: entry.number for entry in real(experiment, uri())}
    assert kept == {entry.key: entry.number for entry in entries}
    assert [entry.number for entry in entries] == [1, 2]


def test_states_that_were_evaluated_otherwise_are_refused(
    hand_made: Path, compare: Callable[..., tuple[str, int]]
) -> None:
    for seed in (0, 1, 2):
        add_run(hand_made, "baseline", seed, study="fewer", photographs=PHOTOGRAPHS[:6], tags={"identity": f"f{seed}"})
    add_study(hand_made, "larger", gain=0.0, evaluation="side 16")
    add_run(hand_made, "baseline", 9, study="late", tags={"identity": "late"})
    said, code = compare("study=fewer", "against=hand")
    assert (code, "differ in the evaluated examples" in said) == (1, True)
    said, code = compare("study=larger", "against=hand")
    assert (code, "differ in the way of evaluating (side 8 and side 16)" in said) == (1, True)
    said, code = compare("study=late", "against=hand")
    assert (code, "share no seed" in said) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "study= must be given"),
        (("study=hand",), "against= must be given"),
        (("study=hand", "against=nothing"), "against= must name a commit, an archive, or a study of the store (hand)"),
        (
            ("study=hand", "against=0123456"),
            "has no run that was trained at commit 0123456. Its runs are of: cccccccccc",
        ),
        (("study=hand", "against=hand", "variant=odd"), "unknown level: variant=odd. Allowed: variant="),
        (("study=hand", "against=hand", "margin=0"), "margin must be a number above 0"),
        (("study=hand", "against=hand", "margin=nan"), "margin must be a number above 0"),
        (("study=hand", "against=hand", "metric=color"), "color has no better direction"),
        (("study=hand", "against=hand", "metric=auk"), "unknown level: metric=auk"),
        (("study=none", "against=hand"), "has no study none"),
        (("study=hand", "other=1"), "unknown key: other"),
        (("study=hand", "against=hand", "ledger=../x"), "ledger must be a name"),
    ],
)
def test_what_cannot_be_compared_is_said_in_one_line(
    hand_made: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    said: str,
) -> None:
    error = called_here(main, "ablate.compare", monkeypatch, capsys)(*arguments)
    assert said in error
    assert "Traceback" not in error


def test_another_variant_is_compared(hand_made: Path, compare: Callable[..., tuple[str, int]]) -> None:
    add_study(hand_made, "changed", gain=9.0, variant=ODD)
    said, code = compare("study=changed", "against=hand", f"variant={ODD}")
    assert (code, said.startswith(f"{ODD}: study hand (before)")) == (0, True)


def test_an_entry_that_cannot_be_read_stops_the_judgement(
    hand_made: Path, compare: Callable[..., tuple[str, int]]
) -> None:
    add_study(hand_made, "changed", gain=5.0)
    compare("study=changed", "against=hand")
    experiment = read_study("changed", uri()).experiment_id
    open_store(uri())
    (run,) = mlflow.MlflowClient().search_runs([experiment], "tags.`ablate.type` = 'comparison'")
    mlflow.MlflowClient().log_text(run.info.run_id, "{", "comparison/comparison.json")
    said, code = compare("study=changed", "against=hand", "metric=rmse")
    assert (code, "of the ledger of comparisons cannot be read" in said) == (1, True)


@pytest.mark.slow
def test_two_states_that_were_trained_say_in_what_they_differ(home: Path, forked_m: Command) -> None:
    for study, epochs in (("short", 1), ("long", 2)):
        done = forked_m("ablate.run", "-m", *TINY, f"study.name={study}", f"training.epochs={epochs}", "seed=0,1")
        assert done.returncode == 0, done.stderr
    done = forked_m("ablate.compare", "study=long", "against=short", "--json")
    assert done.stdout, done.stderr
    found = json.loads(done.stdout)
    assert done.returncode == found["exit_code"]
    assert "training.epochs: 1 before, 2 after" in found["differs"]["configuration"]
    assert found["differs"].keys() <= {"configuration"}
    assert np.isfinite(found["metric"]["difference"])
