"""Photographs in a folder, in archives and elsewhere become the same records, and those the same batches."""

import hashlib
import io
import json
import shutil
import subprocess
import sys
import tarfile
import warnings
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest
from filelock import FileLock
from PIL import Image

from ablate.colorization.data.batches import training_batches
from ablate.colorization.data.dataset import load_data
from ablate.colorization.data.prepared.manifest import INDEX, Manifest, parse_manifest
from ablate.colorization.data.prepared.tfrecord import encode_record
from ablate.colorization.data.prepared.write import prepare
from ablate.colorization.data.preprocessing import preprocessing_of
from ablate.colorization.data.sources.tfds import TensorFlowDataset
from ablate.errors import ConfigError, DataError

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


def assert_same_data(one, other):
    assert one.fingerprint == other.fingerprint
    assert len(one.train) == len(other.train)
    assert [(p.name, p.digest) for p in one.evaluation] == [(p.name, p.digest) for p in other.evaluation]
    np.testing.assert_array_equal(one.evaluation_pixels, other.evaluation_pixels)
    np.testing.assert_array_equal(one.evaluation_truth, other.evaluation_truth)
    np.testing.assert_array_equal(one.bin_counts, other.bin_counts)
    assert sorted(map(repr, one.bad)) == sorted(map(repr, other.bad))
    assert one.ignored == other.ignored
    batches = [training_batches(data, seed=1, batch_size=3, first_step=1, steps=4) for data in (one, other)]
    for pair in zip(*batches, strict=True):
        for part, expected in zip(*pair, strict=True):
            np.testing.assert_array_equal(part, expected)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.startswith(".")}


def plant(root, write_pictures):
    """Write 45 photographs to train and 4 to evaluate, of other sizes, some bad, some twice."""
    write_pictures(root, [f"train/{number // 10}/{number:03}.png" for number in range(40)])
    write_pictures(root, [f"val/{number}.png" for number in range(4)], first_seed=100)
    for number, size in enumerate([(200, 30), (16, 16), (17, 19), (9, 40), (64, 64)]):
        pixels = np.random.default_rng(number).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
        Image.fromarray(pixels).save(root / "train" / f"size{number}.jpg")
    shutil.copy(root / "train/0/001.png", root / "train/again.png")
    shutil.copy(root / "val/0.png", root / "train/leak.png")
    (root / "train/broken.jpg").write_bytes(b"no picture")
    (root / "notes.txt").touch()
    (root / "beside.png").touch()
    return root


@pytest.fixture
def tree(tmp_path, write_pictures):
    return plant(tmp_path / "tree", write_pictures)


@pytest.fixture(scope="module")
def once(tmp_path_factory, write_pictures, data_config):
    """Return such a folder, and what is prepared of it: neither is changed."""
    root = tmp_path_factory.mktemp("once")
    config = data_config(name="folder", root=plant(root / "tree", write_pictures), image_size=SIDE)
    preprocessing = preprocessing_of(config, evaluation_side=TRUTH, grid_step=10)
    prepare(config, preprocessing, str(root / "set"), workers=2, shard_mib=1)
    return root / "tree", root / "set"


@pytest.mark.parametrize("memory_gib", [1.0, 0.0])
def test_a_prepared_folder_gives_the_same_as_the_folder(loaded, once, memory_gib):
    tree, prepared = once
    manifest = parse_manifest((prepared / "manifest.json").read_bytes(), "")
    assert_same_data(loaded("folder", tree), loaded("prepared", prepared, memory_gib=memory_gib))
    assert len([shard for shard in manifest.shards if shard.split == "train"]) > 1
    assert manifest.bad == [("train/broken.jpg", "no JPEG, PNG or WebP picture")]
    assert manifest.leaked == ["train/leak.png"]
    assert manifest.duplicates == [["train/0/001.png", "train/again.png"]]
    assert set(manifest.ignored) == {"notes.txt", "beside.png"}


