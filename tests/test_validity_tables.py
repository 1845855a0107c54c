"""The tables of simulations that benchmarks write into the documentation."""

import importlib
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture(params=["validity", "turing_validity", "turing_designs", "power", "looks", "null_study"])
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


def test_the_page_shows_the_looks_that_were_simulated(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = _imported(monkeypatch, "looks")
    rows = looks.table([json.loads(line) for line in looks.FILE.read_text(encoding="utf-8").splitlines()])
    assert rows in looks.PAGE.read_text(encoding="utf-8")
    assert rows.count("\n| ") == len(looks.CELLS) + 2


@pytest.mark.slow
def test_looks_are_simulated(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = _imported(monkeypatch, "looks")
    monkeypatch.setattr("ablate.statistics.simulated_looks.POINTS", 2**8)
    sure = looks.Cell("all alike", (3, 5, 8), 0, 4, 4, 100.0)
    monkeypatch.setattr(looks, "CELLS", [sure])
    rates = looks.summarised(looks.simulated(sure, 5, 0))
    # Every variant is found at the first look.
    assert rates == {"studies": 5, "false_alarm": 0.0, "runs": 15.0, "found": 1.0}


def test_rules_claim_what_they_say(monkeypatch: pytest.MonkeyPatch) -> None:
    study = _imported(monkeypatch, "null_study")
    values = np.random.default_rng(0).normal(size=(3, 5, 1))
    values[:, :, 0] -= values[:, :, 0].mean(axis=1, keepdims=True)
    values[1] += 100.0
    values[2] += 1e-6
    claims = {name: rule(values).tolist() for name, rule in study.RULES.items()}
    assert set(map(tuple, claims.values())) == {(True, False)}
    equal = {name: rule(np.stack([values[0]] * 3)).any() for name, rule in study.RULES.items()}
    assert not any(claimed for name, claimed in equal.items() if name != "the best mean in bold")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["digits", "colours"])
def test_runs_are_dealt(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    study = _imported(monkeypatch, "null_study")
    scores = study.read(name)
    assert len(scores) == study.RUNS
    rows = study.dealt(scores, 3, [0, 1, 2])
    assert rows.shape == (3, len(study.RULES), 3)
    assert (study.dealt(scores, 3, [2]) == rows[2:]).all()


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


@pytest.mark.slow
def test_the_tables_of_designs_have_a_row_for_each_case(monkeypatch: pytest.MonkeyPatch) -> None:
    designs = _imported(monkeypatch, "turing_designs")
    monkeypatch.setattr(designs, "PARTICIPANTS", (5,))
    monkeypatch.setattr(designs, "PLANNED", designs.PLANNED[:1])
    rows = [line for line in designs.tables(2).splitlines() if line.startswith("| ")]
    of_deviations = len(designs.STRENGTHS) + len(designs.RATES) + 2 * len(designs.PLANNED)
    assert len(rows) == len(designs.DEVIATIONS) * of_deviations + 3 * 2
