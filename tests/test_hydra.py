"""Hydra's features in `ablate.run`, up to where a run would train."""

import json
import logging
import os
import pickle
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import Pipe
from pathlib import Path
from typing import Any

import pytest
from hydra.core.hydra_config import HydraConfig
from hydra.utils import to_absolute_path

from ablate import plan
from ablate.cli.errors import handle_errors
from ablate.config.validation import validate_config
from ablate.errors import DataError, SweepIncomplete
from ablate.execution import in_subprocess
from ablate.execution.identity import identity
from ablate.execution.job import Job
from ablate.tracking.store import checkpoint_folder

SMOKE = "scale=smoke"


@dataclass(frozen=True)
class Begun:
    """A run where it would train: what it was given, its current folder, and its identity."""

    job: Job
    folder: Path
    identity: str
    checkpoints: Path


Begin = Callable[..., list[Begun]]


@pytest.fixture
def begin(home: Path, run_here: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> Iterator[Begin]:
    """Run `python -m ablate.run ARGUMENTS`, but for what would train."""
    begun: list[Begun] = []
    disabled = {
        name: log.disabled for name, log in logging.root.manager.loggerDict.items() if hasattr(log, "disabled")
    }

    def record(job: Job, age: float = 0.0) -> None:
        config = validate_config(job.values)
        found = identity(config, config.task.find_data().fingerprint)
        folder = checkpoint_folder(job.uri, job.project, config.run.checkpoint.dir)
        begun.append(Begun(job, Path.cwd(), found, folder))
        logging.getLogger("ablate.run").info("would train")

    monkeypatch.setattr("ablate.run.execute", record)
    monkeypatch.setattr("ablate.run.execute_in_subprocess", record)

    def call(*arguments: str) -> list[Begun]:
        begun.clear()
        with suppress(SweepIncomplete):
            run_here(*arguments)
        return list(begun)

    yield call
    HydraConfig.instance().cfg = None  # a rerun leaves its own
    for name, was in disabled.items():
        logging.getLogger(name).disabled = was


@pytest.mark.slow
@pytest.mark.parametrize("mode", [[], ["-m"]], ids=["single run", "sweep"])
def test_relative_paths_are_the_command_s_where_jobs_change_the_folder(
    mode: list[str], begin: Begin, home: Path, photographs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///mlflow.db")
    arguments = [*mode, SMOKE, "data=folder", "data.root=photographs", "checkpoint.dir=kept", "hydra.sweep.dir=out"]
    arguments += ["hydra.run.dir=out/0", "hydra.searchpath=[own]", "optimizer=mine"]
    (home / "own" / "optimizer").mkdir(parents=True)
    (home / "own" / "optimizer" / "mine.yaml").write_text(
        "name: mine\n_target_: keras.optimizers.Adam\nlearning_rate: 0.5\n"
    )
    (there,) = begin(*arguments, "hydra.job.chdir=true")
    (here,) = begin(*arguments)
    assert (there.folder, here.folder) == (home / "out" / "0", home)
    assert there.identity == here.identity
    assert there.job.variant.name == here.job.variant.name == "optimizer=mine"
    assert there.job.uri == here.job.uri == f"sqlite:///{home}/mlflow.db"
    assert there.checkpoints == here.checkpoints
    assert there.checkpoints.parent == home / "kept"


def planned(*arguments: str) -> list[Mapping[str, Any]]:
    return list(plan._plan(arguments)["runs"])


@pytest.mark.slow
def test_what_a_plan_says_of_a_sweep_is_what_it_becomes(begin: Begin, photographs: Path) -> None:
    arguments = [
        *(SMOKE, "seed=1,2", "data=folder", "data.root=${hydra:runtime.cwd}/photographs"),
        *("study.variant=${hydra:job.name}-${hydra:runtime.choices.depth}", "+hydra.job.env_set.EPOCHS=5"),
        "training.epochs=${oc.env:EPOCHS}",
    ]
    jobs, rows = begin("-m", *arguments), planned(*arguments)
    assert [one.identity for one in jobs] == [row["identity"] for row in rows]
    assert [one.job.variant.name for one in jobs] == [row["variant"] for row in rows] == ["run-full"] * 2
    assert {one.job.values["training"]["epochs"] for one in jobs} == {"5"}


@pytest.mark.slow
def test_the_overrides_of_a_job_name_its_folder(begin: Begin, home: Path) -> None:
    exclude = f"hydra.job.config.override_dirname.exclude_keys=[{SMOKE.partition('=')[0]}]"
    (one,) = begin(SMOKE, exclude, "seed=4", "dropout=light", "hydra.run.dir=out/${hydra.job.override_dirname}")
    assert (home / "out" / "dropout=light,seed=4" / "run.log").is_file()
    subdir = "hydra.sweep.subdir=${hydra.job.override_dirname}"
    assert begin("-m", SMOKE, exclude, "seed=4,5", "dropout=light", "hydra.sweep.dir=out", subdir)[0].identity == (
        one.identity
    )
    assert (home / "out" / "dropout=light,seed=5" / "run.log").is_file()
    assert one.job.variant.name == "dropout=light"


@pytest.mark.slow
def test_a_single_run_knows_its_folder(begin: Begin, home: Path) -> None:
    (one,) = begin(SMOKE, "hydra.run.dir=out", "checkpoint.dir=${hydra:runtime.output_dir}/kept")
    assert one.checkpoints.parent == home / "out" / "kept"


CUSTOM = """
version: 1
root: {level: INFO, handlers: [file]}
handlers:
  file: {class: logging.FileHandler, filename: own.log}
disable_existing_loggers: false
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ([], "INFO    would train\n"),
        (["hydra/job_logging=default"], "[ablate.run][INFO] - would train\n"),
        (["hydra/job_logging=stdout"], "would train\n"),
        (["hydra/job_logging=none"], "[HYDRA] would train\n"),
        (["hydra/job_logging=disabled"], ""),
        (["hydra/job_logging=own", "-cd", "own"], ""),
        (["hydra/hydra_logging=disabled"], "INFO    would train\n"),
        (["hydra/hydra_logging=none", "hydra/job_logging=none"], ""),
        (["hydra.verbose=[ablate.config.validation,ablate.run]"], "INFO    would train\n"),
        (["hydra.verbose=ablate.config.validation"], "INFO    would train\n"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_logging_is_as_hydra_s_options_say(
    overrides: list[str], said: str, begin: Begin, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "own" / "hydra" / "job_logging").mkdir(parents=True)
    (home / "own" / "hydra" / "job_logging" / "own.yaml").write_text(CUSTOM)
    assert len(begin(SMOKE, *overrides)) == 1
    assert capsys.readouterr().out.endswith(said)
    if "-cd" in overrides:
        assert (home / "own.log").read_text() == "would train\n"


@pytest.mark.slow
def test_an_error_is_heard_where_logging_is_disabled(begin: Begin, run_here: Callable[..., None]) -> None:
    with pytest.raises(DataError, match="nowhere is no folder"):
        begin(SMOKE, "hydra/job_logging=disabled", "data=folder", "data.root=nowhere")


PICKLES = "+hydra.callbacks.info._target_=hydra.experimental.callbacks.PickleJobInfoCallback"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Experimental rerun")
def test_a_job_is_rerun_from_its_pickle_in_any_folder(
    begin: Begin, home: Path, photographs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (first,) = begin(
        *(SMOKE, PICKLES, "hydra.run.dir=out", "optimizer=sgd", "seed=3", "data=folder", "data.root=photographs"),
        *("tracking.uri=sqlite:///mlflow.db", "study.name=${hydra:job.name}"),
    )
    (home / "out" / "elsewhere").mkdir()
    monkeypatch.chdir(home / "out" / "elsewhere")
    (again,) = begin("--experimental-rerun", "../.hydra/config.pickle")
    assert (again.identity, again.job.variant.name, again.job.uri) == (first.identity, "optimizer=sgd", first.job.uri)
    assert again.job.values == first.job.values
    monkeypatch.delenv("HYDRA_FULL_ERROR")
    with pytest.raises(SystemExit, match="1"):
        begin("--experimental-rerun", "../.hydra/config.yaml")
    assert "Error: --experimental-rerun takes a config.pickle of PickleJobInfo" in capsys.readouterr().err


@pytest.mark.slow
def test_a_study_of_one_s_own_replaces_a_shipped_one(home: Path) -> None:
    (home / "experiments").mkdir()
    study = {
        "question": "Mine?",
        "design": "one_at_a_time",
        "baseline": {"depth": "full"},
        "factors": {"depth": ["full"]},
        "seeds": [0],
        "metric": {"name": "auc_raw", "direction": "maximize"},
    }
    (home / "experiments" / "screening.yaml").write_text(json.dumps(study))
    assert plan._plan(["experiment=screening", SMOKE])["question"] == "Mine?"


@pytest.mark.parametrize("safe", [False, True])
def test_the_current_folder_is_importable_in_a_command(
    safe: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = [entry for entry in sys.path if entry]
    monkeypatch.setattr(sys, "path", list(before))  # as a console script has it
    monkeypatch.setattr("ablate.cli.import_path._SAFE_PATH", safe)
    with handle_errors("docs/runs.md"):
        assert sys.path == ([] if safe else [str(tmp_path)]) + before
    assert sys.path == before


@pytest.mark.slow
def test_the_process_of_a_run_is_that_of_its_job(begin: Begin, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (one,) = begin(
        "-m", SMOKE, "hydra.job.chdir=true", "hydra.sweep.dir=out", "hydra.verbose=[ablate.config.validation]"
    )
    seen: dict[str, Any] = {}

    def look(job: Job, started: object, age: float) -> None:
        seen.update(environment=dict(os.environ), folder=to_absolute_path("data"), job=HydraConfig.get().job.num)

    monkeypatch.setattr("ablate.execution.in_subprocess.execute", look)
    monkeypatch.setattr("ablate.execution.in_subprocess.SIGNALS.install", lambda: None)
    monkeypatch.setattr("ablate.execution.in_subprocess.end_with_the_parent", lambda: None)
    before, cfg = dict(os.environ), HydraConfig.instance().cfg
    environment = {"PATH": os.environ["PATH"], "SET_BY_HYDRA": "1"}
    receiver, sender = Pipe(duplex=False)
    try:
        in_subprocess._child(pickle.loads(pickle.dumps(one.job)), environment, "", sender)
    finally:
        os.environ.clear()
        os.environ.update(before)
        HydraConfig.instance().cfg = cfg
    with pytest.raises(EOFError):  # it said nothing of an error
        receiver.recv()
    assert seen == {"environment": environment, "folder": str(home / "data"), "job": 0}
