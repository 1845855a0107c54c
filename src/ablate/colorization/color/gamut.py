"""The quantised ab plane: the colour classes that the network chooses from (paper, section 2.1)."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

Bins = npt.NDArray[np.float32]

POLYGON = (
    (-90, 90), (-90, 50), (-80, 20), (-60, -20), (-30, -50), (10, -80), (40, -100), (60, -110),
    (90, -110), (100, -90), (100, 0), (90, 70), (70, 80), (40, 90), (0, 100), (-50, 100),
)  # fmt: skip
"""Corners (a, b) of the convex hull of the paper's 313 classes, counter-clockwise."""


@lru_cache
def ab_gamut(step: int = 10) -> Bins:
    """Return the colour classes: the lattice points inside or on `POLYGON`, sorted by a, then b.

    Args:
        step: Distance of neighbouring lattice points in ab units, a positive integer. 10 gives the
            paper's 313 classes in their published order.

    Returns:
        Array of shape (num_bins, 2), read-only.

    Raises:
        ValueError: `step` is not a positive integer.
    """
    if step != int(step) or step < 1:
        raise ValueError(f"`step` must be a positive integer. Received: step={step}")
    corners = np.array(POLYGON, dtype=np.int64)
    low, high = corners.min() // step, corners.max() // step + 1
    axis = np.arange(low, high + 1, dtype=np.int64) * step
    points = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    # Integers, so that a point on an edge has a cross product of exactly zero.
    edges = np.roll(corners, -1, axis=0) - corners
    offsets = points[:, None, :] - corners[None, :, :]
    crosses = edges[:, 0] * offsets[..., 1] - edges[:, 1] * offsets[..., 0]
    bins = points[(crosses >= 0).all(axis=1)].astype(np.float32)
    bins.setflags(write=False)
    return bins
