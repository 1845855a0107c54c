"""Data sets of TensorFlow Datasets and their splits."""

from types import SimpleNamespace

import pytest

from ablate.colorization.data.sources.tfds import TensorFlowDataset
from ablate.errors import DataError

TENSORFLOW_DATASET = """
import sys
import numpy as np
import tensorflow_datasets as tfds

class Tiny(tfds.core.GeneratorBasedBuilder):
    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        features = tfds.features.FeaturesDict({"image": tfds.features.Image()})
        return tfds.core.DatasetInfo(builder=self, features=features)

    def _split_generators(self, manager):
        return {split: self._generate_examples(*numbers) for split, numbers in SPLITS.items()}

    def _generate_examples(self, start, stop):
        for number in range(start, stop):
            yield number, {"image": np.random.default_rng(number).integers(0, 256, (20, 30, 3), dtype=np.uint8)}

for name, SPLITS in {"two": {"train": (0, 40), "test": (50, 55)}, "one": {"train": (0, 4)}}.items():
    Tiny(data_dir=f"{sys.argv[1]}/{name}").download_and_prepare()
"""


@pytest.mark.slow
def test_a_data_set_of_tensorflow_datasets_is_prepared(made, loaded, tmp_path, forked_m):
    (tmp_path / "tiny_dataset.py").write_text(TENSORFLOW_DATASET)
    done = forked_m("tiny_dataset", str(tmp_path))
    assert done.returncode == 0, done.stderr
    made(tmp_path / "two", name="tfds", dataset="tiny", workers=1)
    data = loaded("prepared", tmp_path / "set")
    assert sorted(photograph.name for photograph in data.evaluation) == [f"test/{number:08}" for number in range(5)]
    assert [pixels.shape for pixels in data.train.read(range(len(data.train)))] == [(18, 27, 3)] * 40
    alone = TensorFlowDataset("tiny", str(tmp_path / "one")).list()
    assert [(entry.name, entry.split) for entry in alone.entries] == [
        (f"train/{number:08}", None) for number in range(4)
    ]
    assert len(set(TensorFlowDataset("tiny", str(tmp_path / "one")).read(alone.entries[1:3]))) == 2


@pytest.mark.parametrize(
    ("counts", "splits_of", "reason"),
    [
        ({"test": 2, "train": 3}, {"train": "train", "test": "eval"}, "the split test evaluates, train trains"),
        (
            {"train": 3, "validation": 1, "test": 2},
            {"train": "train", "validation": "eval"},
            "the split validation evaluates, train trains",
        ),
        (
            {"train": 3, "validation": 0, "test": 2},
            {"train": "train", "test": "eval"},
            "the split test evaluates, train trains",
        ),
        (
            {"train": 3, "extra": 9},
            {"train": None},
            "train is the only split that has photographs, and contents decide",
        ),
        ({"test": 3}, {"test": None}, "test is the only split that has photographs, and contents decide"),
    ],
)
def test_the_splits_of_tensorflow_datasets_say_which_photographs_evaluate(monkeypatch, counts, splits_of, reason):
    splits = {name: SimpleNamespace(num_examples=count) for name, count in counts.items()}
    builder = SimpleNamespace(info=SimpleNamespace(splits=splits, features={"image": None}))
    monkeypatch.setattr(TensorFlowDataset, "_builder", lambda self: builder)
    listed = TensorFlowDataset("any", None).list()
    assert listed.rule.reason == reason
    assert {entry.name: listed.rule.split_of(entry.name) for entry in listed.entries} == {
        f"{name}/{number:08}": split for name, split in splits_of.items() for number in range(counts[name])
    }


def test_an_unknown_data_set_of_tensorflow_datasets_is_an_error(made):
    with pytest.raises(DataError, match=r"data\.dataset=no_such_thing cannot be had: .*no_such_thing"):
        made(None, name="tfds", dataset="no_such_thing")
