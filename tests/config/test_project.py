"""Projects of one's own: `[tool.ablate]`, where their configuration and modules are found, and where results go."""

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hydra.errors import HydraException, MissingConfigException

from ablate.cli.command_line import CommandLine, with_project
from ablate.cli.errors import explain_error
from ablate.cli.import_path import project_importable
from ablate.config import paths
from ablate.config.project import find_project
from ablate.errors import ConfigError
from ablate.study.definition import study_files
from ablate.tracking import store

TABLE = "[tool.ablate]\n"
CONFIG = "defaults: [base, {dropout: strong}, _self_]\ntask: {_target_: digits.Digits}\nseed: 7\n"


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_name(f"{path.name}.yaml" if "pyproject" not in name else "pyproject.toml").write_text(text)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of one's own, in whose folder `inside` the test works."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    folder = tmp_path / "own"
    write(folder, pyproject=TABLE, conf__config=CONFIG, conf__other="defaults: [config, _self_]\nseed: 8\n")
    write(folder, conf__dropout__strong="name: strong\nrate: 0.9\n", experiments__screening="question: Mine?\n")
    (folder / "inside").mkdir()
    monkeypatch.chdir(folder / "inside")
    return folder


def test_it_is_that_of_the_nearest_table(project: Path) -> None:
    found = find_project(project / "inside")
    assert found is not None
    assert (found.folder, found.config_dir, found.config_name) == (project, project / "conf", "config")
    assert found.results == project / "results"
    (project / "inside" / "pyproject.toml").write_text("[tool.other]\n")
    assert find_project(project / "inside") == found
    (project / "inside" / "pyproject.toml").write_text('[tool.ablate]\nresults = "/r"\nconfig_name = "c"\n')
    inner = find_project(project / "inside")
    assert inner is not None
    assert (inner.config_dir, inner.config_name, inner.results) == (None, "c", Path("/r"))
    assert find_project(project.parent) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[tool.ablate]\nconfigdir = "conf"\n', "unknown key: tool.ablate.configdir. Allowed: tool.ablate.config_dir"),
        ('[tool.ablate]\nconfig_dir = "cnf"\n', "tool.ablate.config_dir=cnf: there is no such folder"),
        ("[tool.ablate]\nresults = 3\n", "tool.ablate.results=3: input should be a valid string"),
        ("[tool]\nablate = 3\n", r"tool.ablate must be a table, \[tool.ablate\]. Received: 3"),
        ("[tool.ablate\n", r"cannot be read: .*line 1"),
    ],
)
def test_a_mistake_in_it_is_named_with_the_file(text: str, message: str, project: Path) -> None:
    (project / "pyproject.toml").write_text(text)
    with pytest.raises(ConfigError, match=f"^{project}/pyproject.toml:? {message}"):
        paths.current_project()


def test_its_configuration_is_found_from_any_folder_of_it(project: Path) -> None:
    command = CommandLine([])
    config = command.compose()
    assert (config.seed, config.dropout.rate, config.task._target_) == (7, 0.9, "digits.Digits")
    assert command.compose(["+depth=shallow"]).depth.name == "shallow"  # a group that ships
    assert CommandLine(["--config-name", "other"]).compose().seed == 8
    assert command.options == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["--config-dir", "{own}/conf"],
        ["-cd", "{own}/conf", "-cn", "config"],
        ["-cp", "{own}/conf"],
        ["-cp", "../conf"],
    ],
)
def test_it_works_without_a_table(arguments: list[str], project: Path) -> None:
    (project / "pyproject.toml").unlink()
    given = [each.format(own=project) for each in arguments]
    for each in (given, with_project(given)):  # as other commands take them, and as `run` gives them to Hydra
        config = CommandLine(each).compose()
        assert (config.seed, config.dropout.rate) == (7, 0.9)


