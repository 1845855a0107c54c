"""Stores of tests in two folders, and runs in them."""

import os
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from ablate.tracking.run import track
from ablate.tracking.store import open_store
from ablate.tracking.tracked_run import TrackedRun
from tests.support.tracked_runs import TAGS, open_in


@pytest.fixture
def old(tmp_path: Path, empty_store: Path) -> Path:
    home = tmp_path / "old"
    home.mkdir()
    shutil.copy(empty_store, home / "mlflow.db")
    open_in(home)
    return home


@pytest.fixture
def new(old: Path) -> Path:
    """Where the store goes."""
    return old.with_name("new? place %20 #1 é")


@pytest.fixture
def start(home: Path) -> Callable[..., AbstractContextManager[TrackedRun]]:
    """Start a run in the store of `home`."""
    open_store(os.environ["MLFLOW_TRACKING_URI"])
    return lambda: track(study="adhoc", name="baseline", tags=TAGS, project=home)
