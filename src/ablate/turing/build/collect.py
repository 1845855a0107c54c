"""The crops of a bundle: of photographs that can be used, in an order drawn from the seed. No TensorFlow."""

import hashlib
from collections import Counter
from collections.abc import Collection, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image
from tqdm import tqdm

from ablate.colorization.data.photographs import HeldOutPhotograph
from ablate.errors import DataError
from ablate.system.threads import parallel_map
from ablate.turing.build.crops import Crop, CropSettings, PictureSource, Unusable, cut_crop
from ablate.turing.build.exact_lab import Array, to_lab

SAME_PHOTOGRAPH = 0.99
"""Correlation of the L of two photographs, at `_THUMBNAIL` pixels, from which on one was saved from the other, in
another format or size."""
_THUMBNAIL = (32, 32)


@dataclass(frozen=True)
class LeftOut:
    """A photograph, or a crop of one, that is not in a bundle."""

    name: str
    why: Unusable

    def __str__(self) -> str:
        return f"{self.name}: {self.why}"


@dataclass(frozen=True)
class CollectedCrops:
    """What could be used.

    Attributes:
        crops: In the order in which photographs were drawn.
        photographs: Of how many they are.
        left_out: What was looked at and cannot be used.
    """

    crops: list[Crop]
    photographs: int
    left_out: list[LeftOut]

    @property
    def counts(self) -> Collection[int]:
        """How many crops there are of each photograph."""
        return Counter(crop.photograph for crop in self.crops).values()


def collect_crops(
    photographs: Sequence[HeldOutPhotograph], others: Sequence[PictureSource], *, count: int, settings: CropSettings
) -> CollectedCrops:
    """Cut crops from the first photographs that can be used, in an order drawn from the seed.

    Of photographs that are the same, by the contents of their files or by what they show, the first is taken. The
    order is that of hashes of the seed and each photograph's contents: one photograph more or less, or one that
    turns out to be grey, changes nothing for the others.

    Args:
        photographs: Which there are.
        others: Pictures that each photograph must have.
        count: How many photographs.
        settings: How they are cut.
    """
    ordered = sorted(photographs, key=lambda one: hashlib.sha256(f"{settings.seed} {one.digest}".encode()).digest())
    collected = CollectedCrops([], 0, [])
    used = list[str]()
    thumbnails = np.zeros((min(count, len(ordered)), np.prod(_THUMBNAIL)), np.float32)
    seen, named = dict[str, str](), set[str]()
    # A few photographs ahead: nobody knows how many it will take.
    with (
        tqdm(
            total=min(count, len(ordered)), desc="Cutting crops", unit=" photographs", disable=None, leave=False
        ) as bar,
        closing(parallel_map(lambda one: _crops_of(one, others, settings), ordered)) as cut,
    ):
        # strict=False: it ends when there are enough.
        for photograph, (crops, left_out, thumbnail) in zip(ordered, cut, strict=False):
            if photograph.digest in seen:
                same = Unusable("the same contents as another photograph", f", {seen[photograph.digest]}")
                collected.left_out.append(LeftOut(photograph.name, same))
                continue
            # Trials are counted by a photograph's name, so no other one may share it.
            name = f"{photograph.name} ({photograph.digest[:8]})" if photograph.name in named else photograph.name
            named.add(name)
            seen[photograph.digest] = name
            collected.left_out.extend(left_out)
            if not crops:
                continue
            alike = thumbnails[: len(used)] @ thumbnail
            if alike.size and alike.max() >= SAME_PHOTOGRAPH:
                same = Unusable("shows the same as another photograph", f", {used[int(alike.argmax())]}")
                collected.left_out.append(LeftOut(name, same))
                continue
            thumbnails[len(used)] = thumbnail
            used.append(name)
            collected.crops.extend(replace(crop, photograph=name) for crop in crops)
            bar.update()
            if len(used) == count:
                break
    return CollectedCrops(collected.crops, len(used), collected.left_out)


_Result = tuple[list[Crop], list[LeftOut], Array]
"""Crops, what cannot be used, and what the photograph looks like: see `_thumbnail`."""


def _crops_of(photograph: HeldOutPhotograph, others: Sequence[PictureSource], settings: CropSettings) -> _Result:
    try:
        pictures = {other.name: other.load(photograph.name) for other in others}
        image = _loaded(photograph)
    except Unusable as why:
        return [], [LeftOut(photograph.name, why)], np.zeros(0)
    crops, left_out = list[Crop](), list[LeftOut]()
    for number in range(settings.crops):
        try:
            crops.append(cut_crop(photograph, image, pictures, number, settings))
        except Unusable as why:
            name = photograph.name if settings.crops == 1 else f"{photograph.name}, crop {number + 1}"
            left_out.append(LeftOut(name, why))
    return crops, left_out, _thumbnail(image)


def _thumbnail(image: Image.Image) -> Array:
    """Return what a photograph looks like in small: two of these, multiplied, are the correlation of their L."""
    L = to_lab(np.asarray(image.resize(_THUMBNAIL, Image.Resampling.BICUBIC)))[..., 0].ravel()
    about_mean = L - L.mean()
    return np.asarray(about_mean / max(float(np.linalg.norm(about_mean)), 1e-9), np.float64)


def _loaded(photograph: HeldOutPhotograph) -> Image.Image:
    try:
        return photograph.load()
    except OSError as error:
        raise Unusable("cannot be read", f": {error.strerror or error}") from None
    except DataError as error:
        raise Unusable("cannot be read", f": {error}") from None
