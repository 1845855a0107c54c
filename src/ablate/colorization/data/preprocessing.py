"""Preprocessing: decoded photographs resized for training and evaluation. No TensorFlow."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps

from ablate.colorization.config import DataConfig
from ablate.colorization.data.decode import Pixels

MAX_ASPECT = 4
"""Of a longer strip the middle is used: a few kilobytes could become gigabytes when its short side is scaled."""


@dataclass(frozen=True)
class Preprocessing:
    """The settings that decide on the pixels of a data set; see `conf/config.yaml` for what each key means."""

    image_size: int
    max_zoom: float
    eval_fraction: float
    evaluation_side: int
    grid_step: int

    @property
    def largest_short_side(self) -> int:
        """Most pixels of the shorter side of a training photograph."""
        return round(self.image_size * self.max_zoom)

    def training_pixels(self, image: Image.Image) -> Pixels:
        """Return the pixels that training crops are cut from, (height, width, 3)."""
        return np.asarray(fit_short_side(image, low=self.image_size, high=self.largest_short_side))

    def evaluation_pixels(self, image: Image.Image) -> tuple[Pixels, Pixels]:
        """Return the central square at the network's side and at the evaluation's side: (side, side, 3) each."""
        network_input = np.asarray(center_square(image, self.image_size))
        if self.evaluation_side == self.image_size:
            return network_input, network_input
        return network_input, np.asarray(center_square(image, self.evaluation_side))


def preprocessing_of(config: DataConfig, *, evaluation_side: int, grid_step: int) -> Preprocessing:
    """Return the preprocessing that a configuration asks for."""
    return Preprocessing(config.image_size, config.max_zoom, config.eval_fraction, evaluation_side, grid_step)


def fit_short_side(image: Image.Image, *, low: int, high: int) -> Image.Image:
    """Resize, anti-aliased, so that the shorter side lies in low..high; within that range nothing changes.

    Of a strip longer than `MAX_ASPECT` times its shorter side, the middle is taken.
    """
    short = min(image.size)
    if max(image.size) > MAX_ASPECT * short:
        image = ImageOps.fit(image, (min(image.width, MAX_ASPECT * short), min(image.height, MAX_ASPECT * short)))
    target = min(max(short, low), high)
    if target == short:
        return image
    size = tuple(max(target, round(length * target / short)) for length in image.size)
    return image.resize((size[0], size[1]), Image.Resampling.BICUBIC)


def center_square(image: Image.Image, side: int) -> Image.Image:
    """Cut out the central square and resize it, anti-aliased, to side x side."""
    return ImageOps.fit(image, (side, side), Image.Resampling.BICUBIC)
