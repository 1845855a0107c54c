"""The colourisation task and its variants; tests/contracts/test_tasks.py has what every task must do."""

from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest

from ablate.task import Task
from tests.support.configs import valid_config

QUICK = ["scale=smoke", "backbone.width=0.0625"]


@pytest.fixture
def task(photographs: Path) -> Task:
    built = valid_config(*QUICK, "data=folder", f"data.root={photographs}", "data.eval_fraction=0.3").task
    built.load_data()
    return built


@pytest.mark.slow
def test_the_summary_counts_every_file(task: Task, photographs: Path) -> None:
    (photographs / "notes.txt").write_text("no photograph")
    summary = task.load_data()
    assert summary.counts["train"] + summary.counts["eval"] == 10
    assert len(summary.fingerprint) == 64
    again = valid_config(*QUICK, "data=folder", f"data.root={photographs}", "data.eval_fraction=0.3").task.load_data()
    assert again.fingerprint == summary.fingerprint
    assert (again.counts["ignored"], again.problems) == (1, ["notes.txt: no photograph that trains or evaluates"])


@pytest.mark.slow
def test_every_evaluation_photograph_is_evaluated_and_sampled(task: Task) -> None:
    evaluation = task.evaluate(task.build_model(0))
    assert len(evaluation.per_example) == task.load_data().counts["eval"]
    assert set(evaluation.samples) == {"given", "truth", "output"}
    assert set(evaluation.figures) == {"grid"}


def loss_of(photographs: Path, *overrides: str) -> keras.losses.Loss:
    task = valid_config(*QUICK, "data=folder", f"data.root={photographs}", *overrides).task
    task.load_data()
    return task.build_loss()


@pytest.mark.slow
def test_the_rebalanced_loss_weights_rare_colours_of_the_training_photographs(photographs: Path) -> None:
    rebalanced = loss_of(photographs)
    task = valid_config(*QUICK, "data=folder", f"data.root={photographs}").task
    counts = task.data.bin_counts
    weights = np.array(rebalanced.class_weights)
    assert weights[counts.argmax()] < weights[counts.argmin()]
    assert loss_of(photographs, "loss=unweighted").class_weights is None
    np.testing.assert_allclose(loss_of(photographs, "loss.mix=1.0").class_weights, 1.0)


@pytest.mark.slow
def test_the_regression_has_two_channels_and_its_own_loss(photographs: Path) -> None:
    overrides = [*QUICK, "data=folder", f"data.root={photographs}", "loss=regression"]
    assert valid_config(*overrides).task.build_model(0).output_shape == (None, 8, 8, 2)
    assert type(loss_of(photographs, "loss=regression")).__name__ == "EuclideanLoss"
    assert loss_of(photographs, "loss.pixel_reduction=sum").pixel_reduction == "sum"


def of(photographs: Path, *overrides: str) -> Task:
    task = valid_config(*QUICK, "data=folder", f"data.root={photographs}", *overrides).task
    task.load_data()
    return task


@pytest.mark.slow
def test_every_variant_sees_the_same_batches(photographs: Path) -> None:
    variants = ([], ["output_res=half"], ["output_res=quarter"], ["loss=regression"], ["dropout=heavy"])
    streams = [
        list(of(photographs, *variant).training_batches(seed=1, batch_size=3, first_step=0, steps=3))
        for variant in variants
    ]
    for stream in streams[1:]:
        for one, other in zip(streams[0], stream, strict=True):
            np.testing.assert_array_equal(one[0], other[0])
            np.testing.assert_array_equal(one[1], other[1])


