"""Preparation of a data set: on all cores, in one pass over the source, resumable. No TensorFlow but for URLs."""

import hashlib
import json
import logging
import shutil
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from ablate.colorization.config import DataConfig
from ablate.colorization.data.listing import abridged, check_usable, with_splits
from ablate.colorization.data.photographs import BadPhotograph
from ablate.colorization.data.prepared.chunk import ChunkJob, read_result
from ablate.colorization.data.prepared.destination import Destination
from ablate.colorization.data.prepared.manifest import FORMAT, Manifest
from ablate.colorization.data.prepared.merge import chunks_on_one_side, merge_chunks
from ablate.colorization.data.prepared.workers import Workers
from ablate.colorization.data.preprocessing import MAX_ASPECT, Preprocessing
from ablate.colorization.data.sources.registry import source_of
from ablate.colorization.data.sources.source import Entry, FileSource, SourceListing
from ablate.colorization.data.split import EVALUATION, TRAIN, SplitRule
from ablate.colorization.data.storage import is_url
from ablate.errors import ConfigError, DataError, Interrupted

log = logging.getLogger(__name__)

_CHUNKS = 64
"""A set has at least so many chunks of at least so many photographs: no core waits long for the last one."""
_SMALLEST = 32


def prepare(config: DataConfig, preprocessing: Preprocessing, out: str, *, workers: int, shard_mib: int) -> Manifest:
    """Turn photographs into a prepared data set, or resume that.

    Memory does not grow with their number, but for a list of their names.

    Args:
        config: Where the photographs are.
        preprocessing: How they become records.
        out: The data set's folder, or a URL that TensorFlow can write to.
        workers: Processes.
        shard_mib: About how many MiB of records go into a file.

    Returns:
        The manifest.

    Raises:
        ConfigError: The source is prepared already.
        DataError: The source cannot be read or has no photographs; the folder holds something else, or cannot be
            written. What is done is kept.
        Interrupted: Ctrl-C, or another signal.
    """
    source = _file_source(config)
    destination = Destination(out)
    with destination.locked():
        made_from = _made_from(source, preprocessing, shard_mib)
        done = destination.manifest()
        if done is not None:
            return _already_prepared(done, made_from, destination)
        destination.begin(made_from)
        source = source.unpacked(destination.results)
        listing, rule = list_source(source, config)
        chunks = _chunks(listing.entries, _chunk_size(len(listing.entries), preprocessing, shard_mib))
        _log_size(len(listing.entries), preprocessing, destination)
        job = ChunkJob(source, preprocessing, destination.local, destination.results)
        try:
            with Workers(destination, chunks, workers) as pool:
                _write_chunks(pool, job)
                manifest = merge_chunks(
                    destination,
                    range(len(chunks)),
                    preprocessing=preprocessing,
                    label=source.label,
                    made_from=made_from,
                    listing=listing,
                    split_reason=rule.reason,
                )
                _check_usable(manifest, config)
            destination.finish(manifest)
        except KeyboardInterrupt as interrupt:
            raise Interrupted(f"{str(interrupt) or 'Interrupted'}: the same command resumes") from None
        except OSError as error:
            raise DataError(
                f"{out} cannot be written: {error}; what is done is kept, the same command resumes"
            ) from None
    return manifest


def _file_source(config: DataConfig) -> FileSource:
    source = source_of(config)
    if not isinstance(source, FileSource):
        raise ConfigError("what is prepared is data=folder data.root=DIR|ZIP|TAR, data=tfds or data=sample")
    return source


def _made_from(source: FileSource, preprocessing: Preprocessing, shard_mib: int) -> str:
    plan = {
        "format": FORMAT,
        "source": source.signature(),
        "recipe": asdict(preprocessing),
        "shard_mib": shard_mib,
    }
    return hashlib.sha256(json.dumps(plan, sort_keys=True).encode()).hexdigest()


def _already_prepared(done: Manifest, made_from: str, destination: Destination) -> Manifest:
    if done.made_from != made_from:
        raise DataError(
            f"{destination.out} holds a data set that was prepared from other photographs or with other settings: "
            "choose another out=DIR, or remove it"
        )
    destination.clean()
    log.info("%s is prepared already: nothing to do", destination.out)
    return done


def list_source(source: FileSource, config: DataConfig) -> tuple[SourceListing, SplitRule]:
    """List the photographs of a source with their splits, evaluation photographs first, and log how they are split.

    Raises:
        DataError: There are none, or none to train on.
    """
    listing, rule = with_splits(source.list(), label=source.label, eval_fraction=config.eval_fraction)
    listing.entries.sort(key=lambda entry: entry.split == TRAIN)
    log.log(logging.WARNING if rule.doubtful else logging.INFO, "Split: %s", rule.reason)
    if listing.replaced:
        message = "%d photographs are replaced by another of their name later in the archive: %s"
        log.warning(message, len(listing.replaced), abridged(listing.replaced))
    return listing, rule


def _chunk_size(photographs: int, preprocessing: Preprocessing, shard_mib: int) -> int:
    in_a_shard = shard_mib * 2**20 // (3 * preprocessing.largest_short_side**2)
    return max(1, min(in_a_shard, max(_SMALLEST, -(-photographs // _CHUNKS))))


def _chunks(entries: list[Entry], size: int) -> list[list[Entry]]:
    """Cut the photographs into chunks; those that evaluate are in chunks of their own."""
    evaluating = sum(entry.split == EVALUATION for entry in entries)
    starts = [*range(0, evaluating, size), *range(evaluating, len(entries), size)]
    return [entries[start:stop] for start, stop in zip(starts, [*starts[1:], len(entries)], strict=True)]


def _log_size(photographs: int, preprocessing: Preprocessing, destination: Destination) -> None:
    low, high = preprocessing.image_size, preprocessing.largest_short_side
    expected = photographs * 3 * low * low * 4 / 3
    free = shutil.disk_usage(destination.local).free
    log.info(
        "%d photographs, each with a shorter side of %d to %d pixels: about %sB",
        photographs,
        low,
        high,
        tqdm.format_sizeof(expected),
    )
    if not is_url(destination.out) and free < expected * MAX_ASPECT / 3:
        log.warning("Only %sB are free there", tqdm.format_sizeof(free))


def _write_chunks(workers: Workers, job: ChunkJob) -> None:
    """Write all chunks that are missing; where folders say who evaluates, those first: the same may not train."""
    every = range(len(workers.chunks))
    if workers.chunks[0][0].split is None:
        workers.write(job, every)
        if only := chunks_on_one_side(job.results, every):
            workers.destination.remove_chunks()
            workers.write(replace(job, only_evaluation=only), every)
        return
    evaluating = [number for number in every if workers.chunks[number][0].split == EVALUATION]
    workers.write(job, evaluating)
    workers.write(replace(job, evaluating=_write_evaluation_digests(job, evaluating)), every)


def _write_evaluation_digests(job: ChunkJob, evaluating: Sequence[int]) -> Path:
    """Write the digests of the evaluation photographs to a file that all workers read."""
    digests = [
        bytes.fromhex(record[1])
        for number in evaluating
        for shard in read_result(job.results, number).shards.values()
        for record in shard.records
    ]
    file = job.results / "evaluating.npy"
    np.save(file, np.frombuffer(b"".join(digests), np.uint8).reshape(-1, 32))
    return file


def _check_usable(manifest: Manifest, config: DataConfig) -> None:
    bad = [BadPhotograph(name, reason) for name, reason in manifest.bad]
    usable = {split: index.records for split, index in manifest.index.items()}
    check_usable(manifest.source, bad, usable, max_bad_fraction=config.max_bad_fraction)
