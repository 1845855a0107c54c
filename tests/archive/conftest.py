"""A study that is filled by hand, its archive, and reports to compare."""

from pathlib import Path

import pytest

from ablate.archive.transfer import export_study
from ablate.tracking.store import open_store
from tests.support.stores import filled_store, hand_made

__all__ = ["archive", "filled_store", "hand_made"]


@pytest.fixture(scope="session")
def archive(filled_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive of `filled_store`."""
    file = tmp_path_factory.mktemp("archive") / "hand.zip"
    uri = f"sqlite:///{filled_store}"
    open_store(uri, to_read=True)
    export_study("hand", uri, file)
    return file
