"""A chunk of a preparation: some photographs become shards of records, and a result in JSON. No TensorFlow."""

import hashlib
import json
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image

from ablate.colorization.data.decode import decode
from ablate.colorization.data.prepared.pixel_counts import PixelCounter
from ablate.colorization.data.prepared.tfrecord import encode_record
from ablate.colorization.data.preprocessing import Preprocessing
from ablate.colorization.data.sources.source import Entry, FileSource
from ablate.colorization.data.split import EVALUATION, SPLITS, TRAIN, split_by_content
from ablate.errors import DataError
from ablate.system.atomic_write import atomic_write


@dataclass(frozen=True)
class ChunkJob:
    """The job of the workers, the same for all chunks.

    Attributes:
        source: Where the photographs are.
        preprocessing: How they become records.
        folder: Where shards are written.
        results: Where results of chunks are written.
        evaluating: File with the digests, (n, 32) bytes, that may not train; None where contents decide on the split.
        only_evaluation: The one digest that evaluates, see `split.only_evaluation_digest`.
    """

    source: FileSource
    preprocessing: Preprocessing
    folder: Path
    results: Path
    evaluating: Path | None = None
    only_evaluation: str | None = None

    def split_of(self, digest: str) -> str:
        """Return the split of a photograph whose contents decide."""
        if self.only_evaluation is not None:
            return EVALUATION if digest == self.only_evaluation else TRAIN
        return split_by_content(digest, self.preprocessing.eval_fraction)

    def leaks(self, digest: str) -> bool:
        """Return whether the same contents evaluate."""
        return bytes.fromhex(digest) in _digests(self.evaluating)


@dataclass(frozen=True)
class Shard:
    """A file of records, and for each of them: the photograph's name, digest, and the record's offset and size."""

    file: str
    bytes: int
    sha256: str
    records: list[tuple[str, str, int, int]]


@dataclass(frozen=True)
class ChunkResult:
    """The result of a chunk.

    Attributes:
        shards: By split, where it has records.
        bad: For each file that cannot be used its name, the reason, and its split and digest if it could be read.
        leaked: Names of those that do not train, because the same contents evaluate.
        counts: The training photographs' pixels by colour class.
    """

    shards: dict[str, Shard] = field(default_factory=dict)
    bad: list[tuple[str, str, str | None, str | None]] = field(default_factory=list)
    leaked: list[str] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)


def result_file(results: Path, number: int) -> Path:
    """Return the file of a chunk's result; once it is there, the chunk is done."""
    return results / f"{number:05}.json"


def read_result(results: Path, number: int) -> ChunkResult:
    """Read the result of a chunk."""
    values = json.loads(result_file(results, number).read_text(encoding="utf-8"))
    values["shards"] = {split: Shard(**shard) for split, shard in values["shards"].items()}
    return ChunkResult(**values)


def write_chunk(job: ChunkJob, number: int, entries: list[Entry]) -> None:
    """Write the shards of a chunk, then its result; the same bytes every time.

    Raises:
        OSError: They cannot be written.
    """
    counter = _counter(job.preprocessing.grid_step)
    counter.reset()
    result = ChunkResult()
    with _Shards(job.folder, number) as shards:
        for entry, content in zip(entries, job.source.read(entries), strict=True):
            if isinstance(content, Exception):
                reason = getattr(content, "strerror", None) or str(content)
                result.bad.append((entry.name, reason, entry.split, None))
                continue
            digest = hashlib.sha256(content).hexdigest()
            split = entry.split or job.split_of(digest)
            try:
                image = decode(content)
            except DataError as error:
                result.bad.append((entry.name, str(error), split, digest))
                continue
            if split == TRAIN and job.leaks(digest):
                result.leaked.append(entry.name)
                continue
            features = _features(image, split, job.preprocessing, counter)
            named = {**features, "name": entry.name.encode(), "digest": bytes.fromhex(digest)}
            shards.of_split(split).add(entry.name, digest, encode_record(named))
        finished = shards.finished()
    result.shards.update(finished)
    counter.settle()
    result.counts.extend(counter.counts.tolist())
    with atomic_write(result_file(job.results, number)) as file:
        file.write(json.dumps(asdict(result)).encode())


def _features(
    image: Image.Image, split: str, preprocessing: Preprocessing, counter: PixelCounter
) -> dict[str, bytes | int]:
    """Return the pixels of a photograph as features of a record; those that train are counted."""
    truth: dict[str, bytes | int] = {}
    if split == TRAIN:
        pixels = preprocessing.training_pixels(image)
        counter.add(pixels)
    else:
        pixels, compared = preprocessing.evaluation_pixels(image)
        truth = {"truth": compared.tobytes(), "truth_side": len(compared)}
    return {"pixels": pixels.tobytes(), "height": pixels.shape[0], "width": pixels.shape[1], **truth}


_counter = lru_cache(PixelCounter)
"""A worker's counter, whose table of colours fills up from chunk to chunk."""


@lru_cache
def _digests(file: Path | None) -> frozenset[bytes]:
    return frozenset() if file is None else frozenset(row.tobytes() for row in np.load(file))


class _Shards(ExitStack):
    """The shards of a chunk, by split; each file is there once all of them are written."""

    def __init__(self, folder: Path, number: int):
        super().__init__()
        self._folder, self._number = folder, number
        self._open: dict[str, _OpenShard] = {}

    def of_split(self, split: str) -> "_OpenShard":
        if split not in self._open:
            path = self._folder / f"{split}-{self._number:05}.tfrecord"
            self._open[split] = _OpenShard(path.name, self.enter_context(atomic_write(path)))
        return self._open[split]

    def finished(self) -> dict[str, Shard]:
        return {split: self._open[split].shard() for split in SPLITS if split in self._open}


class _OpenShard:
    """A shard while it is written."""

    def __init__(self, name: str, file: BinaryIO):
        self._name, self._file = name, file
        self._sha256, self._size = hashlib.sha256(), 0
        self._records: list[tuple[str, str, int, int]] = []

    def add(self, name: str, digest: str, data: bytes) -> None:
        self._file.write(data)
        self._sha256.update(data)
        self._records.append((name, digest, self._size, len(data)))
        self._size += len(data)

    def shard(self) -> Shard:
        return Shard(self._name, self._size, self._sha256.hexdigest(), self._records)
