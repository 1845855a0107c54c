"""Tasks with a Keras model, on two clouds of points."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from ablate import ArrayTask
from ablate.config.training import TrainingConfig
from ablate.config.validation import validate_config
from ablate.errors import ConfigError, DataError, TaskError
from ablate.tasks.constant_prediction import Repeated, suggested
from ablate.training.checkpoint import Checkpoints
from ablate.training.fit import train
from blobs import Blobs, Items, Stopping, blobs
from tests.support.configs import valid_config

CONFIG: dict[str, Any] = {"network": {"hidden": 4, "dropout": 0.25}}
Curves = dict[str, list[tuple[int, float]]]


def task(kind: type[Blobs] = Blobs, **network: Any) -> Blobs:
    return kind(network={**CONFIG["network"], **network})


def weights(model: keras.Model) -> list[np.ndarray]:
    return [np.asarray(weight) for weight in model.get_weights()]


def equal(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    return len(one) == len(other) and all(map(np.array_equal, one, other))


class Interruptions:
    """Interrupts a training at the given polls."""

    def __init__(self, *polls: int) -> None:
        self.polls, self.count = set(polls), 0

    def __call__(self) -> BaseException | None:
        self.count += 1
        return KeyboardInterrupt() if self.count in self.polls else None


def trained(
    kind: type[Blobs], file: Path | None = None, stop: Any = lambda: None, epochs: int = 6, **network: Any
) -> tuple[keras.Model, int, Curves]:
    curves: Curves = {}

    def log(metrics: Mapping[str, float], step: int) -> None:
        for name, value in metrics.items():
            curves.setdefault(name, []).append((step, value))

    training = TrainingConfig(epochs=epochs, steps_per_epoch=None, batch_size=10, deterministic=True, log_points=100)
    optimizer = valid_config("scale=smoke", "optimizer.learning_rate=0.1").run.optimizer
    checkpoints = None if file is None else Checkpoints(file, 60.0, lambda: None, stop)
    made = train(
        task(kind, **network),
        optimizer=optimizer,
        training=training,
        seed=3,
        log_metrics=log,
        checkpoints=checkpoints,
        show_bar=False,
    )
    return made.model, made.steps, curves


@pytest.mark.slow
def test_layers_that_variants_share_start_alike() -> None:
    class Deeper(Blobs):
        def model(self) -> keras.Model:
            return keras.Sequential(
                [
                    keras.layers.Dense(4, "relu", name="dense"),
                    keras.layers.Dense(4, "relu", name="added"),
                    keras.layers.Dense(2, "softmax", name="dense_1"),
                ]
            )

    plain, same, other, deeper = (
        weights(made.build_model(seed)) for made, seed in ((task(), 1), (task(), 1), (task(), 2), (task(Deeper), 1))
    )
    assert equal(plain, same)
    assert not equal(plain, other)
    assert equal([plain[0], plain[-2]], [deeper[0], deeper[-2]])
    assert not equal([plain[0]], [deeper[2]])


def test_weights_that_are_loaded_stay() -> None:
    class Pretrained(Blobs):
        def model(self) -> keras.Model:
            model = super().model()
            model(np.zeros((1, 2)))
            model.set_weights([np.full(weight.shape, 7.0) for weight in model.get_weights() if weight.ndim])
            return model

    loaded = [weight for weight in weights(task(Pretrained).build_model(1)) if weight.dtype == np.float32]
    assert all((weight == 7).all() for weight in loaded)


def test_an_initialiser_s_own_seed_stays() -> None:
    class Fixed(Blobs):
        def model(self) -> keras.Model:
            return keras.Sequential(
                [keras.layers.Dense(2, "softmax", kernel_initializer=keras.initializers.GlorotUniform(seed=5))]
            )

    one, two = (weights(task(Fixed).build_model(seed)) for seed in (1, 2))
    assert equal(one, two)


@pytest.mark.slow
def test_an_evaluation_has_every_measure_and_the_constant_prediction() -> None:
    made = task()
    evaluation = made.evaluate(made.build_model(0))
    assert list(evaluation.metrics) == ["accuracy", "nll", "recall"]
    assert list(evaluation.per_example) == ["example", "digest", "accuracy", "nll"]
    assert evaluation.per_example["example"].tolist()[:2] == ["point 0", "point 1"]
    assert evaluation.metrics["accuracy"] == pytest.approx(evaluation.per_example["accuracy"].mean())
    assert evaluation.replicates is not None
    assert list(evaluation.replicates) == ["recall"]
    # Both clouds are as likely: the constant prediction is right for one of them, and one bit short.
    assert evaluation.references["constant"] == {
        "accuracy": 50.0,
        "nll": pytest.approx(np.log(2)),
        "recall": pytest.approx(0.5),
    }


@pytest.mark.slow
def test_the_description_counts_parameters_and_flops() -> None:
    table, cost = task(hidden=3).layer_table(), task(hidden=3).cost()
    assert table["parameters"].tolist() == [0, 9, 0, 8]
    assert cost["parameters"] == 17
    # Two multiplications and additions for each weight, an addition for each bias, and what the activations take.
    assert 2 * (2 * 3 + 3 * 2) + 3 + 2 <= cost["flops_per_example"] < 60


@pytest.mark.slow
def test_items_train_as_arrays_do() -> None:
    arrays, items = (trained(kind, epochs=2)[0] for kind in (Blobs, Items))
    assert equal(weights(arrays), weights(items))


@pytest.mark.slow
def test_early_stopping_ends_training_with_the_best_weights() -> None:
    model, steps, curves = trained(Stopping, epochs=40)
    assert steps < 200
    losses = dict(curves["val/loss"])
    assert min(losses.values()) == pytest.approx(float(np.mean(task().evaluate(model).per_example["nll"])), rel=1e-4)
    assert steps == max(losses)
    assert {"train/accuracy", "val/accuracy"} <= set(curves)


@pytest.mark.slow
@pytest.mark.parametrize("polls", [(2, 4), (7,), (5, 11)])
def test_early_stopping_resumes_exactly(polls: tuple[int, ...], tmp_path: Path) -> None:
    model, steps, curves = trained(Stopping, epochs=40)
    file, stop = tmp_path / "checkpoint.npz", Interruptions(*polls)
    joined: Curves = {}
    for _ in range(len(polls)):
        with pytest.raises(KeyboardInterrupt):
            trained(Stopping, file, stop, epochs=40)
    again, steps_again, joined = trained(Stopping, file, stop, epochs=40)
    assert steps_again == steps
    assert equal(weights(again), weights(model))
    assert joined["val/loss"] == curves["val/loss"][-len(joined["val/loss"]) :]


def test_what_data_depend_on_is_seen() -> None:
    class Sized(Blobs):
        def data(self) -> Any:
            count = 10 * self.config.network.hidden if self.config.sized.yes else 50
            return blobs(count), blobs(20, seed=1)

    def sized(yes: bool, hidden: int) -> Sized:
        return Sized(network={"hidden": hidden, "dropout": 0.0}, sized={"yes": yes}, other={"key": hidden})

    assert sized(False, 1).find_data().examples_per_epoch == 50
    assert sized(False, 1).data_config() == sized(False, 2).data_config()
    # Not seen yet: all may matter.
    assert sized(True, 1).data_config() == sized(True, 1).result_config()
    assert sized(True, 1).find_data().examples_per_epoch == 10
    assert sized(True, 2).find_data().examples_per_epoch == 20
    assert sized(True, 1).data_config() != sized(True, 2).data_config()
    assert "other" not in str(sized(True, 1).data_config())


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"measures": {}}, "has no measures"),
        ({"loss": None}, "has no loss"),
    ],
)
def test_what_a_task_lacks_is_said(attributes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        task(type("Lacking", (Blobs,), attributes))


@pytest.mark.parametrize("method", ["data", "model"])
def test_what_a_task_does_not_define_is_said(method: str) -> None:
    bare = type("Bare", (ArrayTask,), {name: vars(Blobs)[name] for name in ("data", "model") if name != method})
    with pytest.raises(TypeError, match=f"abstract class Bare .*{method}"):
        bare()


def test_a_loss_may_be_a_function_a_method_or_returned_by_one() -> None:
    def function(y: Any, p: Any, power: int = 2) -> Any:
        return abs(y - p) ** power

    def method(self: Any, y: Any, p: Any) -> Any:
        return self.example, y, p

    def returns(self: Any) -> str:
        return f"of {self.example}s"

    losses = [task(type("L", (Blobs,), {"loss": loss})).build_loss() for loss in (function, method, returns, "mse")]
    assert (losses[0], losses[1](1, 2), *losses[2:]) == (function, ("point", 1, 2), "of points", "mse")


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"callbacks": lambda self: keras.callbacks.Callback()}, r"callbacks\(\) must return a list"),
        ({"callbacks": lambda self: ["EarlyStopping"]}, r"Received: \['str'\]"),
        (
            {"compile_metrics": lambda self: "accuracy"},
            r"compile_metrics\(\) must return .*Received: 'accuracy'",
        ),
    ],
)
def test_what_are_no_callbacks_or_metrics_is_refused(attributes: dict[str, Any], message: str) -> None:
    with pytest.raises(TaskError, match=message):
        trained(type("Odd", (Blobs,), attributes), epochs=1)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (lambda self: None, "must return a keras.Model. Received: NoneType"),
        (lambda self: _compiled(), "must return a new model each time, not compiled"),
    ],
)
def test_what_is_no_model_is_refused(model: Any, message: str) -> None:
    with pytest.raises(TaskError, match=message):
        task(type("Odd", (Blobs,), {"model": model})).build_model(0)


def _compiled() -> keras.Model:
    model = keras.Sequential([keras.layers.Dense(2)])
    model.compile("sgd", "mse")
    return model


@pytest.mark.parametrize("data", [None, 3, (1, 2, 3), ((1, 2), 3)])
def test_what_is_no_data_is_refused(data: Any) -> None:
    with pytest.raises(DataError, match="must return"):
        task(type("Odd", (Blobs,), {"data": lambda self: data})).find_data()


@pytest.mark.parametrize(
    ("augment", "message"),
    [
        (lambda self, x, y, rng: x, "augment must return"),
        (lambda self, x, y, rng: (x[:3], y[:3]), "as many examples"),
    ],
)
def test_augmentation_keeps_the_number_of_examples(augment: Any, message: str) -> None:
    odd = task(type("Odd", (Blobs,), {"augment": augment}))
    with pytest.raises(TaskError, match=message):
        odd.training_batches(seed=0, batch_size=5, first_step=0, steps=1)


def test_examples_that_train_and_evaluate_are_named(caplog: pytest.LogCaptureFixture) -> None:
    class Leaking(Blobs):
        def data(self) -> Any:
            (x, y), _ = super().data()
            return (x, y), (x[:3], y[:3])

    assert task(Leaking).load_data().counts["leaked"] == 3
    assert "3 of 3 evaluation points train as well" in caplog.text
    assert "leaked" not in task(Blobs).load_data().counts


def test_sections_reach_the_task_without_being_listed() -> None:
    config = valid_config("scale=smoke")
    values = {key: value for key, value in config.values.items() if key in type(config.run).model_fields}
    checked = validate_config({**values, **CONFIG, "task": {"_target_": "blobs.Blobs"}})
    assert checked.task.result_config() == CONFIG


@pytest.mark.parametrize(
    ("train", "like", "expected"),
    [
        (np.array([0, 0, 1, 2]), np.zeros((1, 3)), [0.5, 0.25, 0.25]),
        (np.array([[1.0, 3.0], [3.0, 5.0]]), np.zeros((1, 2)), [2.0, 4.0]),
        (np.array([[True], [False]]), np.zeros((1, 1)), [0.5]),
        (np.array([0, 5]), np.zeros((1, 3)), None),
        (np.array(["a", "b"]), np.zeros((1, 2)), None),
        ({"y": np.zeros(2)}, np.zeros((1, 2)), None),
    ],
)
def test_the_constant_prediction(train: Any, like: np.ndarray, expected: list[float] | None) -> None:
    found = suggested(train, like)
    assert (None if found is None else found.tolist()) == expected
    if found is not None:
        assert Repeated(found)[np.arange(3)].tolist() == [expected] * 3
