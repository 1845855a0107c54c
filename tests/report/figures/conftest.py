"""Drawings that are collected."""

import io
from collections.abc import Iterator
from typing import Any

import matplotlib as mpl
import pytest
from matplotlib import pyplot
from matplotlib.figure import Figure as Drawing


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Drawing]:
    """Collect what is drawn; of the files only a small PNG is made."""
    kept: list[Drawing] = []
    save = Drawing.savefig

    def keep(drawing: Drawing, file: io.BytesIO, **options: Any) -> None:
        if options["format"] == "png":
            kept.append(drawing)
            save(drawing, file, **{**options, "dpi": 40})

    monkeypatch.setattr(Drawing, "savefig", keep)
    return kept


@pytest.fixture(autouse=True)
def _nothing_left_behind() -> Iterator[None]:
    settings = dict(mpl.rcParams)
    yield
    assert pyplot.get_fignums() == []
    assert dict(mpl.rcParams) == settings
