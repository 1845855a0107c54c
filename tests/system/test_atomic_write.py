"""A file is there as a whole, or as it was before."""

from pathlib import Path

import pytest

from ablate.system.atomic_write import atomic_write


@pytest.mark.parametrize("durable", [False, True])
def test_a_file_appears_when_it_is_whole(durable: bool, tmp_path: Path) -> None:
    path = tmp_path / "file"
    with atomic_write(path, durable=durable) as file:
        file.write(b"half")
        file.flush()
        assert not path.exists()
        file.write(b" and half")
    assert path.read_bytes() == b"half and half"
    assert [left.name for left in tmp_path.iterdir()] == ["file"]


def test_after_an_error_the_file_is_as_before(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"before")

    def write() -> None:
        with atomic_write(path) as file:
            file.write(b"half")
            raise ValueError("in the middle")

    with pytest.raises(ValueError, match="in the middle"):
        write()
    assert path.read_bytes() == b"before"
    assert [left.name for left in tmp_path.iterdir()] == ["file"]


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), atomic_write(tmp_path / "none" / "file"):
        pass