def test_a_folder_without_val_is_split_by_content_as_ever(made, loaded, tmp_path, write_pictures):
    write_pictures(tmp_path / "tree", [f"{number}.png" for number in range(50)])
    made(tmp_path / "tree", eval_fraction=0.4)
    options = {"eval_fraction": 0.4}
    assert_same_data(loaded("folder", tmp_path / "tree", **options), loaded("prepared", tmp_path / "set", **options))


@pytest.mark.parametrize("fraction", [0.001, 0.999])
def test_of_a_handful_one_evaluates(made, loaded, tmp_path, write_pictures, fraction):
    write_pictures(tmp_path / "tree", ["a.png", "b.png", "c.png"])
    made(tmp_path / "tree", eval_fraction=fraction)
    both = [
        loaded(*data, eval_fraction=fraction)
        for data in (("folder", tmp_path / "tree"), ("prepared", tmp_path / "set"))
    ]
    assert_same_data(*both)
    assert len(both[0].evaluation) == 1


def test_the_sample_can_be_prepared(made, loaded, tmp_path):
    made(None, name="sample", max_zoom=3.0)
    assert_same_data(loaded("sample", None, max_zoom=3.0), loaded("prepared", tmp_path / "set", max_zoom=3.0))


def archive(tree, kind, path):
    if kind.startswith("zip"):
        packed = zipfile.ZIP_DEFLATED if kind == "zip" else zipfile.ZIP_STORED
        with zipfile.ZipFile(path, "w", packed) as file:
            for one in tree.rglob("*"):  # a folder above, and in no order
                file.write(one, f"photos/{one.relative_to(tree)}")
    else:
        with tarfile.open(path, {".tar": "w", ".tgz": "w:gz"}[kind]) as file:
            file.add(tree, "./" if kind == ".tgz" else "photos")
    return path


@pytest.mark.parametrize("kind", ["zip", ".tar", ".tgz"])
def test_an_archive_gives_the_records_of_the_folder(made, once, tmp_path, kind):
    tree, prepared = once
    name = "tree.zip" if kind.startswith("zip") else f"tree{kind}"
    made(archive(tree, kind, tmp_path / name), tmp_path / "of archive")
    folder, packed = contents(prepared), contents(tmp_path / "of archive")
    manifests = [json.loads(files.pop("manifest.json")) for files in (folder, packed)]
    assert folder == packed
    for manifest in manifests:
        del manifest["made_from"], manifest["source"]
    assert manifests[0] == manifests[1]
    assert not (tmp_path / "of archive/.chunks").exists()


def test_an_archive_of_another_system_gives_the_records_of_the_folder(made, loaded, once, tmp_path, caplog):
    tree, prepared = once
    path = tmp_path / "tree.zip"
    with zipfile.ZipFile(path, "w") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the same name twice
        for name in ("__MACOSX/photos/val/._0.png", ".DS_Store", "README.txt"):
            file.writestr(name, b"")
        file.writestr("photos\\val\\0.png", b"not the last one")
        for one in sorted(path for path in tree.rglob("*") if path.is_file()):
            file.write(one, f"./photos/{one.relative_to(tree)}".replace("/", "\\"))
    manifest = made(path, tmp_path / "of archive")
    assert (manifest.split_reason, manifest.replaced) == (
        "val evaluates (4), train trains (48); of all others (1) none trains or evaluates",
        ["val/0.png"],
    )
    assert "1 are replaced by another of their name later in the archive: val/0.png" in manifest.summary()
    assert f"Split: {manifest.split_reason}" in manifest.summary()
    assert "README.txt" in manifest.ignored
    folder, packed = contents(prepared), contents(tmp_path / "of archive")
    del folder["manifest.json"], packed["manifest.json"]
    assert folder == packed
    caplog.set_level("INFO")
    data = loaded("prepared", tmp_path / "of archive")
    assert data.fingerprint == loaded("folder", tree).fingerprint
    assert ("val/0.png", "another file of that name comes later in the archive") in [
        (bad.name, bad.reason) for bad in data.bad
    ]
    assert f"Split: {manifest.split_reason}. 46 photographs train, 4 evaluate" in caplog.text


