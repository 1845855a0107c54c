"""A study with a search: killed in the middle, resumed, and run again, it chooses the same."""

import os
import shutil
from pathlib import Path

import mlflow
import pytest
import yaml

from ablate.tracking.store import open_store
from ablate.tracking.study_record import read_study
from tests.support.commands import Command
from tests.support.forked import Forked, ForkedProcess

DIGITS = Path(__file__).parents[1] / "examples" / "digits"
RATE = "optimizer.learning_rate"
STUDY = {
    "question": "Which optimiser?",
    "baseline": {"optimizer": "adam"},
    "factors": {"optimizer": ["adam", "sgd"]},
    "design": "one_at_a_time",
    "seeds": [0],
    "metric": {"name": "nll", "direction": "minimize"},
    "tune": {"grid": {RATE: {"optimizer=adam": [1e-3, 1e-2], "optimizer=sgd": [1e30, 0.1]}}, "fraction": 0.25},
}
ARGUMENTS = ("experiment=mine", "training.epochs=1", "training.steps_per_epoch=3", "tracking.model=false")


@pytest.fixture
def project(home: Path) -> Path:
    shutil.copytree(DIGITS, home, dirs_exist_ok=True, ignore=shutil.ignore_patterns("results"))
    (home / "experiments" / "mine.yaml").write_text(yaml.safe_dump(STUDY))
    return home


@pytest.mark.slow
def test_a_search_comes_first_and_is_resumed_and_cached(
    project: Path, forked: Forked, forked_m: Command, tmp_path_factory: pytest.TempPathFactory
) -> None:
    killed = ForkedProcess(
        forked, ["ablate.run", "-m", *ARGUMENTS], folder=project, output=tmp_path_factory.mktemp("output") / "log.txt"
    )
    killed.read_until("\t#1 : ")
    killed.end()
    planned = forked_m("ablate.plan", *ARGUMENTS)
    assert "First a search, mine.tune: 4 runs: " in planned.stdout
    assert "to do: after the search" in planned.stdout

    resumed = forked_m("ablate.run", "-m", *ARGUMENTS)
    assert resumed.returncode == 0, resumed.stderr
    assert "Study mine.tune: 4 runs: 3 done, 0 cached, 1 failed" in resumed.stdout
    assert "Study mine: 2 runs: 2 done, 0 cached, 0 failed" in resumed.stdout
    uri = os.environ["MLFLOW_TRACKING_URI"]
    open_store(uri)
    tuned = yaml.safe_load(mlflow.get_experiment_by_name("mine").tags["ablate.tuning"])
    search, own = read_study("mine.tune", uri), read_study("mine", uri)
    assert search.question == f"Which {RATE} does each variant of mine run with?"
    assert (search.metrics["data/evaluation"].dropna() == 300).all()
    assert (own.metrics["data/evaluation"] == 597).all()
    of_adam = search.metrics["eval/nll"][search.params[RATE].isin(["0.001", "0.01"])]
    best = search.params[RATE][of_adam.idxmin()]
    assert {variant["variant"]: variant["values"][RATE] for variant in tuned["variants"]} == {
        "baseline": float(best),
        "optimizer=sgd": 0.1,
    }
    assert tuned["variants"][1]["scores"][0] is None
    assert (tuned["seeds"], tuned["examples"], tuned["fraction"]) == ([1000], 300, 0.25)
    rates = own.params[RATE].set_axis(own.runs["variant"])
    assert rates.to_dict() == {"baseline": best, "optimizer=sgd": "0.1"}

    again = forked_m("ablate.run", "-m", *ARGUMENTS)
    assert again.returncode == 0, again.stderr
    assert "Launching" not in again.stdout
    assert [line for line in again.stdout.splitlines() if line.startswith("Chosen")] == [
        f"Chosen for baseline: {RATE}={float(best)}, of 2 tried",
        f"Chosen for optimizer=sgd: {RATE}=0.1, of 2 tried",
    ]
    reported = forked_m("ablate.report", "study=mine", "out=page")
    assert reported.returncode == 0, reported.stderr
    note = f"{RATE} was searched for each variant: 2 values × 1 seed, by Cross-entropy on 300 digits of the training"
    for file, text in (
        ("report.md", "## Is it fair?"),
        ("report.html", "Is it fair?"),
        ("report.tex", "Searched values"),
    ):
        written = (project / "page" / file).read_text().replace(r"\_", "_").replace("<wbr>", "")
        assert text in written
        assert note in written or file == "report.tex"
    planned = forked_m("ablate.plan", *ARGUMENTS)
    assert "6 runs: 5 done, 1 failed" in planned.stdout
    assert f"Chosen for baseline: {RATE}={float(best)}, of 2 tried" in planned.stdout


@pytest.mark.slow
def test_what_the_search_sets_is_not_set_by_hand(project: Path, forked_m: Command) -> None:
    finished = forked_m("ablate.run", "-m", *ARGUMENTS, f"{RATE}=0.1")
    assert finished.returncode == 1
    assert f"{RATE}=0.1: experiment=mine sets {RATE} by its search, see its `tune`" in finished.stderr
