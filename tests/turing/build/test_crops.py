"""Crops of photographs, and the external pictures that belong to them."""

import hashlib
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from ablate.colorization.data.photographs import HeldOutPhotograph
from ablate.errors import DataError
from ablate.turing.build.collect import CollectedCrops, collect_crops
from ablate.turing.build.crops import CropSettings, Unusable
from ablate.turing.build.exact_lab import to_lab
from ablate.turing.build.external_pictures import ExternalPictures


def photograph(seed: int, width: int = 60, height: int = 40) -> Image.Image:
    """Return soft colours, others for each seed."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


def unseen(name: str, image: Image.Image | Exception) -> HeldOutPhotograph:
    def load() -> Image.Image:
        if isinstance(image, Exception):
            raise image
        return image

    content = image.tobytes() if isinstance(image, Image.Image) else name.encode()
    return HeldOutPhotograph(name, hashlib.sha256(content).hexdigest(), load)


def cut(
    photographs: Sequence[HeldOutPhotograph], *others: ExternalPictures, count: int = 100, **changes: int
) -> CollectedCrops:
    settings = CropSettings(**{"side": 32, "crops": 1, "seed": 0, **changes}, input_sides=(16, 24))
    return collect_crops(photographs, others, count=count, settings=settings)


MANY = [unseen(f"{number}.png", photograph(number)) for number in range(12)]


def test_the_first_crop_is_the_centre_as_evaluation_cuts_it() -> None:
    image = photograph(0, 90, 50)
    (crop,) = cut([unseen("a.png", image)]).crops
    for pixels, side in ((crop.pixels, 32), (crop.inputs[16], 16), (crop.inputs[24], 24)):
        expected = ImageOps.fit(image, (side, side), Image.Resampling.BICUBIC)
        np.testing.assert_array_equal(pixels, np.asarray(expected))
    assert (crop.photograph, crop.number, crop.enlarged) == ("a.png", 0, False)


def test_a_crop_that_is_enlarged_says_so() -> None:
    collected = cut([unseen("a.png", photograph(0, 50, 20))])
    assert collected.crops[0].enlarged
    assert collected.crops[0].pixels.shape == (32, 32, 3)


def test_which_photographs_are_taken_depends_on_the_seed_and_on_nothing_else() -> None:
    taken = [[crop.photograph for crop in cut(MANY, count=5, seed=seed).crops] for seed in (0, 0, 1)]
    assert taken[0] == taken[1] != taken[2]
    assert len(set(taken[0])) == 5
    backwards = cut(MANY[::-1], count=5).crops
    assert [crop.photograph for crop in backwards] == taken[0]
    without = [one for one in MANY if one.name != taken[0][2]]
    fewer = [crop.photograph for crop in cut(without, count=4).crops]
    assert fewer == [name for name in taken[0] if name != taken[0][2]]


def test_further_crops_have_places_and_zooms_of_their_own() -> None:
    collected = cut(MANY[:3], crops=4)
    assert collected.photographs == 3
    assert [crop.number for crop in collected.crops] == [0, 1, 2, 3] * 3
    names = [crop.photograph for crop in collected.crops]
    assert [names[place] for place in (0, 4, 8)] == list(dict.fromkeys(names))
    assert len({crop.pixels.tobytes() for crop in collected.crops}) == 12
    central = [crop.pixels for crop in collected.crops if crop.number == 0]
    for one, other in zip(central, cut(MANY[:3]).crops, strict=True):
        np.testing.assert_array_equal(one, other.pixels)
    again = cut(MANY[:3], crops=4).crops
    assert [crop.pixels.tobytes() for crop in again] == [crop.pixels.tobytes() for crop in collected.crops]


def test_noise_is_of_the_picture_the_crop_and_the_seed() -> None:
    crops = cut(MANY[:2], crops=2).crops
    drawn = [crop.noise(seed, name) for crop in crops for seed in (0, 1) for name in ("one", "other")]
    assert len({noise.dither.tobytes() for noise in drawn}) == len({noise.draws.tobytes() for noise in drawn}) == 16
    assert (crops[0].noise(3, "one").dither == crops[0].noise(3, "one").dither).all()
    assert len({crop.rainbow_start(0) for crop in crops}) == 4


def test_what_cannot_be_used_is_left_out_with_its_reason() -> None:
    grey = photograph(1).convert("L").convert("RGB")
    photographs = [
        MANY[0],
        unseen("grey.png", grey),
        unseen("gone.png", FileNotFoundError(2, "No such file or directory")),
        unseen("broken.png", DataError("no JPEG, PNG or WebP picture")),
        HeldOutPhotograph("again.png", MANY[0].digest, MANY[0].load),
    ]
    collected = cut(photographs)
    assert collected.photographs == 1
    said = sorted(str(one) for one in collected.left_out)
    first, second = sorted(["again.png", "0.png"], key=lambda name: name != collected.crops[0].photograph)
    assert said == sorted(
        [
            f"{second}: the same contents as another photograph, {first}",
            "broken.png: cannot be read: no JPEG, PNG or WebP picture",
            "gone.png: cannot be read: No such file or directory",
            "grey.png: grey",
        ]
    )


def test_two_photographs_of_one_name_are_told_apart() -> None:
    one, other = (unseen("a.png", photograph(seed)) for seed in (0, 1))
    collected = cut([one, other], crops=2)
    assert (collected.photographs, len(collected.crops)) == (2, 4)
    names = {crop.digest: crop.photograph for crop in collected.crops}
    (later,) = (digest for digest, name in names.items() if name != "a.png")
    assert names[later] == f"a.png ({later[:8]})"


@pytest.mark.parametrize("forms", [("NFC", "NFD"), ("NFD", "NFC"), ("NFD", "NFD")])
def test_a_picture_belongs_to_a_photograph_however_its_name_is_spelled(tmp_path: Path, forms: tuple[str, str]) -> None:
    ours, theirs = (unicodedata.normalize(form, "caf\u00e9") for form in forms)
    photograph(0).save(tmp_path / f"{theirs}.png")
    outside = ExternalPictures("theirs", str(tmp_path), [f"{ours}.jpg"])
    assert len(cut([unseen(f"{ours}.jpg", photograph(0))], outside).crops) == 1


def test_of_one_photograph_under_several_names_one_is_taken(tmp_path: Path) -> None:
    image = photograph(0, 300, 200)
    image.save(tmp_path / "poor.jpg", quality=40)
    same = {
        "first.png": image,
        "poor.jpg": Image.open(tmp_path / "poor.jpg").convert("RGB"),
        "small.png": image.resize((90, 60)),
    }
    collected = cut([*(unseen(name, picture) for name, picture in same.items()), *MANY[1:]], crops=2)
    taken = {crop.photograph for crop in collected.crops}
    assert len(taken) == collected.photographs == len(MANY)
    (kept,) = taken.intersection(same)
    assert sorted(map(str, collected.left_out)) == [
        f"{name}: shows the same as another photograph, {kept}" for name in sorted(same) if name != kept
    ]


def test_even_photographs_are_not_taken_for_one() -> None:
    collected = cut([unseen(f"{color}.png", Image.new("RGB", (40, 40), color)) for color in ("red", "blue")])
    assert collected.photographs == 2


def test_of_a_photograph_with_several_crops_only_the_grey_ones_are_left_out() -> None:
    image = Image.new("RGB", (60, 40), (128, 128, 128))
    image.paste(photograph(0, 20, 40), (0, 0))
    collected = cut([unseen("a.png", image)], crops=12)
    assert 0 < len(collected.left_out) < 12
    assert len(collected.crops) == 12 - len(collected.left_out)
    assert str(collected.left_out[0]).startswith("a.png, crop ")


def test_no_more_are_looked_at_than_needed() -> None:
    collected = cut([*MANY, *(unseen(f"{n}.jpg", DataError("broken")) for n in range(300))], count=2)
    assert collected.photographs == 2
    assert len(collected.left_out) < 250


# Pictures of other systems.


def save(image: Image.Image, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)


def sepia(image: Image.Image) -> Image.Image:
    """Return a picture of another colour, its luminance about the same."""
    return ImageOps.colorize(image.convert("L"), "#201000", "#ffeecc")


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
