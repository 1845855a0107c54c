"""Reading of a prepared data set: any record at any time, each checked. No TensorFlow but for URLs."""

import hashlib
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from ablate.colorization.color.gamut import ab_gamut
from ablate.colorization.data.decode import Pixels
from ablate.colorization.data.prepared.manifest import (
    INDEX,
    MANIFEST,
    Manifest,
    mismatches,
    parse_manifest,
)
from ablate.colorization.data.prepared.tfrecord import DamagedRecord, decode_record
from ablate.colorization.data.preprocessing import Preprocessing
from ablate.colorization.data.split import SPLITS, TRAIN
from ablate.colorization.data.storage import file_size, read_file, read_range
from ablate.errors import DataError

Features = dict[str, Any]
"""What a record holds, see `chunk`: `pixels`, `height`, `width`, `name`, `digest`; `truth`, `truth_side`."""


class PreparedSet:
    """A prepared data set.

    Args:
        root: Its folder or URL.
        label: What messages call it.
        asked: The preprocessing that the data should have.

    Raises:
        DataError: There is none, or it was prepared with other settings.
    """

    def __init__(self, root: str, label: str, asked: Preprocessing):
        self.root = root
        location = f"{self.root}/{MANIFEST}"
        try:
            text = read_file(location)
        except OSError:
            raise DataError(
                f"{label} holds no prepared data set, or not all of it ({MANIFEST} is missing): "
                "`python -m ablate.prepare` makes one, and resumes one that was interrupted"
            ) from None
        self.manifest: Manifest = parse_manifest(text, location)
        if found := mismatches(self.manifest.preprocessing, asked):
            given = ", ".join(f"{key}={value}" for key, (_, value) in found.items())
            there = " ".join(f"{key}={value}" for key, (value, _) in found.items())
            raise DataError(f"{label} was prepared with {there}, not {given}: set that, or prepare it anew")
        counts = self.manifest.class_counts
        if len(counts) != len(ab_gamut(asked.grid_step)) or not sum(counts) or self.manifest.index.keys() != {*SPLITS}:
            raise self.damaged(MANIFEST)

    def records(self, split: str, *, memory: float) -> "Records":
        """Return the records of a split, checked: all of them now if they fit in memory, else each when it is read.

        Args:
            split: `TRAIN` or `EVALUATION`.
            memory: Bytes of memory for them.

        Raises:
            DataError: They are not as the manifest says.
        """
        rows = self.index(split)
        size = sum(shard.bytes for shard in self.manifest.shards if shard.split == split)
        return Records(self, rows, split, keep=size <= memory)

    def index(self, split: str) -> npt.NDArray[np.void]:
        """Return the index of a split's records, an array of `INDEX`. Raises as `records`."""
        index = self.manifest.index[split]
        try:
            rows = np.load(io.BytesIO(self.content(index.file, index.sha256)), allow_pickle=False)
        except ValueError:
            raise self.damaged(index.file) from None
        if not isinstance(rows, np.ndarray) or rows.dtype != INDEX or rows.ndim != 1 or not len(rows):
            raise self.damaged(index.file)
        return rows

    def content(self, file: str, sha256: str) -> bytes:
        """Return a whole file, checked.

        Raises:
            DataError: It is another than the manifest says.
        """
        try:
            content = read_file(f"{self.root}/{file}")
        except FileNotFoundError:
            content = b""
        if hashlib.sha256(content).hexdigest() != sha256:
            raise self.damaged(file)
        return content

    def damaged(self, file: str) -> DataError:
        """Return the error for a file that is missing or another than the manifest says."""
        return DataError(f"{self.root}/{file} is not what was prepared: remove the folder and prepare it anew")


class Records:
    """The records of a split, in the order of the photographs' contents."""

    def __init__(self, prepared: PreparedSet, rows: npt.NDArray[np.void], split: str, *, keep: bool):
        self._prepared, self._rows, self._split = prepared, rows, split
        self._kept: dict[int, bytes] = {}
        numbered = [(number, shard) for number, shard in enumerate(prepared.manifest.shards) if shard.split == split]
        for number, shard in tqdm(numbered, desc="Checking records", unit=" files", disable=None, leave=False):
            # Before it is read: memory was asked for by what the manifest says.
            if self._size(shard.file) != shard.bytes:
                raise prepared.damaged(shard.file)
            if keep:
                self._kept[number] = prepared.content(shard.file, shard.sha256)

    @property
    def kept_bytes(self) -> int:
        """Memory that the records take."""
        return sum(map(len, self._kept.values()))

    def _size(self, file: str) -> int:
        try:
            return file_size(f"{self._prepared.root}/{file}")
        except FileNotFoundError:
            return -1

    def __len__(self) -> int:
        return len(self._rows)

    def features(self, index: int) -> Features:
        """Return what a record holds.

        Raises:
            DataError: It is damaged.
        """
        row = self._rows[index]
        number, offset, size = int(row["shard"]), int(row["offset"]), int(row["size"])
        shards = self._prepared.manifest.shards
        shard = shards[min(number, len(shards) - 1)]
        try:
            if offset + size > shard.bytes:
                raise DamagedRecord
            if number in self._kept:
                features = decode_record(self._kept[number][offset : offset + size])
            else:
                features = decode_record(read_range(f"{self._prepared.root}/{shard.file}", offset, size))
            self._check(features)
        except (DamagedRecord, FileNotFoundError, KeyError, TypeError, ValueError):
            raise self._prepared.damaged(shard.file) from None
        return features

    def _check(self, features: Features) -> None:
        """Raise one of many errors if a record does not hold what preprocessing makes."""
        preprocessing = self._prepared.manifest.preprocessing
        short = min(pixels_of(features).shape[:2])
        if self._split == TRAIN:
            fits = preprocessing.image_size <= short <= preprocessing.largest_short_side
        else:
            fits = short == preprocessing.image_size and len(truth_of(features)) == preprocessing.evaluation_side
        if not fits or len(features["digest"]) != 32:
            raise DamagedRecord

    def read(self, indices: Sequence[int]) -> list[Pixels]:
        """Return photographs, (height, width, 3) each."""
        return [pixels_of(self.features(index)) for index in indices]


def pixels_of(features: Features) -> Pixels:
    """Return the pixels of a record, (height, width, 3)."""
    return np.frombuffer(features["pixels"], np.uint8).reshape(features["height"], features["width"], 3)


def truth_of(features: Features) -> Pixels:
    """Return the square at which colours are compared, (side, side, 3)."""
    side = features["truth_side"]
    return np.frombuffer(features["truth"], np.uint8).reshape(side, side, 3)
