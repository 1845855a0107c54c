"""Training a task's model with Keras."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import keras

from ablate.config.optimizers import OptimizerConfig
from ablate.config.schedules import CONSTANT, ScheduleConfig
from ablate.config.training import TrainingConfig
from ablate.errors import TaskError
from ablate.system.phase_clock import Phase, PhaseClock
from ablate.task import KerasTask
from ablate.training.averaging import STATISTICS_STEPS, defer_finalization, estimate_statistics, finalized
from ablate.training.callbacks import (
    Checkpointer,
    LogMetrics,
    Phases,
    Progress,
    Recorder,
    ReportProgress,
    Validation,
)
from ablate.training.checkpoint import Checkpoint, Checkpoints, load, restore
from ablate.training.hardware import Hardware, peak_device_memory_mib
from ablate.training.optimizer import build_optimizer
from ablate.training.own_callbacks import OwnCallbacks

log = logging.getLogger(__name__)

ONE_DEVICE = Hardware({})
NewOptimizer = Callable[[], keras.optimizers.Optimizer]


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


def train(
    task: KerasTask,
    *,
    optimizer: OptimizerConfig,
    training: TrainingConfig,
    seed: int,
    log_metrics: LogMetrics,
    schedule: ScheduleConfig = CONSTANT,
    hardware: Hardware = ONE_DEVICE,
    checkpoints: Checkpoints | None = None,
    report_progress: ReportProgress | None = None,
    show_bar: bool = True,
    clock: PhaseClock | None = None,
) -> Training:
    """Train a new model of a task whose data is loaded, or resume from a checkpoint.

    Where the optimiser averages weights (`use_ema`), steps and validation are those of the weights that train. Once
    training has ended the averages take their place, and batch norm's statistics are estimated for them from the
    last batches of the last epoch, up to `STATISTICS_STEPS`. Interrupted there, it resumes after the last step.

    Args:
        task: The task.
        optimizer: The section `optimizer`.
        training: The section `training`.
        seed: Seed of initial values, dropout, order and augmentation.
        log_metrics: Called with metrics and the number of steps done.
        schedule: The section `schedule`.
        hardware: What it is trained with, see `configure`. Several devices split every batch evenly, and each step is
            the one that a single device would do, apart from dropout: the n-th examples of all devices' parts have
            the same mask.
        checkpoints: Where the training is kept, and resumes from; None keeps nothing.
        report_progress: Called with the progress, see `Progress`.
        show_bar: Whether a terminal may show a bar.
        clock: Of the run's phases; it ends in the one of training.

    Returns:
        The trained model and what it took.

    Raises:
        Diverged: The loss became NaN or infinite.
        ConfigError: The optimiser or its learning rate schedule cannot be constructed.
        BaseException: The interrupt that `Checkpoints.stop` returned.
    """
    start = time.monotonic()
    steps = training.steps_in_epoch(task.examples_per_epoch())
    total = steps * training.epochs
    phases = Phases(clock or PhaseClock())
    models = _Models(task, partial(build_optimizer, optimizer, schedule, total), seed, hardware)
    batches = partial(task.training_batches, seed=seed, batch_size=training.batch_size)
    recorder = Recorder(
        log_metrics, every=max(1, total // training.log_points), total=total, scheduled=schedule.shape != "constant"
    )
    own = OwnCallbacks(task)
    resumed = _resume(models, recorder, own, checkpoints, total, batches)
    first, before = (resumed.step, resumed.seconds) if resumed else (0, 0.0)

    def seconds() -> float:
        return before + time.monotonic() - start

    progress = Progress(
        epochs=training.epochs,
        steps_per_epoch=steps,
        batch_size=training.batch_size,
        done=first,
        report_progress=report_progress,
        show_bar=show_bar,
    )
    callbacks: list[keras.callbacks.Callback] = [recorder, progress]
    if checkpoints is not None:
        callbacks.append(
            Checkpointer(
                checkpoints,
                recorder,
                own,
                seconds=seconds,
                steps_per_epoch=steps,
                resumed=resumed,
                clock=phases.clock,
            )
        )
    _log_batches(models, training, steps, optimizer.learning_rate)
    try:
        _fit(models, batches, task.validation_batches(), own, phases, callbacks, range(first, total), steps)
        phases.clock.enter(Phase.TRAINING)
    finally:
        progress.close()
    total = recorder.step
    timed_steps, timed_seconds = recorder.timed_steps or total, recorder.timed_seconds or seconds()
    if models.finalize() or optimizer.use_ema:  # the last step may have replaced the weights already
        last = min(steps, STATISTICS_STEPS)
        log.info("The weights are averages: statistics of batch norm are estimated from the last %d batches", last)
        some = _until_stopped(batches(first_step=total - last, steps=last), checkpoints)
        estimate_statistics(models.result, some)
    return Training(
        model=models.result,
        steps=total,
        seconds=seconds(),
        examples_per_second=timed_steps * training.batch_size / timed_seconds,
        peak_memory_mib=recorder.peak_memory / 2**20,
        peak_device_memory_mib=peak_device_memory_mib(),
        gradient_memory_mib=models.gradient_mib,
        optimizer_memory_mib=models.optimizer_mib,
    )


class _Models:
    """A new compiled model on all devices, and where those are several, another one on a single device.

    What trained is compared on one device, and Keras fails where a batch is too small for all devices.
    """

    def __init__(self, task: KerasTask, new_optimizer: NewOptimizer, seed: int, hardware: Hardware):
        self.strategy = hardware.strategy()
        self.replicas = int(self.strategy.num_replicas_in_sync)
        with self.strategy.scope():
            self.model = _compiled(task, new_optimizer, seed, hardware)
            self.model.optimizer.build(self.model.trainable_variables)
        self._finalize_weights = defer_finalization(self.model.optimizer)
        self.single = _compiled(task, new_optimizer, seed, hardware) if self.replicas > 1 else None
        self.gradient_mib = _mib(self.model.trainable_variables)
        self.optimizer_mib = _mib(self.model.optimizer.variables)
        log.info(
            "The model has %s parameters: gradients of %.4g MiB, optimiser state of %.4g MiB on each device",
            f"{sum(variable.value.shape.num_elements() for variable in self.model.trainable_variables):,}",
            self.gradient_mib,
            self.optimizer_mib,
        )

    @property
    def result(self) -> keras.Model:
        """The trained model, on one device."""
        return self.single or self.model

    def finalize(self) -> bool:
        """Give the weights their final value, and return whether that is another than they had."""
        changed = finalized(self.model, self._finalize_weights)
        if self.single is not None:
            self.single.set_weights(self.model.get_weights())
        return changed


def _resume(
    models: _Models,
    recorder: Recorder,
    own: OwnCallbacks,
    checkpoints: Checkpoints | None,
    total: int,
    batches: Callable[..., Any],
) -> Checkpoint | None:
    """Restore the checkpoint, if there is one."""
    resumed = load(checkpoints.file) if checkpoints else None
    if resumed is not None:
        own.restore(resumed.callbacks, resumed.variables["callbacks"])
        with models.strategy.scope():
            restore(models.model, resumed)
            if len(models.model.metrics_variables) != len(resumed.variables["metrics"]):
                # Keras makes those of compiled metrics, and of several losses, when it sees a batch.
                models.model._symbolic_build(data_batch=next(iter(batches(first_step=0, steps=1))))
        recorder.restore(resumed.recorder)
        log.info("Resumes after step %d of %d", resumed.step, total)
    return resumed


def _log_batches(models: _Models, training: TrainingConfig, steps: int, learning_rate: float) -> None:
    log.info("Training: %d epochs of %d steps of %d examples", training.epochs, steps, training.batch_size)
    if models.replicas > 1:
        share = f"{training.batch_size // models.replicas} on each of {models.replicas} devices"
        log.info("Global batch %d: %s; learning rate %g, not scaled", training.batch_size, share, learning_rate)


def _fit(
    models: _Models,
    batches: Callable[..., Any],
    validation: Any,
    own: OwnCallbacks,
    phases: Phases,
    callbacks: Sequence[keras.callbacks.Callback],
    todo: range,
    steps_per_epoch: int,
) -> None:
    """Do the steps `todo`, and validate after each epoch, unless a callback ends the training before."""
    on_one_device = [] if models.single is None else [Validation(models.single, validation, phases)]
    # One call an epoch: every epoch's data depends on the seed and its number alone, not on the epochs before.
    for epoch in range(todo.start // steps_per_epoch, todo.stop // steps_per_epoch):
        if own.stopped:
            log.info("A callback has ended the training after epoch %d", epoch)
            break
        first, end = max(todo.start, epoch * steps_per_epoch), (epoch + 1) * steps_per_epoch
        models.model.fit(
            batches(first_step=first, steps=end - first),
            initial_epoch=epoch,
            epochs=epoch + 1,
            shuffle=False,
            validation_data=None if on_one_device else validation,
            callbacks=[phases, *on_one_device, own, *callbacks],
            verbose=0,
        )
    own.close()


def _until_stopped(batches: Iterable[Any], checkpoints: Checkpoints | None) -> Iterator[Any]:
    """Yield batches until a signal interrupts the run; the checkpoint after the last step is there."""
    for batch in batches:
        stop = checkpoints.stop() if checkpoints else None
        if stop is not None:
            raise stop
        yield batch


def _compiled(task: KerasTask, new_optimizer: NewOptimizer, seed: int, hardware: Hardware) -> keras.Model:
    model = task.build_model(seed)
    model.compile(
        optimizer=new_optimizer(),
        loss=task.build_loss(),
        metrics=compiled_metrics(task),
        jit_compile=hardware.xla,  # said either way: Keras would choose by itself
    )
    return model


def compiled_metrics(task: KerasTask) -> list[Any] | dict[str, Any] | None:
    """Return the metrics to compile a model with: what the optional method `compile_metrics` returns.

    Raises:
        TaskError: It is neither a list nor, for several outputs, a dictionary.
    """
    measured: Any = getattr(task, "compile_metrics", tuple)()
    if not isinstance(measured, list | tuple | Mapping):
        raise TaskError(f'compile_metrics() must return a list, as ["accuracy"]. Received: {measured!r:.80}')
    return (dict(measured) if isinstance(measured, Mapping) else list(measured)) or None


def _mib(variables: Sequence[keras.Variable]) -> float:
    return sum(variable.value.dtype.size * variable.value.shape.num_elements() for variable in variables) / 2**20
