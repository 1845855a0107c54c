"""The study as one script: a loop over configurations, and a table."""

import keras
import numpy as np
import pandas as pd
from keras import layers
from sklearn.datasets import load_digits

EPOCHS, SEEDS = 10, [0, 1, 2]
BASELINE = {"activation": "relu", "dropout": 0.0, "shift": 0.0, "learning_rate": 3e-3}
OTHERS = {"activation": ["tanh"], "dropout": [0.5], "shift": [0.125], "learning_rate": [1e-3]}


def data():
    x, y = load_digits(return_X_y=True)
    x = (x / 16).reshape(-1, 8, 8, 1).astype("float32")
    return (x[:1200], y[:1200]), (x[1200:], y[1200:])


def build(activation, dropout, shift):
    return keras.Sequential(
        [
            layers.RandomTranslation(shift, shift, fill_mode="wrap"),
            layers.Conv2D(16, 3, activation=activation),
            layers.Flatten(),
            layers.Dense(64, activation=activation),
            layers.Dropout(dropout),
            layers.Dense(10, activation="softmax"),
        ]
    )


def score(model, x, y):
    p = model.predict(x, verbose=0)
    return {"accuracy": 100.0 * (p.argmax(1) == y).mean(), "nll": -np.log(p[np.arange(len(y)), y] + 1e-7).mean()}


def train(seed, activation, dropout, shift, learning_rate):
    keras.utils.set_random_seed(seed)
    (x, y), (x_eval, y_eval) = data()
    model = build(activation, dropout, shift)
    model.compile(keras.optimizers.Adam(learning_rate), "sparse_categorical_crossentropy")
    model.fit(x, y, epochs=EPOCHS, verbose=0)
    return score(model, x_eval, y_eval)


variants = [BASELINE, *({**BASELINE, factor: level} for factor, levels in OTHERS.items() for level in levels)]
results = pd.DataFrame({**variant, "seed": seed, **train(seed, **variant)} for variant in variants for seed in SEEDS)
results.to_csv("results.csv", index=False)
table = results.groupby(list(BASELINE))[["accuracy", "nll"]].agg(["mean", "std", "count"])
print(table.round(3).to_string())
