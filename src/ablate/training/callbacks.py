"""Keras callbacks of a training: phases, metrics, validation on one device, progress, checkpoints, divergence."""

import logging
import math
import time
from collections.abc import Callable, Mapping
from typing import Any

import keras
import psutil
from tqdm import tqdm

from ablate.errors import Diverged
from ablate.system.phase_clock import Phase, PhaseClock
from ablate.tracking import names
from ablate.training.checkpoint import Checkpoint, Checkpoints, restore_metrics, save, state_of
from ablate.training.own_callbacks import OwnCallbacks

log = logging.getLogger(__name__)

LogMetrics = Callable[[Mapping[str, float], int], None]
ReportProgress = Callable[[Mapping[str, Any]], None]


class Phases(keras.callbacks.Callback):
    """Tells a clock what a training does: compile, train, validate; the first of its callbacks.

    The first batch that trains, and the first that validates, hold the compilation of what they call. They count as
    that, but for what the second one takes.

    Args:
        clock: Of the run's phases.
    """

    def __init__(self, clock: PhaseClock):
        super().__init__()
        self.clock = clock
        self._batches = dict.fromkeys((Phase.TRAINING, Phase.VALIDATION), 0)
        self._before = dict.fromkeys(self._batches, 0.0)
        clock.enter(Phase.COMPILE)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._batch_ended(Phase.TRAINING)

    def on_test_begin(self, logs: Any = None) -> None:
        self.clock.enter(Phase.VALIDATION if self._batches[Phase.VALIDATION] else Phase.COMPILE)

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        self._batch_ended(Phase.VALIDATION)

    def on_test_end(self, logs: Any = None) -> None:
        self.clock.enter(Phase.TRAINING)

    def _batch_ended(self, phase: Phase) -> None:
        self._batches[phase] += 1
        if self._batches[phase] == 1:
            self.clock.enter(phase)
            self._before[phase] = self.clock.seconds()[phase]
        elif self._batches[phase] == 2:
            self.clock.move(Phase.COMPILE, phase, self.clock.seconds()[phase] - self._before[phase])


class Recorder(keras.callbacks.Callback):
    """Records the training loss between steps, the validation loss after epochs, and the learning rate.

    Args:
        log_metrics: Called with metrics and the number of steps done.
        every: Steps between two records of the training loss, each the mean over those steps.
        total: Steps in all; the last record is the mean over what is left.
        scheduled: Whether the learning rate changes: it is recorded with the training loss, else after epochs.

    Attributes:
        step: Steps done.
        peak_memory: Most bytes that the process occupied after a step.
        timed_steps: Steps whose time counts: all but the first, which holds the compilation.
        timed_seconds: What they took, without validation.

    Raises:
        Diverged: From `fit`, once a step's loss or the validation loss is NaN or infinite; what came before is
            recorded.
    """

    def __init__(self, log_metrics: LogMetrics, *, every: int, total: int, scheduled: bool = False):
        super().__init__()
        self.log_metrics = log_metrics
        self.every = every
        self.total = total
        self.scheduled = scheduled
        self.step = 0
        self.peak_memory = 0
        self.timed_steps = 0
        self.timed_seconds = 0.0
        self._sum, self._count = 0.0, 0
        self._epoch_sum, self._epoch_count = 0.0, 0
        self._last: float | None = None
        self._process = psutil.Process()

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint keeps of it, as plain values."""
        return {name: getattr(self, name) for name in _KEPT}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Resume from a `state`."""
        for name in _KEPT:
            setattr(self, name, state[name])

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        # Not None after the compilation, which belongs to the first step.
        self._last = None if self._last is None else time.monotonic()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        now = time.monotonic()
        if self._last is not None:
            self.timed_steps += 1
            self.timed_seconds += now - self._last
        self._last = now
        self.step += 1
        self.peak_memory = max(self.peak_memory, self._process.memory_info().rss)
        mean = float(logs["loss"])
        if not math.isfinite(mean):
            raise Diverged(f"the training loss became {mean} at step {self.step}")
        # Keras gives the mean since the epoch began: a step's loss is the difference of two sums.
        self._epoch_count += 1
        epoch_sum = mean * self._epoch_count
        self._sum, self._count, self._epoch_sum = self._sum + epoch_sum - self._epoch_sum, self._count + 1, epoch_sum
        if self.step % self.every == 0 or self.step == self.total:
            rate = self._learning_rate() if self.scheduled else {}
            self.log_metrics({names.TRAINING_LOSS: self._sum / self._count, **rate}, self.step)
            self._sum, self._count = 0.0, 0

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        metrics = {} if self.scheduled else self._learning_rate()
        if "val_loss" in logs:
            validation = float(logs["val_loss"])
            if not math.isfinite(validation):
                raise Diverged(f"the loss on the evaluation examples became {validation} after step {self.step}")
            metrics[names.VALIDATION_LOSS] = validation
        for name, value in logs.items():
            group, measured = ("val", name[4:]) if name.startswith("val_") else ("train", name)
            if measured not in ("loss", "learning_rate"):
                metrics[names.metric_name(group, measured)] = float(value)
        self.log_metrics(metrics, self.step)
        self._epoch_sum, self._epoch_count = 0.0, 0

    def _learning_rate(self) -> dict[str, float]:
        return {names.LEARNING_RATE: float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))}


_KEPT = ("step", "peak_memory", "timed_steps", "timed_seconds", "_sum", "_count", "_epoch_sum", "_epoch_count")


