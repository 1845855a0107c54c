"""A worker's piece of preparing a data set: some files become a shard of records, and a note of what came of them."""

import hashlib
import json
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ablate.colorization.color.class_counts import ClassCounter
from ablate.colorization.data.listing import PARTS, part_by_content
from ablate.colorization.data.photographs import decode
from ablate.colorization.data.prepared.recipe import Recipe
from ablate.colorization.data.prepared.records import record
from ablate.colorization.data.sources.source import Entry, Source
from ablate.errors import DataError
from ablate.system.atomic_write import replacing


@dataclass(frozen=True)
class Work:
    """What the workers have in common.

    Attributes:
        source: Where the photographs are.
        recipe: How they become records.
        folder: Where shards are written.
        notes: Where notes are written.
        evaluating: File with the digests, (n, 32) bytes, that may not train; None where contents decide on the part.
        lowest: The one digest that evaluates, in a handful of photographs that contents would put on one side.
    """

    source: Source
    recipe: Recipe
    folder: Path
    notes: Path
    evaluating: Path | None = None
    lowest: str | None = None


@dataclass(frozen=True)
class Shard:
    """A file of records, and for each of them: the photograph's name, digest, and the record's offset and size."""

    file: str
    bytes: int
    sha256: str
    records: list[tuple[str, str, int, int]]


@dataclass(frozen=True)
class Note:
    """What came of the files of a chunk.

    Attributes:
        shards: By part, where it has records.
        bad: For each file that cannot be used its name, the reason, and its part and digest if it could be read.
        twice: Names of those that do not train, because the same contents evaluate.
        counts: The training photographs' pixels by colour class.
    """

    shards: dict[str, Shard] = field(default_factory=dict)
    bad: list[tuple[str, str, str | None, str | None]] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)


def note_file(notes: Path, number: int) -> Path:
    """Return where the note of a chunk is; once it is there, the chunk is done."""
    return notes / f"{number:05}.json"


def read_note(notes: Path, number: int) -> Note:
    """Read the note of a chunk."""
    values = json.loads(note_file(notes, number).read_text(encoding="utf-8"))
    values["shards"] = {part: Shard(**shard) for part, shard in values["shards"].items()}
    return Note(**values)


def write_chunk(work: Work, number: int, entries: list[Entry]) -> None:
    """Make the shards of a chunk and its note; the same bytes every time.

    Raises:
        OSError: They cannot be written.
    """
    counter = _counter(work.recipe.grid_step)
    counter.counts[:] = 0
    forbidden = _digests(work.evaluating)
    note = Note()
    open_shards: dict[str, _OpenShard] = {}
    with ExitStack() as files:
        for entry, content in zip(entries, work.source.read(entries), strict=True):
            if isinstance(content, Exception):
                note.bad.append((entry.name, getattr(content, "strerror", None) or str(content), entry.part, None))
                continue
            digest = hashlib.sha256(content).hexdigest()
            part = entry.part or _part(digest, work)
            try:
                image = decode(content)
            except DataError as error:
                note.bad.append((entry.name, str(error), part, digest))
                continue
            if part == "train" and bytes.fromhex(digest) in forbidden:
                note.twice.append(entry.name)
                continue
            if part == "train":
                pixels = work.recipe.to_train(image)
                counter.add(pixels)
                truth: dict[str, bytes | int] = {}
            else:
                pixels, compared = work.recipe.to_evaluate(image)
                truth = {"truth": compared.tobytes(), "truth_side": len(compared)}
            features = {
                "pixels": pixels.tobytes(),
                "height": pixels.shape[0],
                "width": pixels.shape[1],
                "name": entry.name.encode(),
                "digest": bytes.fromhex(digest),
                **truth,
            }
            if part not in open_shards:
                path = work.folder / f"{part}-{number:05}.tfrecord"
                open_shards[part] = _OpenShard(path.name, files.enter_context(replacing(path)))
            open_shards[part].add(entry.name, digest, record(features))
    note.shards.update((part, open_shards[part].shard()) for part in PARTS if part in open_shards)
    note.counts.extend(counter.counts.tolist())
    with replacing(note_file(work.notes, number)) as file:
        file.write(json.dumps(asdict(note)).encode())


def _part(digest: str, work: Work) -> str:
    if work.lowest is not None:
        return "eval" if digest == work.lowest else "train"
    return part_by_content(digest, work.recipe.eval_fraction)


_counter = lru_cache(ClassCounter)
"""A worker's counter, whose table of colours fills up from chunk to chunk."""


@lru_cache
def _digests(file: Path | None) -> frozenset[bytes]:
    return frozenset() if file is None else frozenset(row.tobytes() for row in np.load(file))


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