def test_options_that_are_given_win(project: Path) -> None:
    (project / "pyproject.toml").write_text('[tool.ablate]\nconfig_name = "other"\n')
    conf = str(project / "conf")
    assert with_project(["seed=1"]) == ["seed=1", "--config-dir", conf, "--config-name", "other"]
    assert with_project(["-cn", "config"]) == ["-cn", "config", "--config-dir", conf]
    for given in (["-cd", str(project)], ["--config-path", str(project)]):
        assert CommandLine(given).options == [given[0].replace("-cd", "--config-dir"), str(project)]
        assert not {conf, "other"}.intersection(with_project(given))
    assert with_project(with_project([])) == with_project([])


def test_its_modules_are_importable_here_and_in_what_is_started(project: Path) -> None:
    (project / "digits.py").write_text("")
    (project / "src").mkdir()
    (project / "src" / "nets.py").write_text("")
    before = list(sys.path), os.environ.get("PYTHONPATH")
    with project_importable():
        assert {str(project), str(project / "src"), str(Path.cwd())} <= set(sys.path)
        subprocess.run([sys.executable, "-c", "import digits, nets"], cwd="/", check=True)
    assert (list(sys.path), os.environ.get("PYTHONPATH")) == before


def test_levels_of_its_groups_are_its_own(project: Path) -> None:
    loader = CommandLine([]).loader
    assert loader.get_group_options("dropout") == ["strong"]  # and not those of the shipped task
    assert "adam" in loader.get_group_options("optimizer")
    assert {"depth", "task"}.isdisjoint(loader.list_groups(""))
    with pytest.raises(MissingConfigException):
        CommandLine([]).compose(["dropout=heavy"])


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("+dropout=strong", "the configuration has the group dropout already: dropout=strong chooses its level"),
        ("scale=smoke", "unknown group: scale. Allowed: dropout, optimizer, schedule, tracking"),
        ("extra=mine", "extra=mine: extra is not among the configuration's defaults: +extra=mine adds it"),
    ],
)
def test_a_group_that_is_there_already_or_not_at_all_is_named(argument: str, said: str, project: Path) -> None:
    write(project, conf__extra__mine="apples: 1\n")
    with pytest.raises(HydraException) as error:
        CommandLine([argument]).compose()
    assert said in explain_error(error.value, [argument])


def test_a_folder_of_levels_adds_to_those_that_ship(project: Path) -> None:
    write(project, levels__dropout__mine="{name: mine, rate: 0.3}\n")
    loader = CommandLine(["--config-dir", str(project / "levels")]).loader
    assert {"mine", "heavy", "none"} == set(loader.get_group_options("dropout")) - {"light"}


def test_its_studies_are_its_own(project: Path) -> None:
    assert study_files() == {"screening": project / "experiments" / "screening.yaml"}
    (project / "conf" / "config.yaml").write_text("defaults: [{depth: full}]\n")
    assert study_files()["screening"] == project / "experiments" / "screening.yaml"
    assert "original_study" in study_files()


def test_results_lie_in_one_folder_of_it(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert paths.results_dir() == project / "results"
    assert store.store_uri(None, paths.results_dir()) == f"sqlite:///{project}/results/mlflow.db"
    hydra = CommandLine([]).compose().hydra
    assert hydra.run.dir.startswith(f"{project}/results/outputs/")
    assert hydra.sweep.dir.startswith(f"{project}/results/multirun/")
    monkeypatch.chdir(project.parent)
    assert paths.results_dir() == project.parent / "results"
    monkeypatch.chdir(paths._CHECKOUT / "tests")
    assert paths.project_dir() == paths._CHECKOUT


def test_a_store_at_the_top_stays_in_use_and_the_log_says_so_once(
    project: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (project / "mlflow.db").touch()
    store._say_where_results_stay.cache_clear()
    with caplog.at_level(logging.INFO):
        for _ in range(2):
            assert store.store_uri(None, paths.results_dir()) == f"sqlite:///{project}/mlflow.db"
    assert caplog.text.count(f"Results stay in {project}") == 1
    (project / "results").mkdir()
    (project / "results" / "mlflow.db").touch()  # the other one is MLflow's, which makes one where it is started
    assert paths.results_dir() == project / "results"
