"""Folders of photographs with everything that a data set can have."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image


def write_photographs(root: Path, write_pictures: Callable[..., object]) -> Path:
    """Write 45 photographs to train and 4 to evaluate: several sizes, a bad one, a duplicate, a leak, other files."""
    write_pictures(root, [f"train/{number // 10}/{number:03}.png" for number in range(40)])
    write_pictures(root, [f"val/{number}.png" for number in range(4)], first_seed=100)
    for number, size in enumerate([(200, 30), (16, 16), (17, 19), (9, 40), (64, 64)]):
        pixels = np.random.default_rng(number).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
        Image.fromarray(pixels).save(root / "train" / f"size{number}.jpg")
    shutil.copy(root / "train/0/001.png", root / "train/again.png")
    shutil.copy(root / "val/0.png", root / "train/leak.png")
    (root / "train/broken.jpg").write_bytes(b"no picture")
    (root / "notes.txt").touch()
    (root / "beside.png").touch()
    return root
