"""Stores that are filled by hand: no training. A conftest that imports a fixture offers it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from ablate.study.definition import StudyFile
from ablate.task import DataSummary, Evaluation, Metric
from ablate.tracking.run import track
from ablate.tracking.store import open_store
from ablate.tracking.study import record_study

METRICS = (
    Metric("auc", "AuC", "%", True, "Higher is better."),
    Metric("rmse", "RMSE <b>", "ab", False, "Lower is better & so on."),
    Metric("color", "Colour", "", None, "Neither."),
)
DATA = DataSummary("sample", "packages", "d" * 64, {"train": 2, "eval": 2, "bad": 1}, ["x.jpg: broken"])
ODD = "loss=<i>odd</i>"
PHOTOGRAPHS = tuple(f"photo{place}" for place in range(12))
IMPORTED = "imported.txt"
STUDY = {
    "name": "hand",
    "question": "Is <i>odd</i> 100 % better & cheaper?",
    "baseline": {"loss": "even"},
    "factors": {"loss": ["even", "<i>odd</i>"]},
    "design": "one_at_a_time",
    "seeds": [0, 1, 2],
    "metric": {"name": "auc", "direction": "maximize"},
}


def add_run(
    home: Path,
    variant: str,
    seed: int,
    *,
    gain: float = 0.0,
    study: str = "hand",
    photographs: Sequence[str] = PHOTOGRAPHS,
    names: Sequence[str] | None = None,
    pictured: Sequence[str] | None = None,
    tags: Mapping[str, str] | None = None,
) -> str:
    """Track a run whose AuC is `gain` above that of the baseline on every photograph, give or take chance.

    Args:
        home: Where artifacts are.
        variant: Its name.
        seed: Its seed.
        gain: See above.
        study: Name of the study.
        photographs: Their contents, in a word each.
        names: What they are called, if not by their contents.
        pictured: Names of the sample pictures; default: the first six.
        tags: More tags.
    """
    names = photographs if names is None else names
    random = np.random.default_rng([seed, *variant.encode()])
    auc = 70 + 10 * np.random.default_rng(7).normal(size=len(photographs)) + gain + random.normal(0, 0.2) * bool(gain)
    auc += random.normal(0, 0.1, len(photographs))
    table = pd.DataFrame({"example": names, "digest": photographs, "auc": auc, "rmse": 100 - auc, "color": auc / 2})
    pictures = {
        name: Image.fromarray(np.full((8, 8, 3), 20 * place, np.uint8))
        for place, name in enumerate(names[:6] if pictured is None else pictured)
    }
    samples = dict.fromkeys(("given", "truth", "output"), pictures)
    a, b = np.meshgrid([-5.0, 5.0], [-5.0, 5.0], indexing="ij")
    spread = pd.DataFrame({"a": a.ravel(), "b": b.ravel(), "truth": [4, 3, 2, 1], "output": [10, 0, 0, 0]})
    own = {
        "study": study,
        "variant": variant,
        "seed": str(seed),
        "identity": f"{variant}{seed}",
        "configuration": variant,
        "setting": "s",
        "evaluation": "side 8",
        "scale": "smoke",
        "example": "photograph",
        "code": "c0de",
        "commit": "c" * 40,
        **(tags or {}),
    }
    with track(
        study=study, name=variant, tags={f"ablate.{name}": value for name, value in own.items()}, project=home
    ) as run:
        run.log_data(DATA)
        if tags and "data.fingerprint" in tags:
            run.set_tags({"ablate.data.fingerprint": tags["data.fingerprint"]})
        for step in (1, 2, 3):
            run.log_metrics({"train/loss": 3.0 / step, "val/loss": 4.0 / step}, step)
        run.log_metrics({"cost/parameters": 2e6, "cost/wall_seconds": 12.5 + seed})
        means = {metric.name: float(table[metric.name].mean()) for metric in METRICS}
        evaluation = Evaluation(means, {"grey": {"auc": 50.0}}, table, samples, spread)
        run.log_evaluation(evaluation, METRICS)
        return run.run_id


def add_failed(home: Path, variant: str, seed: int, study: str = "hand") -> None:
    """Track a run that fails."""
    tags = {"variant": variant, "seed": str(seed), "identity": f"{variant}{seed}", "setting": "s"}
    with (
        pytest.raises(OSError, match="disk full"),
        track(study=study, name="x", tags={f"ablate.{k}": v for k, v in tags.items()}, project=home),
    ):
        raise OSError("disk full")


def record_hand_made(home: Path, **changes: object) -> None:
    """Record a study's file."""
    study = StudyFile.model_validate({**STUDY, **changes})
    record_study(study.name, study.plain(), study.expansion().aliases, home)


@pytest.fixture(scope="session")
def filled_store(empty_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a finished study of two variants and three seeds."""
    folder = tmp_path_factory.mktemp("hand")
    path = folder / "mlflow.db"
    shutil.copy(empty_store, path)
    open_store(f"sqlite:///{path}")
    for seed in (0, 1, 2):
        add_run(folder, "baseline", seed)
        add_run(folder, ODD, seed, gain=5.0)
    record_hand_made(folder)
    return path


@pytest.fixture
def hand_made(home: Path, filled_store: Path) -> Path:
    """A working directory whose store is a copy of `filled_store`."""
    shutil.copy(filled_store, home / "mlflow.db")
    open_store(os.environ["MLFLOW_TRACKING_URI"])
    return home


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory, filled_store: Path) -> Path:
    """A report on `filled_store`; what was imported for it is listed beside it."""
    folder = tmp_path_factory.mktemp("made")
    arguments = ["study=hand", "out=report", f"uri=sqlite:///{filled_store}", "track=false"]
    command = [sys.executable, "-X", "importtime", "-m", "ablate.report", *arguments]
    done = subprocess.run(command, check=True, capture_output=True, cwd=folder, text=True)
    (folder / IMPORTED).write_text(done.stderr)
    return folder / "report"
