"""The split of an archive's photographs, whatever other files it has and however names are written."""

import io
import tarfile
import unicodedata
import warnings
import zipfile

import pytest

from ablate.colorization.data.prepared.write import list_source
from ablate.colorization.data.sources.archives import Tar, Zip
from ablate.colorization.data.sources.folder import Folder
from ablate.colorization.data.sources.url import Url
from ablate.errors import DataError

TREE = ["photos/a.png", "photos/more/b.png", "photos/val/c.png", "photos/val/deep/d.png"]
SPLITS = {"a.png": "train", "more/b.png": "train", "val/c.png": "eval", "val/deep/d.png": "eval"}
OTHER_FILES = ["__MACOSX/photos/val/._c.png", ".DS_Store", "README.txt", "photos/.DS_Store", "LICENSE",
               "docs/paper.pdf", "__MACOSX/cover.png", "photos/val/Thumbs.db", ".trash/old.png"]  # fmt: skip


def zipped(path, names):
    with zipfile.ZipFile(path, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the same name twice
        for name in names:
            archive.writestr(zipfile.ZipInfo(name), name.encode())
    return Zip(path, label="data.root=DIR")


def tarred(path, names):
    with tarfile.open(path, "w") as archive:
        for name in names:
            info = tarfile.TarInfo(name)
            info.size = len(name.encode())
            archive.addfile(info, io.BytesIO(name.encode()))
    return Tar(path, label="data.root=DIR")


def planted(path, names):
    for name in names:
        file = path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    return Folder(path, label="data.root=DIR")


@pytest.fixture(params=[zipped, tarred], ids=["zip", "tar"])
def packed(request, tmp_path):
    return lambda names: request.param(tmp_path / "archive", names)


@pytest.fixture
def splits(data_config):
    def splits(source):
        listing, _ = list_source(source, data_config(name="folder", root="DIR"))
        return {entry.name: entry.split for entry in listing.entries}

    return splits


@pytest.mark.parametrize("other_files", [[], *([one] for one in OTHER_FILES), OTHER_FILES], ids=str)
def test_val_evaluates_whatever_other_files_there_are(packed, splits, other_files):
    assert splits(packed([*other_files[:1], *TREE, *other_files[1:]])) == SPLITS


@pytest.mark.parametrize(
    "first", ["", "./", "/", "../", "../../", "C:/", "C:\\", ".\\", "\\\\server\\share\\", "x/y/"]
)
@pytest.mark.parametrize("separator", ["/", "\\"])
def test_val_evaluates_however_names_are_written(packed, splits, first, separator):
    names = [f"{first}{name.replace('/', separator)}" for name in TREE]
    assert splits(packed(names)) == SPLITS


@pytest.mark.parametrize("val", ["Val", "VAL", "valid", "Validation", "test", "TEST"])
def test_the_folder_that_evaluates_may_be_called_otherwise(packed, splits, val):
    assert splits(packed([name.replace("val", val) for name in TREE])) == {
        name.replace("val", val): split for name, split in SPLITS.items()
    }


def test_a_mixed_archive_is_one_tree(packed, splits):
    assert (
        splits(packed(["photos\\a.png", "./photos/more/b.png", "/photos/val/c.png", "photos/val\\deep\\d.png"]))
        == SPLITS
    )


def test_a_folder_and_a_url_are_split_as_the_archive_is(packed, splits, tmp_path):
    names = ["README.txt", *TREE, "photos/Test/e.png"]
    expected = {f"photos/{name}": split for name, split in splits(packed(names)).items()}
    folder = planted(tmp_path / "folder", names)
    assert splits(folder) == splits(Url(f"file://{folder.root}")) == expected
    assert expected == {f"photos/{name}": split for name, split in SPLITS.items()}


def test_what_a_windows_archive_leaves_on_linux_is_split_as_it_was_meant(splits, tmp_path):
    assert splits(planted(tmp_path, [name.replace("/", "\\") for name in TREE])) == {
        f"photos/{name}": split for name, split in SPLITS.items()
    }


def test_folders_of_a_windows_archive_are_no_files(tmp_path):
    assert zipped(tmp_path / "a.zip", ["photos\\", "photos\\val\\", *TREE]).list().ignored == []


@pytest.mark.parametrize(
    "again", ["photos/val/c.png", "./photos/val/c.png", "photos\\val\\c.png", "photos//val/c.png"]
)
def test_of_several_files_of_one_name_the_last_counts_and_that_is_said(packed, data_config, caplog, again):
    source = packed([*TREE, again])
    listed, _ = list_source(source, data_config(name="folder", root="DIR"))
    assert [entry.name for entry in listed.entries if entry.split == "eval"] == ["val/c.png", "val/deep/d.png"]
    assert listed.replaced == ["val/c.png"]
    assert "1 photographs are replaced by another of their name later in the archive: val/c.png" in caplog.text


def test_the_last_of_a_name_is_what_is_read(tmp_path):
    one, other = unicodedata.normalize("NFC", "\u00e9.png"), unicodedata.normalize("NFD", "\u00e9.png")
    for source in (zipped(tmp_path / "a.zip", [one, other]), tarred(tmp_path / "a.tar", [one, other])):
        listed = source.list()
        assert [entry.name for entry in listed.entries] == [one]
        assert list(source.read(listed.entries)) == [other.encode()]
        assert listed.replaced == [one]


def test_two_files_whose_names_are_spelled_differently_are_two_in_a_folder(splits, tmp_path):
    names = [unicodedata.normalize(form, "\u00e9.png") for form in ("NFC", "NFD")]
    assert len(splits(planted(tmp_path, [*names, "a/b.png", "a\\b.png", "val/c.png"]))) == 5


def test_the_split_is_said_with_its_reason(packed, data_config, caplog):
    caplog.set_level("INFO")
    config = data_config(name="folder", root="photos.zip", eval_fraction=0.25)
    list_source(packed([*TREE, "photos/test/e.png"]), config)
    assert (
        "Split: val evaluates (2), all others train (2); test (1) held out: neither trains nor evaluates"
        in caplog.text
    )
    list_source(packed(["a.png", "more/b.png"]), config)
    assert (
        "Split: no folder val, valid, validation or test: 25 % of the photographs evaluate, chosen by their contents"
        in caplog.text
    )


def test_an_archive_that_only_evaluates_is_refused(packed, data_config):
    with pytest.raises(DataError, match=r"^data\.root=DIR has no photograph to train on: test evaluates \(1\)"):
        list_source(packed(["README", "test/a.png"]), data_config(name="folder", root="DIR"))
