"""The network as a list of layers: built, printed and costed from it. No TensorFlow.

The paper's network (Table 4): eight blocks of biased 3x3 convolutions, each followed by a ReLU, with batch
norm after the last ReLU of a block; every convolution pads by its dilation on every side. The blocks of each depth
are in `conf/depth/`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import PositiveInt, model_validator

from ablate.config.schema import Schema

BatchNorm = Literal["affine", "plain", "none"]
Kind = Literal["conv", "transposed", "batch_norm", "dropout"]


class Block(Schema):
    """A block of convolutions.

    Attributes:
        number: Names its layers, `conv1_1` and so on: variants share layers of one name and shape.
        filters: Of each convolution, at width 1.
        convolutions: How many.
        stride: Of the last convolution.
        dilation: Of each convolution.
    """

    number: PositiveInt
    filters: PositiveInt
    convolutions: PositiveInt
    stride: PositiveInt = 1
    dilation: PositiveInt = 1

    @model_validator(mode="after")
    def _stride_or_dilation(self) -> "Block":
        if self.stride > 1 and self.dilation > 1:
            raise ValueError(f"a block has a stride or a dilation. Received: {self.stride} and {self.dilation}")
        return self


@dataclass(frozen=True)
class Layer:
    """One layer: `rate` is dropout's, `affine` batch norm's, and the other numbers are a convolution's."""

    name: str
    kind: Kind
    filters: int = 0
    kernel: int = 3
    stride: int = 1
    dilation: int = 1
    relu: bool = True
    rate: float = 0.0
    affine: bool = True


@dataclass(frozen=True)
class LayerCost:
    """Output and cost of a layer for one square input: see `layer_costs`."""

    layer: Layer
    side: int
    channels: int
    parameters: int
    flops: int
    receptive_field: int


def network_layers(
    blocks: Sequence[Block],
    *,
    output_stride: int,
    outputs: int,
    width: float = 1.0,
    dropout: float = 0.0,
    batch_norm: BatchNorm = "affine",
) -> list[Layer]:
    """List the layers of a network, in order.

    Args:
        blocks: At least two. The last one has no batch norm, and its first convolution makes the output's side: a
            transposed one where that is larger than the side before, an ordinary one, or one with a stride.
        output_stride: Input pixels of an output pixel along a side: 4 in the paper.
        outputs: Channels of the output: the number of colour classes, or 2 for regression.
        width: Factor on every layer's filters; 1 is the paper's.
        dropout: Rate of the dropout of whole channels behind the last two blocks. There, because every batch norm
            comes before: dropout ahead of a batch norm makes its statistics differ between training and
            inference (Li et al. 2019, arXiv:1801.05134). Whole channels, because neighbouring pixels of a
            feature map carry the same information (Tompson et al. 2015, arXiv:1411.4280). 0 leaves it out.
        batch_norm: `affine` learns a scale and an offset (the PyTorch release), `plain` learns neither
            (the Caffe release), `none` leaves it out.

    Returns:
        The layers, from conv1_1 to head.
    """
    *trunk, last = blocks
    layers: list[Layer] = []

    def filters(block: Block) -> int:
        return max(1, round(block.filters * width))

    for block in trunk:
        for number in range(1, block.convolutions + 1):
            stride = block.stride if number == block.convolutions else 1
            name = f"conv{block.number}_{number}"
            layers.append(Layer(name, "conv", filters(block), stride=stride, dilation=block.dilation))
        if batch_norm != "none":
            layers.append(Layer(f"norm{block.number}", "batch_norm", relu=False, affine=batch_norm == "affine"))
    if dropout:
        layers.append(Layer(f"dropout{trunk[-1].number}", "dropout", rate=dropout, relu=False))

    layers.append(_resizing_layer(f"conv{last.number}", filters(last), stride_of(blocks), output_stride))
    layers += [
        Layer(f"conv{last.number}_{number}", "conv", filters(last)) for number in range(2, last.convolutions + 1)
    ]
    if dropout:
        layers.append(Layer(f"dropout{last.number}", "dropout", rate=dropout, relu=False))
    layers.append(Layer("head", "conv", outputs, kernel=1, relu=False))
    return layers


def _resizing_layer(name: str, filters: int, stride: int, output_stride: int) -> Layer:
    """Return the convolution that leads from the stride of the blocks before to the output's."""
    if output_stride < stride:
        factor = stride // output_stride
        return Layer(f"{name}_up", "transposed", filters, kernel=2 * factor - factor % 2, stride=factor)
    if output_stride == stride:
        return Layer(f"{name}_same", "conv", filters)
    factor = output_stride // stride
    return Layer(f"{name}_down", "conv", filters, kernel=2 * factor - 1, stride=factor)


def stride_of(blocks: Sequence[Block]) -> int:
    """Return the stride of all blocks but the last, which makes the output's."""
    return math.prod(block.stride for block in blocks[:-1])


def check_output_stride(blocks: Sequence[Block], output_stride: int) -> None:
    """Raise ValueError unless one stride divides the other."""
    stride = stride_of(blocks)
    if max(stride, output_stride) % min(stride, output_stride):
        raise ValueError(f"must divide the stride of the blocks, {stride}, or be a multiple of it")


def check_side(side: int, blocks: Sequence[Block], output_stride: int, *, name: str = "this network") -> None:
    """Raise ValueError, with the network's name, unless an input of this side comes out in whole pixels."""
    divisor = math.lcm(stride_of(blocks), output_stride)
    if side < divisor or side % divisor:
        raise ValueError(
            f"the input side must be a multiple of {divisor} for {name}. "
            f"Received: {side}; the nearest is {max(divisor, round(side / divisor) * divisor)}"
        )


def layer_costs(layers: Sequence[Layer], side: int) -> list[LayerCost]:
    """Follow one square one-channel input through the layers.

    Args:
        layers: The layers.
        side: Side of the input in pixels.

    Returns:
        For each layer the side and channels of its output; its trainable parameters; the FLOPs of its forward pass
        on one image (a multiplication and an addition each count one; batch norm, ReLU and dropout, below 1 %
        together, count none); and the receptive field of one of its outputs in input pixels.
    """
    channels, jump, field = 1, 1.0, 1.0
    rows = []
    for layer in layers:
        parameters = flops = 0
        if layer.kind in ("conv", "transposed"):
            weights = layer.kernel**2 * channels * layer.filters
            parameters = weights + layer.filters
            if layer.kind == "conv":
                field += (layer.kernel - 1) * layer.dilation * jump
                side, jump = side // layer.stride, jump * layer.stride
                flops = 2 * weights * side**2
            else:
                # An output of a transposed convolution sees kernel / stride inputs along an axis, rounded up.
                field += (math.ceil(layer.kernel / layer.stride) - 1) * jump
                flops = 2 * weights * side**2
                side, jump = side * layer.stride, jump / layer.stride
            flops += layer.filters * side**2
            channels = layer.filters
        elif layer.kind == "batch_norm" and layer.affine:
            parameters = 2 * channels
        rows.append(LayerCost(layer, side, channels, parameters, flops, round(field)))
    return rows
