"""`python -m ablate.run -m experiment=NAME`: a study file becomes runs."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import mlflow
import pytest
import yaml

from ablate.study.definition import load_study
from ablate.tracking.store import open_store
from ablate.tracking.study_record import read_study
from hydra_plugins.ablate_sweeper.sweeper import announce
from tests.support.commands import TINY, Command
from tests.support.sweeps import assert_same_bits, found

SHARED = [override for override in TINY if not override.startswith("depth=")]
STUDY = {
    "question": "Does it matter?",
    "baseline": {"depth": "shallow", "dropout": "light", "loss.mix": 0.5},
    "factors": {"depth": ["shallow", "reduced"], "dropout": ["light", "none"], "loss.mix": [0.5, 0.9]},
    "design": "fractional_factorial",
    "resolution": 3,
    "seeds": [4],
    "metric": {"name": "auc_raw", "direction": "maximize"},
}


FACTORS = [
    {"factor/depth": "shallow", "factor/dropout": "light", "factor/loss.mix": "0.5"},
    {"factor/depth": "shallow", "factor/dropout": "none", "factor/loss.mix": "0.9"},
]


@pytest.fixture
def mine(home: Path) -> Callable[..., None]:
    """Write a study `mine` into the current folder."""

    def write(**changes: object) -> None:
        (home / "experiments").mkdir(exist_ok=True)
        (home / "experiments" / "mine.yaml").write_text(yaml.safe_dump({**STUDY, **changes}))

    write()
    return write


@pytest.mark.slow
def test_a_study_is_run_once_by_any_launcher_and_its_results_are_cached(
    home: Path, mine: Callable[..., None], forked_m: Command
) -> None:
    mine(design="list", variants={"both": {"dropout": "none", "loss.mix": 0.9}})
    # The address of a store is relative to where the command was started, for joblib's processes too.
    environment = {"MLFLOW_TRACKING_URI": "sqlite:///mlflow.db"}
    arguments = ["experiment=mine", *SHARED, "hardware.threads=1"]
    finished = forked_m("ablate.run", "-m", *arguments, "hydra/launcher=joblib", env=environment)
    assert finished.returncode == 0, finished.stderr
    assert "Warning" not in finished.stderr
    side_by_side = "(, 2 runs at a time, 1 thread each)?"  # not on one core
    begin = rf"Study mine: Does it matter\?\nStudy mine: 2 runs, 0 done{side_by_side}, time left unknown\n"
    assert re.match(begin, finished.stdout)
    uri = os.environ["MLFLOW_TRACKING_URI"]
    open_store(uri)
    record = read_study("mine", uri)
    assert sorted(record.runs["variant"]) == ["baseline", "dropout=none,loss.mix=0.9"]
    assert (record.runs["status"] == "FINISHED").all()
    assert (record.runs["seed"] == 4).all()
    assert (record.runs["threads"] == "1").all()

    again = forked_m("ablate.run", "-m", *arguments)
    assert again.returncode == 0
    assert "Launching" not in again.stdout
    assert "Study mine: 2 runs: 2 done, 0 cached, 0 failed;" in again.stdout
    assert read_study("mine", uri).runs.index.equals(record.runs.index)

    cached = forked_m("ablate.run", "-m", *arguments, "study.name=theirs")
    assert cached.returncode == 0
    assert "Launching" not in cached.stdout
    assert "Study theirs: 2 runs: 0 done, 2 cached, 0 failed;" in cached.stdout
    theirs = read_study("theirs", uri)
    for study in (record, theirs):
        runs = mlflow.MlflowClient().search_runs([study.experiment_id])
        levels = [{key: level for key, level in run.data.params.items() if "factor/" in key} for run in runs]
        assert sorted(levels, key=str) == sorted(FACTORS, key=str)
    assert sorted(theirs.runs["cached_from"]) == sorted(record.runs.index)
    assert sorted(theirs.metrics["eval/auc_raw"]) == sorted(record.metrics["eval/auc_raw"])
    one = theirs.runs.index[0]
    assert len(theirs.per_example(one)) == 3
    assert theirs.curve(one, "train/loss")["step"].tolist() == [1, 2]
    reported = forked_m("ablate.report", "study=theirs", "out=page")
    assert reported.returncode == 0, reported.stderr
    assert "2 runs cached from other studies: same configuration" in Path("page/report.md").read_text()

    basic = forked_m("ablate.run", "-m", *arguments, "study.name=basic", "rerun=all")
    assert basic.returncode == 0, basic.stderr
    assert_same_bits(found(home, "mine", runs=2), found(home, "basic", runs=2))


@pytest.mark.slow
def test_what_a_study_asks_and_cannot_tell_apart_is_said_and_kept(
    mine: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    uri = os.environ["MLFLOW_TRACKING_URI"]
    announce(load_study("mine"), uri)
    said = capsys.readouterr().out
    assert said.startswith("Study mine: Does it matter?\nAliased by its design: depth = dropout × loss.mix\n")
    experiment = mlflow.MlflowClient().get_experiment_by_name("mine")
    assert yaml.safe_load(experiment.tags["ablate.definition"])["factors"] == STUDY["factors"]
    assert "dropout = depth × loss.mix" in experiment.tags["ablate.aliases"]
    assert experiment.tags["ablate.question"] == "Does it matter?"
    assert experiment.tags["mlflow.note.content"].startswith("**Does it matter?**")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "changes", "message"),
    [
        (
            ["experiment=mine"],
            {},
            "experiment=mine is many runs: add -m, as in `python -m ablate.run -m experiment=mine`",
        ),
        (
            ["-m", "experiment=mime"],
            {},
            "unknown level: experiment=mime. Allowed: experiment=demo, experiment=learning_rates, experiment=mine, ",
        ),
        (["-m", "experiment=mine", "depth=full"], {}, "depth=full: depth is a factor of experiment=mine"),
        (["-m", "experiment=mine", "scale=smoke,laptop"], {}, "experiment=mine says what varies"),
        (["-m", "experiment=mine"], {"metric": {"name": "auc", "direction": "maximize"}}, "Did you mean auc_raw?"),
        (
            ["-m", "experiment=mine"],
            {"factors": {"deph": [1, 2]}, "baseline": {"deph": 1}, "design": "list"},
            "unknown key: deph",
        ),
        (
            ["-m", "experiment=mine"],
            {"factors": {"depth": ["full", "ful"]}, "baseline": {"depth": "full"}, "design": "full_factorial"},
            "unknown level: depth=ful. Allowed: depth=full",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_ends_in_one_clear_line_before_anything_runs(
    arguments: list[str], changes: dict[str, object], message: str, mine: Callable[..., None], forked_m: Command
) -> None:
    mine(**changes)
    finished = forked_m("ablate.run", *arguments)
    said = (finished.stdout + finished.stderr).splitlines()
    assert finished.returncode == 1
    assert len(said) == 1
    assert message in said[0]
    experiments = mlflow.MlflowClient(os.environ["MLFLOW_TRACKING_URI"]).search_experiments()
    assert [experiment.name for experiment in experiments] == ["Default"]
