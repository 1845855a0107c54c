"""A study that looks at its results: killed between two looks, it resumes, and continues with what is undecided."""

import json
import os
import shutil
from pathlib import Path

import pytest
import yaml

from ablate.tracking.store import open_store
from ablate.tracking.study_record import read_study
from tests.support.commands import Command
from tests.support.forked import Forked, ForkedProcess

DIGITS = Path(__file__).parents[1] / "examples" / "digits"
RATE = "optimizer.learning_rate"
STUDY = {
    "question": "Which learning rate?",
    "baseline": {RATE: 3e-3},
    "factors": {RATE: [3e-3, 1e-6, 2.5e-3]},
    "design": "one_at_a_time",
    "seeds": {"looks": [2, 4], "first": 10},
    "baseline_seeds": 3,
    "metric": {"name": "nll", "direction": "minimize"},
}
ARGUMENTS = ("experiment=mine", "training.epochs=1", "training.steps_per_epoch=30", "tracking.model=false")
UNTRAINED, NEAR = f"{RATE}=1e-06", f"{RATE}=0.0025"


@pytest.fixture
def project(home: Path) -> Path:
    shutil.copytree(DIGITS, home, dirs_exist_ok=True, ignore=shutil.ignore_patterns("results"))
    (home / "experiments" / "mine.yaml").write_text(yaml.safe_dump(STUDY))
    return home


def runs() -> set[tuple[str, int]]:
    record = read_study("mine", os.environ["MLFLOW_TRACKING_URI"])
    finished = record.runs[record.readable]
    return set(zip(finished["variant"], finished["seed"], strict=True))


@pytest.mark.slow
def test_a_study_goes_on_with_what_is_undecided(
    project: Path, forked: Forked, forked_m: Command, tmp_path_factory: pytest.TempPathFactory
) -> None:
    planned = forked_m("ablate.plan", *ARGUMENTS)
    assert "7 runs: 7 to do" in planned.stdout
    assert "Looks at 2 and 4 seeds: at most 5 more runs later" in planned.stdout
    killed = ForkedProcess(
        forked, ["ablate.run", "-m", *ARGUMENTS], folder=project, output=tmp_path_factory.mktemp("output") / "log.txt"
    )
    killed.read_until("Look 1 of 2")
    killed.end()
    open_store(os.environ["MLFLOW_TRACKING_URI"])
    first = {("baseline", 10), ("baseline", 11), ("baseline", 12)}
    first |= {(variant, seed) for variant in (UNTRAINED, NEAR) for seed in (10, 11)}
    assert first <= runs()

    resumed = forked_m("ablate.run", "-m", *ARGUMENTS)
    assert resumed.returncode == 0, resumed.stderr
    (look,) = {line for line in resumed.stdout.splitlines() if line.startswith("Look 1 of 2")}
    assert f"decided: {UNTRAINED} worse" in look
    going_on = {(variant, seed) for variant in ("baseline", NEAR) for seed in (10, 11, 12, 13)}
    over = "0 undecided" in look
    assert runs() == (first if over else first | going_on)

    again = forked_m("ablate.run", "-m", *ARGUMENTS)
    assert again.returncode == 0, again.stderr
    assert "Launching" not in again.stdout
    assert look in again.stdout
    reported = forked_m("ablate.report", "study=mine", "out=page")
    assert reported.returncode == 0, reported.stderr
    summary = json.loads((project / "page" / "summary.json").read_text())
    assert summary["plan"]["deviations"] == []
    rows = {row["variant"]: row for row in summary["variants"]}
    assert (rows[UNTRAINED]["verdict"], rows[UNTRAINED]["look"], rows[UNTRAINED]["n"]) == ("worse", 0, 2)
    assert rows[NEAR]["n"] == (2 if over else 4)
    # One more seed of a variant that is decided is none of the plan.
    more = forked_m(
        "ablate.run",
        "-m",
        f"{RATE}=1e-6",
        "seed=13",
        "study.name=mine",
        f"study.variant='{UNTRAINED}'",
        *ARGUMENTS[1:],
    )
    assert more.returncode == 0, more.stderr
    assert forked_m("ablate.report", "study=mine", "out=page").returncode == 0
    after = json.loads((project / "page" / "summary.json").read_text())
    assert after["plan"]["deviations"] == ["1 finished run that no look asked for left out."]
    assert after["variants"] == summary["variants"]
