import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.signal import correlate2d

from ablate.colorization.model.architecture import Layer
from ablate.colorization.model.backbone import build_backbone
from ablate.colorization.model.loss import ColorCrossEntropy
from tests.support.levels import variant_layers

TINY = 1 / 64


def convolve(image, kernel, bias, *, stride=1, dilation=1):
    """Cross-correlate (height, width, in) with (size, size, in, out) in float64, padding every side alike."""
    size = kernel.shape[0]
    spread = np.zeros(((size - 1) * dilation + 1,) * 2 + kernel.shape[2:])
    spread[::dilation, ::dilation] = kernel
    padded = np.pad(image.astype(np.float64), [(dilation * (size // 2),) * 2] * 2 + [(0, 0)])
    planes = [
        sum(correlate2d(padded[..., i], spread[..., i, o], "valid") for i in range(image.shape[-1]))
        for o in range(kernel.shape[-1])
    ]
    return np.stack(planes, axis=-1)[::stride, ::stride] + bias


def convolve_transposed(image, kernel, bias):
    """Add every input times the kernel (4, 4, out, in) to a canvas at stride 2; cut one pixel off every side."""
    height, width, _ = image.shape
    canvas = np.zeros((2 * height + 2, 2 * width + 2, kernel.shape[2]))
    for y in range(height):
        for x in range(width):
            canvas[2 * y : 2 * y + 4, 2 * x : 2 * x + 4] += kernel.astype(np.float64) @ image[y, x]
    return canvas[1:-1, 1:-1] + bias


def randomize(model, seed=0):
    random = np.random.default_rng(seed)
    for weight in model.weights:
        if weight.path.endswith("variance"):
            weight.assign(random.uniform(0.5, 2, weight.shape))
        elif "seed" not in weight.path:
            weight.assign(random.normal(0, 0.4, weight.shape))


def layer_output(layer, image):
    """Build one layer behind a 1x1 convolution to two channels, and return its output and its input."""
    first = Layer("first", "conv", 2, kernel=1, relu=False)
    model = build_backbone([first, layer], side=image.shape[0])
    randomize(model)
    inner = keras.Model(model.input, [model.get_layer("first").output, model.output])
    given, made = inner(image[None, ..., None])
    return np.asarray(given)[0], np.asarray(made)[0], [np.asarray(w) for w in model.get_layer(layer.name).weights]


@pytest.fixture
def image():
    return np.random.default_rng(1).normal(size=(16, 16)).astype(np.float32)


@pytest.mark.parametrize(
    "layer",
    [
        Layer("plain", "conv", 3),
        Layer("strided", "conv", 3, stride=2),
        Layer("dilated", "conv", 3, dilation=2),
        Layer("pointwise", "conv", 3, kernel=1),
    ],
    ids=lambda layer: layer.name,
)
def test_a_convolution_pads_every_side_alike(layer, image):
    given, made, (kernel, bias) = layer_output(layer, image)
    expected = np.maximum(convolve(given, kernel, bias, stride=layer.stride, dilation=layer.dilation), 0)
    np.testing.assert_allclose(made, expected, atol=1e-4)


def test_the_transposed_convolution_pads_by_one(image):
    given, made, (kernel, bias) = layer_output(Layer("up", "transposed", 3, kernel=4, stride=2), image)
    assert made.shape == (32, 32, 3)
    np.testing.assert_allclose(made, np.maximum(convolve_transposed(given, kernel, bias), 0), atol=1e-4)


def test_a_layer_without_relu_keeps_negative_values(image):
    _, made, _ = layer_output(Layer("head", "conv", 3, kernel=1, relu=False), image)
    assert made.min() < 0


@pytest.mark.slow
@pytest.mark.parametrize("output_res", ["full", "half", "quarter"])
@pytest.mark.parametrize("batch_norm", ["affine", "plain", "none"])
def test_the_whole_network_equals_a_forward_pass_in_numpy(image, output_res, batch_norm):
    plan = variant_layers(width=TINY, output_res=output_res, batch_norm=batch_norm, dropout=0.5, outputs=5)
    model = build_backbone(plan, side=16)
    randomize(model)
    x = image[..., None].astype(np.float64)
    for layer in plan:
        weights = [np.asarray(weight, np.float64) for weight in model.get_layer(layer.name).weights]
        if layer.kind == "batch_norm":
            # Keras orders them scale, offset, mean, variance.
            scale, offset = weights[:2] if batch_norm == "affine" else (1, 0)
            x = (x - weights[-2]) / np.sqrt(weights[-1] + 1e-5) * scale + offset
        elif layer.kind == "transposed":
            x = np.maximum(convolve_transposed(x, *weights), 0)
        elif layer.kind == "conv":
            x = convolve(x, *weights, stride=layer.stride, dilation=layer.dilation)
            x = x if layer.name == "head" else np.maximum(x, 0)
    outputs = np.asarray(model(image[None, ..., None], training=False))[0]
    np.testing.assert_allclose(outputs, x, rtol=1e-3, atol=1e-3 * np.abs(x).max())


def test_dilated_convolutions_and_their_gradients_are_those_of_tensorflow():
    """In training, where batch norm's statistics join all pixels of a batch, and on an odd side as well."""
    plan = [
        Layer("first", "conv", 3),
        *(Layer(f"dilated_{place}", "conv", 4, dilation=2) for place in (1, 2)),
        Layer("norm", "batch_norm", relu=False),
        Layer("last", "conv", 2, dilation=2, relu=False),
    ]
    for side in (8, 7):
        model = build_backbone(plan, side=side)
        randomize(model)
        given = tf.random.stateless_normal((3, side, side, 1), (1, 2))
        weights = model.trainable_weights
        kernels = iter(weights)

        def convolution(x, dilation, kernels=kernels):
            kernel, bias = next(kernels), next(kernels)
            return tf.nn.conv2d(x, kernel, 1, "SAME", dilations=dilation) + bias

        with tf.GradientTape(persistent=True) as tape:
            made = model(given, training=True)
            x = tf.nn.relu(convolution(given, 1))
            x = tf.nn.relu(convolution(x, 2))
            x = tf.nn.relu(convolution(x, 2))
            mean, variance = tf.nn.moments(x, (0, 1, 2))
            scale, offset = next(kernels), next(kernels)
            x = tf.nn.batch_normalization(x, mean, variance, offset, scale, 1e-5)
            expected = convolution(x, 2)
            sums = [tf.reduce_sum(tf.sin(outputs)) for outputs in (made, expected)]
        np.testing.assert_allclose(made, expected, rtol=1e-4, atol=1e-4)
        for own, other in zip(*(tape.gradient(total, [w.value for w in weights]) for total in sums), strict=True):
            np.testing.assert_allclose(own, other, rtol=1e-3, atol=1e-3)


@pytest.mark.slow
def test_dilated_convolutions_in_a_row_are_rearranged_once():
    def arrangements(side):
        model = build_backbone(variant_layers(width=TINY), side=side)
        return sum(operation.name.startswith("transpose") for operation in model.operations)

    assert (arrangements(64), arrangements(40)) == (2, 0)


@pytest.mark.parametrize(("output_res", "side"), [("full", 64), ("half", 32), ("quarter", 16)])
def test_a_photograph_of_256_gets_classes_at_the_paper_s_sides(output_res, side):
    model = build_backbone(variant_layers(width=TINY, output_res=output_res), side=256)
    assert model.input_shape == (None, 256, 256, 1)
    assert model.output_shape == (None, side, side, 313)


@pytest.mark.parametrize(
    ("output_res", "side", "expected"),
    [("full", 8, 2), ("full", 40, 10), ("full", 72, 18), ("half", 40, 5), ("half", 72, 9), ("quarter", 48, 3)],
)
def test_any_side_that_divides_is_taken(output_res, side, expected):
    model = build_backbone(variant_layers(width=TINY, output_res=output_res, outputs=2), side=side)
    assert model.output_shape == (None, expected, expected, 2)
    assert model(np.zeros((2, side, side, 1))).shape == (2, expected, expected, 2)


def initial_values(seed, **variant):
    model = build_backbone(variant_layers(width=TINY, **variant), side=32, seed=seed)
    return {weight.path: np.asarray(weight) for weight in model.trainable_weights}


def test_the_same_seed_gives_the_same_initial_values():
    one, other = initial_values(3), initial_values(3)
    for path, values in one.items():
        np.testing.assert_array_equal(values, other[path])


def test_another_seed_gives_other_kernels():
    one, other = initial_values(3), initial_values(4)
    kernels = [path for path in one if path.endswith("kernel")]
    assert not any(np.array_equal(one[path], other[path]) for path in kernels)


def test_no_two_layers_of_the_same_shape_start_alike():
    model = build_backbone(variant_layers(width=1 / 16), side=32)
    kernels = [model.get_layer(name).kernel.numpy() for name in ("conv4_2", "conv4_3", "conv5_1", "conv6_1")]
    assert len({kernel.tobytes() for kernel in kernels}) == 4


@pytest.mark.parametrize(
    "variant",
    [
        {"depth": "reduced"},
        {"depth": "shallow"},
        {"output_res": "half"},
        {"output_res": "quarter"},
        {"batch_norm": "none"},
        {"dropout": 0.5},
    ],
    ids=str,
)
def test_layers_that_variants_share_start_with_the_same_values(variant):
    full, other = initial_values(0), initial_values(0, **variant)
    shared = [path for path in other if path in full and other[path].shape == full[path].shape]
    assert len(shared) >= 0.8 * min(len(full), len(other)) - 2
    for path in shared:
        np.testing.assert_array_equal(other[path], full[path], err_msg=path)


def test_the_penalty_is_l2_times_the_sum_of_squared_kernels_alone():
    model = build_backbone(variant_layers(width=TINY, outputs=4), side=32, l2=0.01)
    randomize(model)
    squares = [
        (np.asarray(weight, np.float64) ** 2).sum() for weight in model.weights if weight.path.endswith("kernel")
    ]
    assert len(model.losses) == len(squares) == 23
    assert float(sum(model.losses)) == pytest.approx(0.01 * sum(squares), rel=1e-5)


def test_without_l2_there_is_no_penalty():
    assert build_backbone(variant_layers(width=TINY), side=32).losses == []


@pytest.mark.parametrize(("batch_norm", "affine"), [("affine", True), ("plain", False)])
def test_batch_norm_has_the_released_constants(batch_norm, affine):
    model = build_backbone(variant_layers(width=TINY, batch_norm=batch_norm), side=32)
    norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert len(norms) == 7
    for norm in norms:
        assert (norm.epsilon, norm.momentum) == (1e-5, 0.9)
        assert (norm.center, norm.scale) == (affine, affine)


def test_without_batch_norm_there_is_none():
    model = build_backbone(variant_layers(width=TINY, batch_norm="none"), side=32)
    assert not [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]


def test_no_batch_norm_comes_behind_dropout():
    model = build_backbone(variant_layers(width=TINY, dropout=0.3), side=32)
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds.count("SpatialDropout2D") == 2
    assert "BatchNormalization" not in kinds[kinds.index("SpatialDropout2D") :]


def test_dropout_leaves_out_whole_channels_in_training_only():
    model = build_backbone([Layer("drop", "dropout", rate=0.5, relu=False)], side=8)
    ones = np.ones((400, 8, 8, 1), np.float32)
    kept = np.asarray(model(ones, training=True))
    means = kept.mean(axis=(1, 2, 3))
    assert set(np.unique(kept)) == {0, 2}
    assert set(np.unique(means)) == {0, 2}
    assert 0.4 < (means > 0).mean() < 0.6
    np.testing.assert_array_equal(model(ones, training=False), ones)


def test_biases_start_from_zero_and_batch_norm_as_identity():
    for path, values in initial_values(0).items():
        if path.endswith(("bias", "beta")):
            assert not values.any(), path
        elif path.endswith("gamma"):
            assert (values == 1).all(), path


FRESH_PROCESS = """
import json, sys
import numpy as np
import keras

model_file, array_file, outputs_file = sys.argv[1:]
given = np.load(array_file)
alone = keras.models.load_model(model_file, compile=False).predict(given, verbose=0)
assert not any(name.startswith("ablate") for name in sys.modules)
import ablate.colorization.model.loss
model = keras.models.load_model(model_file)
np.savez(outputs_file, alone=alone, compiled=model.predict(given, verbose=0))
print(json.dumps({"loss": type(model.loss).__name__, "config": model.loss.get_config()}))
"""


@pytest.mark.slow
def test_a_saved_model_is_the_same_in_a_fresh_process(tmp_path):
    model = build_backbone(variant_layers(width=TINY, dropout=0.2), side=16, l2=1e-3)
    randomize(model)
    loss = ColorCrossEntropy(class_weights=np.linspace(0.5, 2, 313), k=10, pixel_reduction="sum")
    model.compile(optimizer="adam", loss=loss)
    given = np.random.default_rng(0).normal(size=(2, 16, 16, 1)).astype(np.float32)
    expected = model.predict(given, verbose=0)
    model.save(tmp_path / "model.keras")
    np.save(tmp_path / "given.npy", given)
    files = [str(tmp_path / name) for name in ("model.keras", "given.npy", "outputs.npz")]
    done = subprocess.run(
        [sys.executable, "-c", FRESH_PROCESS, *files],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "CUDA_VISIBLE_DEVICES": "-1"},
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout.splitlines()[-1])
    outputs = np.load(tmp_path / "outputs.npz")
    np.testing.assert_allclose(outputs["alone"], expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(outputs["compiled"], expected, rtol=1e-5, atol=1e-5)
    assert answer == {"loss": "ColorCrossEntropy", "config": loss.get_config()}
