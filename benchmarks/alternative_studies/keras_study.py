"""A run as one writes it in Keras: data, network, `fit`, and four metrics of scikit-image; the programs share it.

The network is that of `ablate`, imported as a library. Targets are dense, made in `tf.data`; class weights are sample
weights. Seeds and deterministic operations are those of Keras' guide "Reproducibility in Keras models".
"""

import functools
import json
import os
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from skimage.color import deltaE_ciede2000, lab2rgb, rgb2lab
from skimage.metrics import mean_squared_error, peak_signal_noise_ratio, structural_similarity

from ablate.colorization.color.gamut import ab_gamut
from ablate.colorization.model.architecture import Layer
from ablate.colorization.model.backbone import build_backbone

NEAREST, SIGMA = 5, 5.0


class Study:
    """What all runs share.

    Args:
        folder: What arrays.py has written.

    Attributes:
        case: Its case.json.
        epochs, steps: Of a run, and of an epoch.
    """

    def __init__(self, folder: str):
        self.folder = Path(folder)
        self.case: dict[str, Any] = json.loads((self.folder / "case.json").read_text())
        self.epochs, self.steps = (int(os.environ[f"STUDY_{name}"]) for name in ("EPOCHS", "STEPS"))

    @functools.cached_property
    def train_lab(self) -> tf.Tensor:
        """The training photographs in Lab, all in memory."""
        return tf.constant(np.load(self.folder / "train.npy"))

    @functools.cached_property
    def evaluation_rgb(self) -> np.ndarray:
        """The evaluation photographs, in 0..1."""
        rgb: np.ndarray = np.load(self.folder / "evaluation.npy") / np.float32(255)
        return rgb

    @functools.cached_property
    def evaluation_lab(self) -> np.ndarray:
        """The same in Lab."""
        lab: np.ndarray = rgb2lab(self.evaluation_rgb).astype(np.float32)
        return lab

    def example(self, lab: tf.Tensor, output_side: int) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Make L, dense soft targets and the weights of pixels from a batch in Lab."""
        bins = tf.constant(ab_gamut(), tf.float32)
        factor = self.case["side"] // output_side
        ab = tf.reshape(tf.nn.avg_pool2d(lab[..., 1:], factor, factor, "VALID"), (-1, 2))
        squared = tf.reduce_sum(tf.square(ab[:, None, :] - bins), axis=-1)
        negative, nearest = tf.math.top_k(-squared, NEAREST)
        soft = tf.nn.softmax(negative / (2 * SIGMA**2), axis=-1)
        rows = tf.repeat(tf.range(tf.shape(ab)[0])[:, None], NEAREST, axis=1)
        targets = tf.scatter_nd(tf.stack([rows, nearest], axis=-1), soft, (tf.shape(ab)[0], len(bins)))
        weights = tf.gather(tf.constant(self.case["class_weights"], tf.float32), nearest[:, 0])
        shape = (-1, output_side, output_side)
        return (lab[..., :1] - 50) / 100, tf.reshape(targets, (*shape, len(bins))), tf.reshape(weights, shape)

    def training_batches(self, output_side: int, seed: int) -> tf.data.Dataset:
        """Return endless shuffled batches, each photograph cropped and flipped at random."""
        photographs, side = self.train_lab, self.case["side"]

        def crop(number: tf.Tensor, index: tf.Tensor) -> tf.Tensor:
            draw = tf.stack([tf.constant(seed, tf.int64), number])
            cut = tf.image.stateless_random_crop(tf.gather(photographs, index), (side, side, 3), draw)
            return tf.cast(tf.image.stateless_random_flip_left_right(cut, draw), tf.float32)

        count = len(photographs)
        return (
            tf.data.Dataset.range(count)
            .shuffle(count, seed=seed)
            .repeat()
            .enumerate()
            .map(crop, num_parallel_calls=tf.data.AUTOTUNE)
            .batch(self.case["batch_size"], drop_remainder=True)
            .map(functools.partial(self.example, output_side=output_side), num_parallel_calls=tf.data.AUTOTUNE)
            .prefetch(tf.data.AUTOTUNE)
        )

    def validation_batches(self, output_side: int) -> tf.data.Dataset:
        """Return the evaluation photographs once, as batches."""
        return (
            tf.data.Dataset.from_tensor_slices(self.evaluation_lab)
            .batch(self.case["batch_size"])
            .map(functools.partial(self.example, output_side=output_side), num_parallel_calls=tf.data.AUTOTUNE)
            .prefetch(tf.data.AUTOTUNE)
        )

    def new_model(self, optimizer: str, output_res: str, seed: int) -> keras.Model:
        """Return a compiled model."""
        layers = [Layer(**layer) for layer in self.case["layers"][output_res]]
        model = build_backbone(layers, side=self.case["side"], seed=seed)
        values = {key: value for key, value in self.case["optimizers"][optimizer].items() if key != "name"}
        made = getattr(keras.optimizers, values.pop("_target_").rpartition(".")[2])(**values)
        model.compile(made, keras.losses.CategoricalCrossentropy(from_logits=True))
        return model

    def train(
        self,
        optimizer: str,
        output_res: str,
        seed: int,
        *,
        callbacks: list[Any] | None = None,
        resumed: tuple[keras.Model, int] | None = None,
    ) -> tuple[keras.Model, dict[str, float]]:
        """Train a model, or resume one after some epochs, and return it with its scores."""
        keras.utils.clear_session()
        keras.utils.set_random_seed(seed)
        tf.config.experimental.enable_op_determinism()
        model, first_epoch = resumed or (self.new_model(optimizer, output_res, seed), 0)
        output_side = model.output_shape[1]
        model.fit(
            self.training_batches(output_side, seed),
            validation_data=self.validation_batches(output_side),
            epochs=self.epochs,
            initial_epoch=first_epoch,
            steps_per_epoch=self.steps,
            callbacks=[*(callbacks or []), StepLedger(f"{optimizer},{output_res},{seed}")],
            verbose=0,
        )
        return model, self.evaluate(model)

    def evaluate(self, model: keras.Model) -> dict[str, float]:
        """Return the scores on the evaluation photographs, one photograph at a time."""
        lab, side = self.evaluation_lab, self.case["side"]
        logits = model.predict((lab[..., :1] - 50) / 100, batch_size=self.case["batch_size"], verbose=0)
        ab = tf.nn.softmax(logits / self.case["temperature"]).numpy() @ ab_gamut().astype(np.float32)
        predicted = tf.image.resize(ab, (side, side)).numpy()
        rows = []
        for rgb, truth, guess in zip(self.evaluation_rgb, lab, predicted, strict=True):
            shown = lab2rgb(np.dstack([truth[..., :1], guess])).astype(np.float32)
            rows.append(
                (
                    peak_signal_noise_ratio(rgb, shown, data_range=1),
                    structural_similarity(rgb, shown, channel_axis=-1, data_range=1),
                    deltaE_ciede2000(truth, rgb2lab(shown)).mean(),
                    mean_squared_error(truth[..., 1:], guess) ** 0.5,
                )
            )
        means = np.mean(rows, axis=0).tolist()
        return dict(zip(("psnr", "ssim", "ciede2000", "ab_rmse"), means, strict=True))


@functools.cache
def shared_study(folder: str) -> Study:
    """Return what all runs of this process share."""
    return Study(folder)


class StepLedger(keras.callbacks.Callback):
    """Notes steps and their seconds in a file that outlives the process: the measurement's, not the program's.

    The first step, which holds the compilation, and validation do not count, as in the time that `ablate` notes.
    """

    def __init__(self, name: str):
        super().__init__()
        folder = Path(os.environ["STUDY_LEDGER"])
        folder.mkdir(parents=True, exist_ok=True)
        self._file = os.open(folder / f"{name},{time.time_ns()}", os.O_CREAT | os.O_WRONLY)
        self._steps = self._timed = 0
        self._seconds = 0.0
        self._last: float | None = None

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Begin to count again after a validation."""
        self._last = None if self._last is None else time.monotonic()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Count a step."""
        now = time.monotonic()
        if self._last is not None:
            self._timed += 1
            self._seconds += now - self._last
        self._last = now
        self._steps += 1
        os.pwrite(self._file, np.array([self._steps, self._timed, self._seconds, time.time()]).tobytes(), 0)

    def on_train_end(self, logs: Any = None) -> None:
        """Close the file."""
        os.close(self._file)