class Validation(keras.callbacks.Callback):
    """Validates what several devices train on one of them, as Keras does where there is one; the first callback.

    Args:
        model: A compiled model on one device, which takes the weights of the one that is trained.
        batches: The validation data.
        phases: Told of it.
    """

    def __init__(self, model: keras.Model, batches: Any, phases: Phases):
        super().__init__()
        self.single, self.batches, self.phases = model, batches, phases

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.single.set_weights(self.model.get_weights())
        measured = self.single.evaluate(self.batches, callbacks=[self.phases], verbose=0, return_dict=True)
        logs |= {f"val_{name}": value for name, value in measured.items()}


class Progress(keras.callbacks.Callback):
    """Shows the progress and the time left: a bar in a terminal, lines in the log.

    Args:
        epochs: Epochs in all.
        steps_per_epoch: Steps in each.
        batch_size: Examples in each step.
        done: Steps done before.
        report_progress: Called after every step with `step`, `steps`, `epochs` and `seconds_left`.
        show_bar: Whether to draw a bar, if there is a terminal.
        seconds: Least time between two lines of the log.
    """

    def __init__(
        self,
        *,
        epochs: int,
        steps_per_epoch: int,
        batch_size: int,
        done: int = 0,
        report_progress: ReportProgress | None = None,
        show_bar: bool = True,
        seconds: float = 10.0,
    ):
        super().__init__()
        self.epochs, self.steps_per_epoch, self.batch_size, self.seconds = epochs, steps_per_epoch, batch_size, seconds
        self.done = self._before = done
        self.report_progress = report_progress
        self._first_done = self._logged = time.monotonic()
        self.bar = tqdm(
            total=epochs * steps_per_epoch,
            initial=done,
            unit="step",
            desc="Training",
            disable=None if show_bar else True,
            leave=False,
            dynamic_ncols=True,
        )

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.done += 1
        now, total = time.monotonic(), self.epochs * self.steps_per_epoch
        if self.done == self._before + 1:
            # The first step holds the compilation, which says nothing of the others.
            self._first_done = self._logged = now
        self.bar.set_postfix(loss=f"{float(logs['loss']):.4g}", refresh=False)
        self.bar.update()
        rate = (self.done - self._before - 1) / max(now - self._first_done, 1e-9)
        left = (total - self.done) / rate if rate else None
        if self.report_progress is not None:
            self.report_progress({"step": self.done, "steps": total, "epochs": self.epochs, "seconds_left": left})
        if left is not None and (now - self._logged >= self.seconds or self.done == total):
            self._logged = now
            log.info(
                "epoch %d of %d, step %d of %d: loss %.4g, %.0f examples/s, %s left",
                (self.done - 1) // self.steps_per_epoch + 1,
                self.epochs,
                (self.done - 1) % self.steps_per_epoch + 1,
                self.steps_per_epoch,
                logs["loss"],
                rate * self.batch_size,
                tqdm.format_interval(left),
            )

    def close(self) -> None:
        """Remove the bar."""
        self.bar.close()


class Checkpointer(keras.callbacks.Callback):
    """Writes checkpoints while a model trains; the last of its callbacks.

    Args:
        checkpoints: The file and when to write it.
        recorder: The recorder, whose state is kept.
        own: The task's own callbacks, whose state is too.
        seconds: Returns what training took so far.
        steps_per_epoch: Steps in an epoch.
        resumed: The checkpoint that training resumes from.
        clock: Of the run's phases: checkpoints are part of tracking.

    Raises:
        BaseException: The interrupt that `Checkpoints.stop` returned, after a checkpoint.
    """

    def __init__(
        self,
        checkpoints: Checkpoints,
        recorder: Recorder,
        own: OwnCallbacks,
        *,
        seconds: Callable[[], float],
        steps_per_epoch: int,
        resumed: Checkpoint | None,
        clock: PhaseClock,
    ):
        super().__init__()
        self._clock = clock
        self.checkpoints, self.recorder, self.own, self.seconds = checkpoints, recorder, own, seconds
        self.steps_per_epoch = steps_per_epoch
        self._resumed = resumed
        self._last = time.monotonic()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if self._resumed is not None and self._resumed.step % self.steps_per_epoch:
            # Keras has just set the epoch's mean loss to zero.
            restore_metrics(self.model, self._resumed)
        self._resumed = None

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self.recorder.step % self.steps_per_epoch == 0:
            return  # on_epoch_end follows
        stop = self.checkpoints.stop()
        if stop is not None or time.monotonic() - self._last >= 60 * self.checkpoints.minutes:
            self._save()
        if stop is not None:
            raise stop

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._save()
        stop = self.checkpoints.stop()
        if stop is not None:
            raise stop

    def _save(self) -> None:
        with self._clock.phase(Phase.TRACKING):
            self._write()

    def _write(self) -> None:
        self.checkpoints.before_save()
        self._last = time.monotonic()
        callbacks, arrays = self.own.state()
        checkpoint = Checkpoint(
            step=self.recorder.step,
            seconds=self.seconds(),
            recorder=self.recorder.state(),
            callbacks=callbacks,
            variables={**state_of(self.model), "callbacks": arrays},
        )
        try:
            save(self.checkpoints.file, checkpoint)
        except OSError as error:
            log.warning("The checkpoint at step %d cannot be written, training continues: %s", checkpoint.step, error)
