"""The squares that are judged: cut from photographs that can be used, in an order drawn from the seed.

No TensorFlow.
"""

import hashlib
from collections import Counter
from collections.abc import Collection, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from PIL import Image
from tqdm import tqdm

from ablate.colorization.data.decode import Pixels
from ablate.colorization.data.photographs import HeldOutPhotograph
from ablate.colorization.data.preprocessing import center_square
from ablate.errors import DataError
from ablate.system.threads import parallel_map
from ablate.turing.build.stimuli import Array, Noise, correlation, draw_noise, is_grey, to_lab

SAME_PICTURE = 0.9
"""Correlation of their L from which on two pictures show the same."""
SAME_PHOTOGRAPH = 0.99
"""The same for two photographs, at `_LOOK` pixels: one was saved from the other, in another format or size."""
_LOOK = (32, 32)
_ZOOMS = (1.25, 2.0)
"""A square that is not the central one is smaller than the photograph by a factor between these."""
_SAME_SHAPE = 0.02
"""Difference of width / height, relative, up to which a picture shows the whole photograph."""
_BOXES, _NOISE, _RAINBOW = 0, 1, 2
"""Streams of random numbers, so that one does not depend on how many the other has taken."""


class Unusable(Exception):
    """A photograph or a square of it cannot be used.

    Args:
        reason: Why, in words that others share.
        detail: What is particular to this one.
    """

    def __init__(self, reason: str, detail: str = ""):
        super().__init__(reason + detail)
        self.reason = reason


@dataclass(frozen=True)
class LeftOut:
    """A photograph, or a square of one, that is not in a bundle."""

    name: str
    why: Unusable

    def __str__(self) -> str:
        return f"{self.name}: {self.why}"


class Others(Protocol):
    """Pictures of another system, see `outside.Outside`."""

    name: str

    def load(self, photograph: str) -> Image.Image:
        """Return the picture of a photograph; raises `Unusable`."""
        ...


@dataclass(frozen=True)
class Cutting:
    """How squares are cut.

    Attributes:
        side: Of the squares.
        crops: How many of a photograph.
        seed: From which their places are drawn.
        input_sides: Sides of the networks' inputs.
    """

    side: int
    crops: int
    seed: int
    input_sides: tuple[int, ...] = ()


@dataclass(frozen=True)
class Square:
    """A square of a photograph.

    Attributes:
        photograph: Name of the photograph.
        digest: Of its file.
        number: Which of the photograph's squares, from 0, the central one.
        enlarged: Whether it has fewer pixels in the photograph.
        pixels: (side, side, 3).
        inputs: The same at each of `Cutting.input_sides`.
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
        """Draw the noise of one of the square's pictures, by what that is called."""
        of_picture = int(hashlib.sha256(picture.encode()).hexdigest()[:16], 16)
        return draw_noise(_stream(seed, self.digest, self.number, _NOISE, of_picture), len(self.pixels))

    def rainbow_start(self, seed: int) -> float:
        """Return the hue at which its obvious fake starts, in turns."""
        return float(_stream(seed, self.digest, self.number, _RAINBOW).random())


@dataclass(frozen=True)
class Gathered:
    """What could be used.

    Attributes:
        squares: In the order in which photographs were drawn.
        photographs: Of how many they are.
        left_out: What was looked at and cannot be used.
    """

    squares: list[Square]
    photographs: int
    left_out: list[LeftOut]

    @property
    def counts(self) -> Collection[int]:
        """How many squares there are of each photograph."""
        return Counter(square.photograph for square in self.squares).values()


def gather(
    photographs: Sequence[HeldOutPhotograph], others: Sequence[Others], *, count: int, cutting: Cutting
) -> Gathered:
    """Cut squares from the first photographs that can be used, in an order drawn from the seed.

    Of photographs that are the same, by the contents of their files or by what they show, the first is taken. The
    order is that of hashes of the seed and each photograph's contents: one photograph more or less, or one that
    turns out to be grey, changes nothing for the others.

    Args:
        photographs: Which there are.
        others: Pictures that each photograph must have.
        count: How many photographs.
        cutting: How they are cut.
    """
    ordered = sorted(photographs, key=lambda one: hashlib.sha256(f"{cutting.seed} {one.digest}".encode()).digest())
    gathered = Gathered([], 0, [])
    used = list[str]()
    looks = np.zeros((min(count, len(ordered)), np.prod(_LOOK)), np.float32)
    seen, named = dict[str, str](), set[str]()
    # A few photographs ahead: nobody knows how many it will take.
    with (
        tqdm(
            total=min(count, len(ordered)), desc="Cutting squares", unit=" photographs", disable=None, leave=False
        ) as bar,
        closing(parallel_map(lambda one: _squares(one, others, cutting), ordered)) as cut,
    ):
        # strict=False: it ends when there are enough.
        for photograph, (squares, left_out, look) in zip(ordered, cut, strict=False):
            if photograph.digest in seen:
                same = Unusable("the same contents as another photograph", f", {seen[photograph.digest]}")
                gathered.left_out.append(LeftOut(photograph.name, same))
                continue
            # Trials are counted by a photograph's name, so no other one may share it.
            name = f"{photograph.name} ({photograph.digest[:8]})" if photograph.name in named else photograph.name
            named.add(name)
            seen[photograph.digest] = name
            gathered.left_out.extend(left_out)
            if not squares:
                continue
            alike = looks[: len(used)] @ look
            if alike.size and alike.max() >= SAME_PHOTOGRAPH:
                same = Unusable("shows the same as another photograph", f", {used[int(alike.argmax())]}")
                gathered.left_out.append(LeftOut(name, same))
                continue
            looks[len(used)] = look
            used.append(name)
            gathered.squares.extend(replace(square, photograph=name) for square in squares)
            bar.update()
            if len(used) == count:
                break
    return Gathered(gathered.squares, len(used), gathered.left_out)


