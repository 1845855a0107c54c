"""Stores of tests in two folders."""

import shutil
from pathlib import Path

import pytest

from tests.support.tracked_runs import open_in


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
