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
        every: Steps between two records of the training loss, each a mean over those steps.

    Raises:
        Diverged: From `fit`, once a step's loss is NaN or infinite; what came before is recorded.
    """

    def __init__(self, log_metrics: LogMetrics, *, every: int):
        super().__init__()
        self.log_metrics = log_metrics
        self.every = every
        self.step = 0
        self.peak_memory = 0
        self._process = psutil.Process()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._window_start, self._window_sum, self._mean = 0, 0.0, 0.0

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.step += 1
        self.peak_memory = max(self.peak_memory, self._process.memory_info().rss)
        self._mean = float(logs["loss"])
        done = batch + 1
        if not math.isfinite(self._mean):
            raise Diverged(f"the training loss became {self._mean} at step {self.step}")
        if self.step % self.every == 0:
            self._record(done)

    def _record(self, done: int) -> None:
        # Keras gives the mean since the epoch began: the window's mean is the difference of two sums.
        total = self._mean * done
        loss = (total - self._window_sum) / (done - self._window_start)
        self._window_start, self._window_sum = done, total
        self.log_metrics({"train/loss": loss}, self.step)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        metrics = {"train/learning_rate": float(self.model.optimizer.learning_rate)}
        if "val_loss" in logs:
            metrics["val/loss"] = float(logs["val_loss"])
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
        if self.done == 1:
            # The first step holds the compilation, which says nothing of the others.
            self._first_done = self._said = time.monotonic()
        self.bar.set_postfix(loss=f"{float(logs['loss']):.4g}", refresh=False)
        self.bar.update()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        now = time.monotonic()
        if self.done > 1 and (now - self._said >= self.seconds or epoch + 1 == self.epochs):
            self._said = now
            rate = (self.done - 1) / (now - self._first_done)
            left = (self.epochs * self.steps_per_epoch - self.done) / rate
            message = "epoch %d of %d: loss %.4g, %.0f examples/s, %s left"
            log.info(
                message,
                epoch + 1,
                self.epochs,
                logs["loss"],
                rate * self.batch_size,
                tqdm.format_interval(left),
            )

    def close(self) -> None:
        """Remove the bar."""
        self.bar.close()
