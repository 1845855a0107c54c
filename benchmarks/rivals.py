"""The same training step as it is done elsewhere: dense targets over 313 classes, dilated convolutions as they are.

A worker of step.py: `rivals.py NAME CASE`, with a NAME of `RIVALS`. CASE is an .npz file with one batch (L, ab), class
weights, the network's layers and initial weights, and the loss that `ablate` finds for them: every way must find the
same, but for lower precision. Among them is `ablate`'s own step, so that each way has a process to itself: as it is by
default, without determinism, which a process cannot take back, by XLA, which determinism excludes in Keras, and in
mixed precision.
"""

import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ablate.colorization.color.gamut import ab_gamut
from ablate.colorization.model.architecture import Layer
from ablate.config.environment import set_onednn
from ablate.training.hardware import import_tensorflow
from surroundings import machine
from worker import Prepared, serve

Array = npt.NDArray[np.float32]
EPSILON, MOMENTUM = 1e-5, 0.9
NEAREST, SIGMA = 5, 5.0
TOLERANCE = 1e-3


class Case:
    """What is trained, the same for every way.

    Attributes:
        L, ab: (batch, side, side, 1) and (batch, side, side, 2).
        class_weights: (num_bins,).
        layers: The network's.
        weights: Its initial weights, in Keras' order and layout.
        loss: What they give, batch norm as in training.
        steps: Steps of one measurement.
        learning_rate, beta_1, beta_2: Adam's.
    """

    def __init__(self, path: Path):
        file = np.load(path)
        facts = json.loads(str(file["facts"]))
        self.L, self.ab, self.class_weights = file["L"], file["ab"], file["class_weights"]
        self.layers = [Layer(**layer) for layer in facts["layers"]]
        self.weights = [file[f"weight{place}"] for place in range(facts["weights"])]
        self.loss, self.steps = facts["loss"], facts["steps"]
        self.learning_rate, self.beta_1, self.beta_2 = facts["adam"]

    @staticmethod
    def save(
        path: Path,
        *,
        L: Array,
        ab: Array,
        class_weights: Sequence[float],
        layers: Sequence[Layer],
        weights: Sequence[Array],
        loss: float,
        steps: int,
        adam: tuple[float, float, float],
    ) -> None:
        """Write a case."""
        facts = {"weights": len(weights), "loss": loss, "steps": steps, "adam": adam}
        facts["layers"] = [asdict(layer) for layer in layers]
        named = {f"weight{place}": weight for place, weight in enumerate(weights)}
        np.savez(
            path, L=L, ab=ab, class_weights=np.asarray(class_weights, np.float32), facts=json.dumps(facts), **named
        )

    def check(self, loss: float) -> None:
        """Raise AssertionError unless a way finds the loss that it should."""
        assert abs(loss - self.loss) <= TOLERANCE * abs(self.loss), f"a loss of {loss} instead of {self.loss}"


