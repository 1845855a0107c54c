import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.special import log_softmax, softmax

from ablate.colorization.color.gamut import ab_gamut
from ablate.colorization.model.loss import ColorCrossEntropy, EuclideanLoss, penalty_coefficient

SHAPE = (3, 2, 4)
PIXELS = SHAPE[1] * SHAPE[2]


@pytest.fixture
def random():
    return np.random.default_rng(0)


@pytest.fixture
def ab(random):
    return random.uniform(-100, 100, (*SHAPE, 2)).astype(np.float32)


@pytest.fixture
def logits(random):
    return random.normal(0, 3, (*SHAPE, 313)).astype(np.float32)


@pytest.fixture
def class_weights(random):
    return random.uniform(0.2, 5, 313)


@pytest.fixture
def dense(nearest_classes):
    """Cross-entropy against 313-wide soft targets in float64: its value, and its gradient to the logits."""

    def compute(ab, logits, *, class_weights=None, k=5, sigma=5.0, reduction="mean", colored=None):
        indices, squared = nearest_classes(ab.reshape(-1, 2), k=k)
        rows = np.arange(len(indices))[:, None]
        targets = np.zeros((len(indices), 313))
        targets[rows, indices] = np.exp((squared[:, :1] - squared) / (2 * sigma**2))
        targets = (targets / targets.sum(axis=-1, keepdims=True)).reshape(*ab.shape[:-1], 313)
        weights = np.ones(313) if class_weights is None else np.asarray(class_weights)
        pixel_weights = weights[indices[:, 0]].reshape(ab.shape[:-1])
        colored = np.ones(len(ab)) if colored is None else np.asarray(colored, np.float64)
        scale = pixel_weights * colored[:, None, None] / len(ab)
        if reduction == "mean":
            scale = scale / (ab.shape[1] * ab.shape[2])
        logits = logits.astype(np.float64)
        value = -(scale[..., None] * targets * log_softmax(logits, axis=-1)).sum()
        return value, scale[..., None] * (softmax(logits, axis=-1) - targets)

    return compute


def value_and_gradient(loss, ab, outputs):
    outputs = tf.constant(outputs)
    with tf.GradientTape() as tape:
        tape.watch(outputs)
        value = loss(ab, outputs)
    return float(value), tape.gradient(value, outputs).numpy()


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("k", [1, 5, 10])
def test_cross_entropy_and_its_gradient_equal_the_dense_formula(
    dense, ab, logits, class_weights, reduction, weighted, k
):
    weights = class_weights if weighted else None
    loss = ColorCrossEntropy(class_weights=weights, pixel_reduction=reduction, k=k)
    value, gradient = value_and_gradient(loss, ab, logits)
    expected, expected_gradient = dense(ab, logits, class_weights=weights, k=k, reduction=reduction)
    assert value == pytest.approx(expected, rel=1e-5)
    np.testing.assert_allclose(gradient, expected_gradient, rtol=1e-4, atol=1e-7)


def test_width_of_the_soft_encoding_is_used(dense, ab, logits):
    value = float(ColorCrossEntropy(sigma=12.0)(ab, logits))
    assert value == pytest.approx(dense(ab, logits, sigma=12.0)[0], rel=1e-5)


def test_another_grid_has_its_own_number_of_classes(ab):
    classes = len(ab_gamut(20))
    loss = ColorCrossEntropy(step=20, class_weights=np.ones(classes))
    assert float(loss(ab, np.zeros((*SHAPE, classes), np.float32))) == pytest.approx(np.log(classes), rel=1e-5)


def test_a_pixels_weight_is_that_of_its_nearest_class(nearest_classes, class_weights, random):
    ab = random.uniform(-100, 100, (20, 1, 1, 2)).astype(np.float32)
    logits = random.normal(size=(20, 1, 1, 313)).astype(np.float32)
    plain = ColorCrossEntropy(reduction=None)(ab, logits).numpy()
    weighted = ColorCrossEntropy(class_weights=class_weights, reduction=None)(ab, logits).numpy()
    nearest = nearest_classes(ab.reshape(-1, 2))[0][:, 0]
    np.testing.assert_allclose(weighted / plain, class_weights[nearest], rtol=1e-4)


