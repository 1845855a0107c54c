"""The colourisation task with held-out training photographs, which evaluate: `validation_fraction`."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
from PIL import Image

from ablate.colorization.data.decode import Pixels
from ablate.colorization.data.local import GIB, DecodedOnRead
from ablate.colorization.data.photographs import ColorData, Photograph, TrainingPhotographs
from ablate.colorization.data.prepared.read import Records
from ablate.colorization.data.squares import MEMORY_SHARE, Square, Squares
from ablate.colorization.task import ColorizationTask
from ablate.task import FoundData, split_off


class HoldingOut(ColorizationTask):
    """The task, evaluated on a share of the training photographs, which do not train; made by `holding_out`.

    Attributes:
        fraction: The share, in 0..1.
    """

    fraction: float

    def find_data(self) -> FoundData:
        """Find the photographs; the share is part of their fingerprint."""
        found, repeats = super().find_data(), self.config.data.repeats
        train, _ = split_off(found.examples_per_epoch // repeats, self.fraction)
        return FoundData(self._fingerprint(found.fingerprint), len(train) * repeats)

    @cached_property
    def data(self) -> ColorData:
        """The loaded data set."""
        whole = super().data
        memory = self.config.data.memory_gib * GIB * MEMORY_SHARE
        held = hold_out(whole, self.fraction, memory=memory)
        return replace(held, fingerprint=self._fingerprint(whole.fingerprint))

    def _fingerprint(self, whole: str) -> str:
        return hashlib.sha256(f"{whole} holds out {self.fraction!r}".encode()).hexdigest()


def holding_out(task: ColorizationTask, fraction: float) -> ColorizationTask:
    """Return a task, of the class that it has and `HoldingOut`, whose data are not read yet."""
    held = copy(task)
    held.__class__ = type(type(task).__qualname__, (HoldingOut, type(task)), {})
    vars(held)["fraction"] = fraction
    return held


def hold_out(data: ColorData, fraction: float, *, memory: float) -> ColorData:
    """Return a data set that evaluates on a share of its training photographs; those of its evaluation do nothing.

    Training photographs are ordered by content, so a choice of places is one of contents. The colours that class
    weights come from are those of all training photographs.

    Args:
        data: The data set.
        fraction: The share.
        memory: Bytes of memory for the photographs that evaluate.
    """
    train, held = split_off(len(data.train), fraction)

    def square(place: int) -> Square:
        (pixels,) = data.train.read([place])
        return data.preprocessing.evaluation_pixels(Image.fromarray(pixels))

    return replace(
        data,
        train=SomePhotographs(data.train, train),
        evaluation=tuple(_photograph(data.train, int(place)) for place in held),
        squares=Squares(held.tolist(), square, memory=memory),
    )


@dataclass(frozen=True)
class SomePhotographs:
    """Some of the training photographs."""

    whole: TrainingPhotographs
    chosen: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.chosen)

    def read(self, indices: Sequence[int]) -> list[Pixels]:
        """Return photographs, see `TrainingPhotographs`."""
        return self.whole.read([int(self.chosen[index]) for index in indices])


def _photograph(train: TrainingPhotographs, place: int) -> Photograph:
    if isinstance(train, DecodedOnRead):
        return train.photographs[place]
    assert isinstance(train, Records)
    features = train.features(place)
    return Photograph(features["name"].decode(), features["digest"].hex())
