"""The photographs of a data set, split: opened without decoding any, then loaded. No TensorFlow."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from PIL import Image

from ablate.colorization.color.gamut import ab_gamut
from ablate.colorization.data.decode import Pixels
from ablate.colorization.data.preprocessing import Preprocessing
from ablate.colorization.data.squares import Squares


@dataclass(frozen=True)
class Photograph:
    """A readable photograph: its name (path below the root), SHA-256 of its file, and where that is, if known."""

    name: str
    digest: str
    path: Path | None = None


@dataclass(frozen=True)
class BadPhotograph:
    """A file that should be a photograph and cannot be used, and why."""

    name: str
    reason: str

    def __str__(self) -> str:
        return f"{self.name} ({self.reason})"


@dataclass(frozen=True)
class HeldOutPhotograph:
    """A photograph that no model has trained on.

    Attributes:
        name: Its name in the data set.
        digest: SHA-256 of its file.
        load: Decodes it, upright and in sRGB; raises `DataError` or `OSError` where that fails.
    """

    name: str
    digest: str
    load: Callable[[], Image.Image]


@dataclass(frozen=True)
class EvaluationSplit:
    """The evaluation photographs of a data set, none of them decoded.

    Attributes:
        photographs: In the order of their contents.
        fingerprint: Of the whole data set.
        trained: Digests of the training photographs.
        stored_side: Side of the squares that a prepared data set keeps of them; None where they are whole.
    """

    photographs: tuple[HeldOutPhotograph, ...]
    fingerprint: str
    trained: frozenset[str]
    stored_side: int | None = None


class TrainingPhotographs(Protocol):
    """The training photographs, ordered by content."""

    def __len__(self) -> int: ...

    def read(self, indices: Sequence[int]) -> list[Pixels]:
        """Return photographs, (height, width, 3) each, their shorter sides fit for cropping."""
        ...


@dataclass(frozen=True)
class ColorData:
    """A loaded data set.

    Attributes:
        preprocessing: What made its pixels.
        fingerprint: SHA-256 over the contents of the files and their splits; not over their paths.
        train: Its training photographs, ordered by content.
        evaluation: Its evaluation photographs, ordered by content.
        squares: Their central squares.
        bin_counts: (num_bins,): pixels of the training photographs by nearest colour class, at the size that crops
            are taken from.
        bad: The files that could not be used.
        ignored: Names of the other files, which neither train nor evaluate.
    """

    preprocessing: Preprocessing
    fingerprint: str
    train: TrainingPhotographs
    evaluation: tuple[Photograph, ...]
    squares: Squares[Any]
    bin_counts: npt.NDArray[np.int64]
    bad: tuple[BadPhotograph, ...]
    ignored: tuple[str, ...]

    @property
    def mean_ab(self) -> npt.NDArray[np.float64]:
        """Mean colour of the training photographs, (2,), each pixel's taken as that of its class."""
        return self.bin_counts @ ab_gamut(self.preprocessing.grid_step) / self.bin_counts.sum()


class Photographs(ABC):
    """An opened data set: which photographs it has, and their splits; none is decoded yet.

    Attributes:
        fingerprint: See `ColorData`.
        num_train: How many photographs train, if all of them can be decoded.
    """

    fingerprint: str
    num_train: int

    @abstractmethod
    def evaluation_split(self) -> EvaluationSplit:
        """Return the evaluation photographs. Raises `DataError` where they cannot be read."""

    @abstractmethod
    def load(self) -> ColorData:
        """Decode what is not, and check all of it. Raises `DataError` where too much cannot be used."""
