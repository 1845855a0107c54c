"""The data set: which photographs train and which evaluate, and their batches in `tf.data`."""

import logging
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from PIL import Image

from ablate.colorization.color.class_counts import ClassCounter
from ablate.colorization.color.gamut import ab_gamut
from ablate.colorization.color.lab import pixels_to_lab
from ablate.colorization.config import DataConfig
from ablate.colorization.data.listing import EVALUATES, REPLACED, File, Listing, check_usable, first, list_files
from ablate.colorization.data.photographs import (
    BadPhotograph,
    Photograph,
    Pixels,
    Prepared,
    decode,
    read_bytes,
    scan,
)
from ablate.colorization.data.prepared.manifest import OLDER
from ablate.colorization.data.prepared.read import PreparedSet, pixels_of, truth_of
from ablate.colorization.data.prepared.recipe import Recipe, recipe_of
from ablate.system.threads import map_ahead

log = logging.getLogger(__name__)

_GIB = 2**30

Example = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]
"""L as the network sees it, and ab."""


class TrainingPhotographs(Protocol):
    """The training photographs, ordered by content: which there are, and their pixels."""

    def __len__(self) -> int: ...

    def read(self, indices: Sequence[int]) -> list[Pixels]:
        """Return photographs, (height, width, 3) each, their shorter sides fit for cropping."""
        ...


@dataclass(frozen=True)
class Files(Sequence[Photograph]):
    """Photographs in files, decoded when they are read; `cache` keeps some by index."""

    photographs: tuple[Photograph, ...]
    recipe: Recipe
    cache: dict[int, Pixels]

    def __len__(self) -> int:
        return len(self.photographs)

    def __getitem__(self, index: Any) -> Any:
        return self.photographs[index]

    def read(self, indices: Sequence[int]) -> list[Pixels]:
        """Return photographs, see `TrainingPhotographs`."""
        return [self.cache[index] if index in self.cache else self._decoded(index) for index in indices]

    def _decoded(self, index: int) -> Pixels:
        path = self.photographs[index].path
        assert path is not None
        return self.recipe.to_train(decode(read_bytes(path)))


@dataclass(frozen=True)
class ColorData:
    """A data set, scanned.

    Attributes:
        config: Where it comes from.
        fingerprint: SHA-256 over the contents of the files and the part that each belongs to; not over their paths.
        train: Its training photographs, ordered by content.
        evaluation: Its evaluation photographs, ordered by content.
        evaluation_pixels: (num_evaluation, image_size, image_size, 3), uint8 sRGB: their central squares.
        evaluation_truth: (num_evaluation, side, side, 3): the same squares at the side at which colours are compared.
        bin_counts: (num_bins,): pixels of the training photographs by nearest colour class, at the size that crops
            are taken from.
        grid_step: Grid step of the classes.
        bad: The files that could not be used.
        ignored: Names of the files that are no photographs.
    """

    config: DataConfig
    fingerprint: str
    train: TrainingPhotographs
    evaluation: tuple[Photograph, ...]
    evaluation_pixels: Pixels
    evaluation_truth: Pixels
    bin_counts: npt.NDArray[np.int64]
    grid_step: int
    bad: tuple[BadPhotograph, ...]
    ignored: tuple[str, ...]

    @property
    def mean_ab(self) -> npt.NDArray[np.float64]:
        """Mean colour of the training photographs, (2,), each pixel's taken as that of its class."""
        return self.bin_counts @ ab_gamut(self.grid_step) / self.bin_counts.sum()


def load_data(config: DataConfig, *, evaluation_side: int, grid_step: int = 10) -> ColorData:
    """Find, check and scan the photographs of a data set.

    Args:
        config: The section `data`.
        evaluation_side: Side at which colours are compared.
        grid_step: Grid step of the classes that are counted.

    Raises:
        DataError: There are no photographs, too few, or too many bad ones.
    """
    recipe = recipe_of(config, evaluation_side=evaluation_side, grid_step=grid_step)
    if config.name == "prepared":
        return _prepared(config, recipe)
    return _scan(config, recipe, list_files(config))


