"""Batches for training and evaluation: photographs shuffled, cropped and converted to L and ab, in `tf.data`."""

import math

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from PIL import Image

from ablate.colorization.color.lab import pixels_to_lab
from ablate.colorization.data.decode import Pixels
from ablate.colorization.data.photographs import ColorData
from ablate.system.threads import parallel_map

Example = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]
"""L as the network sees it, and ab."""


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
    """Return the example at each position of an endless stream, and its random crop: a new shuffle every pass.

    Any part of the stream can be had without the parts before it, so a run can resume in its middle.

    Args:
        seed: Seed of the shuffles.
        positions: (n,), ascending, from 0.
        count: How many examples there are.

    Returns:
        (n,), indices in 0..count - 1; and (n, 4), uniform in 0..1, for `random_square`.
    """
    passes, offsets = np.divmod(positions, count)
    order, draws = np.empty_like(positions), np.empty((len(positions), 4), np.float32)
    numbers, starts = np.unique(passes, return_index=True)
    for number, start, stop in zip(numbers, starts, np.append(starts, len(positions))[1:], strict=True):
        random = np.random.default_rng([seed, int(number)])
        order[start:stop] = random.permutation(count)[offsets[start:stop]]
        draws[start:stop] = random.random((count, 4), np.float32)[offsets[start:stop]]
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

    def draw(which: int, count: int) -> int:
        return min(int(draws[which] * count), count - 1)

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
    side, max_zoom = data.preprocessing.image_size, data.preprocessing.max_zoom

    def batch(step: int) -> Example:
        own = slice(step * batch_size, (step + 1) * batch_size)
        L = np.empty((batch_size, side, side, 1), np.float32)
        ab = np.empty((batch_size, side, side, 2), np.float32)
        # One at a time: a photograph's numbers stay in the processor's cache from the crop to Lab.
        photographs = zip(data.train.read(indices[own].tolist()), draws[own], strict=True)
        for number, (pixels, crop) in enumerate(photographs):
            L[number], ab[number] = to_example(random_square(pixels, crop, side=side, max_zoom=max_zoom))
        return L, ab

    # TensorFlow's own map would call a Python function from one thread only.
    batches = tf.data.Dataset.from_generator(
        lambda: parallel_map(batch, range(steps), per_thread=1), output_signature=_signature(batch_size, side)
    )
    return batches.apply(tf.data.experimental.assert_cardinality(steps)).prefetch(2)


def _signature(batch_size: int | None, side: int) -> tuple[tf.TensorSpec, tf.TensorSpec]:
    return tuple(tf.TensorSpec((batch_size, side, side, channels), tf.float32) for channels in (1, 2))


def evaluation_batches(data: ColorData, *, batch_size: int) -> tf.data.Dataset:
    """Return the evaluation photographs' central squares once, in order: (L, ab), see `to_example`."""
    starts = range(0, len(data.evaluation), batch_size)
    batches = tf.data.Dataset.from_generator(
        lambda: (to_example(data.squares.read(slice(start, start + batch_size))[0]) for start in starts),
        output_signature=_signature(None, data.preprocessing.image_size),
    )
    return batches.apply(tf.data.experimental.assert_cardinality(len(starts))).prefetch(2)
