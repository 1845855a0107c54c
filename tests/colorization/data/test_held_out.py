"""Held-out photographs are those that evaluation sees, wherever they are kept."""

import shutil

import numpy as np
import pytest
from PIL import Image

from ablate.colorization.data.dataset import load_data
from ablate.colorization.data.held_out import evaluation_split, folder_photographs
from ablate.colorization.data.prepared.write import prepare
from ablate.colorization.data.preprocessing import center_square, preprocessing_of
from ablate.errors import DataError

SIDE, TRUTH = 16, 24


@pytest.fixture
def configs(data_config, tmp_path, write_pictures):
    """Return the configuration of a folder, and that of the set that is prepared from it."""
    names = [f"{part}/{number}.png" for part in ("train", "val") for number in range(4)]
    root = write_pictures(tmp_path / "folder", names)
    (root / "val" / "broken.png").write_bytes(b"broken")
    shutil.copy(root / "val" / "0.png", root / "train" / "also evaluates.png")
    folder = data_config(name="folder", root=root, image_size=SIDE, max_bad_fraction=0.5)
    preprocessing = preprocessing_of(folder, evaluation_side=TRUTH, grid_step=10)
    prepare(folder, preprocessing, str(tmp_path / "set"), workers=1, shard_mib=1)
    return folder, folder.model_copy(update={"name": "prepared", "root": str(tmp_path / "set")}), preprocessing


@pytest.mark.slow
def test_a_folder_and_the_set_prepared_from_it_have_the_same(configs):
    folder, prepared, preprocessing = configs
    whole, squares = (evaluation_split(config, preprocessing) for config in (folder, prepared))
    data = load_data(folder, evaluation_side=TRUTH)
    assert whole.fingerprint == squares.fingerprint == data.fingerprint
    assert whole.trained == squares.trained == {photograph.digest for photograph in data.train}
    assert (whole.stored_side, squares.stored_side) == (None, TRUTH)
    evaluated = [(photograph.name, photograph.digest) for photograph in data.evaluation]
    assert [(one.name, one.digest) for one in squares.photographs] == evaluated
    usable = [one for one in whole.photographs if one.name != "val/broken.png"]
    assert [(one.name, one.digest) for one in usable] == evaluated
    for one, square, truth in zip(usable, squares.photographs, data.squares.read(slice(None))[1], strict=True):
        np.testing.assert_array_equal(np.asarray(square.load()), truth)
        np.testing.assert_array_equal(np.asarray(center_square(one.load(), TRUTH)), truth)


@pytest.mark.slow
def test_what_is_damaged_says_so_when_it_is_loaded(configs):
    folder, _, preprocessing = configs
    (broken,) = (one for one in evaluation_split(folder, preprocessing).photographs if one.name == "val/broken.png")
    with pytest.raises(DataError, match="no JPEG, PNG or WebP picture"):
        broken.load()


def test_the_sample_has_its_three(data_config):
    config = data_config()
    found = evaluation_split(config, preprocessing_of(config, evaluation_side=TRUTH, grid_step=10))
    assert sorted(one.name for one in found.photographs) == ["chelsea", "china", "grace_hopper"]
    assert len(found.trained) == 5


def test_a_folder_without_a_split_has_all_of_its_photographs_once(tmp_path, write_pictures):
    root = write_pictures(tmp_path / "all", ["b.png", "deep/a.png", "c.png"])
    shutil.copy(root / "c.png", root / "deep" / "c again.png")
    (root / "notes.txt").write_text("none")
    found = folder_photographs(str(root))
    assert sorted(one.name for one in found) == ["b.png", "c.png", "deep/a.png"]
    assert [one.digest for one in found] == sorted(one.digest for one in found)
    assert found[0].load().size == (16, 12)


def test_a_photograph_is_upright(tmp_path):
    image = Image.new("RGB", (30, 20), "red")
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(tmp_path / "turned.jpg", exif=exif)
    (found,) = folder_photographs(str(tmp_path))
    assert found.load().size == (20, 30)


@pytest.mark.parametrize(("place", "said"), [("none", "is no folder"), (".", "holds no photographs")])
def test_a_folder_that_has_none_is_named(tmp_path, monkeypatch, place, said):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=f"^{place} {said}"):
        folder_photographs(place)
