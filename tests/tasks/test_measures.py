"""Measures of examples and of the whole set."""

import numpy as np
import pytest

from ablate.errors import ConfigError, TaskError
from ablate.tasks.batches import take
from ablate.tasks.measured import Measured
from ablate.tasks.measures import REPLICATES, Measure, SetMeasure, check_measures, measure_examples, measure_set

Y = np.array([0, 1, 1, 0])
P = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.5, 0.5]])


def accuracy(y: np.ndarray, p: np.ndarray) -> np.ndarray:
    return p.argmax(1) == y


def test_examples_are_measured_one_by_one() -> None:
    table = measure_examples({"right": Measure("Right", function=accuracy)}, Y, P, 4)
    assert table["right"].tolist() == [1.0, 1.0, 0.0, 1.0]


@pytest.mark.parametrize(
    ("function", "received"),
    [
        (lambda y, p: accuracy(y, p).mean(), r"Received: shape \(\)"),
        (lambda y, p: p, r"Received: shape \(4, 2\)"),
        (lambda y, p: accuracy(y, p)[1:], r"Received: shape \(3,\)"),
        (lambda y, p: ["a"] * 4, "Received: list"),
        (lambda y, p: None, r"Received: (NoneType|shape \(\))"),
    ],
)
def test_other_shapes_are_refused(function, received: str) -> None:
    with pytest.raises(
        TaskError, match=rf"measures\['m'\] must return one value an example, shape \(4,\). {received}"
    ):
        measure_examples({"m": Measure("M", function=function)}, Y, P, 4)


def test_values_that_are_not_finite_are_kept_and_named(caplog: pytest.LogCaptureFixture) -> None:
    measured = Measured({"m": Measure("M", function=lambda y, p: np.where(y, np.nan, 1.0))})
    measured.add(Y[:2], P[:2])
    measured.add(Y[2:], P[2:])
    assert measured.result().table["m"].isna().tolist() == [False, True, True, False]
    assert "measures['m'] is not finite for 2 of 4 examples" in caplog.text


def test_a_mean_over_the_set_has_the_replicates_of_a_mean() -> None:
    values = np.random.default_rng(0).normal(size=400)
    found, replicates = measure_set({"m": SetMeasure("M", function=lambda y, p: p.mean())}, values, values, 400)
    again = measure_set({"m": SetMeasure("M", function=lambda y, p: p.mean())}, values, values, 400)[1]
    assert found["m"] == pytest.approx(values.mean())
    assert replicates is not None
    assert replicates.equals(again)
    assert len(replicates) == REPLICATES
    # The standard deviation of a standard deviation from n normal values is about 1 / sqrt(2 n).
    assert replicates["m"].std() == pytest.approx(values.std() / 20, rel=4 / np.sqrt(2 * REPLICATES))


def test_nothing_is_repeated_where_that_is_not_wanted() -> None:
    measure = SetMeasure("M", function=lambda y, p: 1.0, bootstrap=False)
    assert measure_set({"m": measure}, Y, P, 4) == ({"m": 1.0}, None)


@pytest.mark.parametrize(
    ("measures", "message"),
    [
        ({}, "T has no measures"),
        ([], "T has no measures"),
        ([Measure("M", function=accuracy)], "must have a name for each, not be a list"),
        ({"seed": Measure("M", function=accuracy)}, "'seed' names something else in tables"),
        ({"m": accuracy}, r"T.measures\['m'\] must be a Measure with a function, not function"),
        ({"m": Measure("M")}, "not a Measure without a function"),
        ({"a b": Measure("M", function=accuracy)}, "'a b' is no name"),
        ({"a/b": Measure("M", function=accuracy)}, "'a/b' is no name"),
    ],
)
def test_what_is_no_measure_is_refused(measures: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        check_measures("T", measures)


def test_a_measure_may_change_what_it_gets() -> None:
    def zeroed(y: np.ndarray, p: np.ndarray) -> np.ndarray:
        y[:] = p[:] = 0
        return y

    first = {"zero": Measure("Z", function=zeroed), "m": Measure("M", function=accuracy)}
    assert list(measure_examples(first, Y, P, 4)["m"]) == list(accuracy(Y, P))


def test_a_measure_may_be_undefined_where_a_class_is_missing() -> None:
    def recall(y: np.ndarray, p: np.ndarray) -> float:
        if len(np.unique(y)) < 2:
            raise ValueError("Only one class present in y_true")
        return 1.0

    values, replicates = measure_set({"m": SetMeasure("M", function=recall)}, np.array([0, 0, 0, 1]), P, 4)
    assert replicates is not None
    assert values == {"m": 1.0}
    assert 0 < replicates["m"].isna().sum() < len(replicates)


def test_a_direction_is_one_of_three() -> None:
    assert [Measure("M", "", direction).metric("m").higher_is_better for direction in ("higher", "lower", None)] == [
        True,
        False,
        None,
    ]
    with pytest.raises(ConfigError, match="Received: 'up'"):
        Measure("M", "", "up")  # type: ignore[arg-type]


def test_examples_are_taken_from_structures() -> None:
    taken = take({"a": Y, "b": (P, [Y])}, np.array([1, 1]))
    assert taken["a"].tolist() == [1, 1]
    assert taken["b"][0].tolist() == P[[1, 1]].tolist()
    assert taken["b"][1][0].tolist() == [1, 1]