def test_a_set_of_an_older_version_is_read_and_its_split_is_not_known(once, loaded, tmp_path, caplog):
    shutil.copytree(once[1], tmp_path / "set")
    path = tmp_path / "set/manifest.json"
    values = json.loads(path.read_bytes())
    del values["split"], values["replaced"]
    path.write_text(json.dumps(values))
    caplog.set_level("INFO")
    loaded("prepared", tmp_path / "set")
    assert "Split: not recorded: prepared by an older version, which knew no folder but val for it." in caplog.text


def test_what_is_damaged_in_an_archive_is_named(made, tree, tmp_path):
    path = archive(tree, "zip stored", tmp_path / "tree.zip")
    with zipfile.ZipFile(path) as file:
        info = file.getinfo("photos/train/1/012.png")
    data = bytearray(path.read_bytes())
    data[info.header_offset + 30 + len(info.filename) + 40] ^= 1
    path.write_bytes(data)
    assert ("train/1/012.png", "damaged in the archive") in made(path).bad


@pytest.mark.parametrize(("name", "content"), [("a.zip", b"PK no"), ("a.tar", b"x" * 700), ("a.tgz", b"\x1f\x8b no")])
def test_a_damaged_archive_is_an_error(made, tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=rf"{name} cannot be read as a (zip|tar) archive"):
        made(tmp_path / name)


def test_the_same_command_again_does_nothing(made, tree, tmp_path, caplog):
    caplog.set_level("INFO")
    first = made(tree)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "set").iterdir()}
    assert made(tree, workers=1) == first
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "set").iterdir() if path.name != ".lock"} == {
        path: time for path, time in before.items() if path.name != ".lock"
    }
    assert "is prepared already: nothing to do" in caplog.text


def test_the_number_of_workers_changes_no_byte(made, once, tmp_path):
    tree, prepared = once
    made(tree, tmp_path / "three", workers=3)
    assert contents(tmp_path / "three") == contents(prepared)


def test_a_changed_source_or_other_settings_are_not_mixed_in(made, tree, tmp_path, write_pictures):
    made(tree)
    with pytest.raises(DataError, match="from other photographs or with other settings"):
        made(tree, max_zoom=2.0)
    write_pictures(tree, ["train/new.png"], first_seed=999)
    with pytest.raises(DataError, match="from other photographs or with other settings"):
        made(tree)


def test_a_folder_with_other_files_is_left_alone(made, tree, tmp_path):
    (tmp_path / "set").mkdir()
    (tmp_path / "set/thesis.tex").touch()
    with pytest.raises(DataError, match=r"holds other files \(thesis\.tex\)"):
        made(tree)
    assert {path.name for path in (tmp_path / "set").iterdir()} == {"thesis.tex", ".lock"}


def test_what_was_begun_of_something_else_is_made_anew(made, tree, tmp_path):
    with pytest.raises(DataError, match="more than"):
        made(tree, max_bad_fraction=0.0)
    assert (tmp_path / "set/.chunks").exists()
    made(tree, max_zoom=2.0)
    other = tmp_path / "other"
    made(tree, other, max_zoom=2.0)
    assert contents(tmp_path / "set") == contents(other)


def test_too_many_bad_photographs_are_an_error_that_names_them(made, tree):
    with pytest.raises(DataError, match=r"1 of 51 photographs.*max_bad_fraction=0\.01: train/broken\.jpg \(no JPEG"):
        made(tree, max_bad_fraction=0.01)


