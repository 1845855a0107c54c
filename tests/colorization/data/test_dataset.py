import hashlib
import logging
import os
import threading
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage.color import rgb2lab

from ablate.colorization.data.dataset import load_data
from ablate.colorization.data.decode import decode
from ablate.errors import DataError

NAMES = [f"{number:02}.png" for number in range(16)]


@pytest.fixture
def load(data_config):
    def load(root, **changes):
        return load_data(data_config(name="folder", root=root, **{"image_size": 8, **changes}), evaluation_side=8)

    return load


def names(photographs):
    return {photograph.name for photograph in photographs}


def digests(photographs):
    return {photograph.digest for photograph in photographs}


def lab_of(pixels):
    return rgb2lab(np.asarray(pixels, np.float64) / 255)


def central_square(path, side):
    """Cut out and resize with Pillow's basic operations."""
    image = decode(path.read_bytes())
    short = min(image.size)
    left, top = (image.width - short) / 2, (image.height - short) / 2
    box = (left, top, left + short, top + short)
    return np.asarray(image.resize((side, side), Image.Resampling.BICUBIC, box=box))


def test_the_sample_has_five_photographs_to_train_and_three_others_to_evaluate(sample):
    assert names(sample.train) == {"astronaut", "coffee", "rocket", "motorcycle_left", "flower"}
    assert names(sample.evaluation) == {"chelsea", "china", "grace_hopper"}
    assert digests(sample.train).isdisjoint(digests(sample.evaluation))
    assert len(digests(sample.train)) == 5
    assert len(digests(sample.evaluation)) == 3
    assert sample.bad == sample.ignored == ()


def test_photographs_are_ordered_by_content(sample):
    for photographs in (sample.train, sample.evaluation):
        order = [photograph.digest for photograph in photographs]
        assert order == sorted(order)


def test_evaluation_sees_central_squares(sample):
    assert sample.squares.read(slice(None))[0].dtype == np.uint8
    for photograph, pixels in zip(sample.evaluation, sample.squares.read(slice(None))[0], strict=True):
        expected = central_square(photograph.path, 32)
        assert np.abs(expected.astype(int) - pixels).max() <= 2


def test_bins_are_those_of_the_training_photographs(sample, nearest_classes):
    pixels = np.concatenate([pixels.reshape(-1, 3) for pixels in sample.train.read(range(5))])
    counts = np.bincount(nearest_classes(lab_of(pixels)[..., 1:])[0][:, 0], minlength=313)
    assert sample.bin_counts.shape == (313,)
    assert sample.bin_counts.sum() == len(pixels)
    # A handful lie within rounding of a border.
    assert np.abs(sample.bin_counts - counts).sum() < 1e-4 * len(pixels)


def test_the_mean_colour_is_that_of_the_pixels_but_for_the_width_of_a_class(sample):
    pixels = np.concatenate([pixels.reshape(-1, 3) for pixels in sample.train.read(range(5))])
    np.testing.assert_allclose(sample.mean_ab, lab_of(pixels)[..., 1:].mean(axis=0), atol=1)


def test_another_grid_has_its_own_bins(data_config, tmp_path, write_pictures, nearest_classes):
    write_pictures(tmp_path, ["train/a.png", "val/b.png"])
    data = load_data(data_config(name="folder", root=tmp_path, image_size=8), evaluation_side=8, grid_step=20)
    ab = lab_of(data.train.read([0])[0])[..., 1:].reshape(-1, 2)
    counts = np.bincount(nearest_classes(ab, step=20)[0][:, 0], minlength=len(data.bin_counts))
    assert np.abs(data.bin_counts - counts).sum() <= 4


def test_a_val_folder_evaluates_and_all_others_train(load, tmp_path, write_pictures):
    write_pictures(tmp_path, ["a.png", "more/b.png", "val/c.png", "val/deep/d.png", "invalid/val/e.png"])
    data = load(tmp_path)
    assert names(data.train) == {"a.png", "more/b.png", "invalid/val/e.png"}
    assert names(data.evaluation) == {"val/c.png", "val/deep/d.png"}
    assert data.ignored == ()


def test_beside_a_train_folder_others_are_ignored(load, tmp_path, write_pictures):
    write_pictures(tmp_path, ["a.png", "test/b.png", "train/c.png", "train/x/d.png", "val/e.png"])
    data = load(tmp_path)
    assert names(data.train) == {"train/c.png", "train/x/d.png"}
    assert names(data.evaluation) == {"val/e.png"}
    assert set(data.ignored) == {"a.png", "test/b.png"}


