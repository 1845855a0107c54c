"""Statistics of a picture's L that could tell a real picture from a recoloured one of the same L. Pure functions."""

import zlib

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from ablate.turing.build.exact_lab import Array

STEPS = (1.0, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001)
"""Steps at which distinct values are counted."""
_QUANTILES = (0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1)
_EXACT = 1e-9
"""What counts as the same L."""


def lightness_statistics(L: Array, resolution: float | None = None) -> dict[str, float]:
    """Return statistics of L: how it is distributed, its last digits, how many values there are, noise and texture.

    Args:
        L: (height, width), 0..100.
        resolution: To which L is known; None for exactly.

    Returns:
        By name.
    """
    known = L if resolution is None else np.round(L / resolution) * resolution
    return {**_levels(known), **_digits(known), **_distinct(known), **_texture(known), **_compressed(known)}


def _levels(L: Array) -> dict[str, float]:
    """Moments, quantiles, a histogram, and how much is nearly black or white."""
    found = {"mean": L.mean(), "standard deviation": L.std()}
    found |= {f"quantile {q:g}": value for q, value in zip(_QUANTILES, np.quantile(L, _QUANTILES), strict=True)}
    shares = np.histogram(L, np.linspace(0, 100, 21))[0] / L.size
    found |= {f"share from {5 * place} on": share for place, share in enumerate(shares)}
    for end in (0.01, 0.1, 1.0):
        found |= {f"share below {end:g}": (end > L).mean(), f"share above {100 - end:g}": (100 - end < L).mean()}
    return {name: float(value) for name, value in found.items()}


def _digits(L: Array) -> dict[str, float]:
    """Fractional parts: a histogram, and how uneven it is."""
    found = dict[str, float]()
    for step in (1.0, 0.1, 0.01):
        parts = ((L + _EXACT) / step % 1).ravel()
        shares = np.histogram(parts, np.linspace(0, 1, 11))[0] / L.size
        found |= {f"part {place} of {step:g}": float(share) for place, share in enumerate(shares)}
        fine = np.histogram(parts, np.linspace(0, 1, 101))[0] / L.size
        found[f"unevenness of parts of {step:g}"] = float((fine**2).sum())
    return found


def _distinct(L: Array) -> dict[str, float]:
    """Distinct values, rounded to the nearest step and to the one below, and how often they occur."""
    found = {}
    for step in STEPS:
        for name, cells in (("rounded", np.rint(L / step)), ("cut off", np.floor((L + _EXACT) / step))):
            counts = np.bincount(cells.astype(np.int64).ravel())
            counts = counts[counts > 0]
            found[f"distinct values at {step:g}, {name}"] = float(counts.size)
            found[f"values that occur once at {step:g}, {name}"] = float((counts == 1).sum())
            found[f"entropy at {step:g}, {name}"] = float(-(counts / L.size * np.log(counts / L.size)).sum())
    return found


def _texture(L: Array) -> dict[str, float]:
    """Local noise, edges, and energy by frequency."""
    edges = 4 * L[1:-1, 1:-1] - L[:-2, 1:-1] - L[2:, 1:-1] - L[1:-1, :-2] - L[1:-1, 2:]
    size = np.abs(edges)
    across, down = np.abs(np.diff(L, axis=1)), np.abs(np.diff(L, axis=0))
    variance = ndimage.uniform_filter(L**2, 3) - ndimage.uniform_filter(L, 3) ** 2
    local = np.sqrt(np.maximum(variance, 0))
    found = {
        "edges": size.mean(),
        "edges squared": (edges**2).mean(),
        "median edge": np.median(size),
        "edges to the fourth": (edges**4).mean(),
        "share of edges below 0.05": (size < 0.05).mean(),
        "share of edges below 0.5": (size < 0.5).mean(),
        "neighbours of edges": (edges[:, 1:] * edges[:, :-1]).mean(),
        "change across": across.mean(),
        "change down": down.mean(),
        "share of neighbours within 0.005": (np.mean(across < 0.005) + np.mean(down < 0.005)) / 2,
        "share of neighbours within 0.05": (np.mean(across < 0.05) + np.mean(down < 0.05)) / 2,
        **{f"local noise, quantile {q:g}": np.quantile(local, q) for q in (0.01, 0.1, 0.5, 0.9)},
    }
    power = np.abs(np.fft.rfft2(L - L.mean())) ** 2
    frequency = np.hypot(np.fft.fftfreq(L.shape[0])[:, None], np.fft.rfftfreq(L.shape[1]))
    for low, high in ((0, 0.0625), (0.0625, 0.125), (0.125, 0.25), (0.25, 0.375), (0.375, 0.5), (0.5, 1)):
        inside = (frequency >= low) & (frequency < high)
        found[f"energy from {low:g} cycles a pixel on"] = np.log(power[inside].mean() + _EXACT)
    return {name: float(value) for name, value in found.items()}


def _compressed(L: Array) -> dict[str, float]:
    """Size of L as a compressed file, in 8 and in 16 bits."""
    depths: dict[str, npt.NDArray[np.unsignedinteger]] = {
        "8 bits": np.rint(2.55 * L).astype(np.uint8),
        "16 bits": np.rint(655.35 * L).astype(np.uint16),
    }
    return {f"compressed size, {name}": float(len(zlib.compress(own.tobytes(), 6))) for name, own in depths.items()}
