"""What released versions wrote is read by this one: stores, models, prepared photographs, bundles, archives.

Each file of `assets/` is what `make.py` made with the version that it is called after.
"""

import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from ablate.turing.bundle import Bundle
from tests.support.commands import TINY, Command
from tests.upgrades.make import DATA, SMALL

VERSIONS = sorted((Path(__file__).parent / "assets").glob("*.zip"))
STORE = "sqlite:///results/mlflow.db"
pytestmark = [pytest.mark.slow, pytest.mark.parametrize("version", VERSIONS, ids=lambda path: path.stem)]


@pytest.fixture
def project(version: Path, home: Path) -> Path:
    """The project that a version has worked in, moved to another place."""
    (home / "mlflow.db").unlink()
    shutil.unpack_archive(version, home)
    return home


@pytest.fixture
def succeeds(project: Path, forked_m: Command) -> Command:
    """Run a command that has to succeed, on the project's store; return what it prints."""

    def call(*arguments: str) -> str:
        done = forked_m(*arguments, env={"MLFLOW_TRACKING_URI": STORE})
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return call


def test_a_study_is_reported_and_handed_over(project: Path, succeeds: Command) -> None:
    assert "upgrade" in succeeds("ablate.status")
    succeeds("ablate.report", "study=upgrade", "out=before", "track=false")
    table = pd.read_csv(project / "before" / "comparison.csv")
    assert set(table["variant"]) >= {"baseline", "optimizer=adadelta"}
    succeeds("ablate.archive", "export", "study=upgrade", "out=study.zip", "models=true")
    succeeds("ablate.report", "from=study.zip", "out=after")
    for name in ("report.md", "comparison.csv"):
        assert (project / "after" / name).read_bytes() == (project / "before" / name).read_bytes()


def test_an_archive_is_imported_and_its_report_is_that_of_the_store(project: Path, succeeds: Command) -> None:
    archive = project / "results" / "archives" / "upgrade.zip"
    if not archive.exists():
        pytest.skip("version 0.1.0 wrote no archives")
    succeeds("ablate.report", "from=results/archives/upgrade.zip", "out=archived")
    assert "2 runs" in succeeds("ablate.archive", "import", str(archive), "uri=sqlite:///other.db")
    succeeds("ablate.report", "study=upgrade", "uri=sqlite:///other.db", "out=imported", "track=false")
    succeeds("ablate.report", "study=upgrade", "out=own", "track=false")
    for name in ("comparison.csv", "runs.csv"):
        assert (project / "archived" / name).read_bytes() == (project / "imported" / name).read_bytes()
    assert (project / "archived" / "comparison.csv").read_bytes() == (project / "own" / "comparison.csv").read_bytes()


def test_energy_is_recorded_since_0_2_0(version: Path, project: Path, succeeds: Command) -> None:
    succeeds("ablate.report", "study=upgrade", "out=own", "track=false")
    told = (project / "own" / "checklist.md").read_text()
    assert ("it was not tracked" in told) == (version.stem == "0.1.0")


def test_a_plan_finds_its_runs(succeeds: Command) -> None:
    printed = succeeds("ablate.plan", "experiment=upgrade", *DATA, *SMALL)
    assert re.search(r"2 runs: (2 to do|2 done)", printed), printed


def test_a_trained_model_colours_a_photograph(project: Path, succeeds: Command) -> None:
    succeeds("ablate.colorize", "sample/china", "study=upgrade", "variant=baseline", "out=colored")
    (file,) = (path for path in (project / "colored").rglob("*") if path.is_file())
    colored = np.asarray(Image.open(file).convert("RGB")).astype(int)
    assert np.abs(colored[..., 0] - colored[..., 2]).max() > 0


def test_prepared_photographs_train(succeeds: Command) -> None:
    assert "Evaluated" in succeeds("ablate.run", *DATA, *TINY)


def test_a_bundle_is_served(project: Path) -> None:
    bundle = Bundle(project / "results" / "turing" / "upgrade")
    bundle.verify()
    assert [algorithm.name for algorithm in bundle.manifest.algorithms] == ["baseline", "optimizer=adadelta"]
