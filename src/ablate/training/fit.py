"""Training a task's model with Keras."""

import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import hydra.utils
import keras

from ablate.config.optimizers import OptimizerConfig
from ablate.config.training import TrainingConfig
from ablate.errors import ConfigError
from ablate.task import Task
from ablate.training.averaging import STATISTICS_STEPS, defer_finalization, estimate_statistics, finalized
from ablate.training.callbacks import Checkpointer, LogMetrics, Progress, Recorder, Say, Validation
from ablate.training.checkpoint import Checkpoints, load, restore
from ablate.training.hardware import Hardware, peak_device_memory_mib

log = logging.getLogger(__name__)

ONE_DEVICE = Hardware({})


@dataclass(frozen=True)
class Training:
    """A finished training: the model and what it took.

    Attributes:
        model: The trained model, on one device whatever trained it.
        steps: Steps in all.
        seconds: Wall time of all of it: compilation, steps, validation, statistics of averaged weights.
        examples_per_second: Of the steps after the first, without validation.
        peak_memory_mib: Most that the process occupied.
        peak_device_memory_mib: Most that TensorFlow held on GPUs, None without one.
        gradient_memory_mib: Size of a gradient on each device: that of the trainable weights, as losses take their
            targets sparse and nothing else is differentiated.
        optimizer_memory_mib: Size of the optimiser's variables on each device: a multiple of the trainable weights
            that the optimiser alone decides.
    """

    model: keras.Model
    steps: int
    seconds: float
    examples_per_second: float
    peak_memory_mib: float
    peak_device_memory_mib: float | None
    gradient_memory_mib: float
    optimizer_memory_mib: float


def build_optimizer(optimizer: OptimizerConfig, training: TrainingConfig) -> keras.optimizers.Optimizer:
    """Construct the Keras optimiser that the configuration names, its learning rate dropping as `training` says.

    Raises:
        ConfigError: The class cannot be imported, is no optimiser of Keras, or refuses an argument.
    """
    learning_rate = optimizer.learning_rate
    if training.learning_rate_drops:
        steps, factors = zip(*training.learning_rate_drops, strict=True)
        values = [learning_rate, *(learning_rate * factor for factor in factors)]
        learning_rate = keras.optimizers.schedules.PiecewiseConstantDecay(list(steps), values)
    arguments = optimizer.model_dump(by_alias=True, exclude={"target", "learning_rate"}, exclude_unset=True)
    try:
        # Not Hydra's `instantiate`: it would call any function, and those that arguments name.
        named = hydra.utils.get_class(optimizer.target)
        if not issubclass(named, keras.optimizers.Optimizer):
            raise TypeError("it is no subclass of keras.optimizers.Optimizer")
        built: keras.optimizers.Optimizer = named(**arguments, learning_rate=learning_rate)
    except Exception as error:  # whatever the class raises
        reason = " ".join(str(error).split())
        raise ConfigError(f"optimizer={optimizer.name}: {optimizer.target} cannot be constructed: {reason}") from None
    return built


