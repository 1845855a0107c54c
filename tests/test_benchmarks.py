"""Helpers of the benchmarks: turns, arithmetic, results as JSON, and their table."""

import importlib
import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import psutil
import pytest

from ablate.system.phase_clock import Phase

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def side_by_side(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    monkeypatch.syspath_prepend(BENCHMARKS)
    module = importlib.import_module("side_by_side")
    monkeypatch.setattr(module, "RESULTS", tmp_path / "results")
    return module


@pytest.fixture
def table(side_by_side: ModuleType) -> ModuleType:
    return importlib.import_module("table")


@pytest.fixture
def report(side_by_side: ModuleType, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    # By its path: the tests of the report are a package of that name.
    spec = importlib.util.spec_from_file_location("report_benchmark", BENCHMARKS / "report.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    return module


def compared(side_by_side: ModuleType, **row: object) -> object:
    named = {"letter": "b", "compared": "fast against slow", "configuration": "64x64", **row}
    times = {"fast": [1.0, 2.0, 1.0], "slow": [3.0, 2.0, 5.0]}
    return side_by_side.faster(times, "fast", "slow", amount=6, sides_unit="images/s", **named)


def test_ways_take_turns_and_the_first_round_does_not_count(side_by_side: ModuleType) -> None:
    calls: list[str] = []

    def named(name: str, seconds: float) -> object:
        calls.append(name)
        return side_by_side.Seconds(seconds * len(calls))

    times = side_by_side.interleaved({name: lambda name=name: named(name, 1.0) for name in "ABC"}, 2)
    assert calls == list("ABCABCABC")
    assert times == {"A": [4.0, 7.0], "B": [5.0, 8.0], "C": [6.0, 9.0]}


def test_a_way_that_says_no_seconds_is_timed(side_by_side: ModuleType) -> None:
    (taken,) = side_by_side.interleaved({"A": lambda: 1e9}, 1)["A"]
    assert 0 < taken < 10


def test_the_figure_is_the_median_of_the_ratios_of_each_round(side_by_side: ModuleType) -> None:
    row = compared(side_by_side, target=">= 3.5")
    assert (row.figure, row.spread, row.unit) == (3.0, (1.0, 5.0), "x")
    assert row.sides == {"fast": 6.0, "slow": 2.0}
    assert row.met is False


def test_ways_may_do_different_amounts(side_by_side: ModuleType) -> None:
    times = {"fast": [1.0], "loop": [2.0]}
    named = {"letter": "f", "compared": "fast against loop", "configuration": ""}
    row = side_by_side.faster(times, "fast", "loop", amount={"fast": 10, "loop": 4}, sides_unit="pixels/s", **named)
    assert (row.figure, row.sides) == (5.0, {"fast": 10.0, "loop": 2.0})


@pytest.mark.parametrize(
    ("target", "figure", "met"),
    [
        (">= 0.90", 0.90, True),
        (">= 0.90", 0.89, False),
        (">= 0.90", float("nan"), False),
        ("<= 1", 0.5, True),
        ("<= 1", 1.5, False),
        ("", 1.0, None),
        (">= 2", None, None),
    ],
)
def test_targets(side_by_side: ModuleType, target: str, figure: float | None, met: bool | None) -> None:
    assert side_by_side.Row("a", "", "", figure, "x", target).met is met


def test_results_come_back_as_they_were_and_name_no_folder(
    side_by_side: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ["--data", str(tmp_path / "photographs"), f"--out={tmp_path / 'there'}"]
    monkeypatch.setattr(sys, "argv", [str(BENCHMARKS / "step.py"), *arguments])
    rows = [compared(side_by_side, target=">= 2"), side_by_side.missing(letter="b", compared="", configuration="")]
    path = side_by_side.write("step", rows, data="photographs")
    facts, found = side_by_side.read(path)
    assert found == rows
    assert facts["command"] == "python benchmarks/step.py --data photographs --out=there"
    assert facts["data"] == "photographs"
    assert str(tmp_path) not in path.read_text()
    assert [row["met"] for row in json.loads(path.read_text())["rows"]] == [True, None]


def test_the_table_marks_what_is_missed_and_what_could_not_run(side_by_side: ModuleType, table: ModuleType) -> None:
    rows = [
        compared(side_by_side, target=">= 4"),
        side_by_side.missing(letter="b", compared="against PyTorch", configuration="64x64", target=">= 1.5"),
        compared(side_by_side, letter="a", target=">= 2"),
    ]
    facts = {
        "command": "python benchmarks/step.py",
        "machine": {"cpu": "A CPU", "cores": 2, "avx512": False},
        "versions": {"python": "3.11"},
    }
    lines = table.table({"step": (facts, rows)}).splitlines()
    assert lines[0] == "1 of 2 targets are met."
    assert lines[4].startswith("| a | fast against slow | 64x64 | **3 x** | 1 to 5 | >= 2: met |")
    assert lines[5].startswith("| b | fast against slow | 64x64 | 3 x | 1 to 5 | >= 4: **missed** |")
    assert lines[6] == "| b | against PyTorch | 64x64 | not installed |  | >= 1.5 |  |"
    assert lines[-1] == "- step: `python benchmarks/step.py`; A CPU, 2 cores, without AVX512; python 3.11"


def test_the_text_around_the_table_is_kept(table: ModuleType) -> None:
    page = f"before\n{table.BEGIN}\nold\n{table.END}\nafter\n"
    assert table.renewed(page, "new", table.BEGIN, table.END) == page.replace("old", "new")
    with pytest.raises(ValueError, match="once each"):
        table.renewed("no markers", "new", table.BEGIN, table.END)


def test_the_page_has_the_results_that_there_are(table: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "RESULTS", BENCHMARKS / "results")
    page = table.PAGE.read_text(encoding="utf-8")
    assert table.renewed(page, table.table(table.results()), table.BEGIN, table.END) == page


def test_the_page_has_its_markers(table: ModuleType) -> None:
    assert table.renewed(table.PAGE.read_text(encoding="utf-8"), "", table.BEGIN, table.END)


@pytest.mark.slow
def test_a_report_on_a_filled_store_is_measured(report: ModuleType, home: Path) -> None:
    studies = importlib.import_module("studies")
    studies.fill(4, home, seeds=2)
    (home / report.FILLED).touch()
    taken = report.report(report.filled_store(4, home), home / "out")
    assert 0 < taken.seconds < 240
    assert 50 < taken.mib < 2048
    assert json.loads((home / "out" / "summary.json").read_text())["examples"] == studies.PHOTOGRAPHS


def test_the_time_of_a_run_is_compared_within_a_round(report: ModuleType) -> None:
    rounds = [
        {100: report.ReportCost(few, 100.0), 300: report.ReportCost(9.0, 200.0), 1000: report.ReportCost(many, 400.0)}
        for few, many in ((8.0, 40.0), (4.0, 60.0), (4.0, 44.0))
    ]
    seconds, memory, growth = report.rows_of(rounds)
    assert (seconds.figure, seconds.spread, seconds.met) == (44.0, (40.0, 60.0), True)
    assert seconds.sides == {"100 runs": 4.0, "300 runs": 9.0, "1,000 runs": 44.0}
    assert (memory.figure, memory.unit, memory.met) == (400.0, "MiB", True)
    assert (growth.figure, growth.met) == (pytest.approx(1.1), True)


@pytest.fixture
def robustness(side_by_side: ModuleType) -> ModuleType:
    return importlib.import_module("robustness")


@pytest.fixture
def attempt(robustness: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Try a function as a scenario, the result that was finished before being a file `before`."""
    template = tmp_path / "template"
    template.mkdir()
    (template / "before").write_text("0.5")
    (template / "crashes.py").write_text("1 / 0")
    (template / "dies.py").write_text("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    (template / "says.py").write_text("import sys; print('12:00:00 INFO    it is so'); sys.exit(3)")
    (template / "sleeps.py").write_text("import time; time.sleep(99)")
    monkeypatch.setattr(robustness, "finished", lambda folder: (folder / "before").read_text())
    return lambda act: robustness.attempt(robustness.Scenario("names", "something", act), tmp_path / "home", template)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("act", "fault"),
    [
        (lambda place: place.run("crashes", code=1), "a stack trace: crashes ended with 1"),
        (lambda place: place.run("dies"), "exit code 0 and a line with '' were expected; dies ended with -11"),
        (lambda place: place.run("says", code=0), "exit code 0"),
        (lambda place: place.run("says", code=3, says="another"), "a line with 'another' were expected"),
        (lambda place: place.run("sleeps", timeout=0.5), "sleeps hangs"),
        (lambda place: place.canary.touch(), "hostile code has run"),
        (lambda place: place.write("before", "0.6") and None, "the result that was finished before is not the same"),
    ],
)
def test_a_scenario_fails_where_something_crashes_is_lost_or_executed(
    robustness: ModuleType, attempt: Callable[..., Any], act: Callable[[Any], object], fault: str
) -> None:
    row = attempt(lambda place: act(place) and None)
    assert fault in row.fault
    assert "**failed**" in robustness.table([row])


def test_a_scenario_s_row_says_what_a_command_said_and_what_is_left(
    robustness: ModuleType, attempt: Callable[..., Any]
) -> None:
    row = attempt(lambda place: place.run("says", code=3, says="it is so") and "all is left")
    assert (row.codes, row.message, row.fault) == ("3", "it is so", "")
    assert row.afterwards == "all is left; the earlier result is the same"
    assert "| something | 3 | `` it is so `` | all is left; the earlier result is the same |" in robustness.table(
        [row]
    )


def test_a_scenario_that_cannot_be_tried_here_says_so(robustness: ModuleType, attempt: Callable[..., Any]) -> None:
    def act(place: Any) -> None:
        raise robustness.Impossible("file systems may not be mounted here")

    row = attempt(act)
    assert (row.afterwards, row.fault) == ("not tried: file systems may not be mounted here", "")


@pytest.mark.slow
def test_scenarios_have_groups_and_names_of_their_own_and_the_page_has_its_markers(robustness: ModuleType) -> None:
    for module in robustness.MODULES:
        importlib.import_module(f"scenarios.{module}")
    tried = [each.tried for each in robustness.SCENARIOS]
    assert len(tried) == len(set(tried)) > 50
    assert {each.group for each in robustness.SCENARIOS} == set(robustness.GROUPS)
    page = robustness.PAGE.read_text(encoding="utf-8")
    assert robustness.renewed(page, "", robustness.BEGIN, robustness.END)
    assert "**failed**" not in page


@pytest.mark.slow
@pytest.mark.parametrize("name", ["chaos", "launchers", "visitors"])
def test_a_benchmark_finds_what_it_shares_with_the_tests(name: str, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(BENCHMARKS)}
    subprocess.run([sys.executable, "-c", f"import {name}"], cwd=tmp_path, env=environment, check=True, timeout=240)


@pytest.fixture
def alternatives(side_by_side: ModuleType) -> ModuleType:
    return importlib.import_module("alternatives")


@pytest.fixture
def outcome(alternatives: ModuleType) -> ModuleType:
    return importlib.import_module("alternative_studies.outcome")


@pytest.mark.slow
def test_other_tools_get_the_photographs_as_arrays(alternatives: ModuleType, tmp_path: Path) -> None:
    prepared, out = tmp_path / "set", tmp_path / "arrays"
    command = [sys.executable, "-m", "ablate.prepare", "data=sample", "data.max_zoom=1.125", "scale=thumbnail"]
    subprocess.run([*command, f"out={prepared}"], check=True, timeout=240)
    alternatives.as_arrays(prepared, out, ["backbone.width=0.0625"])
    train, evaluation = (np.load(out / f"{name}.npy") for name in ("train", "evaluation"))
    case = json.loads((out / "case.json").read_text())
    assert (train.shape[1:], train.dtype) == ((36, 36, 3), np.float16)
    assert (evaluation.shape[1:], evaluation.dtype) == ((32, 32, 3), np.uint8)
    assert case["evaluation_photographs"] == len(evaluation) > 0
    assert len(case["class_weights"]) == 313
    assert case["layers"].keys() == {"full", "half"}


PLANNED = [("adam", "full", 0), ("adam", "full", 1), ("adam", "half", 0)]


def test_a_run_counts_that_finished_once_and_found_the_same_bits_each_time(outcome: ModuleType) -> None:
    def run(place: int, score: float) -> Any:
        return outcome.FinishedRun(PLANNED[place], {"psnr": score})

    undisturbed = [run(0, 0.1), run(1, 0.2), run(2, 0.3)]
    assert outcome.once(undisturbed, PLANNED) == outcome.equal_bits(undisturbed, undisturbed) == 3
    again = [run(0, 0.1), run(0, 0.1), run(1, 0.2), run(1, 0.2 + 1e-16), run(2, 0.1 + 0.2)]
    assert outcome.once(again, PLANNED) == 1
    assert outcome.equal_bits(again, undisturbed) == 1
    assert outcome.equal_bits([outcome.FinishedRun(PLANNED[0], {"psnr": 0.1, "ssim": 1.0})], undisturbed) == 0
    assert outcome.once([], PLANNED) == outcome.equal_bits([], undisturbed) == 0


def test_what_a_run_takes_beside_its_training_is_shared_by_the_runs_side_by_side(outcome: ModuleType) -> None:
    def attempt(began: float, ended: float, steps: int = 10) -> Any:
        return outcome.Attempt(PLANNED[0], began, ended, steps, seconds=20.0)

    one_by_one = [attempt(0, 30), attempt(30, 60), attempt(60, 90)]
    assert outcome.side_by_side(one_by_one) == 1
    assert outcome.seconds_beside_training(90, one_by_one, runs=3) == 10
    two_at_once = [attempt(0, 30), attempt(10, 40), attempt(30, 60), attempt(45, 80)]
    assert outcome.side_by_side(two_at_once) == 2
    assert outcome.seconds_beside_training(80, two_at_once, runs=4) == 10
    assert outcome.seconds_trained_twice(5, two_at_once) == 10


def test_the_tools_are_compared_within_a_round(alternatives: ModuleType) -> None:
    def result(seconds: float, beside: float, **other: Any) -> Any:
        values = {"side_by_side": 2, "peak_mib": 100.0, "once": 12, "equal": 12, "repeated_seconds": 1.0}
        more = {"killed_at": 0.5, "seconds_in_all": 2 * seconds}
        return alternatives.Result(seconds=seconds, beside_training=beside, **{**values, **more, **other})

    results = {
        "ablate": [result(100, 5.0), result(200, 5.0)],
        "plain Hydra": [result(200, 9.0, once=6), result(300, 9.0, once=6)],
        "Optuna": [result(90, 4.0), result(190, 8.0)],
    }
    hydra, optuna, beside, memory, once, equal, others, again = alternatives.rows_of(results, 12, "12 runs")
    assert (hydra.figure, hydra.spread, hydra.met) == (1.75, (1.5, 2.0), False)
    assert hydra.sides == {"ablate": 27.0, "plain Hydra": 15.0, "Optuna": pytest.approx(29.47, abs=0.01)}
    assert (optuna.figure, optuna.met) == (pytest.approx(0.925), False)
    assert (beside.figure, beside.met) == (pytest.approx((5 / 4 + 5 / 8) / 2), True)
    assert (memory.figure, memory.met) == (100.0, None)
    assert (once.figure, once.met, once.sides["plain Hydra"]) == (12, True, 6)
    assert equal.met is True
    assert (others.figure, others.met) == (1, False)
    assert again.figure == 1.0


@pytest.mark.slow
def test_a_command_is_killed_with_all_its_processes(alternatives: ModuleType, tmp_path: Path) -> None:
    watch = importlib.import_module("alternative_studies.watch")
    child = f"import os, pathlib, time; pathlib.Path('{tmp_path}', str(os.getpid())).touch(); time.sleep(99)"
    orphan = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {child!r}], start_new_session=True)"
    command = watch.Watched([sys.executable, "-c", f"{orphan}; {child}"], tmp_path, {})
    deadline = time.monotonic() + 60
    while len(found := [path for path in tmp_path.iterdir() if path.name.isdigit()]) < 2:
        assert time.monotonic() < deadline, (tmp_path / "log.txt").read_text()
        time.sleep(0.05)
    assert command.kill() == 2
    assert not any(psutil.pid_exists(int(path.name)) for path in found)
    assert command.code == -signal.SIGKILL


def test_the_shares_of_a_runs_phases_are_by_hand(side_by_side: ModuleType) -> None:
    run_time = importlib.import_module("run_time")
    spent = {**dict.fromkeys(Phase, 0.0), Phase.START: 5.0, Phase.TRAINING: 92.0, Phase.EVALUATION: 3.0}
    evaluation, rest = run_time.rows("thumbnail", [spent], 2000, 390)
    assert (evaluation.figure, evaluation.met, rest.figure, rest.met) == (3.0, True, 5.0, None)
    assert evaluation.configuration == "scale=thumbnail, 3 epochs of 390 steps"
    assert evaluation.sides == {
        **dict.fromkeys(map(str, Phase), 0.0),
        "start": 5.0,
        "training": 92.0,
        "evaluation": 3.0,
    }
