import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from skimage.color import lab2rgb, rgb2lab
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from ablate.colorization.color.gamut import ab_gamut
from ablate.colorization.metrics import (
    METRICS,
    ColorizedPhotographs,
    auc,
    balanced_pixel_weights,
    class_counts,
    colorfulness_of,
    per_photograph,
    psnr_of,
)

SIDE = 12


@pytest.fixture
def pictures():
    """Return smooth pictures well inside sRGB, so that small changes of ab stay there."""
    rows, columns = np.indices((SIDE, SIDE)) / SIDE
    planes = [0.3 + 0.4 * rows, 0.6 - 0.3 * columns * rows, 0.4 + 0.2 * columns]
    one = np.stack(planes, axis=-1)
    return np.stack([one, one[::-1, :, ::-1], 0.25 + one / 2]).astype(np.float32)


@pytest.fixture
def lab(pictures):
    return rgb2lab(pictures.astype(np.float64)).astype(np.float32)


@pytest.fixture
def predicted(lab):
    return lab[..., 1:] + np.random.default_rng(0).uniform(-8, 8, lab[..., 1:].shape).astype(np.float32)


def table(lab, predicted_ab):
    return per_photograph(photographs(lab, predicted_ab, mean_truth_colorfulness=20.0))


def photographs(lab, predicted_ab, *, mean_truth_colorfulness):
    weights = balanced_pixel_weights(lab[..., 1:])
    rgb = lab2rgb(lab.astype(np.float64)).astype(np.float32)
    return ColorizedPhotographs(lab, rgb, predicted_ab, weights, mean_truth_colorfulness)


def test_auc_is_the_area_under_the_curve_of_pixels_within_a_threshold():
    distance = np.random.default_rng(0).gamma(2, 30, 2000)
    assert (distance > 150).any()
    thresholds = np.linspace(0, 150, 3001)
    curve = (distance[:, None] <= thresholds).mean(axis=0)
    assert auc(distance).mean() == pytest.approx(np.trapezoid(curve, thresholds) / 150, abs=1e-3)


@pytest.mark.parametrize(("distance", "expected"), [(0, 1), (15, 0.9), (75, 0.5), (150, 0), (400, 0)])
def test_auc_of_one_distance(distance, expected):
    assert auc(np.array(distance)) == pytest.approx(expected)


def test_weights_are_the_inverse_of_how_common_a_class_is(nearest_classes):
    ab = np.random.default_rng(1).normal(0, 15, (3, 5, 4, 2)).astype(np.float32)
    bins = nearest_classes(ab.reshape(-1, 2))[0].reshape(3, 5, 4)
    expected = np.array([[[1 / (bins == b).sum() for b in row] for row in picture] for picture in bins])
    np.testing.assert_allclose(balanced_pixel_weights(ab), expected / expected.mean())


def test_every_class_of_the_truth_weighs_the_same(nearest_classes):
    ab = np.random.default_rng(2).normal(0, 15, (2, 8, 8, 2)).astype(np.float32)
    bins = nearest_classes(ab.reshape(-1, 2))[0].ravel()
    sums = np.bincount(bins, weights=balanced_pixel_weights(ab).ravel())
    np.testing.assert_allclose(sums[sums > 0], 128 / len(np.unique(bins)))


def test_another_grid_weights_by_its_own_classes():
    ab = np.array([0, 0, 10, 10, 20], np.float32)[:, None] * [1, 0]
    np.testing.assert_allclose(
        balanced_pixel_weights(ab.reshape(1, 5, 1, 2))[0, :, 0], np.array([1, 1, 1, 1, 2]) * 5 / 6
    )
    at_twenty = balanced_pixel_weights(np.array([[[[0, 0]], [[0, 4]], [[20, 0]]]], np.float32), step=20)
    np.testing.assert_allclose(at_twenty[0, :, 0], [0.75, 0.75, 1.5])


