"""Merging of chunk results: the index of the records, the fingerprint, and the manifest. No TensorFlow."""

import hashlib
import io
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ablate.colorization.data.listing import fingerprint_of
from ablate.colorization.data.prepared.chunk import ChunkResult, read_result
from ablate.colorization.data.prepared.destination import Destination
from ablate.colorization.data.prepared.manifest import (
    FORMAT,
    INDEX,
    IndexFile,
    Manifest,
    ShardFile,
    order_by_content,
)
from ablate.colorization.data.preprocessing import Preprocessing
from ablate.colorization.data.sources.source import SourceListing
from ablate.colorization.data.split import EVALUATION, SPLITS, TRAIN, only_evaluation_digest
from ablate.system.atomic_write import atomic_write

Digests = npt.NDArray[np.uint8]


def chunks_on_one_side(results: Path, chunks: Sequence[int]) -> str | None:
    """Return `split.only_evaluation_digest` of all photographs that have records."""
    return only_evaluation_digest(
        (split, record[1])
        for result in _results(results, chunks)
        for split, shard in result.shards.items()
        for record in shard.records
    )


def merge_chunks(
    destination: Destination,
    chunks: Sequence[int],
    *,
    preprocessing: Preprocessing,
    label: str,
    made_from: str,
    listing: SourceListing,
    split_reason: str,
) -> Manifest:
    """Write the index of all chunks and return the manifest.

    Args:
        destination: Where the data set is, and the results of its chunks.
        chunks: Numbers of all chunks.
        preprocessing: How photographs became records.
        label: What messages call the source.
        made_from: See `Manifest`.
        listing: Of the source.
        split_reason: How splits were told, in words.
    """
    merged = _Merged()
    for result in _results(destination.results, chunks):
        merged.add(result)
    index, digests = {}, {}
    for split in SPLITS:
        rows = merged.ordered_rows(split)
        digests[split] = rows["digest"]
        if len(rows):
            index[split] = _write_index(destination.local / f"{split}-index.npy", rows)
    repeated = {digest.tobytes() for found in digests.values() for digest in _repeated(found)}
    assert merged.counts is not None
    return Manifest(
        format=FORMAT,
        made_from=made_from,
        source=label,
        preprocessing=preprocessing,
        fingerprint=_fingerprint(digests, merged.undecodable),
        class_counts=merged.counts.tolist(),
        shards=merged.shards,
        index=index,
        bad=merged.bad,
        leaked=merged.leaked,
        duplicates=_duplicates(destination.results, chunks, repeated),
        ignored=list(listing.ignored),
        replaced=list(listing.replaced),
        split_reason=split_reason,
    )


@dataclass
class _Merged:
    """The results of all chunks so far; `undecodable` has the digests of files that could be read, by split."""

    shards: list[ShardFile] = field(default_factory=list)
    rows: dict[str, list[npt.NDArray[np.void]]] = field(default_factory=lambda: defaultdict(list))
    undecodable: dict[str, list[bytes]] = field(default_factory=lambda: defaultdict(list))
    bad: list[tuple[str, str]] = field(default_factory=list)
    leaked: list[str] = field(default_factory=list)
    counts: npt.NDArray[np.int64] | None = None

    def add(self, result: ChunkResult) -> None:
        for split, shard in result.shards.items():
            self.rows[split].append(_rows(shard.records, len(self.shards)))
            self.shards.append(ShardFile(shard.file, split, len(shard.records), shard.bytes, shard.sha256))
        for name, reason, its_split, digest in result.bad:
            self.bad.append((name, reason))
            if its_split and digest:
                self.undecodable[its_split].append(bytes.fromhex(digest))
        self.leaked += result.leaked
        added = np.array(result.counts, np.int64)
        self.counts = added if self.counts is None else self.counts + added

    def ordered_rows(self, split: str) -> npt.NDArray[np.void]:
        whole = np.concatenate([*self.rows[split], np.empty(0, INDEX)])
        return whole[order_by_content(whole["digest"])]


def _results(results: Path, chunks: Sequence[int]) -> Iterator[ChunkResult]:
    return (read_result(results, number) for number in chunks)


def _rows(records: Sequence[Sequence[object]], shard: int) -> npt.NDArray[np.void]:
    made = np.empty(len(records), INDEX)
    made["digest"] = np.frombuffer(b"".join(bytes.fromhex(str(row[1])) for row in records), np.uint8).reshape(-1, 32)
    made["shard"] = shard
    made["offset"], made["size"] = [row[2] for row in records], [row[3] for row in records]
    return made


def _write_index(path: Path, rows: npt.NDArray[np.void]) -> IndexFile:
    stream = io.BytesIO()
    np.save(stream, rows)
    with atomic_write(path) as file:
        file.write(stream.getvalue())
    return IndexFile(path.name, len(rows), hashlib.sha256(stream.getvalue()).hexdigest())


def _repeated(ordered: Digests) -> Digests:
    """Return the digests that stand more than once in an ordered array."""
    return ordered[1:][(ordered[1:] == ordered[:-1]).all(axis=1)]


def _duplicates(results: Path, chunks: Sequence[int], repeated: set[bytes]) -> list[list[str]]:
    if not repeated:
        return []
    groups: dict[str, list[str]] = {digest.hex(): [] for digest in sorted(repeated)}
    for result in _results(results, chunks):
        for shard in result.shards.values():
            for name, digest, *_ in shard.records:
                if digest in groups:
                    groups[digest].append(name)
    return list(groups.values())


def _fingerprint(digests: dict[str, Digests], undecodable: dict[str, list[bytes]]) -> str:
    """Return the fingerprint of `listing.Listing`: which files cannot be decoded makes no difference."""
    evaluating = set(undecodable[EVALUATION])
    train = [digest for digest in undecodable[TRAIN] if digest not in evaluating]
    others = {EVALUATION: undecodable[EVALUATION], TRAIN: train}
    ordered = {}
    for split in SPLITS:
        found = np.concatenate([digests[split], np.frombuffer(b"".join(others[split]), np.uint8).reshape(-1, 32)])
        ordered[split] = (row.tobytes().hex() for row in found[order_by_content(found)])
    return fingerprint_of(ordered)
