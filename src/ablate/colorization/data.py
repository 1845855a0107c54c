"""The data set: which photographs train and which evaluate, and their batches in `tf.data`."""

import hashlib
import logging
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from PIL import Image

from ablate.colorization.color import rgb_to_lab
from ablate.colorization.config import DataConfig
from ablate.colorization.encoding import nearest_bin
from ablate.colorization.gamut import ab_gamut
from ablate.colorization.photographs import (
    SUFFIXES,
    BadPhotograph,
    Photograph,
    Pixels,
    center_square,
    decode,
    fit_short_side,
    folder_paths,
    sample_paths,
    scan,
)
from ablate.errors import DataError

log = logging.getLogger(__name__)

_GIB = 2**30


@dataclass(frozen=True)
class ColorData:
    """A data set, scanned.

    Attributes:
        config: Where it comes from.
        train: Its training photographs, ordered by content.
        evaluation: Its evaluation photographs, ordered by content.
        evaluation_pixels: (num_evaluation, image_size, image_size, 3), uint8 sRGB: their central squares.
        bin_counts: (num_bins,): pixels of the training photographs' central squares by nearest colour class.
        mean_ab: (2,): their mean colour.
        bad: The files that could not be used.
        ignored: Names of the files that are no photographs.
        cache: Decoded training photographs by index, as far as the memory given to it reaches.
    """

    config: DataConfig
    train: tuple[Photograph, ...]
    evaluation: tuple[Photograph, ...]
    evaluation_pixels: Pixels
    bin_counts: npt.NDArray[np.int64]
    mean_ab: npt.NDArray[np.float64]
    bad: tuple[BadPhotograph, ...]
    ignored: tuple[str, ...]
    cache: dict[int, Pixels]

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the contents of the photographs and the part that each belongs to; not over their paths."""
        parts = [("train", self.train), ("eval", self.evaluation)]
        lines = [f"{part} {photograph.digest}\n" for part, photographs in parts for photograph in photographs]
        return hashlib.sha256("".join(lines).encode()).hexdigest()

    def load(self, index: int) -> Pixels:
        """Return a training photograph, (height, width, 3) uint8, its shorter side fit for cropping."""
        cached = self.cache.get(index)
        if cached is not None:
            return cached
        return _for_cropping(decode(self.train[index].path.read_bytes()), self.config)


def load_data(config: DataConfig, *, grid_step: int = 10) -> ColorData:
    """Find, check and scan the photographs of a data set; a second call for the same unchanged files is free.

    Photographs of a folder are split by its `val` folder if it has one, else by their contents.

    Raises:
        DataError: There are no photographs, too few, or too many bad ones.
    """
    if config.name == "sample":
        files = [_File(part, name, path) for part in ("train", "eval") for name, path in sample_paths(part)]
        return _scan(config, grid_step, tuple(files), ())
    assert config.root is not None
    root = config.root.expanduser().absolute()
    if not root.is_dir():
        raise DataError(f"data.root={config.root} is no folder")
    found, ignored = folder_paths(root)
    if not found:
        raise DataError(f"data.root={config.root} holds no photographs ({', '.join(SUFFIXES)})")
    folders = {name.split("/")[0] for name, _ in found if "/" in name}
    files = []
    for name, path in found:
        part = None
        if "val" in folders:
            part = "eval" if name.startswith("val/") else "train"
            if part == "train" and "train" in folders and not name.startswith("train/"):
                ignored.append(name)
                continue
        # A link to nothing has neither size nor date; reading it says what is wrong.
        stat = path.stat() if path.exists() else None
        files.append(_File(part, name, path, stat.st_size, stat.st_mtime_ns) if stat else _File(part, name, path))
    return _scan(config, grid_step, tuple(files), tuple(ignored))


@dataclass(frozen=True)
class _File:
    """A file that should be a photograph; `part` is None where its contents decide."""

    part: str | None
    name: str
    path: Path
    size: int = 0
    modified: int = 0


@lru_cache(maxsize=1)
def _scan(
    config: DataConfig,
    grid_step: int,
    files: tuple[_File, ...],
    ignored: tuple[str, ...],
    twice: tuple[BadPhotograph, ...] = (),
) -> ColorData:
    photographs: dict[str, list[tuple[Photograph, Pixels]]] = {"train": [], "eval": []}
    bad: list[BadPhotograph] = []
    statistics = _ColorStatistics(grid_step)
    cached_bytes = 0
    scanned = scan([(file.name, file.path) for file in files], progress="Reading photographs")
    for file, result in zip(files, scanned, strict=True):
        if isinstance(result, BadPhotograph):
            bad.append(result)
            continue
        photograph, image = result
        pixels = np.empty((0, 0, 3), np.uint8)
        part = file.part or ("eval" if _share(photograph) < config.eval_fraction else "train")
        if part == "eval":
            pixels = np.asarray(center_square(image, config.image_size))
        else:
            statistics.add(np.asarray(center_square(image, config.image_size)))
            if cached_bytes < config.memory_gib * _GIB:
                pixels = _for_cropping(image, config)
                cached_bytes += pixels.nbytes
        photographs[part].append((photograph, pixels))
    if None in {file.part for file in files} and not all(photographs.values()):
        forced = _force_split(files, [photograph for part in photographs.values() for photograph, _ in part])
        if forced:
            return _scan(config, grid_step, forced, ignored)
    _report(config, len(files), bad, ignored)
    evaluating = {photograph.digest for photograph, _ in photographs["eval"]}
    leaked = {photograph.name for photograph, _ in photographs["train"] if photograph.digest in evaluating}
    if leaked:
        log.warning("%d photographs that evaluate do not train as well: %s", len(leaked), _first(sorted(leaked)))
        kept_files = tuple(file for file in files if file.name not in leaked)
        twice = tuple(BadPhotograph(name, "evaluates under another name") for name in sorted(leaked))
        return _scan(config, grid_step, kept_files, ignored, twice)
    for part, kept in photographs.items():
        if not kept:
            raise DataError(
                f"{_place(config)} has no usable photograph to {'train' if part == 'train' else 'evaluate'} on"
            )
        kept.sort(key=lambda pair: (pair[0].digest, pair[0].name))
    train, evaluation = photographs["train"], photographs["eval"]
    return ColorData(
        config=config,
        train=tuple(photograph for photograph, _ in train),
        evaluation=tuple(photograph for photograph, _ in evaluation),
        evaluation_pixels=np.stack([pixels for _, pixels in evaluation]),
        bin_counts=statistics.counts,
        mean_ab=statistics.mean,
        bad=(*bad, *twice),
        ignored=ignored,
        cache={index: pixels for index, (_, pixels) in enumerate(train) if pixels.size},
    )


def _place(config: DataConfig) -> str:
    return f"data.root={config.root}" if config.name == "folder" else f"data={config.name}"


def _share(photograph: Photograph) -> float:
    """Return where in 0..1 a photograph's contents fall: its name and the other photographs do not matter."""
    return int(photograph.digest[:13], 16) / 16**13


