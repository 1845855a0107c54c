"""The reproducibility checklist: answers from the store, the same from an archive, without a place in them."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import mlflow
import pandas as pd
import pytest

from ablate.archive.transfer import export_study, temporary_store
from ablate.report.checklist import AUTHORS, checklist
from ablate.report.deviations import plan_of
from ablate.report.load import load
from ablate.report.settings import settings_of, without_place
from ablate.tracking.sqlite import local_folder
from ablate.tracking.store import open_store
from ablate.tracking.study_record import read_study
from tests.support.stores import add_run

PARAMS = {
    "optimizer.learning_rate": "0.001",
    "training.epochs": "3",
    "data.root": "/home/somebody/photographs",
    "tracking.uri": "postgresql://somebody@server/db",
    "hardware.threads": "2",
    "cache": "~/cache",
}
FACTS = {"host": "the-host", "devices": "cpu: a processor", "python": "3.11.7", "deterministic": "true"}


def answers(name: str, uri: str) -> tuple[dict[str, str], dict[str, str]]:
    results = load(read_study(name, uri))
    return {item.question: item.text for item in checklist(results, plan_of(results))}, dict(results.settings)


def complete(uri: str) -> None:
    """Give the runs of a store what real ones have: configuration, machine, packages."""
    client = mlflow.MlflowClient()
    for run in read_study("hand", uri).runs.index:
        for key, value in PARAMS.items():
            client.log_param(run, key, value)
        for key, value in FACTS.items():
            client.set_tag(run, f"ablate.{key}", value)
        client.set_tag(run, "ablate.command", "python -m ablate.run data.root=/home/somebody/photographs")
        client.log_text(run, json.dumps({**FACTS, "packages": {"keras": "3.10"}}), "provenance/environment.json")
        code = {"modules": {}, "libraries": {"torch": "2.9", "keras": "3.10"}, "version": "1"}
        client.log_text(run, json.dumps(code), "provenance/code.json")


@pytest.fixture
def completed(hand_made: Path) -> Iterator[Path]:
    """`hand_made`, whose runs have what real ones have; their artifacts are every test's, and stay as they were."""
    uri = f"sqlite:///{hand_made / 'mlflow.db'}"
    complete(uri)
    yield hand_made
    open_store(uri)
    for run in read_study("hand", uri).runs.index:
        artifacts = local_folder(mlflow.get_run(str(run)).info.artifact_uri)
        assert artifacts is not None
        shutil.rmtree(artifacts / "provenance")


@pytest.mark.slow
def test_questions_are_answered_from_the_store_and_from_an_archive_alike(completed: Path) -> None:
    uri = f"sqlite:///{completed / 'mlflow.db'}"
    found, settings = answers("hand", uri)
    assert settings == {
        "cache": ".../cache",
        "data.root": ".../photographs",
        "optimizer.learning_rate": "0.001",
        "training.epochs": "3",
    }
    for question, said in {
        "Which versions of which software?": "Python 3.11.7, keras 3.10, torch 2.9.",
        "Is a repetition bit by bit the same?": "Yes, on the same kind of machine with as many threads: all runs were "
        "deterministic.",
        "Is it compared with what costs nothing, trivial baselines?": "Yes: grey.",
        "How large are the models?": "2 M parameters.",
        "How many runs, with which seeds?": "6 runs, 3 of each variant, seeds 0, 1, 2.",
        "Which hyperparameters did the runs have?": "4 settings, listed below.",
        "On which hardware did it run?": "Cpu: a processor.",
        "How much memory?": AUTHORS,
        "Under which licences are data, code and models used and given on?": AUTHORS,
    }.items():
        assert found[question] == said, question
    assert found["How long did a run take, and all of them?"].startswith("12 s to 14 s a run, 81 s for the 6 runs")
    assert "command that trains a run once more is tracked" in found["How is each result made again?"]
    told = json.dumps([found, settings])
    assert not [place for place in ("the-host", "somebody", "/home", str(completed)) if place in told]
    for anonymous in (False, True):
        open_store(uri)
        export_study("hand", uri, completed / f"{anonymous}.zip", anonymous=anonymous)
        with temporary_store([completed / f"{anonymous}.zip"]) as (there, _):
            assert answers("hand", there) == (found, settings), anonymous


@pytest.mark.slow
def test_what_is_not_tracked_is_left_to_the_authors(hand_made: Path) -> None:
    for seed in (0, 1):
        add_run(hand_made, "baseline", seed, study="bare", tags={"commit": "none"})
    found, settings = answers("bare", f"sqlite:///{hand_made / 'mlflow.db'}")
    assert settings == {}
    assert found["Which hyperparameters did the runs have?"] == AUTHORS
    assert "the commit, which was not tracked" in found["Which code gave the results, and where is it?"]
    assert found["What do error bars show, and what do they vary over?"] == AUTHORS  # nothing is compared
    planned = found["Was that fixed before the results were seen?"]
    assert planned.endswith("no study file was written before: all of this is exploratory.")
    assert "is tracked" not in found["How is each result made again?"]


def test_settings_are_what_changes_a_result_with_all_values_of_it() -> None:
    runs = pd.DataFrame({"no_result_keys": ["cache.size", "cache.size"]}, index=["a", "b"])
    params = pd.DataFrame(
        {"depth.name": ["full", "shallow"], "drop": ["None", "3"], "no": ["None", "None"], "cache.size": ["1", "2"],
         "seed": ["0", "1"], "study.name": ["x", "x"], "old": ["1", None]},
        index=["a", "b"],
    )  # fmt: skip
    assert settings_of(runs, params) == {"depth.name": "full; shallow", "drop": "None; 3", "old": "1"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/data", ".../data"),
        ("~/a/b.keras", ".../b.keras"),
        ("C:\\Users\\me\\x", ".../x"),
        ("s3://bucket/set", ".../set"),
        ("[/home/me/a, 1/2]", "[.../a, 1/2]"),
        ("sample/odd", "sample/odd"),
        ("1/4", "1/4"),
    ],
)
def test_a_setting_names_no_place(text: str, shown: str) -> None:
    assert without_place(text) == shown
