"""Damaged and hostile prepared data sets are refused; older ones are read."""

import hashlib
import io
import json
import shutil

import numpy as np
import pytest

from ablate.colorization.data.prepared.manifest import INDEX, parse_manifest
from ablate.colorization.data.prepared.tfrecord import encode_record
from ablate.errors import DataError


@pytest.mark.slow
def test_a_set_of_an_older_version_is_read_and_its_split_is_not_known(prepared_tree, loaded, tmp_path, caplog):
    shutil.copytree(prepared_tree[1], tmp_path / "set")
    path = tmp_path / "set/manifest.json"
    values = json.loads(path.read_bytes())
    del values["split"], values["replaced"]
    path.write_text(json.dumps(values))
    caplog.set_level("INFO")
    loaded("prepared", tmp_path / "set")
    assert "Split: not recorded: prepared by an older version, which knew no folder but val for it." in caplog.text


@pytest.mark.parametrize("file", ["train-00001.tfrecord", "eval-00000.tfrecord", "train-index.npy"])
@pytest.mark.parametrize("damage", ["changed", "cut", "missing"])
@pytest.mark.parametrize("memory_gib", [1.0, 0.0])
def test_damage_is_found_before_it_trains(prepared_tree, loaded, tmp_path, file, damage, memory_gib):
    shutil.copytree(prepared_tree[1], tmp_path / "set")
    path = tmp_path / "set" / file
    data = bytearray(path.read_bytes())
    data[-30] ^= 1
    path.write_bytes(data if damage == "changed" else data[:-1])
    if damage == "missing":
        path.unlink()
    with pytest.raises(DataError, match=rf"{file} is not what was prepared"):
        loaded("prepared", tmp_path / "set", memory_gib=memory_gib).train.read(range(45))


def test_settings_that_are_not_those_of_the_set_are_named(prepared_tree, loaded):
    expected = (
        r"was prepared with data\.image_size=16 data\.max_zoom=1\.125, not data\.image_size=8, data\.max_zoom=2\.0"
    )
    with pytest.raises(DataError, match=expected):
        loaded("prepared", prepared_tree[1], image_size=8, max_zoom=2.0)


@pytest.mark.parametrize("text", [b"", b"{}", b"[]", b'{"format": 99}'])
def test_a_manifest_of_something_else_is_an_error(text):
    with pytest.raises(DataError, match=r"no manifest|format 99"):
        parse_manifest(text, "set/manifest.json")


def test_an_unfinished_set_is_no_data(loaded, tmp_path):
    with pytest.raises(DataError, match=r"manifest\.json is missing.*ablate\.prepare"):
        loaded("prepared", tmp_path)


def test_a_url_that_cannot_be_reached_is_one_line(loaded, tmp_path):
    (tmp_path / "manifest.json").mkdir()
    with pytest.raises(DataError, match=rf"^file://{tmp_path}/manifest\.json cannot be reached: .+$"):
        loaded("prepared", f"file://{tmp_path}")


def changed(prepared_tree, tmp_path, **values):
    """Copy a prepared set, some keys of its manifest changed."""
    shutil.copytree(prepared_tree[1], tmp_path / "set")
    path = tmp_path / "set" / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))
    return tmp_path / "set"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"shards": 5}, "no manifest of a prepared data set: shards"),
        ({"index": []}, "no manifest of a prepared data set: index"),
        ({"index": {}}, "manifest.json is not what was prepared"),
        ({"class_counts": [-1]}, "no manifest of a prepared data set: class_counts"),
        ({"class_counts": [1, 2]}, "manifest.json is not what was prepared"),
        ({"class_counts": [0] * 313}, "manifest.json is not what was prepared"),
        ({"fingerprint": None}, "no manifest of a prepared data set: fingerprint"),
        ({"index": {"train": {"file": "/etc/passwd", "records": 1, "sha256": ""}}}, "index.train.file"),
        (
            {"shards": [{"file": "../../dev/zero", "part": "eval", "records": 1, "bytes": 1, "sha256": ""}]},
            "no manifest of a prepared data set: shards.0.file",
        ),
    ],
)
def test_a_hostile_manifest_is_refused_before_anything_else_is_read(prepared_tree, loaded, tmp_path, values, message):
    with pytest.raises(DataError, match=message) as error:
        loaded("prepared", changed(prepared_tree, tmp_path, **values))
    assert "\n" not in str(error.value)


def test_a_deeply_nested_manifest_is_none():
    with pytest.raises(DataError, match="is no manifest of a prepared data set"):
        parse_manifest(b"[" * 100_000, "set/manifest.json")


def with_index(prepared_tree, tmp_path, rows):
    """Copy a prepared set, its index of what trains another one under its right checksum."""
    file = io.BytesIO()
    np.save(file, rows, allow_pickle=True)
    index = json.loads((prepared_tree[1] / "manifest.json").read_text())["index"]
    index["train"]["sha256"] = hashlib.sha256(file.getvalue()).hexdigest()
    folder = changed(prepared_tree, tmp_path, index=index)
    (folder / index["train"]["file"]).write_bytes(file.getvalue())
    return folder


@pytest.mark.parametrize("rows", [np.array([{}], dtype=object), np.arange(3), np.zeros(0, INDEX)])
def test_a_hostile_index_is_refused(prepared_tree, loaded, tmp_path, rows):
    with pytest.raises(DataError, match=r"train-index\.npy is not what was prepared"):
        loaded("prepared", with_index(prepared_tree, tmp_path, rows))


@pytest.mark.parametrize("place", [{"shard": 99}, {"offset": 2**60}, {"size": 2**31}, {"size": 3}])
@pytest.mark.parametrize("memory_gib", [1.0, 0.0])
def test_an_index_that_leads_elsewhere_is_refused(prepared_tree, loaded, tmp_path, place, memory_gib):
    rows = np.load(prepared_tree[1] / "train-index.npy")
    for key, value in place.items():
        rows[key] = value
    with pytest.raises(DataError, match="is not what was prepared"):
        loaded("prepared", with_index(prepared_tree, tmp_path, rows), memory_gib=memory_gib).train.read([0])


@pytest.mark.parametrize(
    "features",
    [
        {},
        {"pixels": 5, "height": 16, "width": 16},
        {"pixels": bytes(3 * 16 * 17), "height": 16, "width": 16},
        {"pixels": bytes(3 * 8 * 8), "height": 8, "width": 8},
        {"pixels": bytes(3 * 900 * 900), "height": 900, "width": 900},
    ],
)
def test_a_record_of_something_else_is_refused(prepared_tree, loaded, tmp_path, features):
    data = encode_record({"name": b"x", "digest": bytes(32), **features})
    shard = json.loads((prepared_tree[1] / "manifest.json").read_text())["shards"][-1]
    shard.update(bytes=len(data), records=1, sha256=hashlib.sha256(data).hexdigest(), part="train")
    rows = np.zeros(1, INDEX)
    rows["size"], rows["shard"] = (
        len(data),
        len(json.loads((prepared_tree[1] / "manifest.json").read_text())["shards"]) - 1,
    )
    folder = with_index(prepared_tree, tmp_path, rows)
    (folder / shard["file"]).write_bytes(data)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["shards"][-1] = shard
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(DataError, match=f"{shard['file']} is not what was prepared"):
        loaded("prepared", folder).train.read([0])
