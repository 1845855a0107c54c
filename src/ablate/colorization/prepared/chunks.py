"""A worker's piece of preparing a data set: some files become a shard of records, and a note of what came of them."""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from ablate.colorization.class_counter import ClassCounter
from ablate.colorization.listing import PARTS, part_by_content
from ablate.colorization.photographs import center_square, decode, fit_short_side
from ablate.colorization.prepared.recipe import Recipe
from ablate.colorization.prepared.records import record
from ablate.colorization.prepared.sources import Entry, Source
from ablate.errors import DataError


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
    with _Shards(work.folder, number) as shards:
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
            features, pixels = _features(image, part, work.recipe)
            if part == "train":
                counter.add(pixels)
            features["name"], features["digest"] = entry.name.encode(), bytes.fromhex(digest)
            shards.add(part, entry.name, digest, record(features))
        note.shards.update(shards.finished())
    note.counts.extend(counter.counts.tolist())
    write_aside(note_file(work.notes, number), json.dumps(asdict(note)).encode())


def _part(digest: str, work: Work) -> str:
    if work.lowest is not None:
        return "eval" if digest == work.lowest else "train"
    return part_by_content(digest, work.recipe.eval_fraction)


def _features(image: Image.Image, part: str, recipe: Recipe) -> tuple[dict[str, bytes | int], np.ndarray]:
    """Return what a record holds of a photograph, and the pixels that a network sees of it."""
    side = recipe.image_size
    if part == "train":
        pixels = np.asarray(fit_short_side(image, low=side, high=round(side * recipe.max_zoom)))
        features: dict[str, bytes | int] = {}
    else:
        pixels = np.asarray(center_square(image, side))
        truth = pixels if recipe.evaluation_side == side else np.asarray(center_square(image, recipe.evaluation_side))
        features = {"truth": truth.tobytes(), "truth_side": recipe.evaluation_side}
    return {"pixels": pixels.tobytes(), "height": pixels.shape[0], "width": pixels.shape[1], **features}, pixels


_counter = lru_cache(ClassCounter)
"""A worker's counter, whose table of colours fills up from chunk to chunk."""


@lru_cache
def _digests(file: Path | None) -> frozenset[bytes]:
    return frozenset() if file is None else frozenset(row.tobytes() for row in np.load(file))


class _Shards:
    """The shards of a chunk while they are written, beside their places."""

    def __init__(self, folder: Path, number: int):
        self._folder, self._number = folder, number
        self._open: dict[str, _OpenShard] = {}

    def __enter__(self) -> "_Shards":
        return self

    def __exit__(self, *error: object) -> None:
        for shard in self._open.values():
            shard.close()

    def add(self, part: str, name: str, digest: str, data: bytes) -> None:
        if part not in self._open:
            self._open[part] = _OpenShard(self._folder / f"{part}-{self._number:05}.tfrecord")
        self._open[part].add(name, digest, data)

    def finished(self) -> Iterator[tuple[str, Shard]]:
        """Put the shards in their places."""
        for part in PARTS:
            if part in self._open:
                yield part, self._open[part].finish()


class _OpenShard:
    def __init__(self, path: Path):
        self._path, self._aside = path, aside(path)
        self._file = self._aside.open("wb")
        self._sha256, self._size = hashlib.sha256(), 0
        self._records: list[tuple[str, str, int, int]] = []

    def add(self, name: str, digest: str, data: bytes) -> None:
        self._file.write(data)
        self._sha256.update(data)
        self._records.append((name, digest, self._size, len(data)))
        self._size += len(data)

    def finish(self) -> Shard:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._aside.replace(self._path)
        return Shard(self._path.name, self._size, self._sha256.hexdigest(), self._records)

    def close(self) -> None:
        with suppress(OSError):  # what could not be written cannot be flushed either
            self._file.close()
        self._aside.unlink(missing_ok=True)


def aside(path: Path) -> Path:
    """Return where a file is written before it takes its place."""
    return path.with_name(f".{path.name}.{os.getpid()}")


def write_aside(path: Path, content: bytes) -> None:
    """Write a file so that it is there as a whole, or not at all."""
    beside = aside(path)
    try:
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
