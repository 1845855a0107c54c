"""The network as a Keras model, built from the list of layers in `architecture`."""

import hashlib
from collections.abc import Sequence

import keras
import tensorflow as tf

from ablate.colorization.model.architecture import Layer

BATCH_NORM_EPSILON = 1e-5
BATCH_NORM_MOMENTUM = 0.9


def layer_seed(seed: int, name: str) -> int:
    """Derive a layer's own seed from the run's: layers that two variants share start with the same values."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{name}".encode()).digest()[:4], "big") & 0x7FFFFFFF


def build_backbone(layers: Sequence[Layer], *, side: int, seed: int = 0, l2: float = 0.0) -> keras.Model:
    """Build the network.

    Kernels start from He's normal distribution (they feed ReLUs; the head's from Glorot's uniform), biases from 0.

    Args:
        layers: From `architecture.network_layers`.
        side: Side of the square input in pixels, one that `architecture.check_side` accepts.
        seed: Seed of the initial values and of dropout.
        l2: Adds l2 * sum(kernel^2) of every convolution to the loss; biases and batch norm are left out.
            The gradient is 2 * l2 * kernel: l2 is half of what Caffe and PyTorch call weight decay.

    Returns:
        A model from (batch_size, side, side, 1), (L - 50) / 100, to (batch_size, height, width, channels):
        logits of the colour classes, or ab / `decoding.AB_SCALE`, in float32 under every precision. It holds Keras'
        own layers and operations only.

    Example:
        >>> from ablate.colorization.model.architecture import Block, network_layers
        >>> blocks = [Block(number=1, filters=8, convolutions=2, stride=4), Block(number=2, filters=8, convolutions=1)]
        >>> build_backbone(network_layers(blocks, output_stride=4, outputs=313), side=64).output_shape
        (None, 16, 16, 313)
    """
    # Where several devices share a batch, batch norm is over all of it.
    several_devices = tf.distribute.get_strategy().num_replicas_in_sync > 1
    x = inputs = keras.Input((side, side, 1), name="L")
    factor = 1
    for layer in layers:
        if layer.kind != "batch_norm" and layer.dilation != factor:
            x, factor = _batch_to_space(x, factor), 1
            if x.shape[1] % layer.dilation == 0:
                x, factor = _space_to_batch(x, layer.dilation), layer.dilation
        if layer.kind == "batch_norm":
            x = keras.layers.BatchNormalization(
                epsilon=BATCH_NORM_EPSILON,
                momentum=BATCH_NORM_MOMENTUM,
                center=layer.affine,
                scale=layer.affine,
                synchronized=several_devices,
                name=layer.name,
            )(x)
        elif layer.kind == "dropout":
            x = keras.layers.SpatialDropout2D(layer.rate, seed=layer_seed(seed, layer.name), name=layer.name)(x)
        else:
            x = _convolution(layer, x, seed, l2, dilation=layer.dilation // factor)
    return keras.Model(inputs, _batch_to_space(x, factor), name="backbone")


def _space_to_batch(x: keras.KerasTensor, dilation: int) -> keras.KerasTensor:
    """Lay each `dilation`-th row and column together: (n, h, w, c) -> (n * dilation^2, h / dilation, w / dilation, c).

    A dilated convolution of x is the plain one of the result, padding included; whatever sees single pixels or sums
    over all of a batch, as batch norm does, stays the same. Plain ones are faster, and one rearrangement
    serves all dilated convolutions in a row. The method is space-to-batch of Chen et al. 2018 (arXiv:1606.00915).
    """
    if dilation == 1:
        return x
    _, height, width, channels = x.shape
    rows, columns = height // dilation, width // dilation
    x = keras.ops.reshape(x, (-1, rows, dilation, columns, dilation, channels))
    return keras.ops.reshape(keras.ops.transpose(x, (0, 2, 4, 1, 3, 5)), (-1, rows, columns, channels))


def _batch_to_space(x: keras.KerasTensor, dilation: int) -> keras.KerasTensor:
    """Undo `_space_to_batch`."""
    if dilation == 1:
        return x
    _, rows, columns, channels = x.shape
    x = keras.ops.reshape(x, (-1, dilation, dilation, rows, columns, channels))
    x = keras.ops.transpose(x, (0, 3, 1, 4, 2, 5))
    return keras.ops.reshape(x, (-1, rows * dilation, columns * dilation, channels))


def _convolution(layer: Layer, x: keras.KerasTensor, seed: int, l2: float, dilation: int) -> keras.KerasTensor:
    initializer = keras.initializers.HeNormal if layer.relu else keras.initializers.GlorotUniform
    arguments = {
        "filters": layer.filters,
        "kernel_size": layer.kernel,
        "strides": layer.stride,
        "activation": "relu" if layer.relu else None,
        "kernel_initializer": initializer(layer_seed(seed, layer.name)),
        "kernel_regularizer": keras.regularizers.L2(l2) if l2 else None,
        "name": layer.name,
    }
    if layer.name == "head":
        # bfloat16 logits, divided by the temperature, would shift the decoded colours by several ab units.
        arguments["dtype"] = "float32"
    if layer.kind == "transposed":
        # With kernel 4 and stride 2, "same" crops one pixel from every side: the paper's padding of 1.
        return keras.layers.Conv2DTranspose(padding="same", **arguments)(x)
    if layer.stride == 1:
        return keras.layers.Conv2D(padding="same", dilation_rate=dilation, **arguments)(x)
    # "same" would pad an even side by (0, 1) here, and shift everything by half a pixel.
    x = keras.layers.ZeroPadding2D(layer.kernel // 2, name=f"{layer.name}_pad")(x)
    return keras.layers.Conv2D(padding="valid", **arguments)(x)
