"""Colours in Lab that are drawn, and converted by scikit-image."""

import numpy as np
import numpy.typing as npt
from skimage.color import rgb2lab

from ablate.turing.build.exact_lab import Pixels

Array = npt.NDArray[np.float64]


def reference_lab(pixels: Pixels) -> Array:
    return np.asarray(rgb2lab(pixels), np.float64)


def random_lab(seed: int, *shape: int, chroma: float) -> Array:
    random = np.random.default_rng(seed)
    hue, radius = random.uniform(0, 2 * np.pi, shape), random.uniform(0, chroma, shape)
    return np.stack([random.uniform(0, 100, shape), radius * np.cos(hue), radius * np.sin(hue)], axis=-1)
