"""The pictures of a bundle: made from crops and colours, and written so that no file tells what it is."""

import hashlib
import os
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from ablate.errors import DataError
from ablate.system.threads import parallel_map
from ablate.turing.build.crops import Crop
from ablate.turing.build.exact_lab import to_lab
from ablate.turing.build.rendering import render
from ablate.turing.build.stimuli import png, rainbow
from ablate.turing.bundle import MANIFEST, PICTURES, Stimulus

Colors = Callable[[int], npt.NDArray[np.floating]]
"""By the place of a crop, its ab, (side, side, 2)."""

_TIME = 946_684_800
"""Time of every file, so that it tells nothing: the year 2000."""
_OURS = re.compile(r"[0-9a-f]{32}\.png")


@dataclass(frozen=True)
class WrittenPictures:
    """The pictures of a bundle.

    Attributes:
        stimuli: In the order of the crops.
        files: SHA-256 of every file, by name.
        bytes: Size of each of them.
    """

    stimuli: list[Stimulus]
    files: dict[str, str]
    bytes: int


def ensure_free(folder: Path) -> None:
    """Make sure that a bundle can be written to a folder: it is not there, or is empty or one that was not finished.

    Raises:
        DataError: Something else is there.
    """
    if (folder / MANIFEST).exists():
        raise DataError(
            f"{folder} holds a bundle, which people may have judged already: it is not overwritten. "
            "name=OTHER or out=DIR makes another one; or remove it first"
        )
    if not folder.exists():
        return
    entries = [] if not folder.is_dir() else list(folder.iterdir())
    pictures = folder / PICTURES
    unfinished = folder.is_dir() and all(
        entry == pictures or entry.name.startswith(f".{MANIFEST}.") for entry in entries
    )
    if not unfinished or (pictures.exists() and not all(_OURS.fullmatch(file.name) for file in pictures.iterdir())):
        raise DataError(f"{folder} is there and no unfinished bundle: name=OTHER or out=DIR takes another place")


def write_pictures(folder: Path, crops: Sequence[Crop], colors: Mapping[str, Colors], *, seed: int) -> WrittenPictures:
    """Make and write all pictures of a bundle; what an unfinished one has left is removed.

    A file is named by its own contents and the seed: whoever has it learns nothing from its name. All have one size
    and one time, and those of a crop are written in the order of their names.

    Args:
        folder: Of the bundle, see `ensure_free`.
        crops: What is shown.
        colors: What each algorithm makes of them.
        seed: From which dither, hues and names come.

    Raises:
        DataError: They cannot be written.
    """
    pictures = folder / PICTURES
    try:
        if pictures.exists():
            shutil.rmtree(pictures)
        pictures.mkdir(parents=True)
        made = parallel_map(lambda place: _write(pictures, place, crops[place], colors, seed), range(len(crops)))
        bar = tqdm(made, total=len(crops), desc="Making pictures", unit=" crops", disable=None, leave=False)
        written = list(bar)
    except OSError as error:
        raise DataError(f"the bundle cannot be written to {folder}: {error.strerror or error}") from None
    files = {name: digest for _, own in written for name, digest in own.items()}
    size = (pictures / f"{next(iter(files))}.png").stat().st_size
    return WrittenPictures([stimulus for stimulus, _ in written], dict(sorted(files.items())), size)


def _write(
    folder: Path, place: int, crop: Crop, colors: Mapping[str, Colors], seed: int
) -> tuple[Stimulus, dict[str, str]]:
    lab = to_lab(crop.pixels)
    side, L = len(lab), lab[..., 0]
    shown = {"the photograph": lab[..., 1:]}
    shown |= {f"recoloured by {name}": own(place).astype(np.float64) for name, own in colors.items()}
    pictures = render(L, list(shown.values()), [crop.noise(seed, name) for name in shown])
    # By itself: nothing is to be hidden of it, and its colours would be a burden to the others.
    fake = rainbow(side, crop.rainbow_start(seed))
    (check,) = render(L, [fake], [crop.noise(seed, "the obvious fake")])
    contents = [png(picture) for picture in [*pictures, check]]
    names = [hashlib.sha256(f"{seed} ".encode() + content).hexdigest()[:32] for content in contents]
    for name, content in sorted(zip(names, contents, strict=True)):
        path = folder / f"{name}.png"
        path.write_bytes(content)
        os.utime(path, (_TIME, _TIME))
    stimulus = Stimulus(photograph=crop.photograph, real=names[0], recolored=names[1:-1], check=names[-1])
    digests = [hashlib.sha256(content).hexdigest() for content in contents]
    return stimulus, dict(zip(names, digests, strict=True))
