"""The manifest of a prepared data set, and the layout of its index. No TensorFlow."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from pydantic import Field, NonNegativeInt, TypeAdapter, ValidationError
from tqdm import tqdm

from ablate.colorization.data.listing import abridged
from ablate.colorization.data.preprocessing import Preprocessing
from ablate.colorization.data.split import EVALUATION, TRAIN
from ablate.errors import DataError

MANIFEST = "manifest.json"
FORMAT = 1
UNKNOWN_REASON = "not recorded: prepared by an older version, which knew no folder but val for it"
"""The reason of a split where a manifest has none."""
_NAMED = 10
FileName = Annotated[str, Field(pattern=r"^[a-z0-9-]+\.(tfrecord|npy)$")]
"""A file in the data set's own folder, and nowhere else."""
INDEX = np.dtype([("digest", "u1", 32), ("shard", "<u4"), ("offset", "<u8"), ("size", "<u4")])
"""A record: digest of the photograph's file, number of the shard in the manifest, offset and size in it."""


@dataclass(frozen=True)
class ShardFile:
    """A file of records of one split."""

    file: FileName
    split: Annotated[str, Field(pattern="^(train|eval)$", alias="part")]
    records: NonNegativeInt
    bytes: NonNegativeInt
    sha256: str


@dataclass(frozen=True)
class IndexFile:
    """The records of one split, ordered by the contents of the photographs: an array of `INDEX`."""

    file: FileName
    records: NonNegativeInt
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """A prepared data set. In its file, some keys have the names of format 1: the aliases.

    Attributes:
        format: Version of this layout.
        made_from: SHA-256 of the source's signature and all settings: the same command finds it unchanged.
        source: What the data set was made from, in words.
        preprocessing: How photographs became pixels.
        fingerprint: That of the source, as `data=folder` would have it: results are shared with it.
        class_counts: The training photographs' pixels by colour class.
        shards: The files of records.
        index: By split, the order of the records.
        bad: Name and reason of the files that could not be used.
        leaked: Names of those that do not train, because the same contents evaluate.
        duplicates: Names of photographs with the same contents, in groups; all of them are kept.
        ignored: Names of the files that neither train nor evaluate.
        replaced: Names of photographs that a later one of the same name in the archive replaces.
        split_reason: How it was told which photographs evaluate, in words; nothing where an older version has not kept
            it.
    """

    format: int
    made_from: str
    source: str
    preprocessing: Annotated[Preprocessing, Field(alias="recipe")]
    fingerprint: str
    class_counts: list[NonNegativeInt]
    shards: list[ShardFile]
    index: dict[str, IndexFile]
    bad: list[tuple[str, str]]
    leaked: Annotated[list[str], Field(alias="twice")]
    duplicates: list[list[str]]
    ignored: list[str]
    replaced: list[str] = field(default_factory=list)
    split_reason: Annotated[str, Field(alias="split")] = ""

    def summary(self) -> str:
        """Return the counts, the split and the problems, a few lines."""
        counts = {split: index.records for split, index in self.index.items()}
        lines = [
            f"{counts.get(TRAIN, 0):,} photographs to train and {counts.get(EVALUATION, 0):,} to evaluate, "
            f"{tqdm.format_sizeof(sum(shard.bytes for shard in self.shards))}B in {len(self.shards)} files",
            f"Split: {self.split_reason or UNKNOWN_REASON}",
        ]
        named = [f"{name} ({reason})" for name, reason in self.bad]
        repeated = [" = ".join(names) for names in self.duplicates]
        for found, what in (
            (named, "could not be used"),
            (self.leaked, "do not train, because the same contents evaluate"),
            (repeated, "groups have the same contents, and all of them are kept"),
            (self.replaced, "are replaced by another of their name later in the archive"),
            (self.ignored, "files neither train nor evaluate"),
        ):
            if found:
                more = f", see {MANIFEST}" * (len(found) > _NAMED)
                lines.append(f"{len(found):,} {what}: {abridged(found, _NAMED)}{more}")
        return "\n".join(lines)

    def text(self) -> bytes:
        """Return it as JSON."""
        return json.dumps(_MANIFEST.dump_python(self, by_alias=True), indent=1).encode()


_OBJECT, _MANIFEST = TypeAdapter(dict[str, Any]), TypeAdapter(Manifest)


def parse_manifest(text: bytes, location: str) -> Manifest:
    """Read a manifest.

    Raises:
        DataError: It is none, or one of another version.
    """
    try:
        written = _OBJECT.validate_json(text).get("format", FORMAT)
        if written != FORMAT:
            raise DataError(f"{location} has format {written}, not {FORMAT}: prepare it anew with this version")
        return _MANIFEST.validate_json(text)
    except ValidationError as error:
        first_error = error.errors(include_url=False)[0]
        where = ".".join(map(str, first_error["loc"])) or "it"
        raise DataError(f"{location} is no manifest of a prepared data set: {where}: {first_error['msg']}") from None


def order_by_content(digests: npt.NDArray[np.uint8]) -> npt.NDArray[np.intp]:
    """Return the order of digests, (n, 32); equal ones keep theirs."""
    words = np.ascontiguousarray(digests).view(">u8").reshape(-1, 4)
    return np.lexsort(words.T[::-1])


def mismatches(own: Preprocessing, asked: Preprocessing) -> Mapping[str, tuple[Any, Any]]:
    """Return the settings in which a prepared data set is not as asked for: what it has, and what was asked."""
    keys = {
        "image_size": "data.image_size",
        "max_zoom": "data.max_zoom",
        "eval_fraction": "data.eval_fraction",
        "evaluation_side": "evaluation.side",
        "grid_step": "color.grid_step",
    }
    return {
        key: (getattr(own, name), getattr(asked, name))
        for name, key in keys.items()
        if getattr(own, name) != getattr(asked, name)
    }