def test_weights_are_normalised_over_the_set_and_not_per_photograph():
    # Grey everywhere but for half of the second photograph, which is red; red is what the model misses, by 75.
    side = 8
    lab = np.zeros((2, side, side, 3), np.float32)
    lab[..., 0] = 50
    lab[1, : side // 2, :, 1] = 60
    predicted = np.zeros((2, side, side, 2), np.float32)
    predicted[1, : side // 2, :, 0] = -15
    frame = table(lab, predicted)
    # Two classes: grey, all right, and red, half right; each weighs 1/2.
    assert frame["auc_rebalanced"].mean() == pytest.approx(100 * (0.5 * 1 + 0.5 * 0.5))
    # Per photograph it would be the mean of 100 and of 75.
    assert frame["auc_rebalanced"].mean() < 80
    assert frame["auc_raw"].tolist() == pytest.approx([100, 75])


def test_the_mean_over_photographs_is_the_weighted_mean_over_all_pixels(lab, predicted, nearest_classes):
    frame = table(lab, predicted)
    distance = np.sqrt(((lab[..., 1:].astype(np.float64) - predicted) ** 2).sum(axis=-1)).ravel()
    bins = nearest_classes(lab[..., 1:].reshape(-1, 2))[0].ravel()
    weights = 1 / np.bincount(bins)[bins]
    close = 1 - np.minimum(distance, 150) / 150
    assert frame["auc_raw"].mean() == pytest.approx(100 * close.mean())
    assert frame["auc_rebalanced"].mean() == pytest.approx(100 * (weights * close).sum() / weights.sum())


def test_rmse_is_the_root_of_the_mean_squared_distance(lab, predicted):
    expected = [
        np.sqrt(np.mean([(d**2).sum() for d in (one.astype(np.float64) - other).reshape(-1, 2)]))
        for one, other in zip(lab[..., 1:], predicted, strict=True)
    ]
    np.testing.assert_allclose(table(lab, predicted)["ab_rmse"], expected, rtol=1e-6)


def test_psnr_and_ssim_equal_scikit_image_on_the_pictures_one_sees(lab, predicted):
    frame = table(lab, predicted)
    for row, (one, ab) in enumerate(zip(lab.astype(np.float64), predicted, strict=True)):
        truth, shown = lab2rgb(one), lab2rgb(np.concatenate([one[..., :1], ab], axis=-1))
        expected = peak_signal_noise_ratio(truth, shown, data_range=1)
        assert frame["psnr"][row] == pytest.approx(expected, abs=1e-3)
        expected = structural_similarity(truth, shown, channel_axis=-1, data_range=1, win_size=7)
        assert frame["ssim"][row] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    ("true", "given", "expected"),
    [
        # From the test data of Sharma, Wu and Dalal (2005), table 1.
        ((50, 2.5, 0), (50, 0, -2.5), 4.3065),
        ((50, 0, 0), (50, -1, 2), 2.3669),
        ((50, 2.49, -0.001), (50, -2.49, 0.0009), 7.1792),
    ],
)
def test_ciede2000_of_published_pairs(true, given, expected):
    lab = np.broadcast_to(np.array(true, np.float32), (1, 8, 8, 3))
    predicted = np.broadcast_to(np.array(given[1:], np.float32), (1, 8, 8, 2))
    assert table(lab, predicted)["ciede2000"][0] == pytest.approx(expected, abs=5e-3)


def test_colorfulness_equals_the_formula_worked_out_pixel_by_pixel(pictures):
    for picture, value in zip(pictures, colorfulness_of(pictures), strict=True):
        rg, yb = [], []
        for red, green, blue in picture.reshape(-1, 3).astype(np.float64) * 255:
            rg.append(red - green)
            yb.append((red + green) / 2 - blue)
        spread = (np.std(rg) ** 2 + np.std(yb) ** 2) ** 0.5
        offset = (np.mean(rg) ** 2 + np.mean(yb) ** 2) ** 0.5
        assert value == pytest.approx(spread + 0.3 * offset)


def test_a_picture_half_red_half_blue_is_as_colourful_as_worked_out():
    picture = np.zeros((1, 2, 2, 3))
    picture[0, 0], picture[0, 1] = (1, 0, 0), (0, 0, 1)
    # rg is 255 and 0; yb is 127.5 and -255: deviations 127.5 and 191.25, means 127.5 and -63.75.
    assert colorfulness_of(picture)[0] == pytest.approx(np.hypot(127.5, 191.25) + 0.3 * np.hypot(127.5, 63.75))


def test_grey_has_no_colourfulness():
    greys = np.random.default_rng(3).uniform(0, 1, (2, 8, 8, 1)).repeat(3, axis=-1)
    np.testing.assert_allclose(colorfulness_of(greys), 0, atol=1e-10)


def test_equal_pictures_are_perfect(lab):
    frame = table(lab, lab[..., 1:])
    assert (frame["auc_raw"] == 100).all()
    assert frame["auc_rebalanced"].mean() == pytest.approx(100)
    assert (frame["ab_rmse"] == 0).all()
    assert (frame["psnr"] == 100).all()
    np.testing.assert_allclose(frame["ssim"], 1)
    np.testing.assert_allclose(frame["ciede2000"], 0, atol=1e-6)


def test_psnr_is_capped_for_equal_pictures_only(pictures):
    assert psnr_of(pictures, pictures).tolist() == [100, 100, 100]
    shifted = pictures.astype(np.float64) + 0.1
    np.testing.assert_allclose(psnr_of(pictures, shifted), 20, atol=1e-4)


def test_the_ratio_is_to_the_mean_of_the_truth(lab, predicted):
    frame = table(lab, predicted)
    np.testing.assert_allclose(frame["colorfulness_ratio"], frame["colorfulness"] / 20)


def test_ab_outside_srgb_is_measured_as_predicted_but_seen_clipped(lab):
    far = np.full((*lab.shape[:-1], 2), 120, np.float32)
    frame = table(lab, far)
    distance = np.linalg.norm(lab[..., 1:].astype(np.float64) - 120, axis=-1)
    np.testing.assert_allclose(frame["ab_rmse"], np.sqrt((distance**2).mean(axis=(1, 2))), rtol=1e-6)
    assert np.isfinite(frame.to_numpy()).all()


def test_photographs_of_no_colour_at_all_have_a_finite_ratio(lab):
    grey = np.concatenate([lab[..., :1], np.zeros_like(lab[..., 1:])], axis=-1)
    frame = per_photograph(photographs(grey, grey[..., 1:], mean_truth_colorfulness=0.0))
    assert np.isfinite(frame.to_numpy()).all()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_photograph_with_a_prediction_that_is_no_number_has_no_score_and_the_others_theirs(lab, predicted, value):
    broken = predicted.copy()
    broken[1, 4, 5, 0] = value
    frame, whole = table(lab, broken), table(lab, predicted)
    pd.testing.assert_frame_equal(frame.drop(index=1), whole.drop(index=1))
    assert not np.isfinite(frame["ab_rmse"][1])
    if np.isnan(value):
        assert frame.loc[1].isna().all()


def test_a_photograph_s_values_are_the_same_in_any_company(lab, predicted):
    whole = table(lab, predicted).drop(columns="auc_rebalanced")  # its weights are over all of them
    for place in range(len(lab)):
        own = slice(place, place + 1)
        alone = table(lab[own], predicted[own]).drop(columns="auc_rebalanced")
        np.testing.assert_allclose(alone.to_numpy()[0], whole.to_numpy()[place], rtol=1e-12)


@pytest.mark.parametrize("step", [10, 37])
def test_the_nearest_class_of_any_ab_is_that_of_the_search_over_all(step, nearest_classes):
    ab = np.random.default_rng(4).uniform(-120, 120, (2, 25, 20, 2)).astype(np.float32)
    counts = np.bincount(nearest_classes(ab.reshape(-1, 2), step=step)[0].ravel(), minlength=len(ab_gamut(step)))
    np.testing.assert_array_equal(class_counts(ab, step=step), counts)


def test_of_equally_near_classes_the_first_is_the_nearest():
    (found,) = np.flatnonzero(class_counts(np.array([[[5.0, -5.0]]], np.float32)))
    assert ab_gamut()[found].tolist() == [0, -10]


def test_every_metric_has_its_column(lab, predicted):
    frame = table(lab, predicted)
    assert list(frame.columns) == [metric.name for metric in METRICS]
    assert len(frame) == 3


@pytest.mark.slow
def test_metrics_are_declared_without_tensorflow():
    code = (
        "import sys; from ablate.colorization.metrics import METRICS; print(len(METRICS), 'tensorflow' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(len(METRICS)), "False"]


def test_every_metric_has_a_label_and_a_description():
    for metric in METRICS:
        assert metric.label
        assert metric.description.endswith(".")
        assert "\n" not in metric.description
