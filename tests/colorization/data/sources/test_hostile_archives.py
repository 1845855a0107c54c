"""Archives that are damaged, whose sizes lie, or that inflate to more than memory or disk should hold."""

import gzip
import io
import lzma
import struct
import tarfile
import tracemalloc
import zipfile

import pytest

from ablate.colorization.data.sources import archives
from ablate.colorization.data.sources.archives import Tar, Zip
from ablate.errors import DataError

CONTENT = bytes(100)
DIRECTORY = b"PK\x01\x02"


@pytest.fixture
def zipped(tmp_path):
    """Write a zip archive of one.png and two.png, its directory's last entry changed at an offset."""

    def zipped(change=None, contents=(CONTENT, CONTENT)):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in zip(("one.png", "two.png"), contents, strict=True):
                archive.writestr(name, content)
        data = bytearray(file.getvalue())
        if change is not None:
            offset, kind, value = change
            struct.pack_into(kind, data, data.rindex(DIRECTORY) + offset, value)
        path = tmp_path / "some.zip"
        path.write_bytes(data)
        return Zip(path)

    return zipped


def read(source):
    """Return by name the contents of a source's files, or what is wrong with each as text."""
    entries = source.list().entries
    return {
        entry.name: content if isinstance(content, bytes) else getattr(content, "strerror", None) or str(content)
        for entry, content in zip(entries, source.read(entries), strict=True)
    }


@pytest.mark.parametrize(
    ("change", "said"),
    [((6, "<B", 99), "zip file version 9.9"), ((8, "<H", 0x800), None)],
    ids=["version", "name"],
)
def test_what_zipfile_stumbles_over_is_one_line(zipped, tmp_path, change, said):
    source = zipped(change)
    if said is None:  # a name that says it is UTF-8, and is not
        data = bytearray(source.path.read_bytes())
        data[data.rindex(DIRECTORY) + 46] = 0xFF
        source.path.write_bytes(data)
    with pytest.raises(DataError, match=rf"some.zip cannot be read as a zip archive: .*{said or 'utf-8'}"):
        source.list()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ((24, "<I", 99), "damaged in the archive"),
        ((24, "<I", 101), "damaged in the archive"),
        ((24, "<I", 2**32 - 2), "4,294,967,294 bytes; at most 536,870,912 are read"),
        ((20, "<I", 2**32 - 2), "4,294,967,294 bytes; at most 536,870,912 are read"),
        ((16, "<I", 7), "damaged in the archive"),
    ],
    ids=["less", "more", "gigabytes", "packed", "checksum"],
)
def test_a_size_that_lies_costs_that_file_alone(zipped, change, said):
    assert read(zipped(change)) == {"one.png": CONTENT, "two.png": said}


@pytest.mark.slow
def test_a_file_is_inflated_no_further_than_it_claims(zipped):
    source = zipped((24, "<I", 100), (CONTENT, bytes(2**26)))
    tracemalloc.start()
    try:
        assert read(source)["two.png"] == "damaged in the archive"
        assert tracemalloc.get_traced_memory()[1] < 2**23
    finally:
        tracemalloc.stop()


def test_a_file_larger_than_any_photograph_is_not_inflated(zipped, monkeypatch):
    monkeypatch.setattr(archives, "MAX_BYTES", 1000)
    assert read(zipped(None, (CONTENT, bytes(1001))))["two.png"].startswith("1,001 bytes; at most")


@pytest.mark.parametrize(
    ("size", "said"), [(-5, "cut off in the archive"), (2**29 + 1, "536,870,913 bytes; at most 536,870,912 are read")]
)
def test_a_tar_entry_of_an_impossible_size_is_named(tmp_path, monkeypatch, size, said):
    odd = tarfile.TarInfo("odd.png")
    odd.size = size
    path = tmp_path / "some.tar"
    path.write_bytes(odd.tobuf(tarfile.GNU_FORMAT) + bytes(1024))
    with path.open("r+b") as file:
        file.truncate(512 + 1024 + max(size, 0) + 1024)
    assert read(Tar(path)) == {"odd.png": said}


@pytest.mark.parametrize(("packed", "ending"), [(gzip.compress, "gz"), (lzma.compress, "xz")])
def test_an_archive_that_unpacks_to_far_more_than_itself_is_stopped(tmp_path, monkeypatch, packed, ending):
    monkeypatch.setattr(archives, "_MIB", 64)
    path = tmp_path / f"some.tar.{ending}"
    path.write_bytes(packed(bytes(2**20)))
    notes = tmp_path / "notes"
    notes.mkdir()
    with pytest.raises(DataError, match=rf"some\.tar\.{ending} unpacks to more than"):
        Tar(path).unpacked(notes)
    assert not list(notes.iterdir())
