import itertools

import numpy as np
import pytest
import tensorflow as tf

from ablate.colorization.model.architecture import (
    Block,
    Layer,
    check_output_stride,
    check_side,
    layer_costs,
    network_layers,
)
from ablate.colorization.model.backbone import build_backbone
from tests.support.levels import blocks_of, output_stride_of, variant_layers

DEPTHS = ["full", "reduced", "shallow"]
OUTPUT_RES = ["full", "half", "quarter"]
BATCH_NORMS = ["affine", "plain", "none"]


def brief(plan):
    """Write a convolution as name:filters, with /stride and *dilation where they are not 1; other layers by name."""
    texts = []
    for layer in plan:
        text = layer.name
        if layer.kind in ("conv", "transposed"):
            text += f":{layer.filters}" + f"/{layer.stride}" * (layer.stride > 1)
            text += f"*{layer.dilation}" * (layer.dilation > 1)
        texts.append(text)
    return " ".join(texts)


FULL = (
    "conv1_1:64 conv1_2:64/2 norm1 "
    "conv2_1:128 conv2_2:128/2 norm2 "
    "conv3_1:256 conv3_2:256 conv3_3:256/2 norm3 "
    "conv4_1:512 conv4_2:512 conv4_3:512 norm4 "
    "conv5_1:512*2 conv5_2:512*2 conv5_3:512*2 norm5 "
    "conv6_1:512*2 conv6_2:512*2 conv6_3:512*2 norm6 "
    "conv7_1:512 conv7_2:512 conv7_3:512 norm7 "
    "conv8_up:256/2 conv8_2:256 conv8_3:256 head:313"
)
REDUCED = (
    "conv1_1:64/2 norm1 conv2_1:128/2 norm2 conv3_1:256 conv3_2:256/2 norm3 conv4_1:512 conv4_2:512 norm4 "
    "conv5_1:512*2 conv5_2:512*2 norm5 conv6_1:512*2 conv6_2:512*2 norm6 conv7_1:512 conv7_2:512 norm7 "
    "conv8_up:256/2 conv8_2:256 head:313"
)
SHALLOW = (
    "conv1_1:64/2 norm1 conv2_1:128/2 norm2 conv3_1:256 conv3_2:256/2 norm3 conv4_1:512 conv4_2:512 norm4 "
    "conv7_1:512 conv7_2:512 norm7 conv8_up:256/2 conv8_2:256 head:313"
)


@pytest.mark.parametrize(("depth", "expected"), [("full", FULL), ("reduced", REDUCED), ("shallow", SHALLOW)])
def test_the_layers_of_each_depth_are_those_written_out(depth, expected):
    assert brief(variant_layers(depth=depth)) == expected


@pytest.mark.parametrize(
    ("output_res", "expected"),
    [("full", "conv8_up:256/2"), ("half", "conv8_same:256"), ("quarter", "conv8_down:256/2")],
)
def test_only_conv8_differs_between_output_resolutions(output_res, expected):
    assert brief(variant_layers(output_res=output_res)) == FULL.replace("conv8_up:256/2", expected)


def test_the_transposed_convolution_has_kernel_four_and_the_head_one():
    kernels = {layer.name: layer.kernel for layer in variant_layers() if layer.kind in ("conv", "transposed")}
    assert kernels.pop("conv8_up") == 4
    assert kernels.pop("head") == 1
    assert set(kernels.values()) == {3}


def test_every_convolution_but_the_head_has_a_relu():
    convolutions = [layer for layer in variant_layers() if layer.kind in ("conv", "transposed")]
    assert [layer.name for layer in convolutions if not layer.relu] == ["head"]


