"""The note and the table of searched values: edges, budgets, and where they come from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ablate.report.fairness import fairness_notes, fairness_section
from ablate.report.load import load
from ablate.report.results import Results, SearchedValue
from ablate.report.searched_values import RATE, at_edge, budgets, by_source, searched_values
from ablate.study.definition import StudyFile
from ablate.tracking.store import open_store
from ablate.tracking.study import record_tuning
from ablate.tracking.study_record import read_study
from tests.support.digits import STUDY, add_digits, record_digits

GRID = {"optimizer=adam": [1e-3, 1e-2, 0.1], "optimizer=sgd": [0.1, 1.0, 10.0]}
OPTIMIZERS: dict[str, Any] = {
    **STUDY,
    "baseline": {"optimizer": "adam"},
    "factors": {"optimizer": ["adam", "sgd"]},
}
TUNED = StudyFile.model_validate({**OPTIMIZERS, "tune": {"grid": {RATE: GRID}}})
UNTUNED = StudyFile.model_validate(OPTIMIZERS)
SCALE = {
    "scale.name": "lab",
    "scale.learning_rates.adam": "0.01",
    "scale.learning_rates.sgd": "0.1",
    "scale.searched.adam": "[0.001, 0.01, 1e-05]",
}


def frames(variants: Mapping[str, Mapping[str, str]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    index = [f"run {place}" for place in range(len(variants))]
    return pd.DataFrame({"variant": list(variants)}, index=index), pd.DataFrame(list(variants.values()), index=index)


def tuning(**chosen: float) -> dict[str, Any]:
    variants = [
        {
            "variant": name,
            "values": {RATE: chosen[level]},
            "grid": {RATE: GRID[f"optimizer={level}"]},
            "scores": scores,
        }
        for name, level, scores in (
            ("baseline", "adam", [3.0, 1.0, None]),
            ("optimizer=sgd", "sgd", [1.0, 2.0, 3.0]),
        )
        if level in chosen
    ]
    return {"fraction": 0.1, "seeds": [7, 8], "examples": 40, "variants": variants}


def of(definition: StudyFile | None, tuned: Mapping[str, Any] | None = None, **rates: str) -> Sequence[SearchedValue]:
    """Return what was searched for `adam` and `sgd`, which run at these rates."""
    names = {"adam": "baseline", "sgd": "optimizer=sgd"}
    runs, params = frames({names[name]: {"optimizer.name": name, RATE: rate, **SCALE} for name, rate in rates.items()})
    return searched_values(runs, params, tuned, definition, {})


def test_what_a_search_has_chosen_is_told_with_its_budget() -> None:
    one, other = of(TUNED, tuning(adam=0.01, sgd=0.1), adam="0.01", sgd="0.1")
    assert (one.group, one.value, one.grid, one.scores[:2]) == ("baseline", 0.01, (1e-3, 1e-2, 0.1), (3.0, 1.0))
    assert (one.candidates, one.seeds, one.examples) == (3, 2, 40)
    assert [at_edge(value) for value in (one, other)] == [False, True]
    assert budgets([one, other]) == [(3, 2)]


def test_what_was_not_searched_or_runs_with_something_else_has_no_budget() -> None:
    one, other = of(TUNED, tuning(adam=0.01), adam="0.001", sgd="0.1")
    assert one.grid == other.grid == ()
    assert (one.value, other.value) == (0.001, 0.1)


def test_rates_of_a_scale_come_with_its_recorded_search() -> None:
    for definition in (UNTUNED, None):
        one, other = of(definition, adam="0.01", sgd="0.1")
        assert (one.group, one.variants, one.scale, one.grid) == ("adam", ("baseline",), "lab", (0.001, 0.01, 1e-5))
        assert (other.group, other.scale, other.grid) == ("sgd", "lab", ())
        assert budgets([one, other]) == [(3, 1), (0, 0)]
        assert at_edge(one)
    one, _ = of(UNTUNED, adam="0.02", sgd="0.1")
    assert (one.scale, one.grid) == ("", ())


def test_of_a_search_of_something_else_the_rates_are_told_as_well() -> None:
    tune = {"grid": {"network.width": [1, 2]}}
    found = of(StudyFile.model_validate({**OPTIMIZERS, "tune": tune}), None, adam="0.01", sgd="0.1")
    assert [[value.key for value in part] for part in by_source(found)] == [["network.width"] * 2, [RATE] * 2]
    assert not found[0].grid


def test_a_study_without_other_optimisers_or_of_rates_has_nothing_to_tell() -> None:
    assert not of(UNTUNED, adam="0.01")
    varied = {**OPTIMIZERS, "baseline": {RATE: 0.1}, "factors": {RATE: [0.1, 0.2]}}
    assert not of(StudyFile.model_validate(varied), adam="0.01", sgd="0.1")
    runs, params = frames(
        {"baseline": {"optimizer.name": "adam", RATE: "1"}, "b": {"optimizer.name": "adam", RATE: "2"}}
    )
    assert not searched_values(runs, params, None, None, {})
    assert not searched_values(runs, params[[]], None, None, {})


@pytest.fixture
def results(home: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Results]:
    """Load a study of two variants, with searched values."""

    def loaded(*searched: SearchedValue) -> Results:
        uri = f"sqlite:///{home / 'mlflow.db'}"
        open_store(uri)
        record_digits(home, factors={"activation": ["relu", "leaky_relu"]}, baseline={"activation": "relu"}, seeds=[0])
        for variant in ("baseline", "activation=leaky_relu"):
            add_digits(home, variant, 0)
        record_tuning("digits", tuning(adam=0.01), home)
        record = read_study("digits", uri)
        assert record.tuning == tuning(adam=0.01)
        plain = load(record)
        assert not fairness_notes(plain)
        assert not fairness_section(plain)
        return replace(plain, searched=searched)

    return loaded


@pytest.mark.slow
def test_the_note_says_the_budget_and_warns(results: Callable[..., Results]) -> None:
    one, other = of(TUNED, tuning(adam=0.01, sgd=0.1), adam="0.01", sgd="0.1")
    said = results(one, other)
    (note,) = fairness_notes(said)
    assert note == (
        "optimizer.learning_rate was searched for each variant: 3 values × 2 seeds, by Accuracy on 40 digits of the "
        "training data that did not train meanwhile. Chosen at the edge of its grid, so a better value may lie "
        "beyond: optimizer=sgd (0.1)."
    )
    (section,) = fairness_section(said)
    assert [[cell.text for cell in row] for row in section.tables[0].rows] == [
        ["baseline", "0.001: 3.000; 0.01: 1.000; 0.1: diverged", "0.01", "3 values × 2 seeds"],
        ["optimizer=sgd", "0.1: 1.000; 1: 2.000; 10: 3.000", "0.1", "3 values × 2 seeds"],
    ]
    assert section.summary["equal_budgets"] is True
    assert section.summary["values"][0]["scores"] == [3.0, 1.0, None]

    unequal = replace(said, searched=(one, replace(other, grid=(), scores=(), candidates=0, seeds=0)))
    assert "Budgets differ: optimizer.learning_rate was not searched for optimizer=sgd." in fairness_notes(unequal)[0]
    assert fairness_section(unequal)[0].summary["equal_budgets"] is False

    other_budget = replace(said, searched=(one, replace(other, candidates=2)))
    assert (
        "Budgets differ: baseline 3 values × 2 seeds; optimizer=sgd 2 values × 2 seeds."
        in fairness_notes(other_budget)[0]
    )
    lost = replace(said, searched=of(TUNED, None, adam="0.01", sgd="0.1"))
    assert fairness_notes(lost) == [
        "The study asks for a search of optimizer.learning_rate, and runs have no values that a recorded search has "
        "chosen."
    ]

    of_scale = replace(said, searched=of(UNTUNED, adam="0.01", sgd="0.1"))
    (note,) = fairness_notes(of_scale)
    assert note.startswith("Optimisers are compared at the rates of scale lab, which come from a recorded search")
    assert "Budgets differ: optimizer.learning_rate was not searched for sgd." in note
    assert "edge of its grid, so a better value may lie beyond: adam (0.01)." in note
    assert fairness_section(of_scale)[0].tables[0].rows[0][0].text == "adam: 1 variant"

    by_hand = replace(said, searched=of(UNTUNED, adam="0.5", sgd="0.6"))
    assert "no search of optimizer.learning_rate is recorded for any of them" in fairness_notes(by_hand)[0]
