"""Crops of photographs: what participants see of one, and what networks do. No TensorFlow."""

import hashlib
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from PIL import Image

from ablate.colorization.data.decode import Pixels
from ablate.colorization.data.photographs import HeldOutPhotograph
from ablate.colorization.data.preprocessing import center_square
from ablate.turing.build.exact_lab import to_lab
from ablate.turing.build.rendering import Noise, draw_noise
from ablate.turing.build.stimuli import correlation, is_grey

SAME_PICTURE = 0.9
"""Correlation of their L from which on two pictures show the same."""
_ZOOMS = (1.25, 2.0)
"""A crop that is not the central one is smaller than the photograph by a factor between these."""
_SAME_SHAPE = 0.02
"""Difference of width / height, relative, up to which a picture shows the whole photograph."""
_BOXES, _NOISE, _RAINBOW = 0, 1, 2
"""Streams of random numbers, so that one does not depend on how many the other has taken."""


class Unusable(Exception):
    """A photograph or a crop of it cannot be used.

    Args:
        reason: Why, in words that others share.
        detail: What is particular to this one.
    """

    def __init__(self, reason: str, detail: str = ""):
        super().__init__(reason + detail)
        self.reason = reason


class PictureSource(Protocol):
    """Pictures of another system, see `external_pictures.ExternalPictures`."""

    name: str

    def load(self, photograph: str) -> Image.Image:
        """Return the picture of a photograph; raises `Unusable`."""
        ...


@dataclass(frozen=True)
class CropSettings:
    """How crops are cut.

    Attributes:
        side: Of the crops.
        crops: How many of a photograph.
        seed: From which their places are drawn.
        input_sides: Sides of the networks' inputs.
    """

    side: int
    crops: int
    seed: int
    input_sides: tuple[int, ...] = ()


@dataclass(frozen=True)
class Crop:
    """A crop of a photograph.

    Attributes:
        photograph: Name of the photograph.
        digest: Of its file.
        number: Which of the photograph's crops, from 0, the central one.
        enlarged: Whether it has fewer pixels in the photograph.
        pixels: (side, side, 3).
        inputs: The same at each of `CropSettings.input_sides`.
        others: The same as other systems coloured it, by their names.
    """

    photograph: str
    digest: str
    number: int
    enlarged: bool
    pixels: Pixels
    inputs: dict[int, Pixels]
    others: dict[str, Pixels]

    def noise(self, seed: int, picture: str) -> Noise:
        """Draw the noise of one of the crop's pictures, by what that is called."""
        of_picture = int(hashlib.sha256(picture.encode()).hexdigest()[:16], 16)
        return draw_noise(random_stream(seed, self.digest, self.number, _NOISE, of_picture), len(self.pixels))

    def rainbow_start(self, seed: int) -> float:
        """Return the hue at which its obvious fake starts, in turns."""
        return float(random_stream(seed, self.digest, self.number, _RAINBOW).random())


def cut_crop(
    photograph: HeldOutPhotograph,
    image: Image.Image,
    pictures: dict[str, Image.Image],
    number: int,
    settings: CropSettings,
) -> Crop:
    """Cut a crop of a photograph, and the same of the pictures that other systems made of it.

    Args:
        photograph: Which.
        image: It, loaded.
        pictures: Those of other systems, by their names.
        number: Which of the photograph's crops, from 0, the central one.
        settings: How it is cut.

    Raises:
        Unusable: It is grey, or a picture shows something else.
    """
    box = _box(image.size, number, random_stream(settings.seed, photograph.digest, number, _BOXES))
    pixels = _cut(image, box, settings.side)
    lab = to_lab(pixels)
    if is_grey(lab[..., 1:]):
        raise Unusable("grey")
    others = {name: _cut_alike(picture, image, box, settings.side, name) for name, picture in pictures.items()}
    for name, other in others.items():
        found = correlation(lab[..., 0], to_lab(other)[..., 0])
        if found < SAME_PICTURE:
            another = f"the picture from {name} shows something else, or another part of it"
            raise Unusable(another, f" (their L correlates by {found:.2f})")
    return Crop(
        photograph=photograph.name,
        digest=photograph.digest,
        number=number,
        enlarged=(min(image.size) if box is None else box[2] - box[0]) < settings.side,
        pixels=pixels,
        inputs={side: _cut(image, box, side) for side in settings.input_sides},
        others=others,
    )


_Box = tuple[float, float, float, float]
"""Left, top, right and bottom in pixels."""


def _box(size: tuple[int, int], number: int, random: np.random.Generator) -> _Box | None:
    """Return where a crop is cut; None is the centre."""
    if number == 0:
        return None
    width, height = size
    crop = min(size) / random.uniform(*_ZOOMS)
    left, top = random.uniform(0, width - crop), random.uniform(0, height - crop)
    return left, top, left + crop, top + crop


def _cut(image: Image.Image, box: _Box | None, side: int) -> Pixels:
    if box is None:
        return np.asarray(center_square(image, side))
    return np.asarray(image.resize((side, side), Image.Resampling.BICUBIC, box=box))


def _cut_alike(picture: Image.Image, image: Image.Image, box: _Box | None, side: int, name: str) -> Pixels:
    """Cut the crop of a photograph from a picture of it, which may have another size."""
    if box is None:
        return _cut(picture, None, side)
    (width, height), (own_width, own_height) = image.size, picture.size
    if abs(own_width * height / (own_height * width) - 1) > _SAME_SHAPE:
        raise Unusable(f"the picture from {name} has another shape")
    x, y = own_width / width, own_height / height
    return _cut(picture, (box[0] * x, box[1] * y, box[2] * x, box[3] * y), side)


def random_stream(seed: int, digest: str, number: int, *purpose: int) -> np.random.Generator:
    """Return random numbers for one purpose of one crop."""
    return np.random.default_rng([seed, int(digest[:16], 16), number, *purpose])
