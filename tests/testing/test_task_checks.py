"""Checks of what a task says of a trained model, and what a run makes of a task that says it wrong."""

from dataclasses import replace
from typing import Any

import pytest

from ablate.execution.attempt import _said_of_model
from ablate.task import ServedModel
from ablate.testing.task_checks import check_model_use

SERVED = ServedModel("reader", {}, {"digit": "binary"}, {"number": "long"}, {"smallest": 0.5}, ["aGk="])


class Says:
    """What a task says."""

    def __init__(self, served: Any, limitations: Any = ("One.",)):
        self._said = served, limitations

    def served_model(self) -> Any:
        """Return it."""
        return self._said[0]

    def limitations(self) -> Any:
        """Return them."""
        return self._said[1]


@pytest.mark.parametrize(
    ("task", "said"),
    [
        (object(), None),
        (Says(SERVED), None),
        (Says({"loader": "reader"}), "served_model must return a ServedModel of plain values: AttributeError"),
        (Says(replace(SERVED, inputs={"digit": "picture"})), "of plain values: KeyError: 'picture'"),
        (Says(replace(SERVED, settings={"x": {1, 2}})), "of plain values: TypeError"),
        (Says(SERVED, [1]), "limitations must return sentences"),
    ],
)
def test_what_a_task_says_wrong_of_its_model_is_found(task: Any, said: str | None) -> None:
    found = [finding.text for finding in check_model_use(task)]
    assert len(found) == (said is not None)
    assert said is None or said in found[0]


def test_what_a_task_says_wrong_of_its_model_costs_no_result(caplog: pytest.LogCaptureFixture) -> None:
    right: Any = Says(SERVED)
    assert _said_of_model(right) == (SERVED, ("One.",))
    assert caplog.messages == []
    for wrong in (Says(None), Says(replace(SERVED, inputs={"digit": "picture"})), Says(SERVED, 5)):
        task: Any = wrong
        assert _said_of_model(task) == (None, ())
        assert "What the task says of its model is left out" in caplog.messages[-1]
    assert len(caplog.messages) == 3
