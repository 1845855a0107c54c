"""The section `tune` of a study file, and what it chooses."""

import math

import pytest
from pydantic import ValidationError

from ablate.config.variant import Variant
from ablate.study.definition import StudyFile, study_runs
from ablate.study.tuning import Choice, Tuned, Tuning, best, with_values

RATE = "optimizer.learning_rate"
STUDY = {
    "name": "mine",
    "question": "Which?",
    "baseline": {"optimizer": "adam", "loss.mix": 0.5},
    "factors": {"optimizer": ["adam", "sgd"], "loss.mix": [0.5, 0.9]},
    "design": "one_at_a_time",
    "seeds": [0, 1],
    "metric": {"name": "m", "direction": "maximize"},
}
BY_LEVEL = {RATE: {"optimizer=adam": [1e-3, 1e-2], "optimizer=sgd": [0.1, 1.0]}}


def study(**tune: object) -> StudyFile:
    return StudyFile.model_validate({**STUDY, "tune": tune})


@pytest.mark.parametrize(
    ("tune", "message"),
    [
        ({"grid": {}}, "at least 1 item"),
        ({"grid": {RATE: [1e-3]}}, "must be a list of at least 2 values"),
        ({"grid": {RATE: 1e-3}}, "must be a list of at least 2 values"),
        ({"grid": {RATE: [1, 1.0]}}, "duplicate value: 1, 1.0"),
        ({"grid": {"seed": [1, 2]}}, "'seed' is no key of the configuration that changes a result"),
        ({"grid": {"validation_fraction": [0.1, 0.2]}}, "is no key of the configuration that changes a result"),
        ({"grid": {"loss.mix": [0.1, 0.2]}}, "loss.mix is a factor of the study"),
        (
            {"grid": {RATE: {"optimizer=adam": [1, 2, 3], "optimizer=sgd": [1, 2]}}},
            "budgets must be equal, as many values for each level: optimizer=adam has 3, optimizer=sgd has 2",
        ),
        (
            {"grid": {RATE: {"optimizer=adam": [1, 2]}}},
            "must have a list for each level: optimizer=adam, optimizer=sgd. Received: optimizer=adam",
        ),
        (
            {"grid": {RATE: {"adam": [1, 2], "sgd": [1, 2]}}},
            "adam must be FACTOR=LEVEL; the factors are optimizer, loss.mix",
        ),
        ({"grid": BY_LEVEL, "seeds": [1]}, "tune.seeds: 1 is a seed of the study; the search needs others"),
        ({"grid": BY_LEVEL, "seeds": [7, 7]}, "duplicate seed"),
        ({"grid": BY_LEVEL, "fraction": 1.0}, "less than 1"),
        ({"grid": BY_LEVEL, "values": 3}, "Extra inputs are not permitted"),
    ],
)
def test_what_is_refused(tune: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError) as raised:
        study(**tune)
    assert message in str(raised.value)


def test_every_variant_tries_as_many_values_and_a_level_has_its_own() -> None:
    tuning = study(grid={**BY_LEVEL, "training.epochs": [1, 2]}).tune
    assert tuning is not None
    assert (tuning.seeds, tuning.fraction) == ([1000], 0.1)
    assert tuning.candidates({"optimizer": "sgd", "loss.mix": 0.5}) == [
        {RATE: rate, "training.epochs": epochs} for rate in (0.1, 1.0) for epochs in (1, 2)
    ]
    assert tuning.grid_of({"optimizer": "adam", "loss.mix": 0.9})[RATE] == [1e-3, 1e-2]
    assert tuning.sets(RATE)
    assert tuning.sets("validation_fraction")
    assert not tuning.sets("optimizer")


def test_a_study_has_the_first_values_until_they_are_chosen() -> None:
    lines = [run.overrides for run in study_runs(study(grid=BY_LEVEL))]
    assert [f"{RATE}=0.001" in one for one in lines] == [True, False, True] * 2
    assert [f"{RATE}=0.1" in one for one in lines] == [False, True, False] * 2
    assert not any(RATE in line for run in study_runs(StudyFile.model_validate(STUDY)) for line in run.overrides)


@pytest.mark.parametrize(
    ("scores", "maximize", "place"),
    [
        ([1.0, 3.0, 2.0], True, 1),
        ([1.0, 3.0, 2.0], False, 0),
        ([2.0, 2.0, 1.0], True, 0),
        ([1.0, 2.0, 1.0], False, 0),
        ([math.nan, 1.0, math.nan], True, 1),
        ([math.inf, 1.0], False, 1),
        ([math.nan, math.nan], True, None),
    ],
)
def test_the_best_is_chosen_of_equal_ones_the_first(scores: list[float], maximize: bool, place: int | None) -> None:
    assert best(scores, maximize=maximize) == place


def test_what_is_tried_is_named_and_what_is_found_is_plain() -> None:
    assert with_values(Variant(), {RATE: 0.1}).name == "optimizer.learning_rate=0.1"
    assert with_values(Variant(("optimizer=sgd",)), {"+a": "x"}).name == "a=x,optimizer=sgd"
    choice = Choice("baseline", {RATE: 0.1}, {RATE: [0.1, 1.0]}, [2.0, math.nan])
    plain = Tuned([choice], 12).plain(Tuning(grid={RATE: [0.1, 1.0]}))
    assert plain == {
        "fraction": 0.1,
        "seeds": [1000],
        "examples": 12,
        "variants": [
            {"variant": "baseline", "values": {RATE: 0.1}, "grid": {RATE: [0.1, 1.0]}, "scores": [2.0, None]}
        ],
    }
