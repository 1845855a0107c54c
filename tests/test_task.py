"""What every task must do, held by the one that ships."""

from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest

from ablate.task import Task
from test_config import checked

QUICK = ["scale=smoke", "backbone.width=0.0625"]


@pytest.fixture
def task(photographs: Path) -> Task:
    built = checked(*QUICK, "data=folder", f"data.root={photographs}", "data.eval_fraction=0.3").task
    built.load_data()
    return built


def test_the_summary_counts_every_file(task: Task, photographs: Path) -> None:
    (photographs / "notes.txt").write_text("no photograph")
    summary = task.load_data()
    assert summary.counts["train"] + summary.counts["eval"] == 10
    assert len(summary.fingerprint) == 64
    again = checked(*QUICK, "data=folder", f"data.root={photographs}", "data.eval_fraction=0.3").task.load_data()
    assert again.fingerprint == summary.fingerprint
    assert (again.counts["ignored"], again.problems) == (1, ["notes.txt: no photograph"])


def test_the_same_arguments_give_the_same_batches(task: Task) -> None:
    one, two = (list(task.training_batches(seed=1, batch_size=3, first_step=2, steps=2)) for _ in range(2))
    assert len(one) == 2
    for (x, y), (again_x, again_y) in zip(one, two, strict=True):
        np.testing.assert_array_equal(x, again_x)
        np.testing.assert_array_equal(y, again_y)


def test_evaluation_measures_every_metric_of_every_example(task: Task) -> None:
    evaluation = task.evaluate(task.build_model(0))
    names = [metric.name for metric in task.metrics]
    assert list(evaluation.metrics) == names
    assert len(evaluation.per_example) == task.load_data().counts["eval"]
    assert set(evaluation.per_example) == {"example", "digest", *names}
    for reference in evaluation.references.values():
        assert list(reference) == names
    assert set(evaluation.samples) == {"given", "truth", "output"}
    assert set(evaluation.figures) == {"grid"}


def test_the_price_is_that_of_the_model(task: Task) -> None:
    model = task.build_model(0)
    assert task.cost()["parameters"] == sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    table = task.layer_table()
    assert isinstance(table, pd.DataFrame)
    assert table["parameters"].sum() == task.cost()["parameters"]


def test_the_loss_compiles_and_is_finite(task: Task) -> None:
    model = task.build_model(0)
    model.compile(optimizer="sgd", loss=task.build_loss())
    assert np.isfinite(model.evaluate(task.validation_batches(), verbose=0))


def loss_of(photographs: Path, *overrides: str) -> keras.losses.Loss:
    task = checked(*QUICK, "data=folder", f"data.root={photographs}", *overrides).task
    task.load_data()
    return task.build_loss()


def test_the_rebalanced_loss_weights_rare_colours_of_the_training_photographs(photographs: Path) -> None:
    rebalanced = loss_of(photographs)
    task = checked(*QUICK, "data=folder", f"data.root={photographs}").task
    counts = task.data.bin_counts
    weights = np.array(rebalanced.class_weights)
    assert weights[counts.argmax()] < weights[counts.argmin()]
    assert loss_of(photographs, "loss=unweighted").class_weights is None
    np.testing.assert_allclose(loss_of(photographs, "loss.mix=1.0").class_weights, 1.0)


def test_the_regression_has_two_channels_and_its_own_loss(photographs: Path) -> None:
    overrides = [*QUICK, "data=folder", f"data.root={photographs}", "loss=regression"]
    assert checked(*overrides).task.build_model(0).output_shape == (None, 8, 8, 2)
    assert type(loss_of(photographs, "loss=regression")).__name__ == "EuclideanLoss"
    assert loss_of(photographs, "loss.pixel_reduction=sum").pixel_reduction == "sum"