def train(
    task: Task,
    *,
    optimizer: OptimizerConfig,
    training: TrainingConfig,
    seed: int,
    log_metrics: LogMetrics,
    hardware: Hardware = ONE_DEVICE,
    checkpoints: Checkpoints | None = None,
    say: Say | None = None,
    bar: bool = True,
) -> Training:
    """Train a new model of a task whose data is loaded, or go on where a checkpoint was taken.

    Where the optimiser averages weights (`use_ema`), steps and validation are those of the weights that train. Once
    training has ended the averages take their place, and batch norm's statistics are estimated for them from the
    last batches of the last epoch, up to `STATISTICS_STEPS`. Interrupted there, it resumes after the last step.

    Args:
        task: The task.
        optimizer: The section `optimizer`.
        training: The section `training`.
        seed: Seed of initial values, dropout, order and augmentation.
        log_metrics: Called with metrics and the number of steps done.
        hardware: What it is trained with, see `configure`. Several devices split every batch evenly, and each step is
            the one that a single device would do, apart from dropout: the n-th examples of all devices' parts have
            the same mask.
        checkpoints: Where the training is kept, and goes on from; None keeps nothing.
        say: Told how far training is, see `Progress`.
        bar: Whether a terminal may show a bar.

    Returns:
        The trained model and what it took.

    Raises:
        Diverged: The loss became NaN or infinite.
        ConfigError: The optimiser cannot be constructed.
        BaseException: What asked the training to end, see `Checkpoints.stop`.
    """
    start = time.monotonic()
    strategy = hardware.strategy()
    with strategy.scope():
        model = _compiled(task, optimizer, training, seed, hardware)
        model.optimizer.build(model.trainable_variables)
    finalize = defer_finalization(model.optimizer)
    # Of its own, on one device: what trained is compared, and Keras fails where a batch is too small for all devices.
    single = _compiled(task, optimizer, training, seed, hardware) if strategy.num_replicas_in_sync > 1 else None
    gradients, optimizer_state = _mib(model.trainable_variables), _mib(model.optimizer.variables)
    log.info(
        "The model has %s parameters: gradients of %.4g MiB, optimiser state of %.4g MiB on each device",
        f"{sum(variable.value.shape.num_elements() for variable in model.trainable_variables):,}",
        gradients,
        optimizer_state,
    )
    steps = training.steps_in_epoch(task.examples_per_epoch())
    total = steps * training.epochs
    recorder = Recorder(log_metrics, every=max(1, total // training.log_points), total=total)
    resumed = load(checkpoints.file) if checkpoints else None
    if resumed is not None:
        with strategy.scope():
            restore(model, resumed)
        recorder.restore(resumed.recorder)
        log.info("Going on after step %d of %d", resumed.step, total)
    first, before = (resumed.step, resumed.seconds) if resumed else (0, 0.0)
    progress = Progress(
        epochs=training.epochs,
        steps_per_epoch=steps,
        batch_size=training.batch_size,
        done=first,
        say=say,
        bar=bar,
    )
    validation = task.validation_batches()
    callbacks: list[keras.callbacks.Callback] = [recorder, progress]
    if single is not None:
        callbacks.insert(0, Validation(single, validation))

    def seconds() -> float:
        return before + time.monotonic() - start

    if checkpoints is not None:
        callbacks.append(Checkpointer(checkpoints, recorder, seconds=seconds, steps_per_epoch=steps, resumed=resumed))
    log.info("Training: %d epochs of %d steps of %d examples", training.epochs, steps, training.batch_size)
    if single is not None:
        replicas, rate = strategy.num_replicas_in_sync, optimizer.learning_rate
        share = f"{training.batch_size // replicas} on each of {replicas} devices"
        log.info("Global batch %d: %s; learning rate %g, not scaled", training.batch_size, share, rate)
    try:
        # One call an epoch: every epoch's data depends on the seed and its number alone, not on the epochs before.
        for epoch in range(first // steps, training.epochs):
            begin = max(first, epoch * steps)
            batches = task.training_batches(
                seed=seed, batch_size=training.batch_size, first_step=begin, steps=(epoch + 1) * steps - begin
            )
            model.fit(
                batches,
                initial_epoch=epoch,
                epochs=epoch + 1,
                shuffle=False,
                validation_data=validation if single is None else None,
                callbacks=callbacks,
                verbose=0,
            )
    finally:
        progress.close()
    timed_steps, timed_seconds = recorder.timed_steps or total, recorder.timed_seconds or seconds()
    changed = finalized(model, finalize)
    if single is not None:
        single.set_weights(model.get_weights())
    trained = single or model
    if changed or optimizer.use_ema:  # the last step may have replaced them already
        last = min(steps, STATISTICS_STEPS)
        log.info("The weights are averages: statistics of batch norm are estimated from the last %d batches", last)
        batches = task.training_batches(seed=seed, batch_size=training.batch_size, first_step=total - last, steps=last)
        estimate_statistics(trained, _until_stopped(batches, checkpoints))
    return Training(
        model=trained,
        steps=total,
        seconds=seconds(),
        examples_per_second=timed_steps * training.batch_size / timed_seconds,
        peak_memory_mib=recorder.peak_memory / 2**20,
        peak_device_memory_mib=peak_device_memory_mib(),
        gradient_memory_mib=gradients,
        optimizer_memory_mib=optimizer_state,
    )


def _until_stopped(batches: Iterable[Any], checkpoints: Checkpoints | None) -> Iterator[Any]:
    """Yield batches until training is asked to end; the checkpoint after the last step is there."""
    for batch in batches:
        stop = checkpoints.stop() if checkpoints else None
        if stop is not None:
            raise stop
        yield batch


def _compiled(
    task: Task, optimizer: OptimizerConfig, training: TrainingConfig, seed: int, hardware: Hardware
) -> keras.Model:
    model = task.build_model(seed)
    # Said either way: Keras would choose by itself.
    model.compile(optimizer=build_optimizer(optimizer, training), loss=task.build_loss(), jit_compile=hardware.xla)
    return model


def _mib(variables: Sequence[keras.Variable]) -> float:
    return sum(variable.value.dtype.size * variable.value.shape.num_elements() for variable in variables) / 2**20
