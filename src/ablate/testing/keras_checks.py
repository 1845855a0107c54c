"""Checks of a task that Keras trains: batches, initial values, random draws, training, saving."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ablate.config.user_code import one_line
from ablate.task import Describable, Evaluation, KerasTask
from ablate.testing.findings import Findings, problem, warning

if TYPE_CHECKING:
    import keras

    from ablate.config.sections import RunConfig

_FEW = 7
"""Examples that are measured without the others."""
Arrays = list[list[npt.NDArray[Any]]]


def check_repeated_batches(task: KerasTask, again: KerasTask, batch_size: int) -> Findings:
    """Batches depend on the arguments alone, another seed gives others, and a later first step continues them.

    Args:
        task: A task, its data loaded.
        again: Another one with the same arguments, its data loaded.
        batch_size: Examples in a batch.
    """
    if not same_arrays(_evaluated(task), _evaluated(again)):
        yield problem("data() gives other evaluation examples each time: seed whatever it draws, sort what it lists")
        return
    draws = list(_check_augment(task))
    yield from draws
    whole = batches_of(task, batch_size, seed=1, first_step=0, steps=4)
    if len(whole) != 4:
        yield problem(f"training_batches must give as many batches as `steps` says. Received: {len(whole)} of 4")
        return
    repeated = draws or same_arrays(whole, batches_of(task, batch_size, seed=1, first_step=0, steps=4))
    if not repeated:
        yield problem(
            "training_batches gives other batches for the same arguments: all chance follows from `seed`, and a "
            "tf.data.Dataset is not shuffled in data()"
        )
    elif not draws and not same_arrays(whole[:1], batches_of(again, batch_size, seed=1, first_step=0, steps=1)):
        yield problem("data() gives other training examples each time: seed whatever it draws, sort what it lists")
    elif not draws and not same_arrays(whole[2:], batches_of(task, batch_size, seed=1, first_step=2, steps=2)):
        yield problem(
            "training_batches(first_step=2) does not continue the stream of first_step=0: no run could resume"
        )
    if same_arrays(whole, batches_of(task, batch_size, seed=2, first_step=0, steps=4)):
        yield problem("training_batches gives the same batches for another seed: seeds would be no repetitions")


def _check_augment(task: KerasTask) -> Findings:
    """`augment`, where a task has it, draws from its generator alone."""
    augment = getattr(task, "augment", None)
    if augment is None:
        return
    import tensorflow as tf

    batch = next(iter(task.validation_batches()))
    one, two = (
        augment(*tf.nest.map_structure(lambda tensor: tensor.numpy().copy(), batch), np.random.default_rng(0))
        for _ in range(2)
    )
    if not same_arrays([_leaves(one)], [_leaves(two)]):
        yield problem("augment draws from something else than `rng`: use rng.random() and the like, not np.random")


def check_batch_sizes(task: KerasTask, batch_size: int) -> Findings:
    """Every array of a training batch has as many examples as the batch size."""
    sizes = sorted(
        {len(array) for batch in batches_of(task, batch_size, seed=1, first_step=0, steps=3) for array in batch}
    )
    if sizes != [batch_size]:
        yield problem(
            f"training.batch_size={batch_size} gives batches of {', '.join(map(str, sizes))} examples: "
            "say the size that they have"
        )


def check_validation_batches(task: KerasTask) -> Findings:
    """The evaluation examples come once, in one order."""
    one = _evaluated(task)
    if not one:
        yield problem("there are no evaluation examples")
    elif not same_arrays(one, _evaluated(task)):
        yield problem("validation_batches differ each time: the evaluation examples come once, in one order")


def check_finite(task: KerasTask, batch_size: int) -> Findings:
    """Batches hold neither NaN nor infinity, which a layer may hide: ReLU makes NaN zero on some devices."""
    training = batches_of(task, batch_size, seed=1, first_step=0, steps=3)
    for which, batches in (("training", training), ("evaluation", _evaluated(task))):
        if not all(np.isfinite(array).all() for batch in batches for array in batch if array.dtype.kind == "f"):
            yield warning(f"{which} examples hold NaN or infinite values, which some layers hide")


def check_initial_weights(task: KerasTask) -> Findings:
    """The same seed gives the same weights, another seed others; the model is not compiled."""
    one, same, other = (task.build_model(seed) for seed in (1, 1, 2))
    if one.compiled:
        yield problem("build_model must return a model that is not compiled: the configuration says how it trains")
    if not same_arrays([one.get_weights()], [same.get_weights()]):
        yield problem(
            "the model starts from other weights each time, whatever the seed: draw them by Keras' initialisers"
        )
    elif one.trainable_weights and same_arrays([one.get_weights()], [other.get_weights()]):
        yield warning(
            "the model starts from the same weights with every seed: seeds differ in the order of examples alone"
        )


def check_draws(task: KerasTask, batch_size: int) -> Findings:
    """With all variables of a checkpoint restored, the model draws the same numbers again."""
    model, (inputs, _) = task.build_model(0), first_batch(task, batch_size)
    before = [variable.numpy() for variable in model.variables]
    first = model(inputs, training=True)
    for variable, value in zip(model.variables, before, strict=True):
        variable.assign(value)
    if not same_arrays([_leaves(first)], [_leaves(model(inputs, training=True))]):
        yield problem(
            "the model draws random numbers that no checkpoint keeps, so a resumed run would differ: in the layer, "
            "self.seed_generator = keras.random.SeedGenerator(seed), and give it as `seed` to keras.random"
        )


def check_a_step(task: KerasTask, batch_size: int) -> Findings:
    """The loss compiles, is finite, and reaches the weights."""
    model = task.build_model(0)
    model.compile(optimizer="sgd", loss=task.build_loss())
    before = model.get_weights()
    batches = task.training_batches(seed=1, batch_size=batch_size, first_step=0, steps=1)
    losses = model.fit(batches, shuffle=False, verbose=0).history["loss"]
    if not np.isfinite(losses).all():
        yield problem(f"the training loss is {losses[0]} after one step: it must be finite")
    elif same_arrays([before], [model.get_weights()]):
        yield problem("a training step changed no weight: does the loss depend on the model's output?")
    measured = model.evaluate(task.validation_batches(), verbose=0)
    if not np.isfinite(measured).all():
        yield problem(f"the loss on the evaluation examples is {measured}: it must be finite")


def check_examples_alone(task: Any, model: keras.Model, evaluation: Evaluation) -> Findings:
    """An example measures the same, whichever others are evaluated beside it.

    Args:
        task: A task; one that cannot be shortened, or whose measures are a property, is not checked.
        model: Its model.
        evaluation: What its evaluation of the model returned.
    """
    table = evaluation.per_example
    names = [str(name) for name in table if name not in ("example", "digest")]
    fixed = isinstance(getattr(type(task), "measures", None), property)
    if fixed or not hasattr(task, "shortened") or "digest" not in table or not names:
        return
    few = task.shortened(_FEW)
    few.measures = {name: few.measures[name] for name in names}  # those of the whole set may need more examples
    alone = type(few).evaluate(few, model).per_example.drop_duplicates("digest").set_index("digest")
    beside = table.drop_duplicates("digest").set_index("digest").loc[alone.index]
    for name in names:
        one, other = alone[name].to_numpy(dtype=float), beside[name].to_numpy(dtype=float)
        differ = ~np.isclose(one, other, rtol=1e-3, atol=1e-5, equal_nan=True)
        if differ.mean() > 0.5:  # a rounded prediction may be another class
            place = int(differ.argmax())
            example, values = beside["example"].iloc[place], (other[place], one[place])
            yield problem(
                f"the metric {name} of an example depends on the others beside it, as of {example}: "
                f"{values[0]:.4g} among {len(table)}, {values[1]:.4g} among {len(alone)}. Targets (n,) minus "
                "predictions (n, 1) are (n, n): take predictions[:, 0]"
            )


def check_cost(task: KerasTask) -> Findings:
    """`cost` and `layer_table`, where a task has them, count the trainable parameters of the model."""
    if not isinstance(task, Describable):
        return
    cost, table = task.cost(), task.layer_table()
    count = sum(int(np.prod(weight.shape)) for weight in task.build_model(0).trainable_weights)
    if cost["parameters"] != count:
        yield problem(f"cost() says {cost['parameters']} trainable parameters, the model has {count}")
    if table["parameters"].sum() != count:
        yield problem(f"layer_table() says {table['parameters'].sum()} trainable parameters, the model has {count}")
    if not cost.get("flops_per_example", 1) > 0:
        yield problem("cost() says no FLOPs: leave flops_per_example out where they are not known")


def check_repeated_training(task: KerasTask, run: RunConfig, model: keras.Model) -> Findings:
    """The same training gives the same weights.

    Args:
        task: The task, its data loaded.
        run: The configuration of a short training.
        model: What came of it.
    """
    from ablate.training.fit import train
    from ablate.training.hardware import configure

    hardware = configure(run.hardware, seed=run.seed, deterministic=run.training.deterministic)
    repeated = train(
        task,
        optimizer=run.optimizer,
        training=run.training,
        schedule=run.schedule,
        seed=run.seed,
        log_metrics=lambda metrics, step: None,
        hardware=hardware,
        show_bar=False,
    )
    if not same_arrays([model.get_weights()], [repeated.model.get_weights()]):
        yield (problem if run.training.deterministic else warning)(
            "the same training gives other weights each time: something draws at random that no seed decides"
        )


def check_saving(task: KerasTask, model: keras.Model, batch_size: int) -> Findings:
    """A saved model loads without its code, and predicts the same; where it cannot, a run keeps its weights."""
    import keras

    name, inputs = type(model).__name__, first_batch(task, batch_size)[0]
    expected = model.predict_on_batch(inputs)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.keras"
        try:
            model.save(file)
            loaded = keras.saving.load_model(file, compile=False, safe_mode=True)
        except Exception as error:  # whatever layers and Keras raise
            yield warning(
                "the model cannot be saved and loaded, so runs keep its weights alone: give classes of your own "
                f"@keras.saving.register_keras_serializable() and get_config ({one_line(error)})"
            )
            return
    if not close_arrays(_leaves(expected), _leaves(loaded.predict_on_batch(inputs))):
        yield problem(
            f"{name} predicts otherwise once it is saved and loaded: what it computes with must be a weight of a "
            "layer, or come from get_config"
        )


def first_batch(task: KerasTask, batch_size: int) -> Any:
    """Return the first training batch, inputs and targets."""
    return next(iter(task.training_batches(seed=1, batch_size=batch_size, first_step=0, steps=1)))


def batches_of(task: KerasTask, batch_size: int, **arguments: int) -> Arrays:
    """Return the arrays of training batches, whatever structure these have."""
    return [_leaves(batch) for batch in task.training_batches(batch_size=batch_size, **arguments)]


def _evaluated(task: KerasTask) -> Arrays:
    return [_leaves(batch) for batch in task.validation_batches()]


def _leaves(values: Any) -> list[npt.NDArray[Any]]:
    import tensorflow as tf

    return [np.asarray(value) for value in tf.nest.flatten(values)]


def same_arrays(one: Sequence[Sequence[Any]], other: Sequence[Sequence[Any]]) -> bool:
    """Tell whether lists of arrays hold the same values."""
    return len(one) == len(other) and all(
        len(mine) == len(theirs) and all(map(_same, mine, theirs)) for mine, theirs in zip(one, other, strict=True)
    )


def _same(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> bool:
    """Tell whether two arrays are the same; a missing value is that of the other."""
    return one.shape == other.shape and bool(np.all((one == other) | ((one != one) & (other != other))))


def close_arrays(one: Sequence[Any], other: Sequence[Any]) -> bool:
    """Tell whether arrays agree to within rounding."""
    return len(one) == len(other) and all(
        mine.shape == theirs.shape and np.allclose(mine, theirs, rtol=1e-3, atol=1e-5, equal_nan=True)
        for mine, theirs in zip(one, other, strict=True)
    )
