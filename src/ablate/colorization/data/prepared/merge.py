"""The notes of all chunks together: the index of the records, the fingerprint, what was found on the way."""

import hashlib
import io
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ablate.colorization.data.listing import PARTS, fingerprint_of
from ablate.colorization.data.prepared.chunks import Note, read_note
from ablate.colorization.data.prepared.manifest import FORMAT, INDEX, IndexFile, Manifest, ShardFile, by_content
from ablate.colorization.data.prepared.recipe import Recipe
from ablate.colorization.data.prepared.target import Target
from ablate.system.atomic_write import replacing

Digests = npt.NDArray[np.uint8]


def one_sided(notes: Path, chunks: Sequence[int]) -> str | None:
    """Return the lowest digest where contents put all photographs on one side; None if both sides have some."""
    parts: set[str] = set()
    digests: set[str] = set()
    for note in _notes(notes, chunks):
        for part, shard in note.shards.items():
            parts.add(part)
            if len(parts) > 1:
                return None
            digests.update(record[1] for record in shard.records)
    return min(digests) if len(digests) > 1 else None


def merge(
    notes: Path,
    chunks: Sequence[int],
    target: Target,
    *,
    recipe: Recipe,
    source: str,
    made_from: str,
    ignored: Sequence[str],
    replaced: Sequence[str],
    split: str,
) -> Manifest:
    """Write the index of all chunks and return the manifest.

    Args:
        notes: Folder of the notes.
        chunks: Numbers of all chunks.
        target: Where the data set is.
        recipe: How photographs became records.
        source: What they are, in words.
        made_from: See `Manifest`.
        ignored: Names of the files that neither train nor evaluate.
        replaced: Names of photographs that a later one of the same name replaces.
        split: How their parts were told, in words.
    """
    shards: list[ShardFile] = []
    rows: dict[str, list[npt.NDArray[np.void]]] = defaultdict(list)
    unusable: dict[str, list[bytes]] = defaultdict(list)
    counts: npt.NDArray[np.int64] | None = None
    bad, twice = [], []
    for note in _notes(notes, chunks):
        for part, shard in note.shards.items():
            rows[part].append(_rows(shard.records, len(shards)))
            shards.append(ShardFile(shard.file, part, len(shard.records), shard.bytes, shard.sha256))
        for name, reason, its_part, digest in note.bad:
            bad.append((name, reason))
            if its_part and digest:
                unusable[its_part].append(bytes.fromhex(digest))
        twice += note.twice
        added = np.array(note.counts, np.int64)
        counts = added if counts is None else counts + added
    assert counts is not None
    index, digests = {}, {}
    for part in PARTS:
        whole = np.concatenate([*rows[part], np.empty(0, INDEX)])
        whole = whole[by_content(whole["digest"])]
        digests[part] = whole["digest"]
        if len(whole):
            index[part] = _write_index(target.local / f"{part}-index.npy", whole)
    repeated = {digest.tobytes() for found in digests.values() for digest in _repeated(found)}
    return Manifest(
        format=FORMAT,
        made_from=made_from,
        source=source,
        recipe=recipe,
        fingerprint=_fingerprint(digests, unusable),
        class_counts=counts.tolist(),
        shards=shards,
        index=index,
        bad=bad,
        twice=twice,
        duplicates=_duplicates(notes, chunks, repeated),
        ignored=list(ignored),
        replaced=list(replaced),
        split=split,
    )


def _notes(notes: Path, chunks: Sequence[int]) -> Iterator[Note]:
    return (read_note(notes, number) for number in chunks)


def _rows(records: Sequence[Sequence[object]], shard: int) -> npt.NDArray[np.void]:
    made = np.empty(len(records), INDEX)
    made["digest"] = np.frombuffer(b"".join(bytes.fromhex(str(row[1])) for row in records), np.uint8).reshape(-1, 32)
    made["shard"] = shard
    made["offset"], made["size"] = [row[2] for row in records], [row[3] for row in records]
    return made


def _write_index(path: Path, rows: npt.NDArray[np.void]) -> IndexFile:
    stream = io.BytesIO()
    np.save(stream, rows)
    with replacing(path) as file:
        file.write(stream.getvalue())
    return IndexFile(path.name, len(rows), hashlib.sha256(stream.getvalue()).hexdigest())


def _repeated(ordered: Digests) -> Digests:
    """Return the digests that stand more than once in an ordered array."""
    return ordered[1:][(ordered[1:] == ordered[:-1]).all(axis=1)]


def _duplicates(notes: Path, chunks: Sequence[int], repeated: set[bytes]) -> list[list[str]]:
    if not repeated:
        return []
    groups: dict[str, list[str]] = {digest.hex(): [] for digest in sorted(repeated)}
    for note in _notes(notes, chunks):
        for shard in note.shards.values():
            for name, digest, *_ in shard.records:
                if digest in groups:
                    groups[digest].append(name)
    return list(groups.values())


def _fingerprint(digests: dict[str, Digests], unusable: dict[str, list[bytes]]) -> str:
    """Return the fingerprint as `listing` has it: which files cannot be decoded makes no difference."""
    evaluating = set(unusable["eval"])
    others = {"eval": unusable["eval"], "train": [digest for digest in unusable["train"] if digest not in evaluating]}
    ordered = {}
    for part in PARTS:
        found = np.concatenate([digests[part], np.frombuffer(b"".join(others[part]), np.uint8).reshape(-1, 32)])
        ordered[part] = (row.tobytes().hex() for row in found[by_content(found)])
    return fingerprint_of(ordered)
