"""The metrics of colourised photographs, each declared once: its label, unit, direction and function.

Importing this imports no TensorFlow.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt
import pandas as pd

from ablate.colorization.color.difference import ciede2000 as color_difference
from ablate.colorization.color.gamut import ab_gamut
from ablate.colorization.similarity import structural_similarity
from ablate.task import Metric

Array = npt.NDArray[np.floating]

AUC_LIMIT = 150.0
MAX_PSNR = 100.0


@dataclass(frozen=True)
class ColorizedPhotographs:
    """Colourised photographs and the truth.

    ab is compared as predicted; the pictures that one sees have the predicted ab and the true L, clipped to sRGB.

    Attributes:
        lab: (n, side, side, 3), the truth.
        rgb: (n, side, side, 3), the same in sRGB, 0..1.
        predicted_ab: (n, side, side, 2).
        weights: (n, side, side), from `balanced_pixel_weights` over the whole evaluation set.
        mean_truth_colorfulness: Mean colourfulness of the whole evaluation set.
    """

    lab: Array
    rgb: Array
    predicted_ab: Array
    weights: Array
    mean_truth_colorfulness: float

    @cached_property
    def distance(self) -> Array:
        """Distance in the ab plane, (n, side, side)."""
        a, b = np.moveaxis(np.asarray(self.lab[..., 1:], np.float64) - self.predicted_ab, -1, 0)
        return np.sqrt(a * a + b * b)

    @cached_property
    def closeness(self) -> Array:
        """Each pixel's contribution to AuC, (n, side, side)."""
        return auc(self.distance)

    @cached_property
    def shown(self) -> tuple[Array, Array]:
        """The colourised pictures, (n, side, side, 3): sRGB in 0..1; and Lab, of what is clipped to sRGB."""
        from ablate.colorization.color.lab import clip_lab

        return clip_lab(np.concatenate([self.lab[..., :1], self.predicted_ab], axis=-1))

    @property
    def shown_rgb(self) -> Array:
        """The colourised pictures, sRGB in 0..1."""
        return self.shown[0]

    @cached_property
    def shown_colorfulness(self) -> Array:
        """Colourfulness of the colourised pictures, (n,)."""
        return colorfulness_of(self.shown_rgb)


Function = Callable[[ColorizedPhotographs], Array]
_DECLARED: dict[Metric, Function] = {}


def _metric(label: str, unit: str, *, higher_is_better: bool | None) -> Callable[[Function], Function]:
    """Declare a function as a metric: it returns a value a photograph, (n,); its docstring is the description."""

    def declare(function: Function) -> Function:
        description = (function.__doc__ or "").partition("\n")[0]
        _DECLARED[Metric(function.__name__, label, unit, higher_is_better, description)] = function
        return function

    return declare


@_metric("AuC raw", "%", higher_is_better=True)
def auc_raw(pictures: ColorizedPhotographs) -> Array:
    """Share of pixels within a distance of their true ab, area under its curve."""
    return 100 * _photograph_means(pictures.closeness)


@_metric("AuC rebalanced", "%", higher_is_better=True)
def auc_rebalanced(pictures: ColorizedPhotographs) -> Array:
    """AuC with every colour class of the truth weighing the same."""
    return 100 * _photograph_means(pictures.weights * pictures.closeness)


@_metric("ab RMSE", "ab", higher_is_better=False)
def ab_rmse(pictures: ColorizedPhotographs) -> Array:
    """Root of the mean squared distance in the ab plane."""
    return np.sqrt(_photograph_means(pictures.distance * pictures.distance))


@_metric("PSNR", "dB", higher_is_better=True)
def psnr(pictures: ColorizedPhotographs) -> Array:
    """Peak signal-to-noise ratio of the picture, in sRGB."""
    return psnr_of(pictures.rgb, pictures.shown_rgb)


@_metric("SSIM", "", higher_is_better=True)
def ssim(pictures: ColorizedPhotographs) -> Array:
    """Structural similarity of the picture, in sRGB, window 7."""
    return structural_similarity(pictures.rgb, pictures.shown_rgb)


@_metric("CIEDE2000", "", higher_is_better=False)
def ciede2000(pictures: ColorizedPhotographs) -> Array:
    """Mean perceptual colour difference."""
    # Of the clipped pictures: out of sRGB, Lab says what nobody sees.
    return _photograph_means(color_difference(pictures.lab, pictures.shown[1]))


@_metric("Colourfulness", "", higher_is_better=None)
def colorfulness(pictures: ColorizedPhotographs) -> Array:
    """Hasler and Suesstrunk's measure of the picture, 0..255 scale."""
    return pictures.shown_colorfulness


@_metric("Colourfulness / truth's", "", higher_is_better=None)
def colorfulness_ratio(pictures: ColorizedPhotographs) -> Array:
    """1 is as colourful as the photographs."""
    return pictures.shown_colorfulness / max(pictures.mean_truth_colorfulness, 1e-9)