@pytest.mark.parametrize("folder", ["Val", "validation", "photos/val", "photos/Test"])
def test_another_folder_that_evaluates_gives_the_fingerprint_of_val(load, tmp_path, write_pictures, folder, caplog):
    caplog.set_level("INFO")
    expected = load(write_pictures(tmp_path / "one", ["a.png", "b.png", "val/c.png"]))
    root = f"{folder.partition('/')[0]}/" * ("/" in folder)
    data = load(write_pictures(tmp_path / "two", [f"{root}a.png", f"{root}b.png", f"{folder}/c.png"]))
    assert data.fingerprint == expected.fingerprint
    assert names(data.evaluation) == {f"{folder}/c.png"}
    said = f"Split: {folder} evaluates (1), all others train (2). 2 photographs train, 1 evaluate"
    assert said in caplog.messages


def test_what_is_held_out_neither_trains_nor_evaluates(load, tmp_path, write_pictures, caplog):
    caplog.set_level("INFO")
    expected = load(write_pictures(tmp_path / "one", ["a.png", "val/b.png"])).fingerprint
    data = load(write_pictures(tmp_path / "two", ["a.png", "val/b.png", "test/c.png", "Test/d.png"]))
    assert data.fingerprint == expected
    assert set(data.ignored) == {"test/c.png", "Test/d.png"}
    assert "; Test and test (2) held out: neither trains nor evaluates. " in caplog.text


def test_how_contents_decide_is_said(load, tmp_path, write_pictures, caplog, sample):
    caplog.set_level("INFO")
    load(write_pictures(tmp_path, NAMES), eval_fraction=0.5)
    assert "no folder val, valid, validation or test: 50 % of the photographs evaluate" in caplog.text
    write_pictures(tmp_path, ["cats/val/a.png"], first_seed=50)
    load(tmp_path, eval_fraction=0.5)
    (warning,) = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert "cats/val lies deeper, and is a folder like any other" in warning


def test_nothing_left_to_train_on_is_an_error(load, tmp_path, write_pictures):
    write_pictures(tmp_path, ["test/a.png", "test/b.png"])
    with pytest.raises(DataError, match=rf"^data\.root={tmp_path} has no photograph to train on: test evaluates"):
        load(tmp_path)


def test_a_train_folder_alone_is_split_by_content(load, tmp_path, write_pictures):
    write_pictures(tmp_path, [f"train/{name}" for name in NAMES])
    data = load(tmp_path, eval_fraction=0.5)
    assert len(data.train) + len(data.evaluation) == len(NAMES)
    assert data.train
    assert data.evaluation


def test_a_split_by_content_has_about_the_share_asked_for(load, tmp_path, write_pictures):
    write_pictures(tmp_path, [f"{number}.png" for number in range(200)])
    data = load(tmp_path, eval_fraction=0.3)
    # Five standard deviations of the binomial distribution.
    assert abs(len(data.evaluation) - 60) < 5 * np.sqrt(200 * 0.3 * 0.7)


def test_renaming_moves_no_photograph_to_the_other_side(load, tmp_path, write_pictures):
    before = load(write_pictures(tmp_path / "one", NAMES), eval_fraction=0.5)
    after = load(write_pictures(tmp_path / "two", [f"x/{name}" for name in NAMES]), eval_fraction=0.5)
    assert digests(before.train) == digests(after.train)
    assert digests(before.evaluation) == digests(after.evaluation)
    assert names(before.train).isdisjoint(names(after.train))


def test_adding_photographs_moves_none_to_the_other_side(load, tmp_path, write_pictures):
    before = load(write_pictures(tmp_path, NAMES), eval_fraction=0.5)
    write_pictures(tmp_path, [f"new/{name}" for name in NAMES], first_seed=100)
    after = load(tmp_path, eval_fraction=0.5)
    assert digests(before.train) < digests(after.train)
    assert digests(before.evaluation) < digests(after.evaluation)


@pytest.mark.parametrize("first_seed", range(6))
@pytest.mark.parametrize("fraction", [0.001, 0.5, 0.999])
@pytest.mark.parametrize("count", [2, 3])
def test_neither_side_of_a_split_is_ever_empty(load, tmp_path, write_pictures, first_seed, fraction, count):
    write_pictures(tmp_path, NAMES[:count], first_seed=10 * first_seed)
    data = load(tmp_path, eval_fraction=fraction)
    assert data.train
    assert data.evaluation


@pytest.mark.parametrize("distinct", [2, 6])
def test_identical_photographs_fall_on_the_same_side(load, tmp_path, write_pictures, distinct):
    for copy in ("a", "b", "c"):
        write_pictures(tmp_path / copy, NAMES[:distinct])
    data = load(tmp_path, eval_fraction=0.5)
    assert len(data.train) + len(data.evaluation) == 3 * distinct
    assert digests(data.train).isdisjoint(digests(data.evaluation))


