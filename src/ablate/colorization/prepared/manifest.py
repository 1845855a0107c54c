"""What a prepared data set consists of: its manifest and the index of its records."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from ablate.colorization.listing import first
from ablate.colorization.prepared.recipe import Recipe
from ablate.errors import DataError

MANIFEST = "manifest.json"
FORMAT = 1
OLDER = "not recorded: prepared by an older version, which knew no folder but val for it"
"""What is said of the split where a manifest says nothing."""
_NAMED = 10
INDEX = np.dtype([("digest", "u1", 32), ("shard", "<u4"), ("offset", "<u8"), ("size", "<u4")])
"""A record: digest of the photograph's file, number of the shard in the manifest, place in it."""


@dataclass(frozen=True)
class ShardFile:
    """A file of records of one part."""

    file: str
    part: str
    records: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class IndexFile:
    """The records of one part, ordered by the contents of the photographs: an array of `INDEX`."""

    file: str
    records: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """A prepared data set.

    Attributes:
        format: Version of this layout.
        made_from: SHA-256 of the source's signature and all settings: the same command finds it unchanged.
        source: What the data set was made from, in words.
        recipe: How photographs became records.
        fingerprint: That of the source, as `data=folder` would have it: results are shared with it.
        class_counts: The training photographs' pixels by colour class.
        shards: The files of records.
        index: By part, the order of the records.
        bad: Name and reason of the files that could not be used.
        twice: Names of those that do not train, because the same contents evaluate.
        duplicates: Names of photographs with the same contents, in groups; all of them are kept.
        ignored: Names of the files that neither train nor evaluate.
        replaced: Names of photographs that a later one of the same name in the archive replaces.
        split: How it was told which photographs evaluate, in words; nothing where an older version has not kept it.
    """

    format: int
    made_from: str
    source: str
    recipe: Recipe
    fingerprint: str
    class_counts: list[int]
    shards: list[ShardFile]
    index: dict[str, IndexFile]
    bad: list[tuple[str, str]]
    twice: list[str]
    duplicates: list[list[str]]
    ignored: list[str]
    replaced: list[str] = field(default_factory=list)
    split: str = ""

    def summary(self) -> str:
        """Return what there is and what was found on the way, a few lines."""
        counts = {part: index.records for part, index in self.index.items()}
        lines = [
            f"{counts.get('train', 0):,} photographs to train and {counts.get('eval', 0):,} to evaluate, "
            f"{tqdm.format_sizeof(sum(shard.bytes for shard in self.shards))}B in {len(self.shards)} files",
            f"Split: {self.split or OLDER}",
        ]
        named = [f"{name} ({reason})" for name, reason in self.bad]
        repeated = [" = ".join(names) for names in self.duplicates]
        for found, what in (
            (named, "could not be used"),
            (self.twice, "do not train, because the same contents evaluate"),
            (repeated, "groups have the same contents, and all of them are kept"),
            (self.replaced, "are replaced by another of their name later in the archive"),
            (self.ignored, "files neither train nor evaluate"),
        ):
            if found:
                more = f", see {MANIFEST}" * (len(found) > _NAMED)
                lines.append(f"{len(found):,} {what}: {first(found, _NAMED)}{more}")
        return "\n".join(lines)

    def text(self) -> bytes:
        """Return it as JSON."""
        return json.dumps(asdict(self), indent=1).encode()


def parsed(text: bytes, place: str) -> Manifest:
    """Read a manifest.

    Raises:
        DataError: It is none, or one of another version.
    """
    try:
        values: dict[str, Any] = json.loads(text)
        if values["format"] != FORMAT:
            raise DataError(f"{place} has format {values['format']}, not {FORMAT}: prepare it anew with this version")
        values["recipe"] = Recipe(**values["recipe"])
        values["shards"] = [ShardFile(**shard) for shard in values["shards"]]
        values["index"] = {part: IndexFile(**file) for part, file in values["index"].items()}
        values["bad"] = [(name, reason) for name, reason in values["bad"]]
        return Manifest(**values)
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{place} is no manifest of a prepared data set: {error}") from None


def by_content(digests: npt.NDArray[np.uint8]) -> npt.NDArray[np.intp]:
    """Return the order of digests, (n, 32); equal ones keep theirs."""
    words = np.ascontiguousarray(digests).view(">u8").reshape(-1, 4)
    return np.lexsort(words.T[::-1])


def mismatches(recipe: Recipe, asked: Recipe) -> Mapping[str, tuple[Any, Any]]:
    """Return the settings in which a prepared data set is not as asked for: what it has, and what was asked."""
    keys = {
        "image_size": "data.image_size",
        "max_zoom": "data.max_zoom",
        "eval_fraction": "data.eval_fraction",
        "evaluation_side": "evaluation.side",
        "grid_step": "color.grid_step",
    }
    return {
        key: (getattr(recipe, name), getattr(asked, name))
        for name, key in keys.items()
        if getattr(recipe, name) != getattr(asked, name)
    }
