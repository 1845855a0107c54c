"""Handwritten digits, 8x8 pixels, told apart by a small convolutional network."""

import numpy as np

from ablate import ArrayTask, Measure


class Digits(ArrayTask):
    example = "digit"
    loss = "sparse_categorical_crossentropy"
    measures = {
        "accuracy": Measure("Accuracy", "%", "higher", lambda y, p: 100.0 * (p.argmax(1) == y)),
        "nll": Measure("Cross-entropy", "nats", "lower", lambda y, p: -np.log(p[np.arange(len(y)), y] + 1e-7)),
    }

    def data(self):
        from sklearn.datasets import load_digits

        x, y = load_digits(return_X_y=True)
        x = (x / 16).reshape(-1, 8, 8, 1).astype("float32")
        return (x[:1200], y[:1200]), (x[1200:], y[1200:])

    def augment(self, x, y, rng):
        pixels = self.config.augmentation.pixels
        return np.stack([np.roll(image, rng.integers(-pixels, pixels + 1, 2), (0, 1)) for image in x]), y

    def model(self):
        from keras import Sequential, layers

        return Sequential(
            [
                layers.Conv2D(16, 3, activation=self.config.activation.name),
                layers.Flatten(),
                layers.Dense(64, activation=self.config.activation.name),
                layers.Dropout(self.config.dropout.rate),
                layers.Dense(10, activation="softmax"),
            ]
        )