@pytest.mark.slow
def test_shared_layers_start_alike_and_each_seed_otherwise(photographs: Path) -> None:
    shallow, full = (of(photographs, depth).build_model(1) for depth in ("depth=shallow", "depth=full"))
    shared = {layer.name for layer in shallow.layers} & {layer.name for layer in full.layers}
    assert {"conv1_1", "conv7_1", "conv8_up", "head"} <= shared
    for name in ("conv1_1", "conv4_2", "head"):
        np.testing.assert_array_equal(*(model.get_layer(name).get_weights()[0] for model in (shallow, full)))
    other = of(photographs).build_model(2)
    assert not np.array_equal(other.get_layer("head").get_weights()[0], full.get_layer("head").get_weights()[0])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("overrides", "coefficient"),
    [
        (["regularizer=none"], 0),
        (["regularizer=l2"], 5e-4 / 64**2),
        (["regularizer=l2", "loss.pixel_reduction=sum"], 5e-4 * 8**2 / 64**2),
        (["regularizer=l2", "loss=regression", "loss.pixel_reduction=sum", "output_res=quarter"], 5e-4 * 2**2 / 64**2),
        (["regularizer.l2=2.048", "loss=regression", "output_res=half", "data.image_size=64"], 5e-4),
        (["scale=paper"], 5e-4),
    ],
)
def test_the_penalty_reaches_the_model(overrides: list[str], coefficient: float) -> None:
    model = valid_config("scale=smoke", "depth=shallow", "backbone.width=0.0625", *overrides).task.build_model(0)
    kernels = sum(
        float(keras.ops.sum(keras.ops.square(layer.kernel)))
        for layer in model.layers
        if "conv" in layer.name and layer.weights
    )
    kernels += float(keras.ops.sum(keras.ops.square(model.get_layer("head").kernel)))
    assert float(sum(model.losses)) == pytest.approx(coefficient * kernels, rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(("dropout", "rate"), [("none", None), ("light", 0.2), ("heavy", 0.5)])
def test_the_dropout_rate_reaches_the_model(photographs: Path, dropout: str, rate: float | None) -> None:
    model = of(photographs, f"dropout={dropout}").build_model(0)
    rates = [layer.rate for layer in model.layers if isinstance(layer, keras.layers.SpatialDropout2D)]
    assert rates == ([rate, rate] if rate else [])


@pytest.mark.slow
@pytest.mark.parametrize(("flavour", "weights"), [("affine", 4), ("plain", 2), ("none", None)])
def test_the_flavour_of_batch_norm_reaches_the_model(photographs: Path, flavour: str, weights: int | None) -> None:
    model = of(photographs, f"backbone.batch_norm={flavour}").build_model(0)
    found = {len(layer.weights) for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)}
    assert found == ({weights} if weights else set())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("override", "name", "value"),
    [
        ("color.soft_bins=10", "k", 10),
        ("color.soft_sigma=2.5", "sigma", 2.5),
        ("loss.mask_grey=false", "mask_grey", False),
        ("color.grid_step=20", "step", 20),
    ],
)
def test_the_loss_is_as_configured(photographs: Path, override: str, name: str, value: object) -> None:
    assert loss_of(photographs, override).get_config()[name] == value
    assert loss_of(photographs).get_config()[name] != value


@pytest.mark.slow
def test_the_prior_is_smoothed_as_configured(photographs: Path) -> None:
    weights = [np.array(loss_of(photographs, f"color.prior_sigma={sigma}").class_weights) for sigma in (5, 20)]
    assert weights[0].std() > 1.5 * weights[1].std()


@pytest.mark.slow
def test_the_temperature_changes_the_colours(photographs: Path) -> None:
    rmse = []
    for temperature in (0.05, 5.0):
        task = of(photographs, f"color.temperature={temperature}")
        model = task.build_model(0)
        model.layers[-1].kernel.assign(200 * model.layers[-1].kernel)
        rmse.append(task.evaluate(model).metrics["colorfulness"])
    assert rmse[0] > 1.2 * rmse[1]


@pytest.mark.slow
def test_pictures_of_other_photographs_are_kept_and_not_measured(photographs: Path) -> None:
    base = [*QUICK, "data=folder", f"data.root={photographs}", "data.eval_fraction=0.3"]
    plain, other = (valid_config(*base, *more).task for more in ([], ["evaluation.samples_from=sample"]))
    other.load_data()
    model = plain.build_model(0)
    own, shown = plain.evaluate(model), other.evaluate(model)
    pd.testing.assert_frame_equal(own.per_example, shown.per_example)
    assert own.metrics == shown.metrics
    names = set(shown.samples["output"])
    assert "astronaut" in names
    assert names == set(shown.samples["truth"]) == set(shown.samples["given"])
    assert not names & set(own.samples["output"])
