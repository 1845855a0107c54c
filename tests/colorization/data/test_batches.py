import shutil

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from skimage.color import rgb2lab

from ablate.colorization.data.batches import (
    evaluation_batches,
    example_order,
    random_square,
    to_example,
    training_batches,
)
from ablate.colorization.data.dataset import load_data


def lab_of(pixels):
    return rgb2lab(np.asarray(pixels, np.float64) / 255)


@pytest.mark.parametrize("count", [1, 7, 40])
def test_every_pass_is_a_permutation(count):
    order = example_order(3, np.arange(4 * count), count)[0].reshape(4, count)
    assert (np.sort(order, axis=1) == np.arange(count)).all()


def test_passes_and_seeds_are_shuffled_differently():
    both = [example_order(seed, np.arange(200), 50) for seed in (0, 1)]
    passes = [tuple(one) for order, _ in both for one in order.reshape(4, 50)]
    assert len(set(passes)) == len(passes)
    draws = np.concatenate([draws for _, draws in both])
    assert len(np.unique(draws, axis=0)) == 400
    assert 0 <= draws.min() < 0.02 < 0.98 < draws.max() < 1


@pytest.mark.parametrize(("start", "stop"), [(0, 0), (0, 5), (13, 14), (6, 29), (100, 130)])
def test_any_part_of_the_order_equals_that_part_of_the_whole(start, stop):
    for part, whole in zip(
        example_order(5, np.arange(start, stop), 7), example_order(5, np.arange(130), 7), strict=True
    ):
        np.testing.assert_array_equal(part, whole[start:stop])


def crops(pixels, seeds, **options):
    made = [random_square(pixels, np.random.default_rng(seed).random(4, np.float32), **options) for seed in seeds]
    return np.stack(made).astype(np.float32)


def test_other_draws_make_another_crop(noise):
    made = crops(noise(height=20, width=30), range(8), side=8, max_zoom=2.0)
    assert len({crop.tobytes() for crop in made}) == 8


def test_the_least_and_the_greatest_draws_reach_the_borders(noise):
    pixels = noise(height=20, width=30)
    almost = np.float32(1 - 2**-24)
    whole = random_square(pixels, np.float32([almost, 0, 0, 0]), side=20, max_zoom=1.0)
    np.testing.assert_array_equal(whole, pixels[:, :20])
    last = random_square(pixels, np.float32([0, almost, almost, almost]), side=10, max_zoom=2.0)
    np.testing.assert_array_equal(last, pixels[-10:, -10:][:, ::-1])


@pytest.fixture
def ramp():
    """Return a picture whose red is the column and whose green is the row."""
    rows, columns = np.indices((40, 60))
    return np.stack([columns, rows, np.zeros_like(rows)], axis=-1).astype(np.uint8)


def test_about_half_of_the_crops_are_flipped(ramp):
    made = crops(ramp, range(300), side=8, max_zoom=1.5)
    flipped = made[:, 0, 0, 0] > made[:, 0, -1, 0]
    assert abs(flipped.mean() - 0.5) < 0.12
    assert (made[:, 0, 0, 1] < made[:, -1, 0, 1]).all()


def test_crops_are_of_every_size_and_place_that_is_allowed(ramp):
    made = crops(ramp, range(300), side=8, max_zoom=2.0)
    assert made.shape == (300, 8, 8, 3)
    # Neighbouring pixels of the result are square / 8 pixels of the ramp apart, away from the border.
    squares = 8 / 3 * np.abs(made[:, 4, 6, 0] - made[:, 4, 3, 0])
    assert squares.min() == pytest.approx(20, abs=3)
    assert squares.max() == pytest.approx(40, abs=3)
    centers = made[:, 3:5, 3:5, 0].mean(axis=(1, 2))
    assert centers.min() < 16
    assert centers.max() > 43


