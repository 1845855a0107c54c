"""Fixtures of the data's tests: folders of photographs, prepared and loaded."""

import pytest

from ablate.colorization.data.dataset import load_data
from ablate.colorization.data.prepared.manifest import Manifest
from ablate.colorization.data.prepared.write import prepare
from ablate.colorization.data.preprocessing import preprocessing_of
from tests.support.photographs import write_photographs

SIDE, TRUTH = 16, 24


@pytest.fixture
def made(data_config, tmp_path):
    """Prepare, and return the manifest."""

    def made(root, out=tmp_path / "set", *, workers=2, shard_mib=1, **changes) -> Manifest:
        config = data_config(**{"name": "folder", "root": root, "image_size": SIDE, **changes})
        preprocessing = preprocessing_of(config, evaluation_side=TRUTH, grid_step=10)
        return prepare(config, preprocessing, str(out), workers=workers, shard_mib=shard_mib)

    return made


@pytest.fixture
def loaded(data_config):
    def loaded(name, root, **changes):
        return load_data(data_config(name=name, root=root, **{"image_size": SIDE, **changes}), evaluation_side=TRUTH)

    return loaded


@pytest.fixture
def tree(tmp_path, write_pictures):
    return write_photographs(tmp_path / "tree", write_pictures)


@pytest.fixture(scope="module")
def prepared_tree(tmp_path_factory, write_pictures, data_config):
    """Return such a folder, and what is prepared of it: neither is changed."""
    root = tmp_path_factory.mktemp("prepared")
    config = data_config(name="folder", root=write_photographs(root / "tree", write_pictures), image_size=SIDE)
    preprocessing = preprocessing_of(config, evaluation_side=TRUTH, grid_step=10)
    prepare(config, preprocessing, str(root / "set"), workers=2, shard_mib=1)
    return root / "tree", root / "set"
