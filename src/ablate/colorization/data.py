"""The data set: which photographs train and which evaluate, and their batches in `tf.data`."""

import logging
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from PIL import Image

from ablate.colorization.color import rgb_to_lab
from ablate.colorization.config import DataConfig
from ablate.colorization.encoding import nearest_bin
from ablate.colorization.gamut import ab_gamut
from ablate.colorization.listing import Listing, list_files, place
from ablate.colorization.photographs import (
    BadPhotograph,
    Photograph,
    Pixels,
    center_square,
    decode,
    fit_short_side,
    scan,
)
from ablate.errors import DataError

log = logging.getLogger(__name__)

_GIB = 2**30
_NOT_KEPT: Pixels = np.empty((0, 0, 3), np.uint8)


@dataclass(frozen=True)
class ColorData:
    """A data set, scanned.

    Attributes:
        config: Where it comes from.
        train: Its training photographs, ordered by content.
        evaluation: Its evaluation photographs, ordered by content.
        fingerprint: SHA-256 over the contents of the files and the part that each belongs to; not over their paths.
        evaluation_pixels: (num_evaluation, image_size, image_size, 3), uint8 sRGB: their central squares.
        evaluation_truth: (num_evaluation, side, side, 3): the same squares at the side at which colours are compared.
        bin_counts: (num_bins,): pixels of the training photographs' central squares by nearest colour class.
        mean_ab: (2,): their mean colour.
        bad: The files that could not be used.
        ignored: Names of the files that are no photographs.
        cache: Decoded training photographs by index, as far as the memory given to it reaches.
    """

    config: DataConfig
    fingerprint: str
    train: tuple[Photograph, ...]
    evaluation: tuple[Photograph, ...]
    evaluation_pixels: Pixels
    evaluation_truth: Pixels
    bin_counts: npt.NDArray[np.int64]
    mean_ab: npt.NDArray[np.float64]
    bad: tuple[BadPhotograph, ...]
    ignored: tuple[str, ...]
    cache: dict[int, Pixels]

    def load(self, index: int) -> Pixels:
        """Return a training photograph, (height, width, 3) uint8, its shorter side fit for cropping."""
        cached = self.cache.get(index)
        if cached is not None:
            return cached
        side = self.config.image_size
        image = decode(self.train[index].path.read_bytes())
        return np.asarray(fit_short_side(image, low=side, high=round(side * self.config.max_zoom)))


def load_data(config: DataConfig, *, evaluation_side: int, grid_step: int = 10) -> ColorData:
    """Find, check and scan the photographs of a data set.

    Args:
        config: The section `data`.
        evaluation_side: Side at which colours are compared.
        grid_step: Grid step of the classes that are counted.

    Raises:
        DataError: There are no photographs, too few, or too many bad ones.
    """
    return _scan(config, evaluation_side, grid_step, list_files(config))


def _scan(config: DataConfig, evaluation_side: int, grid_step: int, listing: Listing) -> ColorData:
    statistics = _ColorStatistics(grid_step)
    bad = list(listing.unreadable)
    evaluated: list[tuple[Photograph, tuple[Pixels, Pixels]]] = []
    trained: list[tuple[Photograph, Pixels]] = []
    cached_bytes = 0

    def squares(image: Image.Image) -> tuple[Pixels, Pixels]:
        given = np.asarray(center_square(image, config.image_size))
        same = evaluation_side == config.image_size
        return given, given if same else np.asarray(center_square(image, evaluation_side))

    def square_and_crop(image: Image.Image) -> tuple[Pixels, Pixels]:
        low, high = config.image_size, round(config.image_size * config.max_zoom)
        return np.asarray(center_square(image, low)), np.asarray(fit_short_side(image, low=low, high=high))

    for found in scan(listing.paths("eval"), squares, progress="Reading photographs to evaluate"):
        if isinstance(found, BadPhotograph):
            bad.append(found)
        else:
            evaluated.append(found)
    for read in scan(listing.paths("train"), square_and_crop, progress="Reading photographs to train"):
        if isinstance(read, BadPhotograph):
            bad.append(read)
            continue
        photograph, (square, pixels) = read
        statistics.add(square)
        if cached_bytes >= config.memory_gib * _GIB:
            pixels = _NOT_KEPT
        cached_bytes += pixels.nbytes
        trained.append((photograph, pixels))
    if listing.by_content and not (evaluated and trained):
        # Bad photographs took a whole side of the split: the others are split anew.
        others = listing.without(bad)
        if others.paths("train") and others.paths("eval"):
            return _scan(config, evaluation_side, grid_step, others)
    _report(config, len(evaluated) + len(trained) + len(bad), bad, listing)
    for purpose, part in (("train", trained), ("evaluate", evaluated)):
        if not part:
            raise DataError(f"{place(config)} has no usable photograph to {purpose} on")
    given = np.stack([given for _, (given, _) in evaluated])
    same = evaluation_side == config.image_size
    truth = given if same else np.stack([truth for _, (_, truth) in evaluated])
    return ColorData(
        config=config,
        fingerprint=listing.fingerprint,
        train=tuple(photograph for photograph, _ in trained),
        evaluation=tuple(photograph for photograph, _ in evaluated),
        evaluation_pixels=given,
        evaluation_truth=truth,
        bin_counts=statistics.counts,
        mean_ab=statistics.mean,
        bad=(*bad, *listing.twice),
        ignored=listing.ignored,
        cache={index: pixels for index, (_, pixels) in enumerate(trained) if pixels.size},
    )


