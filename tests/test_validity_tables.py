"""The tables of simulations that benchmarks write into the documentation."""

import importlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture(params=["validity", "turing_validity"])
def benchmark(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    return _imported(monkeypatch, request.param)


def _imported(monkeypatch: pytest.MonkeyPatch, name: str) -> ModuleType:
    monkeypatch.syspath_prepend(BENCHMARKS)
    module = importlib.import_module(name)
    monkeypatch.setattr(module, "ProcessPoolExecutor", ThreadPoolExecutor)
    return module


def test_the_page_holds_its_markers(benchmark: ModuleType) -> None:
    page = benchmark.PAGE.read_text(encoding="utf-8")
    assert page.count(benchmark.BEGIN) == page.count(benchmark.END) == 1
    assert page.index(benchmark.BEGIN) < page.index(benchmark.END)


def test_the_table_of_studies_has_a_row_for_each_case(monkeypatch: pytest.MonkeyPatch) -> None:
    validity = _imported(monkeypatch, "validity")
    lines = validity.table(4).splitlines()
    assert len([line for line in lines if line.startswith("| se")]) == len(validity.COMPONENTS) * len(validity.SEEDS)


@pytest.mark.slow
def test_the_tables_of_experiments_have_a_row_for_each_case(monkeypatch: pytest.MonkeyPatch) -> None:
    validity = _imported(monkeypatch, "turing_validity")
    monkeypatch.setattr(validity, "PARTICIPANTS", (2, 5))
    lines = validity.tables(2).splitlines()
    rows = [line for line in lines if line.startswith("| ")]
    of_deviations = len(validity.DEVIATIONS) * (2 * len(validity.TRIALS) + len(validity.PLANNED))
    assert len(rows) == of_deviations + 2 * len(validity.RATES) + 3 * 2
