"""Photographs in a folder, in archives and elsewhere become the same records, and those the same batches."""

import json
import tarfile
import warnings
import zipfile

import numpy as np
import pytest
from filelock import FileLock

from ablate.colorization.data.batches import training_batches
from ablate.colorization.data.prepared.manifest import parse_manifest
from ablate.errors import ConfigError, DataError


def assert_same_data(one, other):
    assert one.fingerprint == other.fingerprint
    assert len(one.train) == len(other.train)
    assert [(p.name, p.digest) for p in one.evaluation] == [(p.name, p.digest) for p in other.evaluation]
    np.testing.assert_array_equal(one.squares.read(slice(None))[0], other.squares.read(slice(None))[0])
    np.testing.assert_array_equal(one.squares.read(slice(None))[1], other.squares.read(slice(None))[1])
    np.testing.assert_array_equal(one.bin_counts, other.bin_counts)
    assert sorted(map(repr, one.bad)) == sorted(map(repr, other.bad))
    assert one.ignored == other.ignored
    batches = [training_batches(data, seed=1, batch_size=3, first_step=1, steps=4) for data in (one, other)]
    for pair in zip(*batches, strict=True):
        for part, expected in zip(*pair, strict=True):
            np.testing.assert_array_equal(part, expected)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.startswith(".")}


@pytest.mark.slow
@pytest.mark.parametrize("memory_gib", [1.0, 0.0])
def test_a_prepared_folder_gives_the_same_as_the_folder(loaded, prepared_tree, memory_gib):
    tree, prepared = prepared_tree
    manifest = parse_manifest((prepared / "manifest.json").read_bytes(), "")
    assert_same_data(loaded("folder", tree), loaded("prepared", prepared, memory_gib=memory_gib))
    assert len([shard for shard in manifest.shards if shard.split == "train"]) > 1
    assert manifest.bad == [("train/broken.jpg", "no JPEG, PNG or WebP picture")]
    assert manifest.leaked == ["train/leak.png"]
    assert manifest.duplicates == [["train/0/001.png", "train/again.png"]]
    assert set(manifest.ignored) == {"notes.txt", "beside.png"}


@pytest.mark.slow
def test_a_folder_without_val_is_split_by_content_as_ever(made, loaded, tmp_path, write_pictures):
    write_pictures(tmp_path / "tree", [f"{number}.png" for number in range(50)])
    made(tmp_path / "tree", eval_fraction=0.4)
    options = {"eval_fraction": 0.4}
    assert_same_data(loaded("folder", tmp_path / "tree", **options), loaded("prepared", tmp_path / "set", **options))


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["zip", ".tar", ".tgz"])
def test_an_archive_gives_the_records_of_the_folder(made, prepared_tree, tmp_path, kind):
    tree, prepared = prepared_tree
    name = "tree.zip" if kind.startswith("zip") else f"tree{kind}"
    made(archive(tree, kind, tmp_path / name), tmp_path / "of archive")
    folder, packed = contents(prepared), contents(tmp_path / "of archive")
    manifests = [json.loads(files.pop("manifest.json")) for files in (folder, packed)]
    assert folder == packed
    for manifest in manifests:
        del manifest["made_from"], manifest["source"]
    assert manifests[0] == manifests[1]
    assert not (tmp_path / "of archive/.chunks").exists()


@pytest.mark.slow
def test_an_archive_of_another_system_gives_the_records_of_the_folder(made, loaded, prepared_tree, tmp_path, caplog):
    tree, prepared = prepared_tree
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_the_same_command_again_does_nothing(made, tree, tmp_path, caplog):
    caplog.set_level("INFO")
    first = made(tree)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "set").iterdir()}
    assert made(tree, workers=1) == first
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "set").iterdir() if path.name != ".lock"} == {
        path: time for path, time in before.items() if path.name != ".lock"
    }
    assert "is prepared already: nothing to do" in caplog.text


@pytest.mark.slow
def test_the_number_of_workers_changes_no_byte(made, prepared_tree, tmp_path):
    tree, prepared = prepared_tree
    made(tree, tmp_path / "three", workers=3)
    assert contents(tmp_path / "three") == contents(prepared)


@pytest.mark.slow
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


@pytest.mark.slow
def test_what_was_begun_of_something_else_is_made_anew(made, tree, tmp_path):
    with pytest.raises(DataError, match="more than"):
        made(tree, max_bad_fraction=0.0)
    assert (tmp_path / "set/.chunks").exists()
    made(tree, max_zoom=2.0)
    other = tmp_path / "other"
    made(tree, other, max_zoom=2.0)
    assert contents(tmp_path / "set") == contents(other)


@pytest.mark.slow
def test_too_many_bad_photographs_are_an_error_that_names_them(made, tree):
    with pytest.raises(DataError, match=r"1 of 51 photographs.*max_bad_fraction=0\.01: train/broken\.jpg \(no JPEG"):
        made(tree, max_bad_fraction=0.01)


def test_only_one_command_prepares_a_folder(made, tree, tmp_path):
    with FileLock(tmp_path / ".lock"), pytest.raises(DataError, match="another process prepares"):
        made(tree, tmp_path)


@pytest.mark.slow
def test_a_set_can_be_at_a_url_of_tensorflow(made, loaded, prepared_tree, tmp_path, monkeypatch):
    tree, prepared = prepared_tree
    monkeypatch.setattr("ablate.colorization.data.prepared.destination.results_dir", lambda: tmp_path / "project")
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


def test_a_file_system_that_tensorflow_lacks_is_named_with_those_it_has(made, loaded, prepared_tree, tmp_path):
    expected = r"s3://b/.* is in no file system that TensorFlow has here: file://, gs://, or a path"
    with pytest.raises(DataError, match=expected):
        made("s3://b/photographs")
    with pytest.raises(DataError, match=expected):
        made(prepared_tree[0], "s3://b/set")
    with pytest.raises(DataError, match=expected):
        loaded("prepared", "s3://b/set")


@pytest.mark.slow
def test_an_archive_that_is_prepared_is_not_unpacked_again(made, prepared_tree, tmp_path, monkeypatch):
    path = archive(prepared_tree[0], ".tgz", tmp_path / "tree.tgz")
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
