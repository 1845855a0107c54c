"""Training photographs that are held out: the same of a folder and of the set prepared from it."""

import numpy as np
import pytest

from ablate.colorization.data.dataset import load_data
from ablate.colorization.data.prepared.write import prepare
from ablate.colorization.data.preprocessing import preprocessing_of
from ablate.colorization.held_out import HoldingOut
from tests.support.configs import valid_config
from tiny import Tiny

SIDE = 16
FRACTION = 0.4


@pytest.fixture
def configs(data_config, tmp_path, write_pictures):
    """Return the configuration of a folder, and that of the set that is prepared from it."""
    names = [f"{part}/{number}.png" for part in ("train", "val") for number in range(5)]
    folder = data_config(name="folder", root=write_pictures(tmp_path / "folder", names), image_size=SIDE)
    preprocessing = preprocessing_of(folder, evaluation_side=SIDE, grid_step=10)
    prepare(folder, preprocessing, str(tmp_path / "set"), workers=1, shard_mib=1)
    return folder, folder.model_copy(update={"name": "prepared", "root": str(tmp_path / "set")})


@pytest.mark.slow
def test_they_evaluate_and_do_not_train_wherever_they_are(configs):
    tasks = []
    for config in configs:
        overrides = [f"data={config.name}", f"data.root={config.root}", f"data.image_size={SIDE}"]
        changed = [f"data.max_zoom={config.max_zoom}", f"data.eval_fraction={config.eval_fraction}"]
        tasks.append(
            valid_config(
                "scale=smoke", *overrides, *changed, "task._target_=tiny.Tiny", f"validation_fraction={FRACTION}"
            ).task
        )
    whole = load_data(configs[0], evaluation_side=SIDE)
    for task in tasks:
        assert isinstance(task, HoldingOut)
        assert isinstance(task, Tiny)
        data, found = task.data, task.find_data()
        assert (len(data.train), len(data.evaluation), task.examples_per_epoch()) == (3, 2, found.examples_per_epoch)
        assert data.fingerprint == found.fingerprint != whole.fingerprint
        held = {photograph.digest for photograph in data.evaluation}
        assert held < {photograph.digest for photograph in whole.train}
        assert held.isdisjoint(photograph.digest for photograph in whole.evaluation)
        trained = [pixels.tobytes() for pixels in data.train.read(range(3))]
        everything = whole.train.read(range(5))
        places = [place for place, photograph in enumerate(whole.train) if photograph.digest not in held]
        assert trained == [everything[place].tobytes() for place in places]
    one, other = (task.data for task in tasks)
    np.testing.assert_array_equal(one.squares.read(slice(None))[0], other.squares.read(slice(None))[0])
    assert one.fingerprint == other.fingerprint
    assert [photograph.digest for photograph in one.evaluation] == [
        photograph.digest for photograph in other.evaluation
    ]
