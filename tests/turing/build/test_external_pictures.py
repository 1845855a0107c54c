"""External pictures that belong to photographs."""

import unicodedata
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from ablate.errors import DataError
from ablate.turing.build.crops import Unusable
from ablate.turing.build.exact_lab import to_lab
from ablate.turing.build.external_pictures import ExternalPictures
from tests.support.crops import MANY, cut, photograph, save, sepia, unseen


@pytest.mark.parametrize("forms", [("NFC", "NFD"), ("NFD", "NFC"), ("NFD", "NFD")])
def test_a_picture_belongs_to_a_photograph_however_its_name_is_spelled(tmp_path: Path, forms: tuple[str, str]) -> None:
    ours, theirs = (unicodedata.normalize(form, "caf\u00e9") for form in forms)
    photograph(0).save(tmp_path / f"{theirs}.png")
    outside = ExternalPictures("theirs", str(tmp_path), [f"{ours}.jpg"])
    assert len(cut([unseen(f"{ours}.jpg", photograph(0))], outside).crops) == 1


def test_a_picture_belongs_to_the_photograph_of_its_name_whatever_the_endings(tmp_path: Path) -> None:
    names = ["val/a.b.JPEG", "val/b.png", "deep/c.png", "d"]
    for place, file in enumerate(("val/a.b.png", "b.jpg", "c.webp", "d.png", "of no photograph.png")):
        save(photograph(place), tmp_path / file)
    outside = ExternalPictures("other", str(tmp_path), names)
    for place, name in enumerate(names):
        assert np.abs(np.asarray(outside.load(name), int) - np.asarray(photograph(place), int)).mean() < 12


def test_pictures_that_could_be_of_two_photographs_are_of_neither(tmp_path: Path) -> None:
    for file in ("x.png", "one/y.png", "two/y.png", "z.png", "z.jpg", "one/w.png"):
        save(photograph(0), tmp_path / file)
    outside = ExternalPictures(
        "other", str(tmp_path), ["a/x.png", "b/x.png", "c/y.png", "z.png", "one/w.jpg", "two/w.jpg"]
    )
    assert outside.load("one/w.jpg")
    for name, said in (
        ("a/x.png", "no picture from other"),
        ("c/y.png", "more than one picture from other: y.png, y.png"),
        ("z.png", "more than one picture from other: z.jpg, z.png"),
        ("two/w.jpg", "no picture from other"),
    ):
        with pytest.raises(Unusable, match=said):
            outside.load(name)


def test_only_a_picture_of_the_same_part_is_taken(tmp_path: Path) -> None:
    changed = {
        "0": sepia(photograph(0)),
        "1": ImageOps.mirror(photograph(1)),
        "2": photograph(2).crop((15, 10, 45, 30)),
        "3": photograph(99),
        "4": sepia(photograph(4)).resize((600, 400)),
        "5": sepia(ImageOps.fit(photograph(5), (40, 40))),
        "6": Image.new("RGB", (60, 40), "red"),
    }
    for name, picture in changed.items():
        save(picture, tmp_path / f"{name}.png")
    (tmp_path / "7.png").write_bytes(b"broken")
    outside = ExternalPictures("other", str(tmp_path), [one.name for one in MANY])
    collected = cut(MANY[:9], outside)
    assert {crop.photograph for crop in collected.crops} == {"0.png", "4.png", "5.png"}
    for crop in collected.crops:
        assert np.corrcoef(*(to_lab(p)[..., 0].ravel() for p in (crop.pixels, crop.others["other"])))[0, 1] > 0.9
        assert (to_lab(crop.others["other"])[..., 2] > 0).all()
    why = {one.name: str(one.why) for one in collected.left_out}
    assert why["7.png"] == "the picture from other cannot be read: no JPEG, PNG or WebP picture"
    assert why["8.png"] == "no picture from other"
    for name in ("1.png", "2.png", "3.png", "6.png"):
        assert why[name].startswith("the picture from other shows something else, or another part of it (their L corr")


def test_further_crops_are_cut_alike_where_the_whole_photograph_is_shown(tmp_path: Path) -> None:
    save(sepia(photograph(0)).resize((180, 120)), tmp_path / "0.png")
    save(sepia(ImageOps.fit(photograph(1), (40, 40))), tmp_path / "1.png")
    outside = ExternalPictures("other", str(tmp_path), [one.name for one in MANY])
    collected = cut(MANY[:2], outside, crops=3)
    assert [(crop.photograph, crop.number) for crop in collected.crops if crop.photograph == "0.png"] == [
        ("0.png", 0),
        ("0.png", 1),
        ("0.png", 2),
    ]
    assert [crop.number for crop in collected.crops if crop.photograph == "1.png"] == [0]
    assert [str(one) for one in collected.left_out] == [
        f"1.png, crop {number}: the picture from other has another shape" for number in (2, 3)
    ]


def test_folders_that_cannot_be_meant_are_errors(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"external.other=.*nowhere is no folder"):
        ExternalPictures("other", str(tmp_path / "nowhere"), ["a.png"])
    (tmp_path / "notes.txt").write_text("none")
    with pytest.raises(DataError, match=r"external.other=.* holds no pictures \(.jpg"):
        ExternalPictures("other", str(tmp_path), ["a.png"])
    save(photograph(0), tmp_path / "b.png")
    with pytest.raises(DataError, match=r"b.png would be one of b, and photographs are called a.png, c.png"):
        ExternalPictures("other", str(tmp_path), ["c.png", "a.png"])
