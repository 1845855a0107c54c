"""A prepared data set, as `python -m ablate.prepare` makes it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image
from tqdm import tqdm

from ablate.colorization.config import DataConfig
from ablate.colorization.data.listing import LEAKED, REPLACED, log_split
from ablate.colorization.data.photographs import (
    BadPhotograph,
    ColorData,
    EvaluationSplit,
    HeldOutPhotograph,
    Photograph,
    Photographs,
)
from ablate.colorization.data.prepared.manifest import UNKNOWN_REASON
from ablate.colorization.data.prepared.read import Features, PreparedSet, Records, pixels_of, truth_of
from ablate.colorization.data.preprocessing import Preprocessing
from ablate.colorization.data.sources.source import Source
from ablate.colorization.data.split import EVALUATION, TRAIN
from ablate.colorization.data.squares import MEMORY_SHARE, Square, Squares

_GIB = 2**30


@dataclass(frozen=True)
class Prepared(Source):
    """A prepared data set, in a folder or at a URL."""

    root: str

    def open(self, config: DataConfig, preprocessing: Preprocessing) -> Photographs:
        """Read its manifest."""
        return PreparedPhotographs(PreparedSet(self.root, self.label, preprocessing), memory_gib=config.memory_gib)


class PreparedPhotographs(Photographs):
    """The photographs of a prepared data set.

    Args:
        prepared: The data set.
        memory_gib: Memory for photographs: those that train, then those that evaluate.
    """

    def __init__(self, prepared: PreparedSet, *, memory_gib: float):
        self._prepared, self._memory = prepared, memory_gib * _GIB
        self.fingerprint = prepared.manifest.fingerprint
        self.num_train = prepared.manifest.index[TRAIN].records

    def evaluation_split(self) -> EvaluationSplit:
        """Return the evaluation photographs: the squares that are kept of them."""
        records = self._prepared.records(EVALUATION, memory=0)
        indices = tqdm(range(len(records)), desc="Listing photographs", unit=" photographs", disable=None, leave=False)
        preprocessing = self._prepared.manifest.preprocessing
        return EvaluationSplit(
            photographs=tuple(_held_out(records, index) for index in indices),
            fingerprint=self.fingerprint,
            trained=frozenset(digest.tobytes().hex() for digest in self._prepared.index(TRAIN)["digest"]),
            stored_side=max(preprocessing.image_size, preprocessing.evaluation_side),
        )

    def load(self) -> ColorData:
        """Check the evaluation photographs, and read those that train if memory is given for all of them."""
        train = self._prepared.records(TRAIN, memory=self._memory)
        evaluated = self._prepared.records(EVALUATION, memory=0)
        squares = Squares(
            range(len(evaluated)),
            lambda index: _square(evaluated.features(index)),
            memory=min(self._memory * MEMORY_SHARE, self._memory - train.kept_bytes),
        )
        photographs = []
        for index in range(len(evaluated)):
            features = evaluated.features(index)
            photographs.append(Photograph(features["name"].decode(), features["digest"].hex()))
            squares.offer(index, _square(features))
        manifest = self._prepared.manifest
        log_split(manifest.split_reason or UNKNOWN_REASON, {TRAIN: len(train), EVALUATION: len(evaluated)})
        return ColorData(
            preprocessing=manifest.preprocessing,
            fingerprint=self.fingerprint,
            train=train,
            evaluation=tuple(photographs),
            squares=squares,
            bin_counts=np.array(manifest.class_counts, np.int64),
            bad=(
                *(BadPhotograph(name, reason) for name, reason in manifest.bad),
                *(BadPhotograph(name, LEAKED) for name in manifest.leaked),
                *(BadPhotograph(name, REPLACED) for name in manifest.replaced),
            ),
            ignored=tuple(manifest.ignored),
        )


def _square(features: Features) -> Square:
    pixels, truth = pixels_of(features), truth_of(features)
    return pixels, pixels if np.array_equal(pixels, truth) else truth


def _held_out(records: Records, index: int) -> HeldOutPhotograph:
    features = records.features(index)
    return HeldOutPhotograph(
        features["name"].decode(), features["digest"].hex(), lambda: _largest(records.features(index))
    )


def _largest(features: Features) -> Image.Image:
    """Return the larger one of the squares that a record holds."""
    return Image.fromarray(max(pixels_of(features), truth_of(features), key=len))
