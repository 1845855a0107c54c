"""`ablate new`: the project that it writes runs as it is."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ablate.errors import ConfigError
from ablate.new.__main__ import class_name, main, new_project
from tests.support.forked import Forked

FILES = {
    *(".gitignore", "README.md", "digit_nets.py", "pyproject.toml", "conf/config.yaml", "experiments/parts.yaml"),
    *(f"conf/activation/{name}.yaml" for name in ("relu", "tanh", "gelu")),
    *("conf/dropout/none.yaml", "conf/dropout/half.yaml", "tests/test_digit_nets.py"),
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project as it is written, with results in its own folder."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return new_project("digit_nets", tmp_path)


def test_the_files_speak_of_the_project_s_name(project: Path) -> None:
    written = {str(path.relative_to(project)): path.read_text() for path in project.rglob("*") if path.is_file()}
    assert set(written) == FILES
    assert not [name for name, text in written.items() if "@" in text.replace("@pytest", "")]
    assert "_target_: digit_nets.DigitNets" in written["conf/config.yaml"]
    style = ["--isolated", "--select=E,F,I,W,UP,B,D1", "--line-length=119"]
    subprocess.run([sys.executable, "-m", "ruff", "check", *style, "."], cwd=project, check=True)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("class", "class is a word of Python"),
        ("3d", "start with a letter. Received: 3d"),
        ("my-net", "letters, digits and _"),
        ("größe", "letters, digits and _"),
        ("../up", "letters, digits and _"),
        ("keras", "keras is a module already"),
        ("json", "json is a module already"),
        ("ablate", "ablate is a module already"),
        ("tests", "tests is what something in the project is called"),
        ("there", "there is there already"),
    ],
)
def test_names_that_cannot_be_are_refused(name: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    with pytest.raises(ConfigError, match=reason):
        new_project(name, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["there"]


@pytest.mark.parametrize(("name", "expected"), [("digits", "Digits"), ("my_net2", "MyNet2"), ("myNet_", "MyNet")])
def test_the_class_is_called_like_the_project(name: str, expected: str) -> None:
    assert class_name(name) == expected


def test_the_command_says_what_it_wrote_and_what_comes_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["ablate", "digit_nets"])
    main()
    lines = capsys.readouterr().out.splitlines()
    assert {line.strip().removeprefix("digit_nets/") for line in lines[:-1]} == FILES
    assert lines[-1].startswith("Next: cd digit_nets; ablate plan experiment=parts")
    monkeypatch.setattr(sys, "argv", ["ablate"])
    with pytest.raises(SystemExit, match="1"):
        main()
    assert (
        capsys.readouterr().err
        == "Error: one name must be given, as in `ablate new digits`. See docs/your-own-model.md\n"
    )


def test_it_is_planned_trained_and_reported_from_any_folder_of_it(
    project: Path, forked: Forked, tmp_path: Path
) -> None:
    def call(*arguments: str) -> str:
        folder = project / "conf"
        done = forked.run(arguments, folder=folder, env=dict(os.environ), output=tmp_path, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    planned = json.loads(call("ablate.plan", "experiment=parts", "--json"))
    assert (planned["total"]["runs"], planned["question"][:12]) == (12, "Does the act")
    quick = ("training.epochs=1", "training.steps_per_epoch=4", "tracking.model=false")
    said = call("ablate.run", "-m", "dropout=none,half", *quick)
    assert "Study adhoc: 2 runs: 2 done, 0 cached, 0 failed" in said
    assert "2 runs of study adhoc compared" in call("ablate.report")
    results = {path.name for path in (project / "results").iterdir()}
    assert results >= {"mlflow.db", "mlartifacts", "checkpoints", "multirun", "reports"}
    beside = {path.name for path in project.iterdir()} - {"__pycache__", "results"}
    assert beside == {name.partition("/")[0] for name in FILES}


@pytest.mark.slow
def test_its_own_test_passes(project: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
