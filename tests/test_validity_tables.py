"""The tables of simulations that benchmarks write into the documentation."""

import importlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture(params=["validity", "turing_validity", "power"])
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


def test_the_table_of_studies_has_a_row_for_each_case(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    validity = _imported(monkeypatch, "validity")
    monkeypatch.setattr("ablate.statistics.simulation.POINTS", 16)
    cells = [cell for cell in validity.GRID if cell.seeds == 3 and cell.variants <= 7]
    known = validity.simulate(cells, 2, 1, tmp_path / "validity.jsonl")
    assert len([line for line in validity.table(known).splitlines() if line.startswith("| ")]) == 2 + len(cells)


def test_simulation_goes_on_where_it_was_interrupted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    validity = _imported(monkeypatch, "validity")
    monkeypatch.setattr("ablate.statistics.simulation.POINTS", 16)
    monkeypatch.setattr(validity, "BATCH", 2)
    cells, file = validity.GRID[:2], tmp_path / "validity.jsonl"
    validity.simulate(cells[:1], 2, 1, file)
    found = validity.simulate(cells, 4, 1, file)
    assert [found[cell]["studies"] for cell in cells] == [[4, 2], [4, 2]]
    whole = validity.simulate(cells, 4, 1, tmp_path / "other.jsonl")
    assert {cell: found[cell]["covered"] for cell in cells} == {cell: whole[cell]["covered"] for cell in cells}
    assert validity.read(file) == found


@pytest.mark.slow
def test_promises_are_simulated_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    power = _imported(monkeypatch, "power")
    monkeypatch.setattr("ablate.statistics.planned_power.STUDIES", 2)
    monkeypatch.setattr(power, "STUDIES", 2)
    cells, file = [cell for cell in power.GRID if cell[1] == 3 and cell[2] == "3, then 5"], tmp_path / "power.jsonl"
    power.simulate(cells, 1, 1, file)
    first = file.read_text()
    known = power.simulate(cells, 2, 1, file)
    assert file.read_text().startswith(first)
    assert [sorted(known[cell]) for cell in cells] == [[0, 1]] * len(power.KINDS)
    rows = [line for line in power.table(known).splitlines() if line.startswith("| ")]
    assert len(rows) == 2 + len(power.KINDS) * len(power.VARIANTS)


@pytest.mark.slow
def test_the_tables_of_experiments_have_a_row_for_each_case(monkeypatch: pytest.MonkeyPatch) -> None:
    validity = _imported(monkeypatch, "turing_validity")
    monkeypatch.setattr(validity, "PARTICIPANTS", (2, 5))
    lines = validity.tables(2).splitlines()
    rows = [line for line in lines if line.startswith("| ")]
    of_deviations = len(validity.DEVIATIONS) * (2 * len(validity.TRIALS) + len(validity.PLANNED))
    assert len(rows) == of_deviations + 2 * len(validity.RATES) + 3 * 2
