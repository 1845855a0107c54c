"""What happens around a training step: metrics are recorded, progress is shown, divergence ends the run."""

import logging
import math
import time
from collections.abc import Callable, Mapping
from typing import Any

import keras
import psutil
from tqdm import tqdm

from ablate.errors import Diverged

log = logging.getLogger(__name__)

LogMetrics = Callable[[Mapping[str, float], int], None]


class Recorder(keras.callbacks.Callback):
    """Records the training loss between steps, and the validation loss and learning rate after epochs.

    Args:
        log_metrics: Called with metrics and the number of steps done.
        every: Steps between two records of the training loss, each the mean over those steps.
        total: Steps in all; the last record is the mean over what is left.

    Attributes:
        step: Steps done.
        peak_memory: Most bytes that the process occupied after a step.
        timed_steps: Steps whose time counts: all but the first, which holds the compilation.
        timed_seconds: What they took, without validation.

    Raises:
        Diverged: From `fit`, once a step's loss or the validation loss is NaN or infinite; what came before is
            recorded.
    """

    def __init__(self, log_metrics: LogMetrics, *, every: int, total: int):
        super().__init__()
        self.log_metrics = log_metrics
        self.every = every
        self.total = total
        self.step = 0
        self.peak_memory = 0
        self.timed_steps = 0
        self.timed_seconds = 0.0
        self._sum, self._count = 0.0, 0
        self._process = psutil.Process()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch_sum = 0.0
        self._last = time.monotonic()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        now = time.monotonic()
        if self.step:
            self.timed_steps += 1
            self.timed_seconds += now - self._last
        self._last = now
        self.step += 1
        self.peak_memory = max(self.peak_memory, self._process.memory_info().rss)
        mean = float(logs["loss"])
        if not math.isfinite(mean):
            raise Diverged(f"the training loss became {mean} at step {self.step}")
        # Keras gives the mean since the epoch began: a step's loss is the difference of two sums.
        epoch_sum = mean * (batch + 1)
        self._sum, self._count, self._epoch_sum = self._sum + epoch_sum - self._epoch_sum, self._count + 1, epoch_sum
        if self.step % self.every == 0 or self.step == self.total:
            self.log_metrics({"train/loss": self._sum / self._count}, self.step)
            self._sum, self._count = 0.0, 0

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        metrics = {"train/learning_rate": float(self.model.optimizer.learning_rate)}
        if "val_loss" in logs:
            validation = float(logs["val_loss"])
            if not math.isfinite(validation):
                raise Diverged(f"the loss on the evaluation examples became {validation} after step {self.step}")
            metrics["val/loss"] = validation
        self.log_metrics(metrics, self.step)


class Progress(keras.callbacks.Callback):
    """Shows how far training is and how long it will take: a bar in a terminal, lines in the log.

    Args:
        epochs: Epochs in all.
        steps_per_epoch: Steps in each.
        batch_size: Examples in each step.
        seconds: Least time between two lines of the log.
    """

    def __init__(self, *, epochs: int, steps_per_epoch: int, batch_size: int, seconds: float = 10.0):
        super().__init__()
        self.epochs, self.steps_per_epoch, self.batch_size, self.seconds = (
            epochs,
            steps_per_epoch,
            batch_size,
            seconds,
        )
        self.done = 0
        self._first_done = self._said = time.monotonic()
        self.bar = tqdm(
            total=epochs * steps_per_epoch,
            unit="step",
            desc="Training",
            disable=None,
            leave=False,
            dynamic_ncols=True,
        )

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.done += 1
        now = time.monotonic()
        if self.done == 1:
            # The first step holds the compilation, which says nothing of the others.
            self._first_done = self._said = now
        self.bar.set_postfix(loss=f"{float(logs['loss']):.4g}", refresh=False)
        self.bar.update()
        if self.done > 1 and (now - self._said >= self.seconds or self.done == self.epochs * self.steps_per_epoch):
            self._said = now
            rate = (self.done - 1) / (now - self._first_done)
            left = (self.epochs * self.steps_per_epoch - self.done) / rate
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
