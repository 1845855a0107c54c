"""The wheel, installed in another environment, from another folder."""

import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from tests.support.commands import QUICK

ROOT = Path(__file__).parents[1]


def call(*arguments: str | Path, cwd: Path) -> str:
    finished = subprocess.run([*map(str, arguments)], cwd=cwd, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout + finished.stderr


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
def test_the_wheel_runs_a_sweep_and_a_report_anywhere(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("MLFLOW_TRACKING_URI", "PYTHONPATH"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "anywhere"
    folder.mkdir()
    where = call(installed, "-c", "import ablate; print(ablate.__file__)", cwd=folder)
    assert str(tmp_path / "environment") in where
    said = call(installed, "-m", "ablate.run", "-m", *QUICK, "output_res=full,quarter", cwd=folder)
    assert said.count("Evaluated: ") == 2
    assert (folder / "results" / "mlflow.db").is_file()
    assert "2 runs of study adhoc compared" in call(installed, "-m", "ablate.report", cwd=folder)
    assert (folder / "results" / "reports" / "adhoc" / "report.html").is_file()
    assert [path.name for path in folder.iterdir()] == ["results"]
    unknown = subprocess.run(
        [str(installed), "-m", "ablate.run", "-m", "experiment=no"], cwd=folder, capture_output=True
    )
    assert b"Allowed: experiment=demo, experiment=learning_rates, experiment=optimizer_by_resolution" in unknown.stderr
    assert "1 photograph coloured" in call(installed, "-m", "ablate.colorize", "sample/chelsea", cwd=folder)
    assert "32,235,385" in call(installed, "-m", "ablate.layers", "scale=paper", cwd=folder)
