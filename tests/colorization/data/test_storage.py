"""Files by path and by URL."""

import pytest

from ablate.colorization.data.storage import (
    absolute_location,
    file_size,
    list_files,
    read_file,
    read_range,
    upload,
)
from ablate.errors import DataError


@pytest.fixture(params=["", "file://"], ids=["path", "url"])
def folder(request, tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "c.bin").write_bytes(b"0123456789")
    return f"{request.param}{tmp_path}/a"


def test_a_file_is_read_whole_and_in_ranges(folder):
    assert read_file(f"{folder}/b/c.bin") == b"0123456789"
    assert read_range(f"{folder}/b/c.bin", 3, 4) == b"3456"
    assert file_size(f"{folder}/b/c.bin") == 10


@pytest.mark.parametrize("read", [read_file, file_size, lambda location: read_range(location, 0, 1)])
def test_a_missing_file_is_not_found(folder, read):
    with pytest.raises(FileNotFoundError):
        read(f"{folder}/none.bin")


def test_files_below_a_url_are_listed_by_their_names(folder):
    if "://" in folder:
        assert list_files(f"{folder}/") == ["b/c.bin"]


def test_an_uploaded_file_is_moved(tmp_path):
    (tmp_path / "new.bin").write_bytes(b"new")
    upload(tmp_path / "new.bin", f"file://{tmp_path}/far/away/new.bin")
    assert (tmp_path / "far/away/new.bin").read_bytes() == b"new"
    assert not (tmp_path / "new.bin").exists()


def test_an_unknown_scheme_is_named_with_those_there_are():
    with pytest.raises(DataError, match=r"^ftp://a is in no file system that TensorFlow has here: file://"):
        read_file("ftp://a")


def test_paths_become_absolute_and_urls_stay(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert absolute_location("set") == str(tmp_path / "set")
    assert absolute_location("gs://bucket/set/") == "gs://bucket/set"
