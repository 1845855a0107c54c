"""Photographs that are only shown."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ablate.colorization.data.preprocessing import Preprocessing
from ablate.colorization.data.shown import shown_photographs
from ablate.errors import DataError

PREPROCESSING = Preprocessing(image_size=16, max_zoom=1.0, eval_fraction=0.1, evaluation_side=32, grid_step=10)


def test_the_sample_is_all_photographs_of_the_installed_packages() -> None:
    shown = shown_photographs("sample", PREPROCESSING, number=64)
    assert {"astronaut", "chelsea"} < set(shown)
    assert {(pixels.shape, truth.shape) for pixels, truth in shown.values()} == {((16, 16, 3), (32, 32, 3))}


def test_a_folder_shows_its_first_photographs_by_name(tmp_path: Path) -> None:
    for level, name in ((200, "b.png"), (100, "a.png"), (0, "c.png")):
        Image.new("RGB", (40, 32), (level,) * 3).save(tmp_path / name)
    (tmp_path / "licence.txt").write_text("CC0")
    shown = shown_photographs(str(tmp_path), PREPROCESSING, number=2)
    assert [(name, np.unique(truth).item()) for name, (_, truth) in shown.items()] == [("a.png", 100), ("b.png", 200)]


def test_what_cannot_be_shown_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"evaluation.samples_from=.*missing is no folder, and not `sample`"):
        shown_photographs(str(tmp_path / "missing"), PREPROCESSING, number=2)
    with pytest.raises(DataError, match="there is no photograph in it"):
        shown_photographs(str(tmp_path), PREPROCESSING, number=2)
    (tmp_path / "torn.jpg").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"torn\.jpg .* cannot be shown"):
        shown_photographs(str(tmp_path), PREPROCESSING, number=2)