def _prepared(config: DataConfig, recipe: Recipe) -> ColorData:
    assert config.root is not None
    prepared = PreparedSet(config.root, recipe)
    evaluated = prepared.part("eval", memory=np.inf)
    features = [evaluated.features(index) for index in range(len(evaluated))]
    manifest = prepared.manifest
    train = prepared.part("train", memory=config.memory_gib * _GIB)
    _say_split(manifest.split or OLDER, len(train), len(evaluated))
    return ColorData(
        config=config,
        fingerprint=manifest.fingerprint,
        train=train,
        evaluation=tuple(Photograph(one["name"].decode(), one["digest"].hex()) for one in features),
        evaluation_pixels=np.stack([pixels_of(one) for one in features]),
        evaluation_truth=np.stack([truth_of(one) for one in features]),
        bin_counts=np.array(manifest.class_counts, np.int64),
        grid_step=recipe.grid_step,
        bad=(
            *(BadPhotograph(name, reason) for name, reason in manifest.bad),
            *(BadPhotograph(name, EVALUATES) for name in manifest.twice),
            *(BadPhotograph(name, REPLACED) for name in manifest.replaced),
        ),
        ignored=tuple(manifest.ignored),
    )


def _scan(config: DataConfig, recipe: Recipe, listing: Listing) -> ColorData:
    counter = ClassCounter(recipe.grid_step)
    bad = list(listing.unreadable)
    trained: list[Photograph] = []
    cache: dict[int, Pixels] = {}
    cached_bytes = 0
    damaged: set[File] = set()

    def scanned(
        part: str, prepare: Callable[[Image.Image], Prepared], what: str
    ) -> Iterator[tuple[Photograph, Prepared]]:
        files = listing.part(part)
        named = [(file.name, file.path) for file in files]
        for file, found in zip(files, scan(named, prepare, progress=f"Reading photographs to {what}"), strict=True):
            if isinstance(found, BadPhotograph):
                bad.append(found)
                damaged.add(file)
            else:
                yield found

    evaluated = list(scanned("eval", recipe.to_evaluate, "evaluate"))
    for photograph, pixels in scanned("train", recipe.to_train, "train"):
        counter.add(pixels)
        if cached_bytes < config.memory_gib * _GIB:
            cache[len(trained)] = pixels
            cached_bytes += pixels.nbytes
        trained.append(photograph)
    if listing.by_content and not (evaluated and trained):
        # Bad photographs took a whole side of the split: the others are split anew.
        others = listing.without(damaged, bad)
        if others.part("train") and others.part("eval"):
            return _scan(config, recipe, others)
    check_usable(config, bad, {"train": len(trained), "eval": len(evaluated)})
    _report(len(evaluated) + len(trained) + len(bad), bad, listing)
    _say_split(listing.split.why, len(trained), len(evaluated), doubtful=listing.split.doubtful)
    given = np.stack([given for _, (given, _) in evaluated])
    same = recipe.evaluation_side == recipe.image_size
    truth = given if same else np.stack([truth for _, (_, truth) in evaluated])
    return ColorData(
        config=config,
        fingerprint=listing.fingerprint,
        train=Files(tuple(trained), recipe, cache),
        evaluation=tuple(photograph for photograph, _ in evaluated),
        evaluation_pixels=given,
        evaluation_truth=truth,
        bin_counts=counter.counts,
        grid_step=recipe.grid_step,
        bad=(*bad, *listing.twice),
        ignored=listing.ignored,
    )


def _say_split(why: str, train: int, evaluate: int, *, doubtful: bool = False) -> None:
    level = logging.WARNING if doubtful else logging.INFO
    log.log(level, "Split: %s. %s photographs train, %s evaluate", why, f"{train:,}", f"{evaluate:,}")


def _report(total: int, bad: Sequence[BadPhotograph], listing: Listing) -> None:
    if listing.ignored:
        message = "%d files are no photographs that train or evaluate, and are ignored: %s"
        log.info(message, len(listing.ignored), first(listing.ignored))
    if listing.twice:
        names = [photograph.name for photograph in listing.twice]
        log.warning("%d photographs that evaluate do not train as well: %s", len(names), first(names))
    if bad:
        named = first([str(photograph) for photograph in bad])
        log.warning("%d of %d photographs cannot be used and are left out: %s", len(bad), total, named)