def _report(config: DataConfig, total: int, bad: Sequence[BadPhotograph], listing: Listing) -> None:
    if listing.ignored:
        message = "%d files are no photographs that train or evaluate, and are ignored: %s"
        log.info(message, len(listing.ignored), _first(listing.ignored))
    if listing.twice:
        names = [photograph.name for photograph in listing.twice]
        log.warning("%d photographs that evaluate do not train as well: %s", len(names), _first(names))
    if not bad:
        return
    named = [f"{photograph.name} ({photograph.reason})" for photograph in bad]
    if len(bad) > config.max_bad_fraction * total:
        raise DataError(
            f"{len(bad)} of {total} photographs in {place(config)} cannot be used, more than "
            f"data.max_bad_fraction={config.max_bad_fraction}: {_first(named, 5)}"
        )
    log.warning("%d of %d photographs cannot be used and are left out: %s", len(bad), total, _first(named))


def _first(names: Sequence[str], count: int = 50) -> str:
    return ", ".join(names[:count]) + (f" and {len(names) - count} more" if len(names) > count else "")


class _ColorStatistics:
    """Counts nearest colour classes and sums ab, a few photographs at a time."""

    _BATCH = 16

    def __init__(self, grid_step: int):
        self.grid_step = grid_step
        self._counts = np.zeros(len(ab_gamut(grid_step)), np.int64)
        self._sum, self._pixels = np.zeros(2), 0
        self._waiting: list[Pixels] = []

    def add(self, square: Pixels) -> None:
        self._waiting.append(square)
        if len(self._waiting) == self._BATCH:
            self._flush()

    def _flush(self) -> None:
        if not self._waiting:
            return
        ab = pixels_to_lab(np.stack(self._waiting))[..., 1:]
        bins = nearest_bin(ab, step=self.grid_step).numpy().ravel()
        self._counts += np.bincount(bins, minlength=len(self._counts))
        self._sum += ab.numpy().reshape(-1, 2).sum(axis=0, dtype=np.float64)
        self._pixels += len(bins)
        self._waiting.clear()

    @property
    def counts(self) -> npt.NDArray[np.int64]:
        self._flush()
        return self._counts

    @property
    def mean(self) -> npt.NDArray[np.float64]:
        self._flush()
        return self._sum / max(self._pixels, 1)


def pixels_to_lab(pixels: tf.Tensor) -> tf.Tensor:
    """Convert 8-bit sRGB, (..., 3) in 0..255, to Lab, (..., 3), float32."""
    return rgb_to_lab(tf.cast(pixels, tf.float32) / 255)


