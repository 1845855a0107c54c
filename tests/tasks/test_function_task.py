"""Results of a training loop of one's own: what may be returned, and what is refused."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from ablate import FunctionTask, Measure
from ablate.errors import ConfigError, TaskError


class Some(FunctionTask):
    example = "wine"
    measures = {"m": Measure("M"), "n": Measure("N")}

    def train(self, config: Any, seed: int, run: Any) -> dict[str, float]:
        return {"m": seed, "n": 0.0}


def test_a_frame_is_a_table_of_examples() -> None:
    frame = pd.DataFrame({"n": [1, 2], "m": [True, False], "other": ["x", "y"]}, index=[7, 9])
    evaluation = Some().evaluation_of(frame)
    assert evaluation.metrics == {"m": 0.5, "n": 1.5}
    assert evaluation.per_example.to_dict("list") == {
        "example": ["wine 0", "wine 1"],
        "m": [1.0, 0.0],
        "n": [1.0, 2.0],
    }


def test_examples_may_have_names_and_digests() -> None:
    frame = pd.DataFrame({"n": [1, 2], "m": [3, 4], "example": ["a", "b"], "digest": [5, 6]})
    table = Some().evaluation_of(frame).per_example
    assert table["example"].tolist() == ["a", "b"]
    assert table["digest"].tolist() == ["5", "6"]


def test_numbers_are_measures_of_the_whole_set() -> None:
    evaluation = Some().evaluation_of({"m": np.float32(0.5), "n": 2})
    assert evaluation.metrics == {"m": 0.5, "n": 2.0}
    assert evaluation.per_example.empty
    assert list(evaluation.per_example) == ["example"]


def test_a_frame_and_numbers_go_together() -> None:
    evaluation = Some().evaluation_of((pd.DataFrame({"m": [1.0, 2.0]}), {"n": 5}))
    assert evaluation.metrics == {"m": 1.5, "n": 5.0}
    assert list(evaluation.per_example) == ["example", "m"]


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (None, "must return a DataFrame.* of the measures m, n. Received: NoneType"),
        ((1, 2), "Received: tuple"),
        ([1], "Received: list"),
        ({"m": 1}, "must return all measures. Missing: n"),
        (pd.DataFrame({"m": [1]}), "must return all measures. Missing: n"),
        ({"m": 1, "n": "much"}, "must return a number for each measure"),
        (pd.DataFrame({"m": ["a"], "n": [1]}), "must return numbers"),
        (pd.DataFrame({"m": [], "n": []}), "there are no examples"),
    ],
)
def test_anything_else_is_refused(returned: Any, message: str) -> None:
    with pytest.raises(TaskError, match=message):
        Some().evaluation_of(returned)


@pytest.mark.parametrize("said", [None, 3, ""])
def test_a_fingerprint_is_text(said: Any) -> None:
    class Versioned(Some):
        def fingerprint(self) -> str:
            return said  # type: ignore[no-any-return]

    with pytest.raises(TaskError, match="must return text"):
        Versioned().find_data()


def test_measures_need_be_said_but_no_function() -> None:
    with pytest.raises(ConfigError, match="has no measures"):
        type("None_", (FunctionTask,), {"train": Some.train})()


def test_the_fingerprint_is_the_task_s_word() -> None:
    class Versioned(Some):
        def fingerprint(self) -> str:
            return "2"

    assert Versioned().find_data().fingerprint == Versioned().load_data().fingerprint == "2"
    assert Some().find_data() == Some().find_data()