def test_only_one_command_prepares_a_folder(made, tree, tmp_path):
    with FileLock(tmp_path / ".lock"), pytest.raises(DataError, match="another process prepares"):
        made(tree, tmp_path)


@pytest.mark.parametrize("file", ["train-00001.tfrecord", "eval-00000.tfrecord", "train-index.npy"])
@pytest.mark.parametrize("damage", ["changed", "cut", "missing"])
@pytest.mark.parametrize("memory_gib", [1.0, 0.0])
def test_damage_is_found_before_it_trains(once, loaded, tmp_path, file, damage, memory_gib):
    shutil.copytree(once[1], tmp_path / "set")
    path = tmp_path / "set" / file
    data = bytearray(path.read_bytes())
    data[-30] ^= 1
    path.write_bytes(data if damage == "changed" else data[:-1])
    if damage == "missing":
        path.unlink()
    with pytest.raises(DataError, match=rf"{file} is not what was prepared"):
        loaded("prepared", tmp_path / "set", memory_gib=memory_gib).train.read(range(45))


def test_settings_that_are_not_those_of_the_set_are_named(once, loaded):
    expected = (
        r"was prepared with data\.image_size=16 data\.max_zoom=1\.125, not data\.image_size=8, data\.max_zoom=2\.0"
    )
    with pytest.raises(DataError, match=expected):
        loaded("prepared", once[1], image_size=8, max_zoom=2.0)


@pytest.mark.parametrize("text", [b"", b"{}", b"[]", b'{"format": 99}'])
def test_a_manifest_of_something_else_is_an_error(text):
    with pytest.raises(DataError, match=r"no manifest|format 99"):
        parse_manifest(text, "set/manifest.json")


def test_an_unfinished_set_is_no_data(loaded, tmp_path):
    with pytest.raises(DataError, match=r"manifest\.json is missing.*ablate\.prepare"):
        loaded("prepared", tmp_path)


def test_a_set_can_be_at_a_url_of_tensorflow(made, loaded, once, tmp_path, monkeypatch):
    tree, prepared = once
    monkeypatch.setattr("ablate.colorization.data.prepared.destination.project_dir", lambda: tmp_path / "project")
    url = f"file://{tmp_path}/far/set"
    with pytest.raises(DataError, match="more than"):
        made(f"file://{tree}", url, workers=1, max_bad_fraction=0.0)
    # As if the first command had been killed before it sent that.
    (shard,) = (tmp_path / "far/set").glob("train-00002.tfrecord")
    (project,) = (tmp_path / "project/prepared").iterdir()
    shard.rename(project / shard.name)
    made(f"file://{tree}", url)
    far, near = contents(tmp_path / "far/set"), contents(prepared)
    for files in (far, near):
        del files["manifest.json"]
    assert far == near
    assert not list((tmp_path / "project").rglob("*.tfrecord"))
    for memory_gib in (1.0, 0.0):
        assert_same_data(loaded("folder", tree), loaded("prepared", url, memory_gib=memory_gib))
    assert made(f"file://{tree}", url).source == f"data.root=file://{tree}"


def test_a_file_system_that_tensorflow_lacks_is_named_with_those_it_has(made, loaded, once, tmp_path):
    expected = r"s3://b/.* is in no file system that TensorFlow has here: file://, gs://, or a path"
    with pytest.raises(DataError, match=expected):
        made("s3://b/photographs")
    with pytest.raises(DataError, match=expected):
        made(once[0], "s3://b/set")
    with pytest.raises(DataError, match=expected):
        loaded("prepared", "s3://b/set")


def test_a_place_that_cannot_be_reached_is_one_line(loaded, tmp_path):
    (tmp_path / "manifest.json").mkdir()
    with pytest.raises(DataError, match=rf"^file://{tmp_path}/manifest\.json cannot be reached: .+$"):
        loaded("prepared", f"file://{tmp_path}")


