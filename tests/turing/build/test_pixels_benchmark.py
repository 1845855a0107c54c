"""`benchmarks/turing_pixels.py`: a bundle in, a table out."""

import importlib
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from ablate.turing.build.command import main
from ablate.turing.bundle import Bundle
from tests.support.crops import photograph, save, sepia

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(BENCHMARKS)
    return importlib.import_module("turing_pixels")


def test_the_page_holds_its_markers(benchmark: ModuleType) -> None:
    page = benchmark.PAGE.read_text(encoding="utf-8")
    assert page.count(benchmark.BEGIN) == page.count(benchmark.END) == 1
    assert page.index(benchmark.BEGIN) < page.index(benchmark.END)


@pytest.mark.slow
def test_a_bundle_has_a_row_for_each_algorithm_and_what_is_known(benchmark: ModuleType, tmp_path: Path) -> None:
    for number in range(12):
        image = photograph(number)
        save(image, tmp_path / f"real/{number}.png")
        save(sepia(image), tmp_path / f"one/{number}.png")
    protocol = ["practice=1", "test=3", "checks=1", "side=32", "crops=4"]
    pictures = [f"real={tmp_path / 'real'}", f"external.one={tmp_path / 'one'}"]
    main([*pictures, *protocol, "name=small", f"out={tmp_path / 'small'}"])
    pairs = len(Bundle(tmp_path / "small").manifest.stimuli)
    lines = benchmark.table([tmp_path / "small"]).splitlines()
    assert len(lines) == 2 + len(benchmark.KNOWN) + 1
    assert all(line.startswith(f"| small, one | {pairs} of 12 | ") for line in lines[2:])
    shares = np.array([[float(cell.split()[0]) for cell in line.split(" | ")[3:5]] for line in lines[2:]])
    assert ((shares >= 0) & (shares <= 100)).all()
    # The colour does tell: sepia has hardly any.
    assert shares[-1].max() > 75