def keras_network(case: Case) -> Any:
    """Return the network in Keras, dilated convolutions as Keras has them."""
    import keras

    x = inputs = keras.Input(case.L.shape[1:])
    for layer in case.layers:
        if layer.kind == "batch_norm":
            x = keras.layers.BatchNormalization(epsilon=EPSILON, momentum=MOMENTUM)(x)
            continue
        options = {"activation": "relu" if layer.relu else None, "strides": layer.stride}
        if layer.kind == "transposed":
            x = keras.layers.Conv2DTranspose(layer.filters, layer.kernel, padding="same", **options)(x)
        elif layer.stride > 1:
            x = keras.layers.ZeroPadding2D(layer.kernel // 2)(x)
            x = keras.layers.Conv2D(layer.filters, layer.kernel, **options)(x)
        else:
            options["dilation_rate"] = layer.dilation
            x = keras.layers.Conv2D(layer.filters, layer.kernel, padding="same", **options)(x)
    model = keras.Model(inputs, x)
    model.set_weights(case.weights)
    return model


def keras_adam(case: Case) -> Any:
    """Return Keras' Adam as the case has it."""
    import keras

    return keras.optimizers.Adam(case.learning_rate, beta_1=case.beta_1, beta_2=case.beta_2)


def keras_dense(case: Case) -> Prepared:
    """Return `model.fit` as it comes, targets made dense in the step by the distances to all classes."""
    import_tensorflow()
    import keras
    import tensorflow as tf

    bins, class_weights = tf.constant(ab_gamut(), tf.float32), tf.constant(case.class_weights)

    def dense(indices: Any, weights: Any) -> Any:
        pixels = tf.reshape(indices, (-1, NEAREST))
        rows = tf.repeat(tf.range(tf.shape(pixels)[0])[:, None], NEAREST, axis=1)
        places, shape = tf.stack([rows, pixels], axis=-1), (tf.shape(pixels)[0], len(bins))
        targets = tf.scatter_nd(places, tf.reshape(weights, (-1, NEAREST)), shape)
        return tf.reshape(targets, (-1, *indices.shape[1:-1], len(bins)))

    def weighted_cross_entropy(ab: Any, logits: Any) -> Any:
        factor = ab.shape[1] // logits.shape[1]
        ab = tf.nn.avg_pool2d(ab, factor, factor, "VALID")
        squared = tf.reduce_sum(tf.square(ab[..., None, :] - bins), axis=-1)
        negative, indices = tf.math.top_k(-squared, NEAREST)
        weights = tf.nn.softmax(negative / (2 * SIGMA**2), axis=-1)
        targets = dense(indices, weights)
        losses = keras.losses.categorical_crossentropy(targets, logits, from_logits=True)
        return tf.reduce_mean(losses * tf.gather(class_weights, indices[..., 0]), axis=(1, 2))

    model = keras_network(case)
    case.check(float(tf.reduce_mean(weighted_cross_entropy(tf.constant(case.ab), model(case.L, training=True)))))
    model.compile(keras_adam(case), weighted_cross_entropy)
    batches = tf.data.Dataset.from_tensors((case.L, case.ab)).repeat()

    from ways import Timer

    def measure() -> float:
        timer = Timer(untimed=1)
        model.fit(batches, steps_per_epoch=case.steps + 1, shuffle=False, callbacks=[timer], verbose=0)
        return timer.seconds

    return measure, {"xla": bool(model.jit_compile)}


def ablate(case: Case, *, xla: bool = False, deterministic: bool = False, precision: str = "float32") -> Prepared:
    """Return the step of `ablate`."""
    set_onednn(True)
    import_tensorflow()
    import keras
    import tensorflow as tf

    if deterministic:
        keras.utils.set_random_seed(0)
        tf.config.experimental.enable_op_determinism()
    keras.config.set_dtype_policy(precision)

    from ablate.colorization.model.backbone import build_backbone
    from ablate.colorization.model.loss import ColorCrossEntropy
    from ways import Timer

    model = build_backbone(case.layers, side=case.L.shape[1])
    model.set_weights(case.weights)
    loss = ColorCrossEntropy(class_weights=case.class_weights.tolist())
    if precision == "float32":
        case.check(float(loss(case.ab, model(case.L, training=True))))
    model.compile(keras_adam(case), loss, jit_compile=xla)
    assert model.jit_compile == xla, "Keras refuses XLA"
    batches = tf.data.Dataset.from_tensors((case.L, case.ab)).repeat()

    def measure() -> float:
        timer = Timer(untimed=1)
        model.fit(batches, steps_per_epoch=case.steps + 1, shuffle=False, callbacks=[timer], verbose=0)
        return timer.seconds

    return measure, {}


def keras_eager(case: Case) -> Prepared:
    """Return a step without a graph, soft targets from scikit-learn's nearest neighbours on the host."""
    import_tensorflow()
    import keras
    import tensorflow as tf
    from sklearn.neighbors import NearestNeighbors

    bins = ab_gamut()
    finder = NearestNeighbors(n_neighbors=NEAREST).fit(bins)
    model, adam = keras_network(case), keras_adam(case)
    side = model.output_shape[1]
    L = tf.constant(case.L)

    def encoded() -> tuple[Array, Array]:
        batch, given = case.ab.shape[:2]
        ab = case.ab.reshape(batch, side, given // side, side, given // side, 2).mean(axis=(2, 4)).reshape(-1, 2)
        distances, indices = finder.kneighbors(ab)
        weights = np.exp(-(distances**2) / (2 * SIGMA**2))
        targets = np.zeros((len(ab), len(bins)), np.float32)
        np.put_along_axis(targets, indices, weights / weights.sum(axis=1, keepdims=True), axis=1)
        return targets.reshape(batch, side, side, -1), case.class_weights[indices[:, 0]].reshape(batch, side, side)

    def loss() -> Any:
        targets, class_weights = encoded()
        losses = keras.losses.categorical_crossentropy(targets, model(L, training=True), from_logits=True)
        return tf.reduce_mean(losses * class_weights)

    def step() -> None:
        with tf.GradientTape() as tape:
            value = loss()
        gradients = tape.gradient(value, model.trainable_variables)
        adam.apply_gradients(zip(gradients, model.trainable_variables, strict=True))

    case.check(float(loss()))
    return timed(step, case.steps), {}


def torch_dense(case: Case) -> Prepared:
    """Return a step of PyTorch, channels last, targets made dense in the step."""
    import torch
    from torch import nn
    from torch.nn import functional

    cores = machine()["cores"]
    assert isinstance(cores, int)
    torch.set_num_threads(cores)

    def network() -> Any:
        modules: list[nn.Module] = []
        channels, weights = 1, iter(map(torch.from_numpy, case.weights))
        for layer in case.layers:
            module: Any
            if layer.kind == "batch_norm":
                module = nn.BatchNorm2d(channels, eps=EPSILON, momentum=1 - MOMENTUM)
                parts = (module.weight, module.bias, module.running_mean, module.running_var)
            else:
                pad = layer.dilation * (layer.kernel // 2) if layer.kind == "conv" else 1
                made = nn.Conv2d if layer.kind == "conv" else nn.ConvTranspose2d
                module = made(
                    channels, layer.filters, layer.kernel, layer.stride, padding=pad, dilation=layer.dilation
                )
                parts, channels = (module.weight, module.bias), layer.filters
            with torch.no_grad():
                for part in parts:
                    weight = next(weights)
                    part.copy_(weight.permute(3, 2, 0, 1) if weight.ndim == 4 else weight)
            modules += [module, nn.ReLU()] if layer.relu else [module]
        return nn.Sequential(*modules).to(memory_format=torch.channels_last)

    model = network()
    adam = torch.optim.Adam(model.parameters(), case.learning_rate, (case.beta_1, case.beta_2), eps=1e-7)
    bins, class_weights = torch.from_numpy(np.array(ab_gamut(), np.float32)), torch.from_numpy(case.class_weights)
    L, ab = (
        torch.from_numpy(each).permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)
        for each in (case.L, case.ab)
    )

    def loss() -> Any:
        logits = model(L)
        colors = functional.avg_pool2d(ab, ab.shape[2] // logits.shape[2]).permute(0, 2, 3, 1).reshape(-1, 2)
        distances, indices = torch.cdist(colors, bins).topk(NEAREST, largest=False)
        weights = torch.softmax(-distances.square() / (2 * SIGMA**2), dim=1)
        targets = torch.zeros(len(colors), len(bins)).scatter_(1, indices, weights)
        logarithms = torch.log_softmax(logits.permute(0, 2, 3, 1).reshape(-1, len(bins)), dim=1)
        return (-(targets * logarithms).sum(dim=1) * class_weights[indices[:, 0]]).mean()

    def step() -> None:
        adam.zero_grad()
        value = loss()
        value.backward()
        adam.step()

    case.check(float(loss().detach()))
    return timed(step, case.steps), {"threads": torch.get_num_threads()}


def timed(step: Callable[[], None], steps: int) -> Callable[[], float]:
    """Return a call that takes some steps, the first untimed, and returns the seconds of the others."""

    def measure() -> float:
        step()
        begun = time.perf_counter()
        for _ in range(steps):
            step()
        return time.perf_counter() - begun

    return measure


RIVALS: dict[str, Callable[[Case], Prepared]] = {
    "keras": keras_dense,
    "eager": keras_eager,
    "torch": torch_dense,
    "own": partial(ablate, deterministic=True),
    "free": ablate,
    "xla": partial(ablate, xla=True),
    "bfloat16": partial(ablate, deterministic=True, precision="mixed_bfloat16"),
}


if __name__ == "__main__":
    name, path = sys.argv[1:]
    serve(lambda: RIVALS[name](Case(Path(path))))
