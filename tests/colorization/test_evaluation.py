import dataclasses

import numpy as np
import pytest
from scipy.special import softmax
from skimage.color import lab2rgb, rgb2lab

from ablate.colorization.color.gamut import ab_gamut
from ablate.colorization.config import ColorConfig, EvaluationConfig
from ablate.colorization.data.dataset import load_data
from ablate.colorization.data.squares import Squares
from ablate.colorization.evaluation import evaluate
from ablate.colorization.evaluation_set import ab_counts
from ablate.colorization.metrics import METRICS
from ablate.colorization.model.backbone import build_backbone
from tests.support.levels import variant_layers

NAMES = [metric.name for metric in METRICS]
VARIANTS = ["full", "half", "quarter"]


@pytest.fixture(scope="module")
def color():
    return ColorConfig(grid_step=10, soft_bins=5, soft_sigma=5, prior_sigma=5, temperature=0.38)


@pytest.fixture(scope="module")
def measure(sample, color):
    def measure(model, data=sample, cache=None, **changes):
        options = EvaluationConfig(**{"side": 32, "batch_size": 2, "samples": 2, **changes})
        return evaluate(model, data, color=color, evaluation=options, cache=cache)

    return measure


@pytest.fixture(scope="module")
def untrained():
    return {res: build_backbone(variant_layers(width=1 / 16, output_res=res), side=32) for res in VARIANTS}


@pytest.fixture(scope="module")
def result(measure, untrained):
    return measure(untrained["full"])


def always(logits, output_res="full"):
    """Build a network that answers the same logits everywhere."""
    model = build_backbone(variant_layers(width=1 / 64, output_res=output_res, outputs=len(logits)), side=32)
    head = model.get_layer("head")
    head.kernel.assign(np.zeros(head.kernel.shape))
    head.bias.assign(logits)
    return model


@pytest.fixture(scope="module")
def lab(sample):
    return rgb2lab(sample.squares.read(slice(None))[0] / 255)


def one_of(squares, place):
    return tuple(pixels[0] for pixels in squares.read(slice(place, place + 1)))


def aucs(lab, predicted_ab, nearest_classes):
    """Compute AuC raw and rebalanced of the whole set in one go."""
    close = 1 - np.minimum(np.linalg.norm(lab[..., 1:] - predicted_ab, axis=-1), 150).ravel() / 150
    bins = nearest_classes(lab[..., 1:].reshape(-1, 2))[0].ravel()
    weights = 1 / np.bincount(bins)[bins]
    return 100 * close.mean(), 100 * (weights * close).sum() / weights.sum()


@pytest.mark.slow
def test_metrics_are_the_means_of_the_photographs_values(result):
    assert list(result.metrics) == NAMES
    for name in NAMES:
        assert result.metrics[name] == pytest.approx(sum(result.per_example[name]) / 3)


def test_every_photograph_has_a_row_with_its_name_and_digest(result, sample):
    assert list(result.per_example.columns) == ["example", "digest", *NAMES]
    assert result.per_example["example"].tolist() == [photograph.name for photograph in sample.evaluation]
    assert result.per_example["digest"].tolist() == [photograph.digest for photograph in sample.evaluation]


@pytest.mark.parametrize("batch_size", [1, 3, 100])
def test_the_batch_size_changes_nothing(measure, untrained, result, batch_size):
    other = measure(untrained["full"], batch_size=batch_size)
    np.testing.assert_allclose(other.per_example[NAMES], result.per_example[NAMES], rtol=1e-4)


def test_the_reference_grey_has_no_colour(result, lab, nearest_classes):
    grey = result.references["grey"]
    raw, rebalanced = aucs(lab, 0, nearest_classes)
    assert grey["auc_raw"] == pytest.approx(raw, abs=0.01)
    assert grey["auc_rebalanced"] == pytest.approx(rebalanced, abs=0.3)
    rmse = np.sqrt((lab[..., 1:] ** 2).sum(axis=-1).mean(axis=(1, 2))).mean()
    assert grey["ab_rmse"] == pytest.approx(rmse, abs=0.01)
    assert grey["colorfulness"] == pytest.approx(0, abs=0.05)
    assert grey["colorfulness_ratio"] == pytest.approx(0, abs=1e-3)


def test_the_reference_mean_color_is_the_training_photographs_mean(result, sample, lab, nearest_classes):
    mean_color = result.references["mean_color"]
    raw, rebalanced = aucs(lab, sample.mean_ab, nearest_classes)
    assert mean_color["auc_raw"] == pytest.approx(raw, abs=0.01)
    assert mean_color["auc_rebalanced"] == pytest.approx(rebalanced, abs=0.3)
    squared = ((lab[..., 1:] - sample.mean_ab) ** 2).sum(axis=-1).mean(axis=(1, 2))
    assert mean_color["ab_rmse"] == pytest.approx(np.sqrt(squared).mean(), abs=0.01)


@pytest.mark.slow
def test_references_do_not_depend_on_the_network(measure, untrained, result):
    other = measure(untrained["quarter"])
    assert other.references == result.references


@pytest.mark.slow
def test_cached_references_change_nothing(measure, untrained, result, tmp_path):
    for _ in range(2):
        other = measure(untrained["full"], cache=tmp_path)
        assert other.references == result.references
        np.testing.assert_array_equal(other.per_example[NAMES], result.per_example[NAMES])
        np.testing.assert_array_equal(other.distribution, result.distribution)
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.slow
@pytest.mark.parametrize("output_res", VARIANTS)
def test_every_output_resolution_is_measured_at_the_same_side(measure, output_res):
    # The same colour everywhere is the same picture, whatever the output's side was.
    logits = np.random.default_rng(0).normal(size=313)
    expected, made = measure(always(logits)), measure(always(logits, output_res))
    np.testing.assert_allclose(made.per_example[NAMES], expected.per_example[NAMES], rtol=1e-5)
    assert {picture.size for pictures in made.samples.values() for picture in pictures.values()} == {(32, 32)}


