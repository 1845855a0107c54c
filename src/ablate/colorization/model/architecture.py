"""The network as a list of layers, without TensorFlow: what is built, printed and priced derives from it.

The paper's network (Table 4): eight blocks of biased 3x3 convolutions, each followed by a ReLU, with batch
norm after the last ReLU of a block; every convolution pads by its dilation on every side.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ablate.colorization.color.gamut import ab_gamut

Depth = Literal["full", "reduced", "shallow"]
OutputRes = Literal["full", "half", "quarter"]
BatchNorm = Literal["affine", "plain", "none"]
Kind = Literal["conv", "transposed", "batch_norm", "dropout"]

OUTPUT_STRIDE: dict[OutputRes, int] = {"full": 4, "half": 8, "quarter": 16}


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
    """What a layer makes and costs for one square input: see `price`."""

    layer: Layer
    side: int
    channels: int
    parameters: int
    flops: int
    receptive_field: int


@dataclass(frozen=True)
class Block:
    """A block of the paper's Table 4; `stride` is that of its last convolution."""

    number: int
    filters: int
    convolutions: int
    stride: int = 1
    dilation: int = 1


TRUNK = (
    Block(1, 64, 2, stride=2),
    Block(2, 128, 2, stride=2),
    Block(3, 256, 3, stride=2),
    Block(4, 512, 3),
    Block(5, 512, 3, dilation=2),
    Block(6, 512, 3, dilation=2),
    Block(7, 512, 3),
)
HEAD_FILTERS = 256


def layers(
    *,
    width: float = 1.0,
    depth: Depth = "full",
    dropout: float = 0.0,
    output_res: OutputRes = "full",
    batch_norm: BatchNorm = "affine",
    outputs: int = len(ab_gamut()),
) -> list[Layer]:
    """List the layers of a variant of the paper's network, in order.

    Args:
        width: Factor on every layer's filters; 1 is the paper's.
        depth: `full` is the paper's. `reduced`: each block has one convolution less, but at least one.
            `shallow`: reduced, and without the dilated blocks conv5 and conv6.
        dropout: Rate of the dropout of whole channels behind conv7 and conv8. There, because every batch norm
            comes before: dropout ahead of a batch norm makes its statistics differ between training and
            inference (Li et al. 2019, arXiv:1801.05134). Whole channels, because neighbouring pixels of a
            feature map carry the same information (Tompson et al. 2015, arXiv:1411.4280). 0 leaves it out.
        output_res: Side of the output: `full` is 1/4 of the input's as in the paper, by conv8's transposed
            convolution; `half` 1/8, with an ordinary convolution in its place; `quarter` 1/16, with one of stride 2.
        batch_norm: `affine` learns a scale and an offset (the PyTorch release), `plain` learns neither
            (the Caffe release), `none` leaves it out.
        outputs: Channels of the output: the number of colour classes, or 2 for regression.

    Returns:
        The layers, from conv1_1 to head.
    """
    shorter = 0 if depth == "full" else 1
    plan: list[Layer] = []

    def filters(number: int) -> int:
        return max(1, round(number * width))

    for block in TRUNK:
        if depth == "shallow" and block.number in (5, 6):
            continue
        convolutions = max(1, block.convolutions - shorter)
        for place in range(1, convolutions + 1):
            stride = block.stride if place == convolutions else 1
            name = f"conv{block.number}_{place}"
            plan.append(Layer(name, "conv", filters(block.filters), stride=stride, dilation=block.dilation))
        if batch_norm != "none":
            plan.append(Layer(f"norm{block.number}", "batch_norm", relu=False, affine=batch_norm == "affine"))
    if dropout:
        plan.append(Layer("dropout7", "dropout", rate=dropout, relu=False))

    if output_res == "full":
        plan.append(Layer("conv8_up", "transposed", filters(HEAD_FILTERS), kernel=4, stride=2))
    elif output_res == "half":
        plan.append(Layer("conv8_same", "conv", filters(HEAD_FILTERS)))
    else:
        plan.append(Layer("conv8_down", "conv", filters(HEAD_FILTERS), stride=2))
    plan += [Layer(f"conv8_{place}", "conv", filters(HEAD_FILTERS)) for place in range(2, 4 - shorter)]
    if dropout:
        plan.append(Layer("dropout8", "dropout", rate=dropout, relu=False))
    plan.append(Layer("head", "conv", outputs, kernel=1, relu=False))
    return plan


def check_side(side: int, output_res: OutputRes) -> None:
    """Raise ValueError unless an input of this side comes out in whole pixels."""
    divisor = max(8, OUTPUT_STRIDE[output_res])
    if side < divisor or side % divisor:
        raise ValueError(
            f"the input side must be a multiple of {divisor} for output_res={output_res}. "
            f"Received: {side}; the nearest is {max(divisor, round(side / divisor) * divisor)}"
        )


def price(plan: Sequence[Layer], side: int) -> list[LayerCost]:
    """Follow one square one-channel input through the layers.

    Args:
        plan: The layers.
        side: Side of the input in pixels.

    Returns:
        For each layer the side and channels of its output; its trainable parameters; the FLOPs of its forward pass
        on one image (a multiplication and an addition each count one; batch norm, ReLU and dropout, below 1 %
        together, count none); and the receptive field of one of its outputs in input pixels.
    """
    channels, jump, field = 1, 1.0, 1.0
    rows = []
    for layer in plan:
        parameters = flops = 0
        if layer.kind in ("conv", "transposed"):
            weights = layer.kernel**2 * channels * layer.filters
            parameters = weights + layer.filters
            if layer.kind == "conv":
                field += (layer.kernel - 1) * layer.dilation * jump
                side, jump = side // layer.stride, jump * layer.stride
                flops = 2 * weights * side**2
            else:
                # Each output of a transposed convolution sees kernel / stride inputs along an axis.
                field += (layer.kernel // layer.stride - 1) * jump
                flops = 2 * weights * side**2
                side, jump = side * layer.stride, jump / layer.stride
            flops += layer.filters * side**2
            channels = layer.filters
        elif layer.kind == "batch_norm" and layer.affine:
            parameters = 2 * channels
        rows.append(LayerCost(layer, side, channels, parameters, flops, round(field)))
    return rows
