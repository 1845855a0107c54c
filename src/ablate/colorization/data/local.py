"""Photographs in files of the local file system: opened by their contents, loaded by decoding them all once."""

import hashlib
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from PIL import Image
from tqdm import tqdm

from ablate.colorization.color.class_counts import ClassCounter
from ablate.colorization.config import DataConfig
from ablate.colorization.data.decode import Pixels, decode
from ablate.colorization.data.files import cached_digest, read_bytes
from ablate.colorization.data.listing import (
    File,
    Listing,
    abridged,
    check_usable,
    listing_of,
    log_split,
    with_splits,
)
from ablate.colorization.data.photographs import (
    BadPhotograph,
    ColorData,
    EvaluationSplit,
    HeldOutPhotograph,
    Photograph,
    Photographs,
)
from ablate.colorization.data.preprocessing import Preprocessing
from ablate.colorization.data.sources.source import SourceListing
from ablate.colorization.data.split import EVALUATION, TRAIN
from ablate.colorization.data.squares import MEMORY_SHARE, Square, Squares
from ablate.errors import DataError
from ablate.system.threads import parallel_map

log = logging.getLogger(__name__)

GIB = 2**30
Made = TypeVar("Made")


class LocalPhotographs(Photographs):
    """Photographs in files.

    Args:
        listing: Of a source whose entries' locations are paths.
        label: What messages call the source.
        config: The section `data`.
        preprocessing: How photographs become pixels.

    Raises:
        DataError: There are none, or none to train on.
    """

    def __init__(self, listing: SourceListing, label: str, config: DataConfig, preprocessing: Preprocessing):
        self._label, self._config, self._preprocessing = label, config, preprocessing
        listing, rule = with_splits(listing, label=label, eval_fraction=config.eval_fraction)
        paths = [Path(entry.location[0]) for entry in listing.entries]
        files = [
            (entry.name, path, entry.split, digest)
            for entry, path, digest in zip(listing.entries, paths, parallel_map(cached_digest, paths), strict=True)
        ]
        self._listing = listing_of(files, listing.ignored, rule, config.eval_fraction)
        self.fingerprint = self._listing.fingerprint
        self.num_train = len(self._listing.of_split(TRAIN))

    def evaluation_split(self) -> EvaluationSplit:
        """Return the evaluation photographs; some of them may not be decodable."""
        evaluating = self._listing.of_split(EVALUATION)
        return EvaluationSplit(
            photographs=tuple(HeldOutPhotograph(file.name, file.digest, decoding(file.path)) for file in evaluating),
            fingerprint=self.fingerprint,
            trained=frozenset(file.digest for file in self._listing.of_split(TRAIN)),
        )

    def load(self) -> ColorData:
        """Decode all photographs, count their colours, and keep as many as memory is given for."""
        return self._loaded(self._listing)

    def _loaded(self, listing: Listing) -> ColorData:
        decoded = _Decoded(listing)
        memory = self._config.memory_gib * GIB
        evaluated: list[Photograph] = []
        squares = Squares(evaluated, self._square, memory=memory * MEMORY_SHARE)
        for photograph, square in decoded.of_split(EVALUATION, self._preprocessing.evaluation_pixels, "evaluate"):
            squares.offer(len(evaluated), square)
            evaluated.append(photograph)
        counter = ClassCounter(self._preprocessing.grid_step)
        cache = _Cache(memory - squares.kept_bytes)
        trained: list[Photograph] = []
        for photograph, pixels in decoded.of_split(TRAIN, self._preprocessing.training_pixels, "train"):
            counter.add(pixels)
            cache.offer(len(trained), pixels)
            trained.append(photograph)
        if listing.by_content and not (evaluated and trained):
            # Bad photographs took a whole side of the split: the others are split anew.
            others = listing.without(decoded.damaged, decoded.bad)
            if others.of_split(TRAIN) and others.of_split(EVALUATION):
                return self._loaded(others)
        counts = {TRAIN: len(trained), EVALUATION: len(evaluated)}
        check_usable(self._label, decoded.bad, counts, max_bad_fraction=self._config.max_bad_fraction)
        _log_problems(listing, decoded.bad, total=sum(counts.values()) + len(decoded.bad))
        log_split(listing.rule.reason, counts, doubtful=listing.rule.doubtful)
        return ColorData(
            preprocessing=self._preprocessing,
            fingerprint=listing.fingerprint,
            train=DecodedOnRead(tuple(trained), self._preprocessing, cache.pixels),
            evaluation=tuple(evaluated),
            squares=squares,
            bin_counts=counter.counts,
            bad=(*decoded.bad, *listing.leaked),
            ignored=listing.ignored,
        )

    def _square(self, photograph: Photograph) -> Square:
        return self._preprocessing.evaluation_pixels(_decoded(photograph))