def test_an_archive_that_is_prepared_is_not_unpacked_again(made, once, tmp_path, monkeypatch):
    path = archive(once[0], ".tgz", tmp_path / "tree.tgz")
    first = made(path)

    def unpacked(*arguments):
        raise AssertionError

    monkeypatch.setattr("ablate.colorization.data.sources.archives.Tar.unpacked", unpacked)
    assert made(path) == first


def test_what_cannot_be_prepared_is_said(made, tmp_path):
    for root, message in [
        (tmp_path / "missing", "is no folder, .zip or .tar"),
        (f"file://{tmp_path}/no", "no photographs"),
    ]:
        with pytest.raises(DataError, match=message):
            made(root)
    with pytest.raises(ConfigError, match="what is prepared is data=folder"):
        made(tmp_path, name="prepared")


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


def test_a_data_set_of_tensorflow_datasets_is_prepared(made, loaded, tmp_path):
    (tmp_path / "tiny.py").write_text(TENSORFLOW_DATASET)
    command = [sys.executable, str(tmp_path / "tiny.py"), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
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


def changed(once, tmp_path, **values):
    """Copy a prepared set, some keys of its manifest changed."""
    shutil.copytree(once[1], tmp_path / "set")
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
def test_a_hostile_manifest_is_refused_before_anything_else_is_read(once, loaded, tmp_path, values, message):
    with pytest.raises(DataError, match=message) as error:
        loaded("prepared", changed(once, tmp_path, **values))
    assert "\n" not in str(error.value)


def test_a_deeply_nested_manifest_is_none():
    with pytest.raises(DataError, match="is no manifest of a prepared data set"):
        parse_manifest(b"[" * 100_000, "set/manifest.json")


def with_index(once, tmp_path, rows):
    """Copy a prepared set, its index of what trains another one under its right checksum."""
    file = io.BytesIO()
    np.save(file, rows, allow_pickle=True)
    index = json.loads((once[1] / "manifest.json").read_text())["index"]
    index["train"]["sha256"] = hashlib.sha256(file.getvalue()).hexdigest()
    folder = changed(once, tmp_path, index=index)
    (folder / index["train"]["file"]).write_bytes(file.getvalue())
    return folder


@pytest.mark.parametrize("rows", [np.array([{}], dtype=object), np.arange(3), np.zeros(0, INDEX)])
def test_a_hostile_index_is_refused(once, loaded, tmp_path, rows):
    with pytest.raises(DataError, match=r"train-index\.npy is not what was prepared"):
        loaded("prepared", with_index(once, tmp_path, rows))


@pytest.mark.parametrize("place", [{"shard": 99}, {"offset": 2**60}, {"size": 2**31}, {"size": 3}])
@pytest.mark.parametrize("memory_gib", [1.0, 0.0])
def test_an_index_that_leads_elsewhere_is_refused(once, loaded, tmp_path, place, memory_gib):
    rows = np.load(once[1] / "train-index.npy")
    for key, value in place.items():
        rows[key] = value
    with pytest.raises(DataError, match="is not what was prepared"):
        loaded("prepared", with_index(once, tmp_path, rows), memory_gib=memory_gib).train.read([0])


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
def test_a_record_of_something_else_is_refused(once, loaded, tmp_path, features):
    data = encode_record({"name": b"x", "digest": bytes(32), **features})
    shard = json.loads((once[1] / "manifest.json").read_text())["shards"][-1]
    shard.update(bytes=len(data), records=1, sha256=hashlib.sha256(data).hexdigest(), part="train")
    rows = np.zeros(1, INDEX)
    rows["size"], rows["shard"] = len(data), len(json.loads((once[1] / "manifest.json").read_text())["shards"]) - 1
    folder = with_index(once, tmp_path, rows)
    (folder / shard["file"]).write_bytes(data)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["shards"][-1] = shard
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(DataError, match=f"{shard['file']} is not what was prepared"):
        loaded("prepared", folder).train.read([0])