def test_without_batch_norm_there_is_none():
    assert all(layer.kind != "batch_norm" for layer in variant_layers(batch_norm="none"))


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("output_res", OUTPUT_RES)
def test_dropout_stands_behind_conv7_and_conv8_and_no_batch_norm_behind_it(depth, output_res):
    plan = variant_layers(depth=depth, output_res=output_res, dropout=0.25)
    kinds = [layer.kind for layer in plan]
    assert kinds.count("dropout") == 2
    assert "batch_norm" not in kinds[kinds.index("dropout") :]
    assert [layer.rate for layer in plan if layer.kind == "dropout"] == [0.25, 0.25]
    names = [layer.name for layer in plan]
    assert names[names.index("dropout7") - 1] == "norm7"
    assert names[names.index("dropout8") + 1] == "head"
    assert [layer for layer in plan if layer.kind != "dropout"] == variant_layers(depth=depth, output_res=output_res)


def test_regression_has_two_outputs():
    assert brief(variant_layers(outputs=2)) == FULL.replace("head:313", "head:2")


def test_width_scales_every_layer_but_the_head():
    half = brief(variant_layers(width=0.5))
    for number in (64, 128, 256, 512):
        assert f":{number // 2}" in half
    assert ":512" not in half
    assert half.endswith("head:313")


def test_no_layer_vanishes_at_a_tiny_width():
    assert {layer.filters for layer in variant_layers(width=1e-6) if layer.kind == "conv"} == {1, 313}


def test_the_paper_s_network_has_the_parameters_of_its_table():
    three = 3 * 3
    expected = sum(
        [
            *[1 * 64 * three + 64, 64 * 64 * three + 64, 2 * 64],
            *[64 * 128 * three + 128, 128 * 128 * three + 128, 2 * 128],
            *[128 * 256 * three + 256, 2 * (256 * 256 * three + 256), 2 * 256],
            *[256 * 512 * three + 512, 2 * (512 * 512 * three + 512), 2 * 512],
            *[3 * (512 * 512 * three + 512), 2 * 512],
            *[3 * (512 * 512 * three + 512), 2 * 512],
            *[3 * (512 * 512 * three + 512), 2 * 512],
            *[512 * 256 * 4 * 4 + 256, 2 * (256 * 256 * three + 256)],
            256 * 313 + 313,
        ]
    )
    assert expected == 32_235_385
    assert sum(cost.parameters for cost in layer_costs(variant_layers(), 256)) == expected


@pytest.mark.slow
@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("output_res", OUTPUT_RES)
def test_priced_parameters_and_shapes_are_those_of_the_built_model(depth, output_res):
    for batch_norm, dropout in itertools.product(BATCH_NORMS, [0.0, 0.5]):
        plan = variant_layers(
            width=1 / 64, depth=depth, output_res=output_res, batch_norm=batch_norm, dropout=dropout, outputs=7
        )
        model = build_backbone(plan, side=32)
        costs = layer_costs(plan, 32)
        assert len(costs) == len(plan)
        dilation = 1
        for cost in costs:
            built = model.get_layer(cost.layer.name)
            if cost.layer.kind == "conv":
                dilation = cost.layer.dilation
            trainable = sum(int(np.prod(weight.shape)) for weight in built.trainable_weights)
            assert cost.parameters == trainable, cost.layer
            side = cost.side // dilation  # dilated ones see every second row and column, as pictures of their own
            assert built.output.shape == (None, side, side, cost.channels), cost.layer
        assert sum(cost.parameters for cost in costs) == sum(
            int(np.prod(weight.shape)) for weight in model.trainable_weights
        )


