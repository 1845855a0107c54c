"""The command on a store that is filled by hand: no training."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import mlflow
import pandas as pd
import pytest
from PIL import Image

from ablate.task import DataSummary, Evaluation, Metric
from ablate.tracking.run import track
from ablate.tracking.store import open_store
from ablate.tracking.study import record_study
from conftest import Command

METRICS = (
    Metric("auc", "AuC", "%", True, "Higher is better."),
    Metric("rmse", "RMSE <b>", "ab", False, "Lower is better & so on."),
    Metric("color", "Colour", "", None, "Neither."),
)
DATA = DataSummary("sample", "packages", "d" * 64, {"train": 2, "eval": 2, "bad": 1}, ["x.jpg: broken"])


def add_run(
    home: Path,
    variant: str,
    seed: int,
    values: Mapping[str, float],
    study: str = "hand",
    shown: Sequence[str] = ("cat", "dog"),
) -> None:
    pictures = {name: Image.new("RGB", (8, 8), "red") for name in shown}
    table = pd.DataFrame([{"example": name, "digest": name, **values} for name in pictures])
    tags = {"study": study, "variant": variant, "seed": str(seed), "identity": "i", "setting": "s", "commit": "c" * 40}
    with track(
        study=study,
        name=variant,
        tags={f"ablate.{name}": value for name, value in tags.items()},
        project=home,
    ) as run:
        run.log_data(DATA)
        for step in (1, 2, 3):
            run.log_metrics({"train/loss": 3.0 / step, "val/loss": 4.0 / step}, step)
        run.log_metrics({"cost/parameters": 2e6, "cost/wall_seconds": 12.5})
        samples = dict.fromkeys(("given", "truth", "output"), pictures)
        run.log_evaluation(Evaluation(values, {"grey": {"auc": 50.0}}, table, samples), METRICS)


@pytest.fixture(scope="session")
def filled_store(empty_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a study of two variants and two seeds, and a run that failed."""
    folder = tmp_path_factory.mktemp("hand")
    path = folder / "mlflow.db"
    shutil.copy(empty_store, path)
    open_store(f"sqlite:///{path}")
    for seed in (0, 1):
        add_run(folder, "baseline", seed, {"auc": 80.0 + seed, "rmse": 20.0, "color": 0.0})
        add_run(folder, "loss=<i>odd</i>", seed, {"auc": 82.0 + 3 * seed, "rmse": 21.0, "color": 1.0})
    with pytest.raises(OSError, match="disk full"):
        add_run_that_fails(folder)
    record_study("hand", {"question": "Is <i>odd</i> better?"}, [], folder)
    return path


@pytest.fixture
def hand_made(home: Path, filled_store: Path) -> Path:
    """A working directory whose store is a copy of `filled_store`."""
    shutil.copy(filled_store, home / "mlflow.db")
    open_store(os.environ["MLFLOW_TRACKING_URI"])
    return home


def add_run_that_fails(home: Path) -> None:
    tags = {"ablate.variant": "depth=shallow", "ablate.seed": "0", "ablate.identity": "i", "ablate.setting": "s"}
    with track(study="hand", name="x", tags=tags, project=home):
        raise OSError("disk full")


def test_the_report_says_what_the_runs_say(hand_made: Path, forked_m: Command) -> None:
    finished = forked_m("ablate.report", "study=hand", "out=there")
    assert finished.stderr == ""
    assert finished.returncode == 0
    assert finished.stdout.splitlines() == [
        "4 runs of study hand compared",
        "Not compared: depth=shallow, seed 0: failed, OSError",
        "Report: there/report.html",
    ]
    folder = hand_made / "there"
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        ["comparison.csv", "curves.png", "grid.png", "report.html", "report.md", "runs.csv"]
    )
    table = pd.read_csv(folder / "comparison.csv").set_index(["variant", "metric"])
    odd = table.loc[("loss=<i>odd</i>", "auc")]
    assert odd[["mean", "n", "difference", "n_paired"]].tolist() == [83.5, 2, 3.0, 2]
    assert len(pd.read_csv(folder / "runs.csv")) == 4
    # Four columns of two pictures: input, truth, and both variants.
    with Image.open(folder / "grid.png") as grid:
        assert grid.width > 4 * 192

    markdown = (folder / "report.md").read_text()
    assert "| baseline | 2 | 80.50 ± 0.71 | **20.00** ± 0 | 0 ± 0 |" in markdown
    assert r"| loss=\<i\>odd\</i\> | 2 | **83.50** ± 2.1 (+3) | 21.00 ± 0 (+1) | 1.000 ± 0 (+1) |" in markdown
    assert "| *grey* | | *50.00* | *-* | *-* |" in markdown
    assert "x.jpg: broken" in markdown
    assert r"Is \<i\>odd\</i\> better?" in markdown
    assert "One seed" not in markdown