def test_weights_change_the_loss_and_where_it_pulls(ab, logits, class_weights):
    plain, plain_gradient = value_and_gradient(ColorCrossEntropy(), ab, logits)
    weighted, gradient = value_and_gradient(ColorCrossEntropy(class_weights=class_weights), ab, logits)
    assert weighted != pytest.approx(plain, rel=1e-2)
    cosine = (gradient * plain_gradient).sum() / np.linalg.norm(gradient) / np.linalg.norm(plain_gradient)
    assert cosine < 0.99


@pytest.mark.parametrize("k", [1, 5, 10])
def test_the_target_is_spread_over_k_classes_and_no_more(ab, k):
    # With equal logits the gradient is 1/313 less the target: below that only where the target is not zero.
    _, gradient = value_and_gradient(ColorCrossEntropy(k=k, sigma=8.0), ab, np.zeros((*SHAPE, 313), np.float32))
    raised = gradient * PIXELS * SHAPE[0] < 1 / 313 - 1e-7
    assert raised.sum(axis=-1).max() == k


def test_the_best_logits_are_the_log_of_the_soft_target(dense, ab):
    _, gradient = dense(ab, np.zeros((*SHAPE, 313)), reduction="sum")
    targets = 1 / 313 - gradient * len(ab)
    logits = np.log(np.maximum(targets, 1e-12)).astype(np.float32)
    _, gradient = value_and_gradient(ColorCrossEntropy(), ab, logits)
    np.testing.assert_allclose(gradient, 0, atol=1e-6)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_a_grey_photograph_counts_zero_and_pulls_nowhere(dense, ab, logits, class_weights, reduction):
    ab[1] = np.clip(ab[1], -5, 5)
    loss = ColorCrossEntropy(class_weights=class_weights, pixel_reduction=reduction)
    value, gradient = value_and_gradient(loss, ab, logits)
    expected, expected_gradient = dense(
        ab, logits, class_weights=class_weights, reduction=reduction, colored=[1, 0, 1]
    )
    assert value == pytest.approx(expected, rel=1e-5)
    np.testing.assert_allclose(gradient, expected_gradient, rtol=1e-4, atol=1e-7)
    assert not gradient[1].any()


@pytest.mark.parametrize(("highest", "counts"), [(5.0, False), (5.01, True), (-5.01, True)])
@pytest.mark.parametrize("axis", [0, 1])
def test_one_pixel_above_five_makes_a_photograph_coloured(logits, highest, counts, axis):
    ab = np.zeros((*SHAPE, 2), np.float32)
    ab[0, 1, 2, axis] = highest
    losses = ColorCrossEntropy(reduction=None)(ab, logits).numpy()
    assert (losses > 0).tolist() == [counts, False, False]


def test_without_the_mask_grey_photographs_count(dense, logits):
    ab = np.zeros((*SHAPE, 2), np.float32)
    value = float(ColorCrossEntropy(mask_grey=False)(ab, logits))
    assert value == pytest.approx(dense(ab, logits)[0], rel=1e-5)


@pytest.mark.parametrize("size", [1e3, 6e4])
def test_large_float16_logits_stay_finite(dense, ab, random, size):
    logits = random.uniform(-size, size, (*SHAPE, 313)).astype(np.float16)
    value, gradient = value_and_gradient(ColorCrossEntropy(), ab, logits)
    assert value == pytest.approx(dense(ab, logits)[0], rel=1e-5)
    assert np.isfinite(gradient).all()


def test_float16_logits_are_summed_in_float32(ab):
    # A sum over 64x64 pixels of log(313) exceeds what float16 counts exactly.
    ab = np.full((1, 64, 64, 2), 50, np.float32)
    loss = ColorCrossEntropy(pixel_reduction="sum")
    assert float(loss(ab, np.zeros((1, 64, 64, 313), np.float16))) == pytest.approx(4096 * np.log(313), rel=1e-5)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("grey", [False, True])
def test_euclidean_loss_and_its_gradient_equal_the_formula(ab, random, reduction, grey):
    colored = np.array([1.0, 1.0, 1.0])
    if grey:
        ab[2] = np.clip(ab[2], -5, 5)
        colored[2] = 0
    outputs = random.normal(size=(*SHAPE, 2)).astype(np.float32)
    value, gradient = value_and_gradient(EuclideanLoss(pixel_reduction=reduction), ab, outputs)
    error = outputs.astype(np.float64) - ab.astype(np.float64) / 110
    scale = colored[:, None, None, None] / len(ab) / (PIXELS if reduction == "mean" else 1)
    assert value == pytest.approx(0.5 * (scale * error**2).sum(), rel=1e-5)
    np.testing.assert_allclose(gradient, scale * error, rtol=1e-4, atol=1e-7)


