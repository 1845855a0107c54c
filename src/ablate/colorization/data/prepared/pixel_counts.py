"""Counts of pixels by nearest colour class for preparations, fast from the first photograph on. No TensorFlow."""

import numpy as np
import numpy.typing as npt
from skimage.color.colorconv import xyz_from_rgb, xyz_tristimulus_values

from ablate.colorization.color.class_counts import ClassCounter

_CURVE_END = 0.04045
_LIGHT = np.array([x / 12.92 if x <= _CURVE_END else ((x + 0.055) / 1.055) ** 2.4 for x in np.arange(256) / 255], "f4")
"""Linear light of each 8-bit value."""
_TO_XYZ = (xyz_from_rgb / xyz_tristimulus_values(illuminant="D65", observer="2")[:, None]).T.astype(np.float32)
_TO_AB = np.array([[500, 0], [-500, 200], [0, -200]], np.float32)
_DOUBT = 0.02
"""A colour so near to the border of two classes, in ab units, is left to `ClassCounter`: ab is exact to 1e-3 here."""
_BLOCK = 4096
_UNKNOWN = -1


class PixelCounter(ClassCounter):
    """A `ClassCounter` whose empty table costs little: colours whose class is beyond doubt are computed in float32.

    Workers of a preparation begin with empty tables, and photographs bring new colours all the time.
    """

    def __init__(self, grid_step: int = 10):
        super().__init__(grid_step)
        self._doubtful: list[npt.NDArray[np.uint32]] = []

    def add(self, pixels: npt.NDArray[np.uint8]) -> None:
        """Count a photograph: (height, width, 3), sRGB; some of its pixels not before `settle`."""
        codes = np.zeros((*pixels.shape[:2], 4), np.uint8)
        codes[..., :3] = pixels
        colors = codes.view(np.uint32).ravel()
        classes = np.take(self._class_of, colors)
        unknown = classes == _UNKNOWN
        if unknown.any():
            new = colors[unknown]
            # As many at a time as stay in the processor's cache.
            for start in range(0, len(new), _BLOCK):
                block = new[start : start + _BLOCK]
                self._class_of[block] = self._certain(block.view(np.uint8).reshape(-1, 4)[:, :3])
            classes[unknown] = found = np.take(self._class_of, new)
            self._doubtful.append(new[found == _UNKNOWN])
        self.counts += np.bincount(classes + 1, minlength=len(self.counts) + 1)[1:]

    def reset(self) -> None:
        """Begin to count anew; the table stays."""
        self.counts[:] = 0
        self._doubtful.clear()

    def settle(self) -> None:
        """Count the pixels whose class was in doubt."""
        if self._doubtful:
            colors = np.concatenate(self._doubtful)
            self._doubtful.clear()
            super().add(colors.view(np.uint8).reshape(1, -1, 4)[..., :3])

    def _nearest(self, ab: npt.NDArray[np.float64]) -> npt.NDArray[np.int16]:
        rows, columns = np.clip(np.rint(ab / self._grid_step).astype(int) + self._reach, 0, 2 * self._reach).T
        classes = self._lattice[rows, columns]
        beyond = np.flatnonzero(classes == _UNKNOWN)
        for start in range(0, len(beyond), _BLOCK // 16):
            part = beyond[start : start + _BLOCK // 16]
            classes[part] = ((self._bins - ab[part][:, None]) ** 2).sum(axis=-1).argmin(axis=1)
        return classes

    def _certain(self, colors: npt.NDArray[np.uint8]) -> npt.NDArray[np.int16]:
        """Return the class of colours, (n, 3) -> (n,), or `_UNKNOWN` where that is in doubt."""
        f = np.take(_LIGHT, colors) @ _TO_XYZ
        line = np.float32(7.787) * f + np.float32(16 / 116)
        f = np.minimum(np.exp(np.log(np.maximum(f, np.float32(0.008856))) / 3), line)
        cells = f @ (_TO_AB / self._grid_step)
        nearest = np.rint(cells)
        rows, columns = np.clip(nearest.T.astype(np.int32) + self._reach, 0, 2 * self._reach)
        classes = self._lattice[rows, columns]
        in_doubt = (np.abs(cells - nearest) > 0.5 - _DOUBT / self._grid_step).any(axis=1)
        return np.where(in_doubt, np.int16(_UNKNOWN), classes)