def test_the_page_needs_nothing_else(hand_made: Path, forked_m: Command) -> None:
    forked_m("ablate.report", "study=hand", "out=there")
    page = (hand_made / "there" / "report.html").read_text()
    assert "<i>odd</i>" not in page
    assert "loss=&lt;i&gt;odd&lt;/i&gt;" in page
    assert "RMSE &lt;b&gt;, ab ↓" in page
    assert "<p>Is &lt;i&gt;odd&lt;/i&gt; better?</p>" in page
    sources = re.findall(r'(?:src|href)="([^"]{0,30})', page)
    assert len(sources) == 2
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert "<script" not in page


def test_the_newest_study_is_the_default(hand_made: Path, forked_m: Command) -> None:
    add_run(hand_made, "baseline", 0, {"auc": 1.0, "rmse": 2.0, "color": 3.0}, study="newer")
    finished = forked_m("ablate.report", "out=there")
    assert finished.stdout.startswith("1 runs of study newer compared")
    assert "One seed for each variant" in (hand_made / "there" / "report.md").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["study=none"], "has no study none. Its studies: hand"),
        (["stud=hand"], "unknown key: stud. Allowed: out, study, uri. Did you mean study?"),
        (["study"], "study needs a value, as in study=VALUE"),
        (["uri=sqlite:///missing.db"], "missing.db does not exist. `python -m ablate.run` makes one"),
        (["uri=sqlite:///text.db"], "text.db"),
        (["study=hand", "out=text.db"], "the report cannot be written to text.db: File exists"),
    ],
)
def test_a_mistake_ends_in_one_clear_line(
    arguments: list[str], message: str, hand_made: Path, forked_m: Command
) -> None:
    (hand_made / "text.db").write_text("this is no database\n" * 100)
    finished = forked_m("ablate.report", *arguments)
    assert finished.returncode == 1
    assert finished.stdout == ""
    assert message in finished.stderr
    assert len(finished.stderr.splitlines()) == 1
    assert not (hand_made / "missing.db").exists()


def test_an_empty_store_has_nothing_to_report(home: Path, forked_m: Command) -> None:
    finished = forked_m("ablate.report")
    assert finished.returncode == 1
    assert "there are no runs yet" in finished.stderr


def test_a_study_without_finished_runs_says_why(home: Path, forked_m: Command) -> None:
    open_store(os.environ["MLFLOW_TRACKING_URI"])
    with pytest.raises(OSError, match="disk full"):
        add_run_that_fails(home)
    finished = forked_m("ablate.report", "study=hand")
    assert finished.stderr == "Error: study hand has no finished run yet: depth=shallow, seed 0: failed, OSError\n"


def test_tensorflow_is_not_loaded() -> None:
    modules = "ablate.report.__main__, ablate.report.load, ablate.report.render, ablate.tracking.read"
    code = f"import {modules}, sys; print([name for name in ('tensorflow', 'keras') if name in sys.modules])"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert finished.stdout == "[]\n"


def test_help_teaches(python_m: Command) -> None:
    assert "python -m ablate.report study=NAME" in python_m("ablate.report", "--help").stdout


def test_experiments_of_others_are_no_studies(hand_made: Path, forked_m: Command) -> None:
    client = mlflow.MlflowClient()
    client.create_run(client.create_experiment("somebody-else"))
    assert forked_m("ablate.report", "out=there").stdout.startswith("4 runs of study hand compared")


def test_only_examples_of_all_variants_are_shown(hand_made: Path, forked_m: Command) -> None:
    add_run(hand_made, "depth=full", 0, {"auc": 1.0, "rmse": 2.0, "color": 3.0}, shown=("cat",))
    assert forked_m("ablate.report", "out=there").returncode == 0
    with Image.open(hand_made / "there" / "grid.png") as grid:
        # A header, and one row.
        assert grid.height < 2 * 192