def to_example(pixels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Make the network's input and target from photographs.

    The target has the input's side for every variant: the loss averages it down to the side of the network's output.
    So variants of any output resolution see the same batches.

    Args:
        pixels: (batch, side, side, 3), sRGB in 0..255.

    Returns:
        (batch, side, side, 1), (L - 50) / 100; and (batch, side, side, 2), ab.
    """
    lab = pixels_to_lab(pixels)
    return (lab[..., :1] - 50) / 100, lab[..., 1:]


def example_order(seed: int, positions: npt.NDArray[np.int64], count: int) -> npt.NDArray[np.int64]:
    """Return which example stands at each position of an endless stream: a new shuffle for every pass.

    Any part of the stream can be had without the parts before it, so a run can go on in its middle.

    Args:
        seed: Seed of the shuffles.
        positions: (n,), ascending, from 0.
        count: How many examples there are.

    Returns:
        (n,), indices in 0..count - 1.
    """
    passes, places = np.divmod(positions, count)
    order = np.empty_like(positions)
    numbers, starts = np.unique(passes, return_index=True)
    for number, start, stop in zip(numbers, starts, np.append(starts, len(positions))[1:], strict=True):
        permutation = np.random.default_rng([seed, int(number)]).permutation(count)
        order[start:stop] = permutation[places[start:stop]]
    return order


def random_crop(pixels: tf.Tensor, seed: tf.Tensor, *, side: int, max_zoom: float) -> tf.Tensor:
    """Cut out a random square, flip it half of the time, and resize it, anti-aliased.

    Args:
        pixels: (height, width, 3), uint8; the shorter side is at least `side`.
        seed: (2,), int: the same seed gives the same crop, whatever ran before.
        side: Side of the result.
        max_zoom: The square's side is uniform from short / max_zoom (never below `side`) to short.

    Returns:
        (side, side, 3), float32 in 0..255.
    """
    size = tf.shape(pixels)
    short = tf.minimum(size[0], size[1])
    low = tf.maximum(tf.cast(tf.math.ceil(tf.cast(short, tf.float32) / max_zoom), tf.int32), side)
    draws = tf.random.stateless_uniform([4], seed)

    def draw(place: int, count: tf.Tensor) -> tf.Tensor:
        return tf.minimum(tf.cast(draws[place] * tf.cast(count, tf.float32), tf.int32), count - 1)

    square = low + draw(0, short - low + 1)
    top, left = draw(1, size[0] - square + 1), draw(2, size[1] - square + 1)
    crop = tf.cast(pixels[top : top + square, left : left + square], tf.float32)
    crop = tf.where(draws[3] < 0.5, crop, crop[:, ::-1])
    return tf.image.resize(crop, (side, side), antialias=True)


def training_batches(data: ColorData, *, seed: int, batch_size: int, first_step: int, steps: int) -> tf.data.Dataset:
    """Return a part of the endless stream of training batches: full batches, a new shuffle for every pass.

    Args:
        data: The data set.
        seed: Seed of order and crops.
        batch_size: Photographs a batch.
        first_step: Which batch of the stream comes first.
        steps: How many batches.

    Returns:
        A data set of (L, ab), see `to_example`; the same for the same arguments, whatever the number of threads.
    """
    positions = np.arange(first_step * batch_size, (first_step + steps) * batch_size, dtype=np.int64)
    indices = example_order(seed, positions, len(data.train))
    side, max_zoom = data.config.image_size, data.config.max_zoom

    def crop(pixels: tf.Tensor, position: tf.Tensor) -> tf.Tensor:
        return random_crop(pixels, tf.stack([tf.constant(seed, tf.int64), position]), side=side, max_zoom=max_zoom)

    photographs = tf.data.Dataset.from_generator(
        lambda: _load_ahead(data, indices), output_signature=tf.TensorSpec((None, None, 3), tf.uint8)
    )
    batches = (
        tf.data.Dataset.zip(photographs, tf.data.Dataset.from_tensor_slices(positions))
        .map(crop, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
        .batch(batch_size, drop_remainder=True)
        .map(to_example)
    )
    return batches.apply(tf.data.experimental.assert_cardinality(steps)).prefetch(2)


def _load_ahead(data: ColorData, indices: npt.NDArray[np.int64], ahead: int = 64) -> Iterator[Pixels]:
    """Load photographs in order on all cores. TensorFlow's own map would be serial: a Python function is stateful."""
    with ThreadPoolExecutor() as pool:
        waiting: deque[Future[Pixels]] = deque()
        for index in indices:
            waiting.append(pool.submit(data.load, int(index)))
            if len(waiting) >= ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def evaluation_batches(data: ColorData, *, batch_size: int) -> tf.data.Dataset:
    """Return the evaluation photographs' central squares once, in order: (L, ab), see `to_example`."""
    return tf.data.Dataset.from_tensor_slices(data.evaluation_pixels).batch(batch_size).map(to_example).prefetch(2)
