"""Each `data.name` has one source, with its label and origin."""

import tarfile
import zipfile
from typing import get_args

import pytest

from ablate.colorization.config import DataConfig
from ablate.colorization.data.sources.archives import Tar, Zip
from ablate.colorization.data.sources.folder import Folder
from ablate.colorization.data.sources.prepared import Prepared
from ablate.colorization.data.sources.registry import SOURCES, source_of
from ablate.colorization.data.sources.sample import Sample
from ablate.colorization.data.sources.tfds import TensorFlowDataset
from ablate.colorization.data.sources.url import Url
from ablate.errors import DataError


def test_every_name_that_the_schema_allows_has_a_source():
    assert SOURCES.keys() == set(get_args(DataConfig.model_fields["name"].annotation))


@pytest.mark.parametrize(
    ("values", "kind", "label", "origin"),
    [
        ({"name": "sample"}, Sample, "data=sample", "installed packages"),
        ({"name": "folder", "root": "."}, Folder, "data.root=.", "HERE"),
        ({"name": "folder", "root": "a.ZIP"}, Zip, "data.root=a.ZIP", "HERE/a.ZIP"),
        ({"name": "folder", "root": "a.tar.gz"}, Tar, "data.root=a.tar.gz", "HERE/a.tar.gz"),
        ({"name": "folder", "root": "gs://b/c"}, Url, "data.root=gs://b/c", "gs://b/c"),
        ({"name": "prepared", "root": "set"}, Prepared, "data.root=set", "HERE/set"),
        ({"name": "prepared", "root": "gs://b/c/"}, Prepared, "data.root=gs://b/c/", "gs://b/c"),
        ({"name": "tfds", "dataset": "d"}, TensorFlowDataset, "data.dataset=d", "TensorFlow Datasets, d"),
    ],
)
def test_a_configuration_names_its_source(data_config, tmp_path, monkeypatch, values, kind, label, origin):
    monkeypatch.chdir(tmp_path)
    with zipfile.ZipFile("a.ZIP", "w"), tarfile.open("a.tar.gz", "w:gz"):
        pass
    source = source_of(data_config(**values))
    assert type(source) is kind
    assert source.label == label
    assert source.origin == origin.replace("HERE", str(tmp_path))


def test_another_file_is_no_source(data_config, tmp_path):
    (tmp_path / "a.rar").touch()
    with pytest.raises(DataError, match=r"a\.rar is no folder, \.zip or \.tar"):
        source_of(data_config(name="folder", root=str(tmp_path / "a.rar")))
