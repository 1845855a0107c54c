"""Counts of pixels by their nearest colour class, exact and as fast as decoding. No TensorFlow."""

import numpy as np
import numpy.typing as npt

from ablate.colorization.color.gamut import ab_gamut

_UNKNOWN = -1


class ClassCounter:
    """Counts the pixels of photographs by nearest colour class.

    The class of each of the 2^24 colours is looked up; it is computed when the colour is first met.

    Args:
        grid_step: Grid step of the classes.

    Attributes:
        counts: (num_bins,), int64: pixels so far.
    """

    def __init__(self, grid_step: int = 10):
        self._bins = ab_gamut(grid_step).astype(np.float64)
        self._grid_step = grid_step
        self._reach = int(np.abs(self._bins).max()) // grid_step + 1
        self._lattice = np.full((2 * self._reach + 1,) * 2, _UNKNOWN, np.int16)
        rows, columns = (self._bins / grid_step).astype(int).T + self._reach
        self._lattice[rows, columns] = np.arange(len(self._bins))
        self._class_of = np.full(1 << 24, _UNKNOWN, np.int16)
        self.counts = np.zeros(len(self._bins), np.int64)

    def add(self, pixels: npt.NDArray[np.uint8]) -> None:
        """Count a photograph: (height, width, 3), sRGB."""
        codes = np.zeros((*pixels.shape[:2], 4), np.uint8)
        codes[..., :3] = pixels
        colors = codes.view(np.uint32).ravel()
        classes = self._class_of[colors]
        if classes.min() == _UNKNOWN:
            # Not `lab.pixels_to_lab`: 58 of the 2^24 colours would change their class, and class weights with them.
            from skimage.color import rgb2lab

            new = np.unique(colors[classes == _UNKNOWN])
            rgb = new.view(np.uint8).reshape(-1, 4)[:, :3].astype(np.float32) / 255
            self._class_of[new] = self._nearest(rgb2lab(rgb)[:, 1:].astype(np.float64))
            classes = self._class_of[colors]
        self.counts += np.bincount(classes, minlength=len(self.counts))

    def _nearest(self, ab: npt.NDArray[np.float64]) -> npt.NDArray[np.int16]:
        """Return the class nearest to each ab, (n, 2) -> (n,).

        Not `soft_encoding.nearest_bin`, which is for TensorFlow: a worker of a preparation imports none.
        """
        # The classes are points of a lattice: where the nearest one of all the lattice is a class, it is the nearest.
        rows, columns = np.clip(np.rint(ab / self._grid_step).astype(int) + self._reach, 0, 2 * self._reach).T
        classes = self._lattice[rows, columns]
        for index in np.flatnonzero(classes == _UNKNOWN):
            classes[index] = ((self._bins - ab[index]) ** 2).sum(axis=1).argmin()
        return classes