def test_a_crop_has_the_same_zoom_along_both_axes(ramp):
    made = crops(ramp, range(50), side=8, max_zoom=2.0)
    np.testing.assert_allclose(
        np.abs(made[:, 4, 6, 0] - made[:, 4, 1, 0]), made[:, 6, 4, 1] - made[:, 1, 4, 1], atol=1
    )


def test_a_picture_of_the_very_side_is_taken_whole(noise):
    pixels = noise(height=8, width=8)
    for crop in crops(pixels, range(6), side=8, max_zoom=3.0):
        assert np.array_equal(crop, pixels) or np.array_equal(crop, pixels[:, ::-1])


def test_no_crop_is_smaller_than_its_result(ramp):
    made = crops(ramp, range(100), side=36, max_zoom=3.0)
    steps = np.abs(made[:, 18, 28, 0] - made[:, 18, 8, 0])
    assert steps.min() >= 20


def test_a_fine_checkerboard_becomes_grey():
    # A third of the side: without anti-aliasing every third pixel would be taken, black or white.
    checkers = np.repeat((np.indices((48, 48)).sum(axis=0) % 2 * 255)[..., None], 3, axis=-1).astype(np.uint8)
    made = crops(checkers, range(10), side=16, max_zoom=1.0)
    np.testing.assert_allclose(made[:, 1:-1, 1:-1], 127.5, atol=2)


def test_an_example_is_scaled_lightness_and_ab(noise):
    pixels = np.stack([noise(seed, 16, 16) for seed in range(3)])
    lightness, ab = to_example(pixels)
    lab = lab_of(pixels)
    np.testing.assert_allclose(lightness, (lab[..., :1] - 50) / 100, atol=1e-4)
    np.testing.assert_allclose(ab, lab[..., 1:], atol=5e-3)


def test_lightness_lies_within_half_of_zero():
    black_to_white = np.array([0, 255], np.uint8).repeat(96).reshape(1, 8, 8, 3)
    lightness, _ = to_example(black_to_white)
    assert np.min(lightness) == pytest.approx(-0.5, abs=1e-4)
    assert np.max(lightness) == pytest.approx(0.5, abs=1e-4)


def test_ab_is_not_rounded_to_8_bits(noise):
    _, ab = to_example(noise(height=8, width=8)[None])
    assert np.abs(ab - np.round(ab)).mean() == pytest.approx(0.25, abs=0.1)


@pytest.fixture
def stream(sample):
    def stream(**changes):
        options = {"seed": 0, "batch_size": 2, "first_step": 0, "steps": 6, **changes}
        return [tuple(part.numpy() for part in batch) for batch in training_batches(sample, **options)]

    return stream


def assert_same(batches, others):
    assert len(batches) == len(others)
    for (lightness, ab), (other_lightness, other_ab) in zip(batches, others, strict=True):
        np.testing.assert_array_equal(lightness, other_lightness)
        np.testing.assert_array_equal(ab, other_ab)


def test_training_batches_are_full_and_of_the_right_shape(stream):
    batches = stream(batch_size=3, steps=4)
    assert [lightness.shape for lightness, _ in batches] == [(3, 32, 32, 1)] * 4
    assert [ab.shape for _, ab in batches] == [(3, 32, 32, 2)] * 4
    assert {part.dtype for batch in batches for part in batch} == {np.dtype(np.float32)}


def test_the_shapes_of_batches_are_known_before_they_come(sample):
    batches = training_batches(sample, seed=0, batch_size=2, first_step=0, steps=3)
    lightness, ab = batches.element_spec
    assert lightness.shape.as_list() == [2, 32, 32, 1]
    assert ab.shape.as_list() == [2, 32, 32, 2]
    assert batches.cardinality() == 3


def test_the_same_arguments_give_the_same_bits(stream):
    assert_same(stream(), stream())


@pytest.mark.parametrize("done", [1, 3, 5])
def test_a_stream_resumes_where_it_was_left(stream, done):
    assert_same(stream()[done:], stream(first_step=done, steps=6 - done))