def losses():
    return [
        ColorCrossEntropy(),
        ColorCrossEntropy(
            class_weights=np.linspace(0.5, 2, 313), k=10, sigma=3.0, pixel_reduction="sum", mask_grey=False
        ),
        ColorCrossEntropy(class_weights=np.ones(len(ab_gamut(20))), step=20, name="coarse"),
        EuclideanLoss(pixel_reduction="sum", mask_grey=False),
    ]


@pytest.mark.parametrize("loss", losses())
def test_a_loss_comes_back_from_its_configuration(loss):
    again = type(loss).from_config(loss.get_config())
    assert again.get_config() == loss.get_config()


@pytest.mark.parametrize("loss", losses())
def test_a_loss_comes_back_from_json(loss, ab, random):
    text = json.dumps(keras.saving.serialize_keras_object(loss))
    again = keras.saving.deserialize_keras_object(json.loads(text))
    channels = 2 if isinstance(loss, EuclideanLoss) else len(ab_gamut(loss.step))
    outputs = random.normal(size=(*SHAPE, channels)).astype(np.float32)
    assert type(again) is type(loss)
    assert float(again(ab, outputs)) == float(loss(ab, outputs))


@pytest.mark.parametrize("length", [0, 2, 312, 314])
def test_class_weights_of_another_length_are_refused(length):
    with pytest.raises(ValueError, match=rf"`class_weights` must have 313 entries\. Received: {length}$"):
        ColorCrossEntropy(class_weights=[1.0] * length)


@pytest.mark.parametrize("loss", [ColorCrossEntropy, EuclideanLoss])
def test_an_unknown_reduction_is_refused(loss):
    with pytest.raises(ValueError, match=r"must be one of mean, sum\. Received: pixel_reduction=median$"):
        loss(pixel_reduction="median")


def test_the_target_is_averaged_down_to_the_output(ab, logits, random):
    fine = np.repeat(np.repeat(ab, 2, axis=1), 2, axis=2)
    fine += random.choice([-1, 1], (3, 1, 1, 2)) * np.tile([[4.0, -4.0], [-4.0, 4.0]], (2, 4))[None, ..., None]
    loss = ColorCrossEntropy()
    np.testing.assert_allclose(loss(fine.astype(np.float32), logits), loss(ab, logits), rtol=1e-5)


def test_an_output_that_does_not_divide_the_target_is_refused(logits):
    with pytest.raises(ValueError, match=r"must divide the target's\. Received: 2 and 3"):
        ColorCrossEntropy()(np.zeros((3, 3, 6, 2), np.float32), logits)


@pytest.mark.parametrize("side", [16, 8, 4])
def test_which_photographs_are_grey_does_not_depend_on_the_output_resolution(side):
    # One small red thing: averaged over a quarter of the picture it is below the limit.
    ab = np.zeros((1, 16, 16, 2), np.float32)
    ab[0, 0, 0] = 60
    assert ColorCrossEntropy()(ab, np.zeros((1, side, side, 313), np.float32)) > 5


@pytest.mark.parametrize(("loss", "channels"), [(ColorCrossEntropy, 313), (EuclideanLoss, 2)])
@pytest.mark.parametrize(("reduction", "side"), [("mean", 64), ("mean", 8), ("mean", 1), ("sum", 32), ("sum", 4)])
def test_a_penalty_is_as_strong_beside_every_loss_as_in_the_paper(random, loss, channels, reduction, side):
    def pulls(reduction, side):
        """Return the gradients of loss and penalty to a weight that scales every pixel's output."""
        weight = tf.Variable(0.7)
        coefficient = penalty_coefficient(5e-4, pixel_reduction=reduction, output_side=side)
        with tf.GradientTape(persistent=True) as tape:
            value = loss(pixel_reduction=reduction)(
                np.full((2, 64, 64, 2), 30, np.float32), weight * np.broadcast_to(output, (2, side, side, channels))
            )
            penalty = coefficient * weight**2
        return float(tape.gradient(value, weight)), float(tape.gradient(penalty, weight))

    output = random.normal(size=channels).astype(np.float32)
    of_paper, own = pulls("sum", 64), pulls(reduction, side)
    assert of_paper[1] == pytest.approx(1e-3 * 0.7)  # its weight decay
    assert own[0] / own[1] == pytest.approx(of_paper[0] / of_paper[1], rel=1e-4)