def to_example(pixels: Pixels) -> Example:
    """Make the network's input and target from photographs.

    The target has the input's side for every variant: the loss averages it down to the side of the network's output.
    So variants of any output resolution see the same batches.

    Args:
        pixels: (batch, side, side, 3), uint8 sRGB.

    Returns:
        (batch, side, side, 1), (L - 50) / 100; and (batch, side, side, 2), ab; float32.
    """
    lab = pixels_to_lab(pixels)
    return (lab[..., :1] - np.float32(50)) / np.float32(100), np.ascontiguousarray(lab[..., 1:])


def example_order(
    seed: int, positions: npt.NDArray[np.int64], count: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Return which example stands at each position of an endless stream, and how it is cut: a new shuffle every pass.

    Any part of the stream can be had without the parts before it, so a run can go on in its middle.

    Args:
        seed: Seed of the shuffles.
        positions: (n,), ascending, from 0.
        count: How many examples there are.

    Returns:
        (n,), indices in 0..count - 1; and (n, 4), uniform in 0..1, for `random_square`.
    """
    passes, places = np.divmod(positions, count)
    order, draws = np.empty_like(positions), np.empty((len(positions), 4), np.float32)
    numbers, starts = np.unique(passes, return_index=True)
    for number, start, stop in zip(numbers, starts, np.append(starts, len(positions))[1:], strict=True):
        random = np.random.default_rng([seed, int(number)])
        order[start:stop] = random.permutation(count)[places[start:stop]]
        draws[start:stop] = random.random((count, 4), np.float32)[places[start:stop]]
    return order, draws


def random_square(pixels: Pixels, draws: npt.NDArray[np.float32], *, side: int, max_zoom: float) -> Pixels:
    """Cut out a random square, resize it, anti-aliased, and flip it half of the time.

    Args:
        pixels: (height, width, 3), uint8; the shorter side is at least `side`.
        draws: (4,), uniform in 0..1: the square's side, top and left, and the flip.
        side: Side of the result.
        max_zoom: The square's side is uniform from short / max_zoom (never below `side`) to short.

    Returns:
        (side, side, 3), uint8.
    """
    height, width, _ = pixels.shape
    short = min(height, width)
    low = max(math.ceil(short / max_zoom), side)

    def draw(place: int, count: int) -> int:
        return min(int(draws[place] * count), count - 1)

    square = low + draw(0, short - low + 1)
    top, left = draw(1, height - square + 1), draw(2, width - square + 1)
    cut = pixels[top : top + square, left : left + square]
    if square != side:
        cut = np.asarray(Image.fromarray(cut).resize((side, side), Image.Resampling.BILINEAR))
    return cut if draws[3] < 0.5 else cut[:, ::-1]


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
    indices, draws = example_order(seed, positions, len(data.train))
    side, max_zoom = data.config.image_size, data.config.max_zoom

    def batch(step: int) -> Example:
        part = slice(step * batch_size, (step + 1) * batch_size)
        L = np.empty((batch_size, side, side, 1), np.float32)
        ab = np.empty((batch_size, side, side, 2), np.float32)
        # One at a time: a photograph's numbers stay in the processor's cache from the crop to Lab.
        photographs = zip(data.train.read(indices[part].tolist()), draws[part], strict=True)
        for number, (pixels, own) in enumerate(photographs):
            L[number], ab[number] = to_example(random_square(pixels, own, side=side, max_zoom=max_zoom))
        return L, ab

    # TensorFlow's own map would call a Python function from one thread only.
    batches = tf.data.Dataset.from_generator(
        lambda: map_ahead(batch, range(steps), per_thread=1), output_signature=_signature(batch_size, side)
    )
    return batches.apply(tf.data.experimental.assert_cardinality(steps)).prefetch(2)


def _signature(batch_size: int | None, side: int) -> tuple[tf.TensorSpec, tf.TensorSpec]:
    return tuple(tf.TensorSpec((batch_size, side, side, channels), tf.float32) for channels in (1, 2))


def evaluation_batches(data: ColorData, *, batch_size: int) -> tf.data.Dataset:
    """Return the evaluation photographs' central squares once, in order: (L, ab), see `to_example`."""
    starts = range(0, len(data.evaluation), batch_size)
    batches = tf.data.Dataset.from_generator(
        lambda: (to_example(data.evaluation_pixels[start : start + batch_size]) for start in starts),
        output_signature=_signature(None, data.config.image_size),
    )
    return batches.apply(tf.data.experimental.assert_cardinality(len(starts))).prefetch(2)