@pytest.mark.slow
def test_logits_are_decoded_by_the_annealed_mean(measure, lab, nearest_classes):
    logits = np.random.default_rng(1).normal(0, 3, 313)
    predicted = softmax(logits / 0.38) @ ab_gamut()
    metrics = measure(always(logits)).metrics
    raw, rebalanced = aucs(lab, predicted, nearest_classes)
    assert metrics["auc_raw"] == pytest.approx(raw, abs=0.01)
    assert metrics["auc_rebalanced"] == pytest.approx(rebalanced, abs=0.3)


@pytest.mark.slow
def test_two_channels_are_ab_divided_by_110(measure, lab, nearest_classes):
    metrics = measure(always([0.1, -0.2])).metrics
    assert metrics["auc_raw"] == pytest.approx(aucs(lab, [11, -22], nearest_classes)[0], abs=0.01)


@pytest.mark.slow
def test_another_side_than_the_network_s_is_evaluated_there(measure, untrained, data_config):
    larger = measure(untrained["full"], load_data(data_config(), evaluation_side=48), side=48)
    assert {picture.size for pictures in larger.samples.values() for picture in pictures.values()} == {(48, 48)}
    assert larger.metrics["auc_raw"] == pytest.approx(measure(untrained["full"]).metrics["auc_raw"], abs=1)


@pytest.mark.slow
def test_dropout_is_off(measure, sample):
    model = build_backbone(variant_layers(width=1 / 16, dropout=0.5), side=32)
    np.testing.assert_array_equal(measure(model).per_example[NAMES], measure(model).per_example[NAMES])


@pytest.mark.slow
@pytest.mark.parametrize(("asked", "given"), [(1, 1), (2, 2), (50, 3)])
def test_samples_are_of_the_first_photographs(measure, untrained, sample, asked, given):
    samples = measure(untrained["full"], samples=asked).samples
    names = [photograph.name for photograph in sample.evaluation][:given]
    assert list(samples) == ["given", "truth", "output"]
    assert [list(pictures) for pictures in samples.values()] == [names] * 3


def test_the_sample_truth_is_the_photograph_and_given_is_its_lightness(result, sample, lab):
    for place, photograph in enumerate(sample.evaluation[:2]):
        truth = np.asarray(result.samples["truth"][photograph.name]).astype(int)
        given = np.asarray(result.samples["given"][photograph.name]).astype(int)
        np.testing.assert_allclose(truth, sample.squares.read(slice(None))[0][place], atol=1)
        grey = lab2rgb(lab[place] * [1, 0, 0]) * 255
        np.testing.assert_allclose(given, grey, atol=1)


@pytest.mark.slow
def test_the_sample_output_is_the_predicted_colour_with_the_true_lightness(measure, sample, lab):
    samples = measure(always([0.1, 0.05])).samples
    for place, photograph in enumerate(sample.evaluation[:2]):
        expected = lab2rgb(np.concatenate([lab[place][..., :1], np.full((32, 32, 2), [11, 5.5])], axis=-1))
        output = np.asarray(samples["output"][photograph.name]).astype(int)
        np.testing.assert_allclose(output, expected * 255, atol=1)


@pytest.mark.slow
def test_weights_are_over_all_photographs_not_over_those_of_a_batch(measure, sample, untrained):
    # A photograph twice in the set is all the same to itself, but not to the rarity of its colours.
    twice = dataclasses.replace(
        sample,
        evaluation=(*sample.evaluation, sample.evaluation[0]),
        squares=Squares([0, 1, 2, 0], lambda place: one_of(sample.squares, place), memory=0),
    )
    once, more = (measure(untrained["full"], data, batch_size=1).per_example for data in (sample, twice))
    np.testing.assert_allclose(more["auc_raw"][:3], once["auc_raw"], rtol=1e-5)
    assert more["auc_rebalanced"][0] == more["auc_rebalanced"][3]
    assert abs(more["auc_rebalanced"][0] - once["auc_rebalanced"][0]) > 0.5


def test_colours_are_counted_on_a_grid():
    ab = np.random.default_rng(0).uniform(-105, 105, (50, 4, 2))
    edges = np.arange(-110, 111, 5)
    expected = np.histogram2d(ab[..., 0].ravel(), ab[..., 1].ravel(), bins=[edges, edges])[0]
    np.testing.assert_array_equal(ab_counts(ab), expected)


def test_colours_outside_of_the_grid_count_at_its_edge():
    counts = ab_counts(np.array([[-300.0, 300.0]]))
    assert counts[0, -1] == counts.sum() == 1
    assert ab_counts(np.array([[np.nan, np.inf]]))[0, -1] == 1


@pytest.mark.slow
def test_the_distribution_holds_every_pixel_of_truth_and_output(measure, lab):
    spread = measure(always([0.1, -0.2])).distribution
    assert spread["truth"].sum() == spread["output"].sum() == lab[..., 0].size
    # The same colour everywhere, (11, -22), lies in one cell.
    (cell,) = spread[spread["output"] > 0].to_dict("records")
    assert (cell["a"], cell["b"]) == (12.5, -22.5)
    truth = spread.pivot_table(index="a", columns="b", values="truth").to_numpy()
    np.testing.assert_array_equal(truth, ab_counts(lab[..., 1:]))
