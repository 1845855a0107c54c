"""Crops of the photographs that can be used."""

from pathlib import Path

from PIL import Image

from ablate.colorization.data.photographs import HeldOutPhotograph
from ablate.errors import DataError
from tests.support.crops import MANY, cut, photograph, unseen


def test_which_photographs_are_taken_depends_on_the_seed_and_on_nothing_else() -> None:
    taken = [[crop.photograph for crop in cut(MANY, count=5, seed=seed).crops] for seed in (0, 0, 1)]
    assert taken[0] == taken[1] != taken[2]
    assert len(set(taken[0])) == 5
    backwards = cut(MANY[::-1], count=5).crops
    assert [crop.photograph for crop in backwards] == taken[0]
    without = [one for one in MANY if one.name != taken[0][2]]
    fewer = [crop.photograph for crop in cut(without, count=4).crops]
    assert fewer == [name for name in taken[0] if name != taken[0][2]]


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
