"""Tasks with one mistake each, on points in two clouds; `Sound` has none.

The project's configuration has the group `width`, with the levels narrow and wide.
"""

import random

import numpy as np
import pandas as pd

from ablate import ArrayTask, DatasetTask, FunctionTask, Measure

ACCURACY = Measure("Accuracy", "%", "higher", lambda y, p: 100.0 * (p.argmax(1) == y))


def clouds(seed=0, count=60):
    """Points of two classes."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, count)
    return rng.normal(y[:, None] * 2.0, 1.0, (count, 3)).astype("float32"), y


def network(width, dropout=0.1):
    """A perceptron."""
    import keras

    return keras.Sequential(
        [
            keras.layers.Dense(width, "relu"),
            keras.layers.Dropout(dropout),
            keras.layers.Dense(2, "softmax"),
        ]
    )


class Sound(ArrayTask):
    example = "point"
    loss = "sparse_categorical_crossentropy"
    measures = {"accuracy": ACCURACY}

    def data(self):
        return clouds(0), clouds(1, 20)

    def model(self):
        return network(self.config.width.units)


class NoMeasures(Sound):
    measures = {}


class OwnInit(Sound):
    def __init__(self, **config):
        self.width = config["width"]


class WrongLength(Sound):
    measures = {"accuracy": Measure("Accuracy", "%", "higher", lambda y, p: 100.0 * (p.argmax(1) == y)[:-1])}


class NotPerExample(Sound):
    measures = {"accuracy": Measure("Accuracy", "%", "higher", lambda y, p: (p.argmax(1) == y).mean())}


class NotNumeric(Sound):
    measures = {"answer": Measure("Answer", "", "higher", lambda y, p: ["yes"] * len(y))}


class NotFinite(Sound):
    measures = {"nll": Measure("NLL", "nats", "lower", lambda y, p: np.where(np.arange(len(y)) == 3, np.nan, 1.0))}


class BreaksInMeasure(Sound):
    measures = {"accuracy": Measure("Accuracy", "%", "higher", lambda y, p: p[:, 7])}


class DifferentLengths(Sound):
    def data(self):
        (x, y), evaluation = clouds(0), clouds(1, 20)
        return (x, y[:-1]), evaluation


class OneSet(Sound):
    def data(self):
        return clouds(0)


class OtherDataEachTime(Sound):
    def data(self):
        return clouds(0), clouds(None, 20)


class Leaking(Sound):
    def data(self):
        x, y = clouds(0)
        return (x, y), (x[:20], y[:20])


class AugmentsToNan(Sound):
    def augment(self, x, y, rng):
        return np.where(x > 2.5, np.nan, x), y


class OneMoreExample(Sound):
    def augment(self, x, y, rng):
        return np.concatenate([x, x[:1]]), np.concatenate([y, y[:1]])


class AugmentsByNumpy(Sound):
    def augment(self, x, y, rng):
        return x + np.random.normal(size=x.shape).astype("float32"), y  # noqa: NPY002


class AugmentsByPython(Sound):
    def augment(self, x, y, rng):
        return (x[:, ::-1] if random.random() < 0.5 else x + np.float32(random.random())), y


class Compiled(Sound):
    def model(self):
        model = network(4)
        model.compile("sgd", "mse")
        return model


class NoModel(Sound):
    def model(self):
        return "a model"


class TooFewOutputs(Sound):
    def model(self):
        import keras

        return keras.Sequential([keras.layers.Dense(1, "sigmoid")])


class OtherRank(Sound):
    loss = "categorical_crossentropy"


class NotRead(Sound):
    def model(self):
        return network(4)


class MissingKey(Sound):
    def model(self):
        return network(self.config.width.number)


class NotInEveryLevel(Sound):
    def model(self):
        return network({"narrow": 4}[self.config.width.name])


class Noise:
    """Makes layers that draw from TensorFlow's own generator."""

    @staticmethod
    def layer():
        import keras
        import tensorflow as tf

        class Unseeded(keras.layers.Layer):
            def call(self, inputs, training=False):
                return inputs + tf.random.normal(tf.shape(inputs)) if training else inputs

        return Unseeded()