@pytest.mark.parametrize(
    ("layer", "side", "flops"),
    [
        # 16x16 outputs x 5 filters x (3x3x3 products and as many sums, and the bias).
        (Layer("plain", "conv", 5), 16, 16 * 16 * 5 * (2 * 27 + 1)),
        (Layer("strided", "conv", 5, stride=2), 8, 8 * 8 * 5 * (2 * 27 + 1)),
        (Layer("dilated", "conv", 5, dilation=2), 16, 16 * 16 * 5 * (2 * 27 + 1)),
        (Layer("pointwise", "conv", 5, kernel=1), 16, 16 * 16 * 5 * (2 * 3 + 1)),
        # Each of 32x32 outputs sees 2x2 of the 16x16 inputs, of 3 channels.
        (Layer("transposed", "transposed", 5, kernel=4, stride=2), 32, 32 * 32 * 5 * (2 * 12 + 1)),
    ],
    ids=lambda value: value.name if isinstance(value, Layer) else "",
)
def test_flops_of_one_layer_are_those_counted_by_hand(layer, side, flops):
    cost = layer_costs([Layer("three", "conv", 3, kernel=1), layer], 16)[1]
    assert (cost.side, cost.channels, cost.flops) == (side, 5, flops)


@pytest.mark.slow
@pytest.mark.parametrize("output_res", OUTPUT_RES)
def test_flops_are_those_that_tensorflow_counts_in_the_graph(output_res):
    plan = variant_layers(width=1 / 16, depth="reduced", output_res=output_res)
    model = build_backbone(plan, side=64)
    graph = tf.function(model).get_concrete_function(tf.TensorSpec((1, 64, 64, 1))).graph
    builder = tf.compat.v1.profiler.ProfileOptionBuilder
    options = builder(builder.float_operation()).with_empty_output().build()
    counted, waiting = {}, [tf.compat.v1.profiler.profile(graph, options=options, cmd="op")]
    while waiting:
        node = waiting.pop()
        counted[node.name] = node.float_ops
        waiting += node.children
    # Of the others, batch norm's few are not priced.
    measured = sum(counted.get(operation, 0) for operation in ("Conv2D", "Conv2DBackpropInput", "BiasAdd"))
    assert sum(cost.flops for cost in layer_costs(plan, 64)) == measured > 10**7


def test_layers_that_are_not_convolutions_cost_no_flops():
    plan = [Layer("c", "conv", 3), Layer("norm", "batch_norm", relu=False), Layer("drop", "dropout", rate=0.5)]
    costs = layer_costs(plan, 16)
    assert [cost.flops for cost in costs[1:]] == [0, 0]
    assert [cost.parameters for cost in costs[1:]] == [6, 0]
    assert [(cost.side, cost.channels, cost.receptive_field) for cost in costs[1:]] == [(16, 3, 3)] * 2


def test_flops_grow_with_the_number_of_pixels():
    small, large = (sum(cost.flops for cost in layer_costs(variant_layers(), side)) for side in (64, 256))
    assert large == 16 * small


@pytest.mark.parametrize("output_res", OUTPUT_RES)
@pytest.mark.parametrize("depth", DEPTHS)
def test_the_output_s_side_is_the_input_s_divided_by_its_stride(depth, output_res):
    for side in (16, 48, 256):
        cost = layer_costs(variant_layers(depth=depth, output_res=output_res), side)[-1]
        assert cost.side * output_stride_of(output_res) == side


