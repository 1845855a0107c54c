"""The fingerprint of data: that of its contents, whatever holds them."""

from pathlib import Path

import numpy as np
import pytest

from ablate import fingerprint
from ablate.errors import DataError


def test_it_is_that_of_values_whatever_holds_them() -> None:
    one, two = np.arange(4.0), np.eye(2)
    assert (
        fingerprint(one, two)
        == fingerprint((one, two))
        == fingerprint({"a": one, "b": two})
        == fingerprint([one], two)
    )
    assert len({fingerprint(*given) for given in ([one, two], [two, one], [one], [one.astype(int)], [one + 1])}) == 5


def test_files_count_by_their_contents_and_names_in_their_folder(tmp_path: Path) -> None:
    folder, file = tmp_path / "data", tmp_path / "data" / "a.csv"
    folder.mkdir()
    file.write_text("1,2")
    of_file, of_folder = fingerprint(file), fingerprint(folder)
    folder.rename(tmp_path / "moved")
    assert fingerprint(tmp_path / "moved") == of_folder
    assert fingerprint(tmp_path / "moved" / "a.csv") == of_file
    (tmp_path / "moved" / "a.csv").write_text("1,3")
    assert fingerprint(tmp_path / "moved") != of_folder
    (tmp_path / "moved" / "a.csv").rename(tmp_path / "moved" / "b.csv")
    (tmp_path / "moved" / "b.csv").write_text("1,2")
    assert fingerprint(tmp_path / "moved") != of_folder


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.csv cannot be read: No such file"):
        fingerprint(tmp_path / "none.csv")
