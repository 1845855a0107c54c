import pytest

from ablate.colorization.data.sources.sample import SAMPLE, sample_paths
from ablate.errors import DataError


@pytest.mark.parametrize("split", ["train", "eval"])
def test_the_sample_s_files_are_installed(split):
    found = sample_paths(split)
    assert len(found) == len(SAMPLE[split])
    assert all(path.is_file() for _, path in found)


def test_a_missing_sample_file_names_its_package(monkeypatch):
    monkeypatch.setitem(SAMPLE, "train", (("skimage", "data/none.png"),))
    with pytest.raises(DataError, match=r"data/none\.png is missing: reinstall .*skimage.* data=folder"):
        sample_paths("train")