def test_output_strides_are_those_of_the_paper_and_its_halves():
    assert {res: output_stride_of(res) for res in OUTPUT_RES} == {"full": 4, "half": 8, "quarter": 16}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("depth", "output_res", "field"),
    [
        # Three strided blocks see 37; conv4 to conv7 add 48 + 96 + 96 + 48; then conv8.
        ("full", "full", 37 + 288 + 8 + 2 * 8),
        ("full", "half", 37 + 288 + 3 * 16),
        ("full", "quarter", 37 + 288 + 16 + 2 * 32),
        # One strided convolution each in conv1 and conv2, two in conv3: 3 + 4 + 8 + 8.
        ("reduced", "quarter", 23 + 2 * (16 + 32 + 32 + 16) + 16 + 32),
        ("shallow", "full", 23 + 2 * (16 + 16) + 8 + 8),
        ("shallow", "half", 23 + 2 * (16 + 16) + 16 + 16),
    ],
)
def test_the_receptive_field_is_where_one_output_s_gradient_reaches(depth, output_res, field):
    plan = variant_layers(width=1e-6, depth=depth, output_res=output_res, outputs=1)
    side = 448 if field > 160 else 192
    model = build_backbone(plan, side=side)
    # Positive weights and inputs: no ReLU closes and nothing cancels. A mean, so that nothing over- or underflows.
    for weight in model.trainable_weights:
        if weight.path.endswith("kernel"):
            weight.assign(np.full(weight.shape, 1 / np.prod(weight.shape[:2])))
    given = tf.ones((1, side, side, 1))
    with tf.GradientTape() as tape:
        tape.watch(given)
        outputs = model(given, training=False)
        middle = outputs[0, outputs.shape[1] // 2, outputs.shape[2] // 2, 0]
    reached = tape.gradient(middle, given).numpy()[0, ..., 0] != 0
    rows, columns = np.flatnonzero(reached.any(axis=1)), np.flatnonzero(reached.any(axis=0))
    # Nothing was cut off by the picture's border.
    assert rows[0] > 0
    assert rows[-1] < side - 1
    assert np.ptp(rows) + 1 == np.ptp(columns) + 1 == field
    assert layer_costs(plan, side)[-1].receptive_field == field


@pytest.mark.parametrize(
    ("output_res", "sides"),
    [("full", [8, 16, 40, 72, 256]), ("half", [8, 40, 256]), ("quarter", [16, 48, 256])],
)
def test_sides_that_divide_are_accepted(output_res, sides):
    for side in sides:
        check_side(side, blocks_of("full"), output_stride_of(output_res))


@pytest.mark.parametrize(
    ("side", "output_res", "divisor", "nearest"),
    [
        (0, "full", 8, 8),
        (4, "full", 8, 8),
        (-8, "full", 8, 8),
        (30, "full", 8, 32),
        (33, "half", 8, 32),
        (8, "quarter", 16, 16),
        (40, "quarter", 16, 32),
        (250, "quarter", 16, 256),
    ],
)
def test_a_side_that_does_not_divide_is_refused_with_the_nearest_that_does(side, output_res, divisor, nearest):
    with pytest.raises(ValueError, match=f"multiple of {divisor}") as caught:
        check_side(side, blocks_of("full"), output_stride_of(output_res))
    assert str(caught.value).endswith(f"Received: {side}; the nearest is {nearest}")


OWN_BLOCKS = [
    Block(number=1, filters=2, convolutions=1, stride=6),
    Block(number=2, filters=3, convolutions=2, dilation=2),
    Block(number=9, filters=4, convolutions=2),
]


@pytest.mark.parametrize("output_stride", [1, 2, 3, 6, 12, 24])
def test_any_output_stride_that_divides_makes_its_side(output_stride):
    check_output_stride(OWN_BLOCKS, output_stride)
    check_side(48, OWN_BLOCKS, output_stride)
    plan = network_layers(OWN_BLOCKS, output_stride=output_stride, outputs=2)
    model = build_backbone(plan, side=48)
    assert model.output_shape == (None, 48 // output_stride, 48 // output_stride, 2)
    costs = layer_costs(plan, 48)
    assert costs[-1].side == 48 // output_stride
    assert sum(cost.parameters for cost in costs) == sum(int(np.prod(w.shape)) for w in model.trainable_weights)


@pytest.mark.parametrize("output_stride", [4, 5, 9])
def test_an_output_stride_that_does_not_divide_is_refused(output_stride):
    with pytest.raises(ValueError, match="must divide the stride of the blocks, 6, or be a multiple of it"):
        check_output_stride(OWN_BLOCKS, output_stride)


def test_a_block_s_number_names_its_layers():
    plan = network_layers(OWN_BLOCKS, output_stride=12, outputs=2, dropout=0.5)
    assert brief(plan) == (
        "conv1_1:2/6 norm1 conv2_1:3*2 conv2_2:3*2 norm2 dropout2 conv9_down:4/2 conv9_2:4 dropout9 head:2"
    )
