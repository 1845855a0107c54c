"""A trained network with all that colouring takes, and nothing of training. No TensorFlow until it predicts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ablate.colorization.config import ColorConfig

if TYPE_CHECKING:
    import keras

Array = npt.NDArray[np.float32]
BATCH = 32
"""Most squares that a network gets at a time."""


@dataclass(frozen=True, eq=False)
class Colorizer:
    """A trained network that colours photographs.

    Attributes:
        model: From (batch_size, side, side, 1), (L - 50) / 100, to logits of the colour classes or, of a regression
            network, two channels of ab; see `backbone.build_backbone`.
        color: How outputs are decoded.
        name: What pictures and files are called after.
        batch_size: Most squares that it is given at a time.
    """

    model: keras.Model
    color: ColorConfig
    name: str
    batch_size: int = BATCH

    @property
    def image_size(self) -> int:
        """Side of the square that the network sees, in pixels."""
        return int(self.model.input_shape[1])

    @property
    def output_size(self) -> int:
        """Side of the square of colours that it gives."""
        return int(self.model.output_shape[1])

    def predict_ab(self, squares: npt.NDArray[Any], *, batch_size: int | None = None) -> Array:
        """Colour squares, of which the network sees L alone.

        Args:
            squares: (n, image_size, image_size, 3), uint8 sRGB; or (n, image_size, image_size), any float, L in
                0..100.
            batch_size: Squares at a time; None for its own.

        Returns:
            (n, output_size, output_size, 2), ab.

        Raises:
            ValueError: The squares have another shape.
        """
        side = self.image_size
        if squares.shape[1:] not in ((side, side, 3), (side, side)):
            raise ValueError(
                f"`squares` must be (n, {side}, {side}, 3) or (n, {side}, {side}). Received: {squares.shape}"
            )
        from ablate.colorization.color.lab import pixels_to_lab

        batch_size = batch_size or self.batch_size
        ab = np.empty((len(squares), self.output_size, self.output_size, 2), np.float32)
        for start in range(0, len(squares), batch_size):
            some = squares[start : start + batch_size]
            L = pixels_to_lab(some)[..., :1] if some.ndim == 4 else some[..., None].astype(np.float32)
            ab[start : start + batch_size] = self._decoded((L - np.float32(50)) / np.float32(100)).numpy()
        return ab

    @cached_property
    def _decoded(self) -> Callable[[Array], Any]:
        """The network and its decoding as one graph, traced once for batches of any size."""
        import tensorflow as tf

        from ablate.colorization.model.decoding import decode

        def decoded(L: tf.Tensor) -> tf.Tensor:
            outputs = self.model(L, training=False)
            return decode(outputs, step=self.color.grid_step, temperature=self.color.temperature)

        shape = (None, self.image_size, self.image_size, 1)
        # Concrete: TensorFlow warns of functions that are traced for each of several networks.
        traced = tf.function(decoded).get_concrete_function(tf.TensorSpec(shape, tf.float32))
        return lambda L: traced(tf.constant(L))