@pytest.mark.parametrize("copies", [1, 2])
def test_one_content_alone_cannot_be_split(load, tmp_path, write_pictures, copies):
    for copy in range(copies):
        write_pictures(tmp_path / str(copy), ["a.png"])
    with pytest.raises(DataError, match="has no usable photograph to evaluate on"):
        load(tmp_path)


@pytest.mark.parametrize(("part", "purpose"), [("train", "train"), ("val", "evaluate")])
def test_a_side_of_bad_photographs_only_is_an_error(load, tmp_path, write_pictures, part, purpose):
    write_pictures(tmp_path, ["train/a.png", "val/b.png"])
    for path in (tmp_path / part).iterdir():
        path.write_bytes(b"")
    with pytest.raises(DataError, match=f"has no usable photograph to {purpose} on"):
        load(tmp_path, max_bad_fraction=1.0)


def test_a_photograph_that_evaluates_does_not_train_as_well(load, tmp_path, write_pictures, caplog):
    write_pictures(tmp_path, ["train/a.png", "train/b.png", "val/c.png"])
    (tmp_path / "train" / "copy.png").write_bytes((tmp_path / "val" / "c.png").read_bytes())
    data = load(tmp_path)
    assert {photograph.name for photograph in data.train} == {"train/a.png", "train/b.png"}
    assert [(photograph.name, photograph.reason) for photograph in data.bad] == [
        ("train/copy.png", "evaluates under another name")
    ]
    assert data.bin_counts.sum() == sum(pixels[..., 0].size for pixels in data.train.read([0, 1]))
    assert "1 photographs that evaluate do not train as well: train/copy.png" in caplog.text


def test_a_broken_photograph_is_no_reason_for_an_empty_side(load, tmp_path, write_pictures):
    write_pictures(tmp_path, [f"{number}.png" for number in range(12)])
    broken = min((str(number).encode() for number in range(3000)), key=lambda text: hashlib.sha256(text).hexdigest())
    (tmp_path / "broken.jpg").write_bytes(broken)
    data = load(tmp_path, eval_fraction=0.001, max_bad_fraction=0.5)
    assert (len(data.train), len(data.evaluation), len(data.bad)) == (11, 1, 1)


def test_a_broken_photograph_takes_no_other_one_of_its_name_with_it(load, tmp_path, write_pictures):
    accented = [unicodedata.normalize(form, "caf\u00e9.png") for form in ("NFC", "NFD")]
    write_pictures(tmp_path, ["a.png", accented[0]])
    digests_of = {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in tmp_path.iterdir()}
    lowest = min(digests_of.values())
    broken = next(
        text for text in (str(number).encode() for number in range(3000)) if hashlib.sha256(text).hexdigest() < lowest
    )
    (tmp_path / accented[1]).write_bytes(broken)
    data = load(tmp_path, eval_fraction=0.001, max_bad_fraction=0.5)
    assert (len(data.train), len(data.evaluation), len(data.bad)) == (1, 1, 1)


def test_an_empty_folder_is_an_error(load, tmp_path):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(DataError, match=rf"data\.root={tmp_path} holds no photographs \(\.jpg, .*\)$"):
        load(tmp_path)


@pytest.mark.parametrize("name", ["missing", "file.jpg"])
def test_what_is_no_folder_is_an_error(load, tmp_path, name):
    (tmp_path / "file.jpg").touch()
    with pytest.raises(DataError, match=rf"data\.root={tmp_path / name} is no folder"):
        load(tmp_path / name)


@pytest.mark.parametrize(
    "place", [{"name": "tfds", "dataset": "some"}, {"name": "folder", "root": "gs://bucket/photographs"}], ids=str
)
def test_what_must_be_prepared_first_is_said(data_config, place):
    with pytest.raises(DataError, match=r"is no folder: `python -m ablate\.prepare` makes a prepared data set of it"):
        load_data(data_config(**place), evaluation_side=8)


def test_too_many_bad_photographs_are_an_error(load, tmp_path, write_pictures):
    write_pictures(tmp_path, NAMES)
    for number in range(8):
        (tmp_path / f"bad{number}.jpg").write_bytes(b"no picture")
    with pytest.raises(DataError) as caught:
        load(tmp_path, max_bad_fraction=0.25)
    message = str(caught.value)
    assert message.startswith("8 of 24 photographs in data.root=")
    assert "data.max_bad_fraction=0.25" in message
    assert "bad0.jpg (no JPEG, PNG or WebP picture), bad1.jpg" in message
    assert message.endswith("and 3 more")


