"""Inference: a trained network's ab for photographs, at any side."""

from collections.abc import Sequence

import keras
import numpy as np
import numpy.typing as npt

from ablate.colorization.config import ColorConfig
from ablate.colorization.data.batches import to_example
from ablate.colorization.data.decode import Pixels
from ablate.colorization.model.decoding import decode, upsample

Array = npt.NDArray[np.float32]


def predict_ab(
    model: keras.Model, squares: Sequence[Pixels], color: ColorConfig, *, batch_size: int = 32
) -> list[Array]:
    """Colourise photographs, of which the model sees L alone.

    Args:
        model: The trained network.
        squares: (image_size, image_size, 3) each.
        color: How outputs are decoded.
        batch_size: Photographs at a time.

    Returns:
        For each (height, width, 2), ab at the side of the network's output.
    """
    predicted: list[Array] = []
    for start in range(0, len(squares), batch_size):
        outputs = model.predict_on_batch(to_example(np.stack(squares[start : start + batch_size]))[0])
        predicted += list(decode(outputs, step=color.grid_step, temperature=color.temperature).numpy())
    return predicted


def enlarged(ab: Array, side: int) -> Array:
    """Upsample ab bilinearly, as evaluation does: (height, width, 2) -> (side, side, 2)."""
    return upsample(ab[None], side).numpy()[0]
