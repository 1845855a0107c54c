"""Bundles of pictures that are drawn."""

import hashlib
import secrets
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from ablate.system.images import png
from ablate.turing.bundle import PICTURES, Algorithm, Bundle, Manifest, Stimulus, freeze
from ablate.turing.protocol import Protocol

SHORT = Protocol(practice=2, test=4, checks=1, exposure_ms=200)
BRIEF = Protocol(practice=2, test=1, checks=1, exposure_ms=200)
"""A pair of each kind, and one more of practice, for browsers: a pair takes them more than a second."""


def make_bundle(
    folder: Path,
    name: str = "drawn",
    *,
    protocol: Protocol = SHORT,
    algorithms: Sequence[str] = ("baseline", "loss=regression"),
    photographs: int = 9,
    crops: int = 1,
    side: int = 64,
) -> Bundle:
    """Write a bundle of coloured stripes."""
    (folder / PICTURES).mkdir(parents=True)
    random, files = np.random.default_rng(3), {}

    def write() -> str:
        stripes = np.repeat(random.integers(0, 256, (side, 1, 3), dtype=np.uint8), side, axis=1)
        content, file = png(Image.fromarray(stripes)), secrets.token_hex(16)
        (folder / PICTURES / f"{file}.png").write_bytes(content)
        files[file] = hashlib.sha256(content).hexdigest()
        return file

    stimuli = [
        Stimulus(photograph=f"photo{number}", real=write(), recolored=[write() for _ in algorithms], check=write())
        for number in range(photographs)
        for _ in range(crops)
    ]
    freeze(
        folder,
        Manifest(
            name=name,
            study=None,
            side=side,
            seed=11,
            protocol=protocol,
            algorithms=[Algorithm(name=each) for each in algorithms],
            stimuli=stimuli,
            left_out=[],
            files=files,
        ),
    )
    return Bundle(folder)