def test_a_few_bad_photographs_are_left_out_and_named(load, tmp_path, write_pictures, caplog):
    write_pictures(tmp_path, NAMES)
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    (tmp_path / "gone.png").symlink_to(tmp_path / "nowhere.png")
    with caplog.at_level(logging.INFO):
        data = load(tmp_path, max_bad_fraction=0.2, eval_fraction=0.5)
    assert {photograph.name: photograph.reason for photograph in data.bad} == {
        "broken.jpg": "no JPEG, PNG or WebP picture",
        "gone.png": "No such file or directory",
    }
    assert len(data.train) + len(data.evaluation) == len(NAMES)
    [warning] = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert warning.startswith("2 of 18 photographs cannot be used and are left out: ")
    assert "broken.jpg (no JPEG, PNG or WebP picture)" in warning
    assert "gone.png (No such file or directory)" in warning


def test_files_that_are_no_photographs_are_told(load, tmp_path, write_pictures, caplog):
    write_pictures(tmp_path, NAMES[:4])
    (tmp_path / "notes.txt").touch()
    with caplog.at_level(logging.INFO):
        data = load(tmp_path)
    assert data.ignored == ("notes.txt",)
    assert "1 files are no photographs that train or evaluate, and are ignored: notes.txt" in caplog.messages


def test_the_fingerprint_is_that_of_contents_not_of_names_or_dates(load, tmp_path, write_pictures):
    one = write_pictures(tmp_path / "one", NAMES[:6])
    two = write_pictures(tmp_path / "two", [f"x/other-{name}" for name in NAMES[:6]])
    for path in (two / "x").iterdir():
        os.utime(path, (1, 1))
    assert load(one).fingerprint == load(two).fingerprint


def test_another_content_has_another_fingerprint(load, tmp_path, write_pictures):
    before = load(write_pictures(tmp_path, NAMES[:6])).fingerprint
    write_pictures(tmp_path, NAMES[:1], first_seed=50)
    assert load(tmp_path).fingerprint != before


def test_the_other_way_round_has_another_fingerprint(load, tmp_path, write_pictures):
    one = write_pictures(tmp_path / "one", ["train/a.png", "val/b.png"])
    two = write_pictures(tmp_path / "two", ["val/a.png", "train/b.png"])
    assert load(one).fingerprint != load(two).fingerprint


@pytest.mark.slow
def test_without_memory_photographs_are_decoded_again_to_the_same(data_config, sample):
    again = load_data(data_config(memory_gib=0.0), evaluation_side=32)
    assert len(sample.train.cache) == 5
    assert again.train.cache == {}
    for one, other in zip(again.train.read(range(5)), sample.train.read(range(5)), strict=True):
        assert min(one.shape[:2]) >= 32
        np.testing.assert_array_equal(one, other)


def test_photographs_are_kept_fit_for_cropping(data_config):
    data = load_data(data_config(image_size=16, max_zoom=2.0), evaluation_side=16)
    assert {min(pixels.shape[:2]) for pixels in data.train.read(range(5))} == {32}


def test_the_truth_is_the_photograph_s_whatever_the_network_sees(data_config, sample):
    small = load_data(data_config(image_size=16), evaluation_side=32)
    assert small.squares.read(slice(None))[0].shape[1:3] == (16, 16)
    np.testing.assert_array_equal(small.squares.read(slice(None))[1], sample.squares.read(slice(None))[1])
    np.testing.assert_array_equal(sample.squares.read(slice(None))[1], sample.squares.read(slice(None))[0])


@pytest.mark.parametrize("name", ["SLURM_CPUS_PER_TASK", "OMP_NUM_THREADS"])
def test_photographs_are_read_in_no_more_threads_than_the_launcher_gives(
    load, tmp_path, write_pictures, monkeypatch, name
):
    write_pictures(tmp_path, NAMES)
    monkeypatch.setattr("joblib.cpu_count", lambda: 64)
    monkeypatch.setattr("os.cpu_count", lambda: 64)
    monkeypatch.setenv(name, "1")
    threads, read_bytes, open_file = set(), Path.read_bytes, Path.open

    def noted(method):
        def call(*arguments, **options):
            threads.add(threading.current_thread())
            return method(*arguments, **options)

        return call

    monkeypatch.setattr(Path, "read_bytes", noted(read_bytes))
    monkeypatch.setattr(Path, "open", noted(open_file))
    load(tmp_path, eval_fraction=0.5)
    # One for the contents, one each for the photographs that evaluate and train.
    assert len(threads - {threading.main_thread()}) == 3


def test_a_file_name_of_another_age_is_made_printable(load, tmp_path, write_pictures):
    write_pictures(tmp_path, NAMES[:4])
    (tmp_path / NAMES[0]).rename(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.png"))
    data = load(tmp_path, eval_fraction=0.5)
    assert r"caf\xe9.png" in names(data.train) | names(data.evaluation)
    assert len(data.train) + len(data.evaluation) == 4


def test_a_pipe_is_not_waited_for(load, tmp_path, write_pictures):
    write_pictures(tmp_path, NAMES[:4])
    os.mkfifo(tmp_path / "pipe.jpg")
    assert load(tmp_path).ignored == ("pipe.jpg",)
