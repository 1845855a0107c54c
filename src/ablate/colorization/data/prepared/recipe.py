"""How photographs become what training and evaluation read."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from ablate.colorization.config import DataConfig
from ablate.colorization.data.photographs import Pixels, center_square, fit_short_side


@dataclass(frozen=True)
class Recipe:
    """How photographs become records; see `conf/config.yaml` for what each key means."""

    image_size: int
    max_zoom: float
    eval_fraction: float
    evaluation_side: int
    grid_step: int

    @property
    def largest_short_side(self) -> int:
        """Most pixels of the shorter side of what training crops."""
        return round(self.image_size * self.max_zoom)

    def to_train(self, image: Image.Image) -> Pixels:
        """Return what training cuts its crops from, (height, width, 3)."""
        return np.asarray(fit_short_side(image, low=self.image_size, high=self.largest_short_side))

    def to_evaluate(self, image: Image.Image) -> tuple[Pixels, Pixels]:
        """Return the central square as the network sees it, and as colours are compared: (side, side, 3) each."""
        given = np.asarray(center_square(image, self.image_size))
        same = self.evaluation_side == self.image_size
        return given, given if same else np.asarray(center_square(image, self.evaluation_side))


def recipe_of(config: DataConfig, *, evaluation_side: int, grid_step: int) -> Recipe:
    """Return the recipe that a configuration asks for."""
    return Recipe(config.image_size, config.max_zoom, config.eval_fraction, evaluation_side, grid_step)
