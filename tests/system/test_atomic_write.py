"""A file is there as a whole, or as it was before."""

from pathlib import Path

import pytest

from ablate.system.atomic_write import atomic_write, beside, remove_folder


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


@pytest.mark.parametrize("name", ["n" * 255, "n" * 251 + ".zip", "." + "s" * 254, "\U0001f308" * 63, "\udcff" * 255])
def test_names_as_long_as_they_may_be_are_written_and_removed(name: str, tmp_path: Path) -> None:
    with atomic_write(tmp_path / name) as file:
        file.write(b"whole")
        (aside,) = tmp_path.iterdir()
        assert aside == beside(tmp_path / name)
        assert aside.name.startswith(".")
        assert (".zip." in aside.name) == name.endswith(".zip")  # by which `python -m ablate.clean` knows an archive's
    assert (tmp_path / name).read_bytes() == b"whole"
    (tmp_path / name).unlink()
    (tmp_path / name).mkdir()
    remove_folder(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_long_names_that_begin_alike_have_places_of_their_own(tmp_path: Path) -> None:
    names = ["n" * 200 + end for end in ("1.jpg", "2.jpg", "1.png")]
    assert len({beside(tmp_path / name) for name in names}) == 3
