"""Handwritten digits, told apart by scikit-learn: a training loop that saves itself and resumes exactly."""

import pickle

import numpy as np
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier

from ablate import FunctionTask, Measure, fingerprint

TRAINED = 1200


def digits():
    """Return (x, y) to train on and (x, y) to evaluate; 13 people wrote the former, other people the latter."""
    x, y = load_digits(return_X_y=True)
    return (x[:TRAINED] / 16, y[:TRAINED]), (x[TRAINED:] / 16, y[TRAINED:])


class Digits(FunctionTask):
    example = "digit"
    measures = {
        "accuracy": Measure("Accuracy", "%", "higher"),
        "nll": Measure("Cross-entropy", "nats", "lower"),
    }

    def fingerprint(self):
        return fingerprint(*digits())

    def train(self, config, seed, run):
        (x, y), (x_eval, y_eval) = digits()
        checkpoint = run.folder / "model.pickle"
        if checkpoint.exists():  # an interrupted run resumes
            model, epoch = pickle.loads(checkpoint.read_bytes())
        else:
            epoch, model = (
                0,
                MLPClassifier(
                    config.network.width,
                    solver=config.optimizer.name,
                    alpha=config.network.weight_decay,
                    batch_size=config.training.batch_size,
                    learning_rate_init=config.optimizer.learning_rate,
                    random_state=np.random.RandomState(seed),  # whose state is saved with the model
                ),
            )
        while epoch < config.training.epochs:
            model.partial_fit(x, y, classes=range(10))
            epoch += 1
            run.log_metrics({"train/loss": model.loss_, "val/accuracy": model.score(x_eval, y_eval)}, step=epoch)
            save(checkpoint, pickle.dumps((model, epoch)))
            run.report_progress(epoch, config.training.epochs)
            if run.should_stop():
                return None
        return measured(y_eval, model.predict_proba(x_eval))


def save(path, content):
    """Write a checkpoint that is there whole or not at all, whenever the process ends."""
    new = path.with_suffix(".new")
    new.write_bytes(content)
    new.replace(path)


def measured(y, probabilities):
    """Return the measures of each digit."""
    own = probabilities[np.arange(len(y)), y]
    return pd.DataFrame({"accuracy": 100.0 * (probabilities.argmax(1) == y), "nll": -np.log(own + 1e-7)})
