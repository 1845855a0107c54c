"""Reading a prepared data set: any record at any time, each checked."""

import hashlib
import io
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from ablate.colorization.photographs import Pixels
from ablate.colorization.prepared.manifest import INDEX, MANIFEST, Manifest, mismatches, parsed
from ablate.colorization.prepared.recipe import Recipe
from ablate.colorization.prepared.records import DamagedRecord, features_of
from ablate.colorization.prepared.sources import file_system, is_url
from ablate.errors import DataError

log = logging.getLogger(__name__)

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
        self.root = root.rstrip("/") if is_url(root) else str(Path(root).expanduser().absolute())
        place = f"{self.root}/{MANIFEST}"
        try:
            text = _whole(place)
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

    def part(self, part: str, *, memory: float) -> "Records":
        """Return the records of a part, checked: all of them now if they fit in memory, else each when it is read.

        Args:
            part: `train` or `eval`.
            memory: Bytes of memory for them.

        Raises:
            DataError: They are not as the manifest says.
        """
        index = self.manifest.index[part]
        content = _whole(f"{self.root}/{index.file}", missing=self.damaged)
        if hashlib.sha256(content).hexdigest() != index.sha256:
            raise self.damaged(index.file)
        rows = np.load(io.BytesIO(content))
        return Records(self, rows, part, keep=sum(self._sizes(part)) <= memory)

    def _sizes(self, part: str) -> list[int]:
        return [shard.bytes for shard in self.manifest.shards if shard.part == part]

    def damaged(self, file: str) -> DataError:
        """Return what to raise where a file is missing or another than the manifest says."""
        return DataError(f"{self.root}/{file} is not what was prepared: remove the folder and prepare it anew")


class Records:
    """The records of a part, in the order of the photographs' contents."""

    def __init__(self, prepared: PreparedSet, rows: npt.NDArray[np.void], part: str, *, keep: bool):
        assert rows.dtype == INDEX
        self._prepared, self._rows = prepared, rows
        self._shards: dict[int, Callable[[int, int], bytes]] = {}
        numbered = [(number, shard) for number, shard in enumerate(prepared.manifest.shards) if shard.part == part]
        for number, shard in tqdm(numbered, desc="Checking records", unit=" files", disable=None, leave=False):
            place = f"{prepared.root}/{shard.file}"
            if keep:
                content = _whole(place, missing=prepared.damaged)
                if hashlib.sha256(content).hexdigest() != shard.sha256:
                    raise prepared.damaged(shard.file)
                self._shards[number] = _slices(content)
            else:
                if _size(place, missing=prepared.damaged) != shard.bytes:
                    raise prepared.damaged(shard.file)
                self._shards[number] = _ranges(place)

    def __len__(self) -> int:
        return len(self._rows)

    def features(self, index: int) -> Features:
        """Return what a record holds.

        Raises:
            DataError: It is damaged.
        """
        row = self._rows[index]
        try:
            return features_of(self._shards[int(row["shard"])](int(row["offset"]), int(row["size"])))
        except DamagedRecord:
            raise self._prepared.damaged(self._prepared.manifest.shards[int(row["shard"])].file) from None

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


def _slices(content: bytes) -> Callable[[int, int], bytes]:
    return lambda offset, size: content[offset : offset + size]


def _ranges(place: str) -> Callable[[int, int], bytes]:
    """Return what reads a range of a file, from any thread; not kept open, as there may be thousands."""

    def read(offset: int, size: int) -> bytes:
        with file_system().GFile(place, "rb") if is_url(place) else open(place, "rb") as file:  # noqa: PTH123
            file.seek(offset)
            content: bytes = file.read(size)
            return content

    return read


def _whole(place: str, missing: Callable[[str], DataError] | None = None) -> bytes:
    try:
        if not is_url(place):
            return Path(place).read_bytes()
        gfile = file_system()
        if not gfile.exists(place):
            raise FileNotFoundError(place)
        with gfile.GFile(place, "rb") as file:
            content: bytes = file.read()
            return content
    except FileNotFoundError:
        if missing is None:
            raise
        raise missing(place.rpartition("/")[2]) from None


def _size(place: str, missing: Callable[[str], DataError]) -> int:
    try:
        return int(file_system().stat(place).length) if is_url(place) else Path(place).stat().st_size
    except FileNotFoundError:
        raise missing(place.rpartition("/")[2]) from None
