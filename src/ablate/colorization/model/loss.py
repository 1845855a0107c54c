"""The losses: class-rebalanced and plain cross-entropy over colour classes, and Euclidean regression on ab.

All take the true ab as target, so that the data pipeline is the same for every loss:
`y_true` (batch, side, side, 2) in ab units; `y_pred` (batch, output_side, output_side, channels), the network's
output, whose side divides the target's: the target is averaged over the pixels that an output pixel covers.
"""

from typing import Any, Literal

import keras
import tensorflow as tf

from ablate.colorization.color.gamut import ab_gamut
from ablate.colorization.color.soft_encoding import soft_encode
from ablate.colorization.model.decoding import AB_SCALE

PixelReduction = Literal["mean", "sum"]
GREY_LIMIT = 5.0
"""A photograph with no |a| or |b| above this counts as grey (released code)."""
PAPER_PIXELS = 64 * 64
"""Output pixels of a photograph in the paper."""


def penalty_coefficient(l2: float, *, pixel_reduction: PixelReduction, output_side: int) -> float:
    """Return c of the penalty c * sum(w^2) that is as strong beside a loss as the paper's is beside its own.

    The paper sums the losses e_i of a photograph's P = 4,096 output pixels, averages that over the batch, and decays
    weights by d, which is the gradient of l2 * sum(w^2) with l2 = d / 2:

        sum_i e_i + l2 sum(w^2) = P (mean_i e_i + l2 / P sum(w^2))

    So c = l2 / P beside the mean over pixels, however many there are, and p times that beside the sum over p pixels:
    at the paper's 64x64, l2 itself. The minimum is the same for both reductions and every output side.

    Args:
        l2: Half the weight decay of the paper's loss: 5e-4 in the paper.
        pixel_reduction: Of the loss.
        output_side: Side of the network's output in pixels, p = output_side^2.
    """
    return l2 / PAPER_PIXELS * (output_side**2 if pixel_reduction == "sum" else 1)


class _ColorLoss(keras.losses.Loss):
    """Reduces a loss a pixel to one a photograph, leaving out grey photographs; Keras averages over the batch."""

    def __init__(self, *, pixel_reduction: PixelReduction = "mean", mask_grey: bool = True, **kwargs: Any):
        super().__init__(**kwargs)
        if pixel_reduction not in ("mean", "sum"):
            raise ValueError(
                f"`pixel_reduction` must be one of mean, sum. Received: pixel_reduction={pixel_reduction}"
            )
        self.pixel_reduction = pixel_reduction
        self.mask_grey = mask_grey

    def pixel_loss(self, ab: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
        """Return the loss of each pixel: (batch, height, width), float32."""
        raise NotImplementedError

    def call(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        truth = tf.cast(y_true, tf.float32)
        factor = _factor(truth.shape[1], y_pred.shape[1])
        ab = tf.nn.avg_pool2d(truth, factor, factor, "VALID") if factor > 1 else truth
        # In float32 whatever the network's precision: sums over 313 classes and 4,096 pixels lose float16's digits.
        pixels = self.pixel_loss(ab, tf.cast(y_pred, tf.float32))
        reduce = tf.reduce_mean if self.pixel_reduction == "mean" else tf.reduce_sum
        losses = reduce(pixels, axis=(1, 2))
        if self.mask_grey:
            # At the photograph's own side, so that the same ones are grey at every output resolution.
            colored = tf.reduce_max(tf.abs(truth), axis=(1, 2, 3)) > GREY_LIMIT
            losses = tf.where(colored, losses, tf.zeros_like(losses))
        return losses

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "pixel_reduction": self.pixel_reduction,
            "mask_grey": self.mask_grey,
        }


def _factor(side: int, output_side: int) -> int:
    if side % output_side:
        raise ValueError(f"the output's side must divide the target's. Received: {output_side} and {side}")
    return side // output_side


@keras.saving.register_keras_serializable(package="ablate")
class ColorCrossEntropy(_ColorLoss):
    """Cross-entropy between the soft encoding of the true ab and the predicted classes (paper, equation 2).

    For a pixel with soft encoding (i_1, v_1) .. (i_k, v_k), sum(v) = 1, and logits z:
    loss = w(i_1) * (logsumexp(z) - sum_j v_j z(i_j)), with w the weight of the nearest class.

    Args:
        class_weights: (num_bins,), or None for the unweighted loss.
        step: Grid step of the classes.
        k: Classes a pixel in the soft encoding.
        sigma: Width of the soft encoding's Gaussian in ab units.
        pixel_reduction: `mean` over a photograph's pixels, comparable between output resolutions; `sum` as the paper.
            An L2 penalty follows it, see `penalty_coefficient`.
        mask_grey: Whether grey photographs count 0, as in the released code.
        **kwargs: Of `keras.losses.Loss`.

    Raises:
        ValueError: `class_weights` has the wrong length, or `pixel_reduction` is unknown.
    """

    def __init__(
        self,
        *,
        class_weights: list[float] | None = None,
        step: int = 10,
        k: int = 5,
        sigma: float = 5.0,
        pixel_reduction: PixelReduction = "mean",
        mask_grey: bool = True,
        **kwargs: Any,
    ):
        super().__init__(pixel_reduction=pixel_reduction, mask_grey=mask_grey, **kwargs)
        num_bins = len(ab_gamut(step))
        if class_weights is not None and len(class_weights) != num_bins:
            raise ValueError(f"`class_weights` must have {num_bins} entries. Received: {len(class_weights)}")
        self.class_weights = None if class_weights is None else [float(weight) for weight in class_weights]
        self.step, self.k, self.sigma = step, k, sigma

    def pixel_loss(self, ab: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
        indices, weights = soft_encode(ab, step=self.step, k=self.k, sigma=self.sigma)
        near = tf.gather(outputs, indices, batch_dims=3)
        losses = tf.reduce_logsumexp(outputs, axis=-1) - tf.reduce_sum(weights * near, axis=-1)
        if self.class_weights is not None:
            losses *= tf.gather(tf.constant(self.class_weights, tf.float32), indices[..., 0])
        return losses

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "class_weights": self.class_weights,
            "step": self.step,
            "k": self.k,
            "sigma": self.sigma,
        }


@keras.saving.register_keras_serializable(package="ablate")
class EuclideanLoss(_ColorLoss):
    """Half the squared Euclidean distance of ab, in units of `AB_SCALE` (paper, equation 1).

    loss = 1/2 |ab / AB_SCALE - output|^2. Its network has two output channels.
    """

    def pixel_loss(self, ab: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
        return 0.5 * tf.reduce_sum(tf.square(ab / AB_SCALE - outputs), axis=-1)
