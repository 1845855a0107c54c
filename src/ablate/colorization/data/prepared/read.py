"""Reading a prepared data set: any record at any time, each checked."""

import hashlib
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from ablate.colorization.color.gamut import ab_gamut
from ablate.colorization.data.listing import PARTS
from ablate.colorization.data.photographs import Pixels
from ablate.colorization.data.prepared.manifest import INDEX, MANIFEST, Manifest, mismatches, parsed
from ablate.colorization.data.prepared.recipe import Recipe
from ablate.colorization.data.prepared.records import DamagedRecord, features_of
from ablate.colorization.data.storage import is_url, range_of, size_of, whole
from ablate.config.paths import absolute
from ablate.errors import DataError

Features = dict[str, Any]
"""What a record holds, see `chunks`: `pixels`, `height`, `width`, `name`, `digest`; `truth`, `truth_side`."""


class PreparedSet:
    """A prepared data set.

    Args:
        root: Its folder or URL.
        asked: The settings that the data should have.

    Raises:
        DataError: There is none, or it was prepared with other settings.
    """

    def __init__(self, root: str, asked: Recipe):
        self.root = root.rstrip("/") if is_url(root) else str(absolute(root))
        place = f"{self.root}/{MANIFEST}"
        try:
            text = whole(place)
        except OSError:
            raise DataError(
                f"data.root={root} holds no prepared data set, or not all of it ({MANIFEST} is missing): "
                "`python -m ablate.prepare` makes one, and goes on where it was interrupted"
            ) from None
        self.manifest: Manifest = parsed(text, place)
        if found := mismatches(self.manifest.recipe, asked):
            given = ", ".join(f"{key}={value}" for key, (_, value) in found.items())
            there = " ".join(f"{key}={value}" for key, (value, _) in found.items())
            raise DataError(f"data.root={root} was prepared with {there}, not {given}: set that, or prepare it anew")
        counts = self.manifest.class_counts
        if len(counts) != len(ab_gamut(asked.grid_step)) or not sum(counts) or self.manifest.index.keys() != {*PARTS}:
            raise self.damaged(MANIFEST)

    def part(self, part: str, *, memory: float) -> "Records":
        """Return the records of a part, checked: all of them now if they fit in memory, else each when it is read.

        Args:
            part: `train` or `eval`.
            memory: Bytes of memory for them.

        Raises:
            DataError: They are not as the manifest says.
        """
        rows = self.rows(part)
        size = sum(shard.bytes for shard in self.manifest.shards if shard.part == part)
        return Records(self, rows, part, keep=size <= memory)

    def rows(self, part: str) -> npt.NDArray[np.void]:
        """Return which records a part has, an array of `INDEX`. Raises as `part`."""
        index = self.manifest.index[part]
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
            content = whole(f"{self.root}/{file}")
        except FileNotFoundError:
            content = b""
        if hashlib.sha256(content).hexdigest() != sha256:
            raise self.damaged(file)
        return content

    def damaged(self, file: str) -> DataError:
        """Return what to raise where a file is missing or another than the manifest says."""
        return DataError(f"{self.root}/{file} is not what was prepared: remove the folder and prepare it anew")


class Records:
    """The records of a part, in the order of the photographs' contents."""

    def __init__(self, prepared: PreparedSet, rows: npt.NDArray[np.void], part: str, *, keep: bool):
        self._prepared, self._rows, self._part = prepared, rows, part
        self._kept: dict[int, bytes] = {}
        numbered = [(number, shard) for number, shard in enumerate(prepared.manifest.shards) if shard.part == part]
        for number, shard in tqdm(numbered, desc="Checking records", unit=" files", disable=None, leave=False):
            # Before it is read: memory was asked for by what the manifest says.
            if self._size(shard.file) != shard.bytes:
                raise prepared.damaged(shard.file)
            if keep:
                self._kept[number] = prepared.content(shard.file, shard.sha256)

    def _size(self, file: str) -> int:
        try:
            return size_of(f"{self._prepared.root}/{file}")
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
                features = features_of(self._kept[number][offset : offset + size])
            else:
                features = features_of(range_of(f"{self._prepared.root}/{shard.file}", offset, size))
            self._check(features)
        except (DamagedRecord, FileNotFoundError, KeyError, TypeError, ValueError):
            raise self._prepared.damaged(shard.file) from None
        return features

    def _check(self, features: Features) -> None:
        """Raise one of many errors if a record does not hold what the recipe makes."""
        recipe = self._prepared.manifest.recipe
        short = min(pixels_of(features).shape[:2])
        if self._part == "train":
            fits = recipe.image_size <= short <= recipe.largest_short_side
        else:
            fits = short == recipe.image_size and len(truth_of(features)) == recipe.evaluation_side
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