def _force_split(files: Sequence[_File], photographs: Sequence[Photograph]) -> tuple[_File, ...] | None:
    """Split a handful of photographs that all fell on one side: the lowest share evaluates, the others train.

    Returns:
        The files with their parts, or None where there are not two different contents.
    """
    shares = {photograph.name: _share(photograph) for photograph in photographs}
    if len(set(shares.values())) < 2:
        return None
    lowest = min(shares.values())
    return tuple(replace(file, part="eval" if shares.get(file.name) == lowest else "train") for file in files)


def _report(config: DataConfig, total: int, bad: Sequence[BadPhotograph], ignored: Sequence[str]) -> None:
    if ignored:
        log.info("%d files are no photographs and are ignored: %s", len(ignored), _first(ignored))
    if not bad:
        return
    named = _first([f"{photograph.name} ({photograph.reason})" for photograph in bad])
    if len(bad) > config.max_bad_fraction * total:
        raise DataError(
            f"{len(bad)} of {total} photographs in {_place(config)} cannot be used, more than "
            f"data.max_bad_fraction={config.max_bad_fraction}: {named}"
        )
    log.warning("%d of %d photographs cannot be used and are left out: %s", len(bad), total, named)


def _first(names: Sequence[str], count: int = 5) -> str:
    return ", ".join(names[:count]) + (f" and {len(names) - count} more" if len(names) > count else "")


def _for_cropping(image: Image.Image, config: DataConfig) -> Pixels:
    side = config.image_size
    return np.asarray(fit_short_side(image, low=side, high=round(side * config.max_zoom)))


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


def to_example(pixels: tf.Tensor, *, output_side: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Make the network's input and target from photographs.

    Args:
        pixels: (batch, side, side, 3), sRGB in 0..255.
        output_side: Side of the network's output, a divisor of side.

    Returns:
        (batch, side, side, 1), (L - 50) / 100; and (batch, output_side, output_side, 2), ab, averaged over
        the input pixels that an output pixel covers.
    """
    lab = pixels_to_lab(pixels)
    factor = pixels.shape[1] // output_side
    ab = tf.nn.avg_pool2d(lab[..., 1:], factor, factor, "VALID")
    return (lab[..., :1] - 50) / 100, ab


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
    for number in np.unique(passes):
        here = passes == number
        order[here] = np.random.default_rng([seed, int(number)]).permutation(count)[places[here]]
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


def training_batches(
    data: ColorData, *, seed: int, batch_size: int, first_step: int, steps: int, output_side: int
) -> tf.data.Dataset:
    """Return a part of the endless stream of training batches: full batches, a new shuffle for every pass.

    Args:
        data: The data set.
        seed: Seed of order and crops.
        batch_size: Photographs a batch.
        first_step: Which batch of the stream comes first.
        steps: How many batches.
        output_side: Side of the network's output.

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
        .map(lambda pixels: to_example(pixels, output_side=output_side))
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


def evaluation_batches(data: ColorData, *, batch_size: int, output_side: int) -> tf.data.Dataset:
    """Return the evaluation photographs' central squares once, in order: (L, ab), see `to_example`."""
    return (
        tf.data.Dataset.from_tensor_slices(data.evaluation_pixels)
        .batch(batch_size)
        .map(lambda pixels: to_example(pixels, output_side=output_side))
        .prefetch(2)
    )