@dataclass(frozen=True)
class DecodedOnRead(Sequence[Photograph]):
    """Training photographs in files, decoded when they are read; `cache` keeps some by index."""

    photographs: tuple[Photograph, ...]
    preprocessing: Preprocessing
    cache: dict[int, Pixels]

    def __len__(self) -> int:
        return len(self.photographs)

    def __getitem__(self, index: Any) -> Any:
        return self.photographs[index]

    def read(self, indices: Sequence[int]) -> list[Pixels]:
        """Return photographs, see `TrainingPhotographs`."""
        return [self.cache[index] if index in self.cache else self._decoded(index) for index in indices]

    def _decoded(self, index: int) -> Pixels:
        return self.preprocessing.training_pixels(_decoded(self.photographs[index]))


def _decoded(photograph: Photograph) -> Image.Image:
    assert photograph.path is not None
    return decode(read_bytes(photograph.path))


class _Cache:
    """Pixels by index, as many as fit."""

    def __init__(self, limit: float):
        self.pixels: dict[int, Pixels] = {}
        self._limit, self._bytes = limit, 0

    def offer(self, index: int, pixels: Pixels) -> None:
        if self._bytes < self._limit:
            self.pixels[index] = pixels
            self._bytes += pixels.nbytes


class _Decoded:
    """The decoded photographs of a listing; `bad` and `damaged` are those that could not be."""

    def __init__(self, listing: Listing):
        self._listing = listing
        self.bad = list(listing.unreadable)
        self.damaged: set[File] = set()

    def of_split(
        self, split: str, preprocess: Callable[[Image.Image], Made], purpose: str
    ) -> Iterator[tuple[Photograph, Made]]:
        files = self._listing.of_split(split)
        paths = [(file.name, file.path) for file in files]
        decoded = decode_files(paths, preprocess, progress=f"Reading photographs to {purpose}")
        for file, found in zip(files, decoded, strict=True):
            if isinstance(found, BadPhotograph):
                self.bad.append(found)
                self.damaged.add(file)
            else:
                yield found


def decode_files(
    paths: Sequence[tuple[str, Path]], preprocess: Callable[[Image.Image], Made], *, progress: str
) -> Iterator[tuple[Photograph, Made] | BadPhotograph]:
    """Read, decode and preprocess photographs on all cores, in order, with a progress bar.

    Args:
        paths: (name, path) pairs.
        preprocess: What to make of a decoded photograph; what it leaves out is freed at once.
        progress: What the progress bar says.

    Yields:
        For each path the photograph with what was made of it, or what is wrong with it.
    """

    def read(named: tuple[str, Path]) -> tuple[Photograph, Made] | BadPhotograph:
        name, path = named
        try:
            content = read_bytes(path)
            image = decode(content)
        except (OSError, DataError) as error:
            return BadPhotograph(name, getattr(error, "strerror", None) or str(error))
        return Photograph(name, hashlib.sha256(content).hexdigest(), path), preprocess(image)

    with closing(parallel_map(read, paths)) as made:
        yield from tqdm(made, total=len(paths), desc=progress, unit=" photographs", disable=None, leave=False)


def decoding(path: Path) -> Callable[[], Image.Image]:
    """Return a function that decodes a file."""
    return lambda: decode(read_bytes(path))


def _log_problems(listing: Listing, bad: Sequence[BadPhotograph], *, total: int) -> None:
    if listing.ignored:
        message = "%d files are no photographs that train or evaluate, and are ignored: %s"
        log.info(message, len(listing.ignored), abridged(listing.ignored))
    if listing.leaked:
        names = [photograph.name for photograph in listing.leaked]
        log.warning("%d photographs that evaluate do not train as well: %s", len(names), abridged(names))
    if bad:
        named = abridged([str(photograph) for photograph in bad])
        log.warning("%d of %d photographs cannot be used and are left out: %s", len(bad), total, named)