class UnseededLayer(Sound):
    def model(self):
        import keras

        return keras.Sequential([Noise.layer(), keras.layers.Dense(2, "softmax")])


class UnseededWeights(Sound):
    def model(self):
        import keras

        start = np.random.default_rng().normal(size=(3, 2))
        return keras.Sequential(
            [keras.layers.Dense(2, "softmax", kernel_initializer=keras.initializers.Constant(start))]
        )


def subclassed(keep):
    """A subclassed model; one that keeps its scale survives saving."""
    import keras

    class Net(keras.Model):
        def __init__(self, scale, **options):
            super().__init__(**options)
            self.scale, self.dense = scale, keras.layers.Dense(2, "softmax")

        def call(self, inputs):
            return self.dense(inputs * self.scale)

        def get_config(self):
            return {"scale": self.scale if keep else 1.0}

    return keras.saving.register_keras_serializable("mistakes", f"Net-{keep}")(Net)(3.0)


class Subclassed(Sound):
    """No mistake: a class of one's own that is registered."""

    def model(self):
        return subclassed(keep=True)


class Forgetful(Sound):
    def model(self):
        return subclassed(keep=False)


class NotSaved(Sound):
    def model(self):
        import keras

        class Inner(keras.Model):
            def __init__(self, dense):
                super().__init__()
                self.dense = dense

            def call(self, inputs):
                return self.dense(inputs)

        return Inner(keras.layers.Dense(2, "softmax"))


class Generator(DatasetTask):
    example = "point"
    loss = "sparse_categorical_crossentropy"
    measures = {"accuracy": ACCURACY}

    def data(self):
        return ((point, target) for point, target in zip(*clouds(), strict=True)), list(zip(*clouds(1), strict=True))

    def model(self):
        return network(self.config.width.units)


class Infinite(Generator):
    def data(self):
        import tensorflow as tf

        return tuple(tf.data.Dataset.from_tensor_slices(clouds(seed)).repeat() for seed in (0, 1))


class Loop(FunctionTask):
    """No mistake, but for the fingerprint that it does not say."""

    example = "point"
    measures = {"error": Measure("Error", "", "lower")}

    def train(self, config, seed, run):
        rng = np.random.default_rng(seed)
        return pd.DataFrame({"error": rng.normal(config.width.units, 1.0, 20)})


class Fingerprinted(Loop):
    def fingerprint(self):
        return "1"


class NoFrame(Loop):
    def train(self, config, seed, run):
        return [1.0, 2.0]


class MissingMeasure(Loop):
    def train(self, config, seed, run):
        return {"loss": 1.0}


class OtherExamples(Fingerprinted):
    def train(self, config, seed, run):
        return pd.DataFrame({"error": np.ones(20), "example": [f"{seed} {place}" for place in range(20)]})


class OtherNumber(Fingerprinted):
    def train(self, config, seed, run):
        return pd.DataFrame({"error": np.ones(20 + seed)})


class Lucky(Fingerprinted):
    def train(self, config, seed, run):
        return pd.DataFrame({"error": np.random.default_rng().normal(size=20)})


class SeedNotUsed(Fingerprinted):
    def train(self, config, seed, run):
        return pd.DataFrame({"error": np.full(20, config.width.units)})


class BreaksInTrain(Fingerprinted):
    def train(self, config, seed, run):
        return {"error": [1][config.width.units]}


class Broadcasts(Sound):
    measures = {"error": Measure("Error", "", "lower", lambda y, p: np.abs(y - p[:, 1:]).mean(1))}


class MissingInData(Sound):
    def data(self):
        return clouds(self.config.width.number), clouds(1, 20)