_Result = tuple[list[Square], list[LeftOut], Array]
"""Squares, what cannot be used, and what the photograph looks like: see `_look`."""


def _squares(photograph: HeldOutPhotograph, others: Sequence[Others], cutting: Cutting) -> _Result:
    try:
        pictures = {other.name: other.load(photograph.name) for other in others}
        image = _loaded(photograph)
    except Unusable as why:
        return [], [LeftOut(photograph.name, why)], np.zeros(0)
    squares, left_out = list[Square](), list[LeftOut]()
    for number in range(cutting.crops):
        try:
            squares.append(_square(photograph, image, pictures, number, cutting))
        except Unusable as why:
            name = photograph.name if cutting.crops == 1 else f"{photograph.name}, square {number + 1}"
            left_out.append(LeftOut(name, why))
    return squares, left_out, _look(image)


def _look(image: Image.Image) -> Array:
    """Return what a photograph looks like in small: two of these, multiplied, are the correlation of their L."""
    L = to_lab(np.asarray(image.resize(_LOOK, Image.Resampling.BICUBIC)))[..., 0].ravel()
    about_mean = L - L.mean()
    return np.asarray(about_mean / max(float(np.linalg.norm(about_mean)), 1e-9), np.float64)


def _loaded(photograph: HeldOutPhotograph) -> Image.Image:
    try:
        return photograph.load()
    except OSError as error:
        raise Unusable("cannot be read", f": {error.strerror or error}") from None
    except DataError as error:
        raise Unusable("cannot be read", f": {error}") from None


def _square(
    photograph: HeldOutPhotograph, image: Image.Image, pictures: dict[str, Image.Image], number: int, cutting: Cutting
) -> Square:
    box = _box(image.size, number, _stream(cutting.seed, photograph.digest, number, _BOXES))
    pixels = _cut(image, box, cutting.side)
    lab = to_lab(pixels)
    if is_grey(lab[..., 1:]):
        raise Unusable("grey")
    others = {name: _cut_alike(picture, image, box, cutting.side, name) for name, picture in pictures.items()}
    for name, other in others.items():
        found = correlation(lab[..., 0], to_lab(other)[..., 0])
        if found < SAME_PICTURE:
            another = f"the picture from {name} shows something else, or another part of it"
            raise Unusable(another, f" (their L correlates by {found:.2f})")
    return Square(
        photograph=photograph.name,
        digest=photograph.digest,
        number=number,
        enlarged=(min(image.size) if box is None else box[2] - box[0]) < cutting.side,
        pixels=pixels,
        inputs={side: _cut(image, box, side) for side in cutting.input_sides},
        others=others,
    )


_Box = tuple[float, float, float, float]
"""Left, top, right and bottom in pixels."""


def _box(size: tuple[int, int], number: int, random: np.random.Generator) -> _Box | None:
    """Return where a square is cut; None is the centre."""
    if number == 0:
        return None
    width, height = size
    square = min(size) / random.uniform(*_ZOOMS)
    left, top = random.uniform(0, width - square), random.uniform(0, height - square)
    return left, top, left + square, top + square


def _cut(image: Image.Image, box: _Box | None, side: int) -> Pixels:
    if box is None:
        return np.asarray(center_square(image, side))
    return np.asarray(image.resize((side, side), Image.Resampling.BICUBIC, box=box))


def _cut_alike(picture: Image.Image, image: Image.Image, box: _Box | None, side: int, name: str) -> Pixels:
    """Cut the square of a photograph from a picture of it, which may have another size."""
    if box is None:
        return _cut(picture, None, side)
    (width, height), (own_width, own_height) = image.size, picture.size
    if abs(own_width * height / (own_height * width) - 1) > _SAME_SHAPE:
        raise Unusable(f"the picture from {name} has another shape")
    x, y = own_width / width, own_height / height
    return _cut(picture, (box[0] * x, box[1] * y, box[2] * x, box[3] * y), side)


def _stream(seed: int, digest: str, number: int, *purpose: int) -> np.random.Generator:
    return np.random.default_rng([seed, int(digest[:16], 16), number, *purpose])
