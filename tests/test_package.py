"""The wheel, installed in another environment, from another folder: the tutorial's commands, and some others."""

import re
import shlex
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TUTORIAL = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")


def call(*arguments: str | Path, cwd: Path) -> str:
    finished = subprocess.run([*map(str, arguments)], cwd=cwd, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout + finished.stderr


def blocks(language: str) -> list[str]:
    """Return the tutorial's blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", TUTORIAL, re.M | re.S)


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """Return the Python of an environment with the wheel; the packages that it needs are those of this one."""
    call(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path / "dist", cwd=ROOT)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    environment = tmp_path / "environment"
    venv.create(environment, symlinks=True)
    python = environment / "bin" / "python"
    site = call(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=tmp_path).strip()
    call(sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index", wheel, cwd=tmp_path)
    # Of a folder that is named in a .pth file, the .pth files do not count: the editable install stays out.
    Path(site, "needed.pth").write_text(sysconfig.get_path("purelib"))
    return python


@pytest.mark.slow
def test_the_wheel_does_the_tutorial_anywhere(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("MLFLOW_TRACKING_URI", "PYTHONPATH"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "anywhere"
    (folder / "experiments").mkdir(parents=True)
    where = call(installed, "-c", "import ablate; print(ablate.__file__)", cwd=folder)
    assert str(tmp_path / "environment") in where

    (study,) = blocks("yaml")
    (folder / "experiments" / "first.yaml").write_text(study)
    commands = [shlex.split(line) for block in blocks("console") for line in block.splitlines()]
    assert {program for program, *_ in commands} == {"ablate"}
    one, plan, sweep, again, report = (
        call(installed.with_name("ablate"), *arguments, cwd=folder) for _, *arguments in commands
    )
    assert one.count("Evaluated: ") == 1
    assert plan.count(" cached ") == 1
    assert sweep.count("Evaluated: ") == 3
    assert again.count("Evaluated: ") == 0
    assert "4 runs of study first compared" in report
    assert {path.name for path in folder.iterdir()} == {"experiments", "results"}
    known = (ROOT / "docs" / "reference" / "stored.md").read_text(encoding="utf-8")
    assert all(f"`{path.name}" in known for path in (folder / "results").iterdir() if path.suffix != ".lock")
    written = folder / "results" / "reports" / "first"
    assert all(f"`{path.name}" in known for path in written.iterdir() if path.name != "figures")
    assert all(path.stem in known for path in (written / "figures").iterdir())

    unknown = subprocess.run(
        [str(installed), "-m", "ablate.run", "-m", "experiment=no"], cwd=folder, capture_output=True
    )
    assert b"Allowed: experiment=demo, experiment=first, experiment=learning_rates" in unknown.stderr
    assert "1 photograph coloured" in call(installed, "-m", "ablate.colorize", "sample/chelsea", cwd=folder)
    assert "32,235,385" in call(installed, "-m", "ablate.layers", "scale=paper", cwd=folder)
