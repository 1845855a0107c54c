"""Sizes of files as text."""

import pytest

from ablate.cli.file_size import file_size


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0.0 KiB"), (5_000, "4.9 KiB"), (104_858, "0.1 MiB"), (3_000_000_000, "2,861.0 MiB")]
)
def test_small_files_have_smaller_units(size: int, text: str) -> None:
    assert file_size(size) == text