def test_another_seed_gives_other_batches(stream):
    for (lightness, _), (other, _) in zip(stream(), stream(seed=1), strict=True):
        assert not np.array_equal(lightness, other)


@pytest.mark.slow
def test_photographs_come_in_their_order_however_long_each_takes(data_config, tmp_path, encode):
    # Flat greys, so that the lightness tells which one it is; some are large, and slow to crop.
    for number in range(6):
        side = 1200 if number % 2 else 12
        path = tmp_path / ("val" if number == 0 else "train") / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(encode(Image.new("RGB", (side, side), (40 * number,) * 3)))
    data = load_data(data_config(name="folder", root=tmp_path, image_size=8, max_zoom=100.0), evaluation_side=8)
    batches = training_batches(data, seed=0, batch_size=1, first_step=0, steps=40)
    lightness = [float(batch[0][0, 0, 0, 0]) for batch in batches]
    greys = [40 * int(data.train[index].path.stem) for index in example_order(0, np.arange(40), 5)[0]]
    expected = [(lab_of((grey,) * 3)[0] - 50) / 100 for grey in greys]
    np.testing.assert_allclose(lightness, expected, atol=1e-3)


def test_the_same_photograph_is_cropped_anew_in_every_pass(sample, stream):
    [one] = stream(batch_size=10, steps=1)
    lightness = one[0]
    assert len({picture.tobytes() for picture in lightness}) == 10


@pytest.mark.slow
def test_memory_changes_no_batch(data_config, sample):
    without = load_data(data_config(memory_gib=0.0), evaluation_side=32)
    options = {"seed": 2, "batch_size": 4, "first_step": 1, "steps": 2}
    for batch, other in zip(training_batches(sample, **options), training_batches(without, **options), strict=True):
        np.testing.assert_array_equal(batch[0], other[0])
        np.testing.assert_array_equal(batch[1], other[1])


def test_a_photograph_that_vanishes_stops_training(data_config, tmp_path, write_pictures):
    write_pictures(tmp_path, ["train/a.png", "val/b.png"])
    data = load_data(data_config(name="folder", root=tmp_path, image_size=8, memory_gib=0.0), evaluation_side=8)
    shutil.rmtree(tmp_path / "train")
    batches = training_batches(data, seed=0, batch_size=1, first_step=0, steps=1)
    with pytest.raises(tf.errors.OpError, match=r"a\.png"):
        list(batches)


@pytest.mark.parametrize("batch_size", [1, 2, 5])
def test_evaluation_batches_come_once_and_in_order(sample, batch_size):
    batches = list(evaluation_batches(sample, batch_size=batch_size))
    lab = lab_of(sample.squares.read(slice(None))[0])
    lightness = np.concatenate([part[0] for part in batches])
    ab = np.concatenate([part[1] for part in batches])
    assert len(batches) == -(-3 // batch_size)
    np.testing.assert_allclose(lightness, (lab[..., :1] - 50) / 100, atol=1e-4)
    np.testing.assert_allclose(ab, lab[..., 1:], atol=5e-3)


@pytest.mark.slow
def test_an_epoch_of_many_passes_is_ordered_one_pass_after_the_other():
    # Five photographs: what an epoch of the published scale asks of the sample, a tenth of it.
    order = example_order(0, np.arange(40_000), 5)[0].reshape(-1, 5)
    np.testing.assert_array_equal(np.sort(order, axis=1), np.tile(np.arange(5), (8000, 1)))
    assert len(np.unique(order, axis=0)) == 120


@pytest.mark.parametrize("workers", [1, 5])
def test_the_number_of_threads_changes_no_batch(stream, monkeypatch, workers):
    expected = stream()
    monkeypatch.setattr("ablate.system.threads.job_threads", lambda: workers)
    assert_same(stream(), expected)
