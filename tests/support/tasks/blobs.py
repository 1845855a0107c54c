"""Tasks on two clouds of points: one of each kind that users start from."""

import json

import keras
import numpy as np
import pandas as pd
from pydantic import BaseModel

from ablate import ArrayTask, DatasetTask, FunctionTask, Measure, SetMeasure

MEASURES = {
    "accuracy": Measure("Accuracy", "%", "higher", lambda y, p: 100.0 * (p.argmax(1) == y)),
    "nll": Measure("Cross-entropy", "nats", "lower", lambda y, p: -np.log(np.clip(p[np.arange(len(y)), y], 1e-7, 1))),
}


def blobs(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return points, (count, 2), and their cloud, 0 or 1."""
    random = np.random.default_rng(seed)
    y = np.arange(count) % 2
    return (random.normal(size=(count, 2)) + 2.0 * y[:, None]).astype(np.float32), y


def macro_recall(y: np.ndarray, p: np.ndarray) -> float:
    """Return the mean over classes of the share that is found."""
    return float(np.mean([np.mean(p[y == cloud].argmax(1) == cloud) for cloud in (0, 1) if (y == cloud).any()]))


class Blobs(ArrayTask):
    """A small network on arrays."""

    example = "point"
    loss = "sparse_categorical_crossentropy"
    measures = {**MEASURES, "recall": SetMeasure("Macro recall", "", "higher", macro_recall)}

    def data(self):
        """Return 50 points to train on, and 20 to evaluate."""
        return blobs(50), blobs(20, seed=1)

    def model(self):
        """Return the network: `network.hidden` units, `network.dropout` of them dropped."""
        network = self.config.network
        return keras.Sequential(
            [
                keras.layers.Dense(network.hidden, "relu"),
                keras.layers.Dropout(network.dropout),
                keras.layers.Dense(2, "softmax"),
            ]
        )


class Stopping(Blobs):
    """Ends early, keeps the best weights, and draws a curve of its own."""

    def augment(self, x, y, rng):
        """Add noise."""
        return x + rng.normal(scale=0.1, size=x.shape).astype(x.dtype), y

    def callbacks(self):
        """Stop after two epochs without a better validation loss."""
        return [keras.callbacks.EarlyStopping(patience=2, restore_best_weights=True)]

    def compile_metrics(self):
        """Draw the accuracy."""
        return ["accuracy"]


class Items(Blobs, DatasetTask):
    """The same points, one by one."""

    def data(self):
        """Return lists of pairs."""
        train, evaluation = (list(zip(*part, strict=True)) for part in (blobs(50), blobs(20, seed=1)))
        return train, evaluation

    sources = DatasetTask.sources


class Settings(BaseModel):
    """The settings of `Loop`."""

    steps: int
    rate: float


class LoopConfig(BaseModel):
    """Its sections."""

    loop: Settings
    optimizer: dict
    schedule: dict
    training: dict


class Loop(FunctionTask):
    """Logistic regression by hand, which keeps its weights after every step."""

    example = "point"
    measures = {"accuracy": Measure("Accuracy", "%", "higher"), "nll": Measure("Cross-entropy", "nats", "lower")}
    schema = LoopConfig

    def train(self, config, seed, run):
        """Train by gradient descent on one random point a step."""
        (x, y), (x_eval, y_eval) = blobs(50), blobs(20, seed=1)
        file = run.folder / "weights.json"
        first, weights = json.loads(file.read_text()) if file.exists() else (0, [0.0, 0.0, 0.0])
        w = np.array(weights)
        for step in range(first, config.loop.steps):
            if run.should_stop():
                return None
            place = np.random.default_rng([seed, step]).integers(50)
            point = np.append(x[place], 1.0)
            error = 1 / (1 + np.exp(-point @ w)) - y[place]
            w = w - config.loop.rate * error * point
            run.log_metrics({"loss": float(abs(error))}, step + 1)
            run.report_progress(step + 1, config.loop.steps)
            file.write_text(json.dumps([step + 1, w.tolist()]))
        p = 1 / (1 + np.exp(-(np.c_[x_eval, np.ones(20)] @ w)))
        return pd.DataFrame(
            {"accuracy": 100.0 * ((p > 0.5) == y_eval), "nll": -np.log(np.where(y_eval == 1, p, 1 - p))}
        )
