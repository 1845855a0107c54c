"""Crops of photographs, and the external pictures that belong to them."""

import numpy as np
from PIL import Image, ImageOps

from tests.support.crops import MANY, cut, photograph, unseen


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
