"""A forward pass of the released network in NumPy, from its code in PyTorch: no framework, in float64."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.signal import correlate

Array = npt.NDArray[np.float64]

_CONVOLUTIONS = {1: (2, 2, 1), 2: (2, 2, 1), 3: (3, 2, 1), 4: (3, 1, 1), 5: (3, 1, 2), 6: (3, 1, 2), 7: (3, 1, 1)}
"""Of each block how many convolutions, the stride of the last, the dilation."""


def released_logits(tensors: Mapping[str, npt.NDArray[Any]], L: npt.NDArray[np.float32]) -> Array:
    """Return the logits (side / 4, side / 4, 313) of one square L (side, side) in 0..100."""
    values = {name: np.asarray(value, np.float64) for name, value in tensors.items()}
    x = (L.astype(np.float64)[None] - 50) / 100
    for block, (number, stride, dilation) in _CONVOLUTIONS.items():
        for place in range(number):
            step = stride if place == number - 1 else 1
            x = np.maximum(_convolve(x, values, f"model{block}.{2 * place}", step, dilation), 0)
        x = _normalize(x, values, f"model{block}.{2 * number}")
    x = np.maximum(_convolve_transposed(x, values, "model8.0"), 0)
    x = np.maximum(_convolve(x, values, "model8.2"), 0)
    x = np.maximum(_convolve(x, values, "model8.4"), 0)
    return _convolve(x, values, "model8.6").transpose(1, 2, 0)


def _convolve(x: Array, values: Mapping[str, Array], name: str, stride: int = 1, dilation: int = 1) -> Array:
    kernels, bias = values[f"{name}.weight"], values[f"{name}.bias"]
    size = kernels.shape[-1]
    spread = np.zeros((*kernels.shape[:2], (size - 1) * dilation + 1, (size - 1) * dilation + 1))
    spread[..., ::dilation, ::dilation] = kernels
    pad = dilation * (size // 2)
    padded = np.pad(x, [(0, 0), (pad, pad), (pad, pad)])
    planes = [correlate(padded, kernel, "valid", method="direct")[0] for kernel in spread]
    return np.stack(planes)[:, ::stride, ::stride] + bias[:, None, None]


def _convolve_transposed(x: Array, values: Mapping[str, Array], name: str) -> Array:
    """Add every input times the kernel (in, out, 4, 4) to a canvas at stride 2; cut one pixel off every side."""
    kernels, bias = values[f"{name}.weight"], values[f"{name}.bias"]
    _, height, width = x.shape
    canvas = np.zeros((kernels.shape[1], 2 * height + 2, 2 * width + 2))
    for row in range(height):
        for column in range(width):
            patch = np.tensordot(x[:, row, column], kernels, 1)
            canvas[:, 2 * row : 2 * row + 4, 2 * column : 2 * column + 4] += patch
    return canvas[:, 1:-1, 1:-1] + bias[:, None, None]


def _normalize(x: Array, values: Mapping[str, Array], name: str) -> Array:
    kinds = ("weight", "bias", "running_mean", "running_var")
    gamma, beta, mean, variance = (values[f"{name}.{kind}"][:, None, None] for kind in kinds)
    return (x - mean) / np.sqrt(variance + 1e-5) * gamma + beta
