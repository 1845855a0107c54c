"""Photographs that are drawn, and crops of them."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from ablate.colorization.data.photographs import HeldOutPhotograph
from ablate.turing.build.collect import CollectedCrops, collect_crops
from ablate.turing.build.crops import CropSettings
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


def save(image: Image.Image, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)


def sepia(image: Image.Image) -> Image.Image:
    """Return a picture of another colour, its luminance about the same."""
    return ImageOps.colorize(image.convert("L"), "#201000", "#ffeecc")