METRICS = tuple(_DECLARED)
"""The metrics, in the order in which they are shown."""


@np.errstate(invalid="ignore", over="ignore")
def per_photograph(pictures: ColorizedPhotographs) -> pd.DataFrame:
    """Return one row a photograph, one column for each of `METRICS`. The data set's value is a column's mean.

    A model that predicts NaN scores NaN.
    """
    return pd.DataFrame({metric.name: function(pictures) for metric, function in _DECLARED.items()})


def _photograph_means(values: Array) -> Array:
    """Average over pixels, (n, height, width) -> (n,): in the same order however many photographs there are."""
    return values.reshape(len(values), -1).mean(axis=1)


def auc(distance: Array) -> Array:
    """Return each pixel's contribution to AuC: 1 - min(d, 150) / 150 for its distance d in the ab plane.

    The mean over pixels is the area under the curve of the share of pixels within a threshold t, t in 0..150,
    divided by 150 (paper, section 3.1).
    """
    return 1 - np.minimum(distance, AUC_LIMIT) / AUC_LIMIT


def psnr_of(truth: Array, shown: Array) -> Array:
    """Return the PSNR in dB, at most `MAX_PSNR`, which equal pictures get: (n, height, width, 3) in 0..1 -> (n,)."""
    channels = (_squared(truth[..., channel], shown[..., channel]) for channel in range(3))
    squared = sum(map(_photograph_means, channels), np.zeros(len(truth))) / 3
    return -10 * np.log10(np.maximum(squared, 10 ** (-MAX_PSNR / 10)))


def _squared(one: Array, other: Array) -> Array:
    difference = np.asarray(one, np.float64) - other
    return difference * difference


def colorfulness_of(rgb: Array) -> Array:
    """Return Hasler and Suesstrunk's colourfulness (2003, equation 15): (n, height, width, 3) in 0..1 -> (n,).

    rg = R - G; yb = (R + G) / 2 - B; sqrt(var(rg) + var(yb)) + 0.3 sqrt(mean(rg)^2 + mean(yb)^2), on a 0..255 scale.
    """
    red, green, blue = (255 * np.asarray(rgb[..., channel], np.float64).reshape(len(rgb), -1) for channel in range(3))
    opponents = (red - green, (red + green) / 2 - blue)
    spread = np.sqrt(sum(opponent.var(axis=1) for opponent in opponents))
    offset = np.sqrt(sum(opponent.mean(axis=1) ** 2 for opponent in opponents))
    return np.asarray(spread + 0.3 * offset)


def class_counts(ab: Array, *, step: int = 10) -> npt.NDArray[np.int64]:
    """Count pixels by their nearest colour class: (..., 2) -> (num_bins,)."""
    return np.bincount(_nearest_class(ab, step).ravel(), minlength=len(ab_gamut(step)))


def balanced_pixel_weights(
    ab: Array, *, counts: npt.NDArray[np.int64] | None = None, step: int = 10
) -> npt.NDArray[np.float64]:
    """Weight every pixel by 1 / p(its nearest colour class), p over the whole evaluation set, with mean 1 over it.

    Args:
        ab: (n, height, width, 2), true ab.
        counts: (num_bins,), `class_counts` of the whole evaluation set; None if `ab` is all of it.
        step: Grid step of the classes.

    Returns:
        (n, height, width).
    """
    if counts is None:
        counts = class_counts(ab, step=step)
    of_class = counts.sum() / (np.count_nonzero(counts) * np.maximum(counts, 1))
    return of_class[_nearest_class(ab, step)]


def _nearest_class(ab: Array, step: int) -> npt.NDArray[np.int32]:
    """Return the index of the colour class nearest to each ab, (..., 2) -> (...), as `soft_encoding.nearest_bin`."""
    lattice = _lattice(step)
    reach = len(lattice) // 2
    # The classes are points of a lattice: where the nearest one of all the lattice is a class, it is the nearest.
    # Half way between two, the lower one.
    rows, columns = np.moveaxis(np.clip(np.ceil(ab / step - 0.5).astype(np.int32) + reach, 0, 2 * reach), -1, 0)
    classes: npt.NDArray[np.int32] = np.take(lattice, rows * len(lattice) + columns)
    beyond = classes < 0
    if beyond.any():
        from ablate.colorization.color.soft_encoding import nearest_bin

        classes[beyond] = nearest_bin(ab[beyond], step=step).numpy()
    return classes


@lru_cache
def _lattice(step: int) -> npt.NDArray[np.int32]:
    """Return the index of the class at each lattice point, a and b from -reach to reach; -1 where there is none."""
    points = (ab_gamut(step) / step).astype(np.int64)
    reach = int(np.abs(points).max()) + 1
    lattice = np.full((2 * reach + 1,) * 2, -1, np.int32)
    lattice[*(points + reach).T] = np.arange(len(points))
    return lattice
