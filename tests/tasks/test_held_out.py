"""Held-out training examples: apart from those that train, always the same, and never the evaluation's."""

from copy import copy
from typing import Any

import numpy as np
import pytest

from ablate.config.validation import validate_config
from ablate.errors import ConfigError, DataError
from ablate.execution.code_version import code_of
from ablate.execution.identity import setting
from ablate.task import holding_out, split_off
from ablate.tasks.held_out import parted
from ablate.tasks.keras_model_task import EVALUATION, TRAIN
from blobs import Blobs
from tests.support.configs import valid_config
from tests.tasks.test_function_task import Some
from tests.tasks.test_sources import batches, same, sources

CONFIG = {"network": {"hidden": 4, "dropout": 0.25}}


@pytest.mark.parametrize(("count", "fraction", "held"), [(10, 0.3, 3), (10, 0.01, 1), (3, 0.99, 2), (2, 0.5, 1)])
def test_a_share_is_split_off_always_the_same(count: int, fraction: float, held: int) -> None:
    train, out = split_off(count, fraction)
    assert len(out) == held
    assert sorted([*train, *out]) == list(range(count))
    assert all(map(np.array_equal, split_off(count, fraction), (train, out)))


def test_of_one_example_none_can_be_held_out() -> None:
    with pytest.raises(DataError, match="of 1 training example none can be held out"):
        split_off(1, 0.5)


@pytest.mark.slow
@pytest.mark.parametrize("name", list(sources()))
def test_every_source_is_parted(name: str) -> None:
    whole = sources()[name]
    parts = parted(whole, 0.3)
    digests = [source.digests() for source in parts]
    assert sorted([*digests[0], *digests[1]]) == sorted(whole.digests())
    assert [len(source) for source in parts] == list(map(len, digests))
    assert 0 < len(digests[1]) < len(digests[0])
    assert [source.digests() for source in parted(sources()[name], 0.3)] == digests
    train = parts[0]
    assert same(batches(train, first_step=2, steps=3), batches(train, steps=5)[2:])
    assert len(train.some(2)) <= 3


@pytest.mark.slow
def test_a_task_holds_out_what_trained_and_evaluates_on_nothing_else() -> None:
    whole, task = Blobs(**CONFIG), holding_out(Blobs(**CONFIG), 0.25)
    assert task.find_data() == holding_out(Blobs(**CONFIG), 0.25).find_data()
    assert task.find_data().fingerprint != whole.find_data().fingerprint
    assert task.data_config() == whole.data_config()
    train, held = (set(task.sources[split].digests()) for split in (TRAIN, EVALUATION))
    assert train.isdisjoint(held)
    assert train | held == set(whole.sources[TRAIN].digests())
    assert task.examples_per_epoch() == len(train)
    evaluation = task.evaluate(task.build_model(0))
    assert set(evaluation.per_example["digest"]) == held
    assert set(evaluation.references) <= {"constant"}


def test_it_is_part_of_the_identity_and_its_code_of_no_other() -> None:
    plain, held = valid_config(), valid_config("validation_fraction=0.2")
    assert setting(plain, "d") != setting(held, "d")
    assert "ablate.colorization.held_out" not in code_of(plain.task).modules
    assert "ablate.colorization.held_out" in code_of(held.task, held_out=True).modules
    assert "ablate.tasks.held_out" not in code_of(Blobs(**CONFIG)).modules
    assert "ablate.tasks.held_out" in code_of(Blobs(**CONFIG), held_out=True).modules


def test_a_task_that_cannot_says_so() -> None:
    with pytest.raises(
        ConfigError, match=r"Some cannot hold out training examples: give it a method hold_out\(self, f"
    ):
        holding_out(Some(), 0.5)


class Wines(Some):
    """Holds out as docs/learning-rates.md says."""

    fraction: float | None = None

    def hold_out(self, fraction: float) -> "Wines":
        held = copy(self)
        held.fraction = fraction
        return held

    def train(self, config: Any, seed: int, run: Any) -> dict[str, float]:
        kept, held = split_off(10, self.fraction) if self.fraction is not None else (range(10), range(5))
        return {"m": len(kept), "n": len(held)}


def test_a_training_loop_of_one_s_own_can_hold_out() -> None:
    run: Any = None
    whole, held = Wines(), holding_out(Wines(), 0.2)
    assert whole.train_and_evaluate(0, run).metrics == {"m": 10, "n": 5}
    assert isinstance(held, Wines)
    assert held.train_and_evaluate(0, run).metrics == {"m": 8, "n": 2}


def test_a_share_is_one() -> None:
    with pytest.raises(ConfigError, match=r"validation_fraction=1\.0: input should be less than 1"):
        valid_config("validation_fraction=1.0")
    assert validate_config({**valid_config().values, "validation_fraction": None})
