"""How good colourised photographs are: a value for every photograph, whose mean is the data set's."""

import numpy as np
import numpy.typing as npt
import pandas as pd
from skimage.color import deltaE_ciede2000
from skimage.metrics import structural_similarity

from ablate.colorization.color.gamut import ab_gamut
from ablate.colorization.color.lab import lab_to_rgb, rgb_to_lab
from ablate.colorization.color.soft_encoding import nearest_bin

Array = npt.NDArray[np.floating]

AUC_LIMIT = 150.0
MAX_PSNR = 100.0


def auc(distance: Array) -> Array:
    """Return each pixel's contribution to AuC: 1 - min(d, 150) / 150 for its distance d in the ab plane.

    The mean over pixels is the area under the curve of the share of pixels within a threshold t, t in 0..150,
    divided by 150 (paper, section 3.1).
    """
    return 1 - np.minimum(distance, AUC_LIMIT) / AUC_LIMIT


def colorfulness(rgb: Array) -> Array:
    """Return Hasler and Suesstrunk's colourfulness (2003, equation 15): (n, height, width, 3) in 0..1 -> (n,).

    rg = R - G; yb = (R + G) / 2 - B; sqrt(var(rg) + var(yb)) + 0.3 sqrt(mean(rg)^2 + mean(yb)^2), on a 0..255 scale.
    """
    red, green, blue = np.moveaxis(np.asarray(rgb, dtype=np.float64) * 255, -1, 0)
    opponents = np.stack([red - green, (red + green) / 2 - blue])
    spread = np.sqrt(opponents.var(axis=(2, 3)).sum(axis=0))
    offset = np.sqrt((opponents.mean(axis=(2, 3)) ** 2).sum(axis=0))
    return spread + 0.3 * offset


def psnr(truth: Array, predicted: Array) -> Array:
    """Return the PSNR in dB, at most `MAX_PSNR`, which equal pictures get: (n, height, width, 3) in 0..1 -> (n,)."""
    squared = ((np.asarray(truth, np.float64) - predicted) ** 2).mean(axis=(1, 2, 3))
    return -10 * np.log10(np.maximum(squared, 10 ** (-MAX_PSNR / 10)))


def class_counts(ab: Array, *, step: int = 10) -> npt.NDArray[np.int64]:
    """Count pixels by their nearest colour class: (..., 2) -> (num_bins,)."""
    return np.bincount(nearest_bin(ab, step=step).numpy().ravel(), minlength=len(ab_gamut(step)))


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
    return of_class[nearest_bin(ab, step=step).numpy()]


def per_photograph(lab: Array, predicted_ab: Array, *, weights: Array, mean_truth_colorfulness: float) -> pd.DataFrame:
    """Evaluate colourised photographs against the truth.

    AuC and RMSE compare ab as predicted; the others compare the pictures that one sees: the predicted ab with the
    true L, clipped to sRGB.

    Args:
        lab: (n, side, side, 3), the truth.
        predicted_ab: (n, side, side, 2).
        weights: (n, side, side), from `balanced_pixel_weights` over the whole evaluation set.
        mean_truth_colorfulness: Mean colourfulness of the whole evaluation set.

    Returns:
        One row a photograph, one column for each of `metric_specs.METRICS`. The data set's value is a column's mean.
    """
    distance = np.linalg.norm(np.asarray(lab[..., 1:], np.float64) - predicted_ab, axis=-1)
    close = auc(distance)
    truth = lab_to_rgb(lab).numpy()
    shown = lab_to_rgb(np.concatenate([lab[..., :1], predicted_ab], axis=-1)).numpy()
    difference = deltaE_ciede2000(rgb_to_lab(truth).numpy(), rgb_to_lab(shown).numpy())
    colors = colorfulness(shown)
    similarity = [
        structural_similarity(one, other, channel_axis=-1, data_range=1.0)
        for one, other in zip(truth, shown, strict=True)
    ]
    return pd.DataFrame(
        {
            "auc_raw": 100 * close.mean(axis=(1, 2)),
            "auc_rebalanced": 100 * (weights * close).mean(axis=(1, 2)),
            "ab_rmse": np.sqrt((distance**2).mean(axis=(1, 2))),
            "psnr": psnr(truth, shown),
            "ssim": similarity,
            "ciede2000": difference.mean(axis=(1, 2)),
            "colorfulness": colors,
            "colorfulness_ratio": colors / max(mean_truth_colorfulness, 1e-9),
        }
    )
