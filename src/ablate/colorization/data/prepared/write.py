"""Making a prepared data set: on all cores, in one pass, going on where it was interrupted."""

import hashlib
import json
import logging
import multiprocessing
import os
import shutil
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout
from tqdm import tqdm

from ablate.colorization.config import DataConfig
from ablate.colorization.data.listing import check_usable, first, place
from ablate.colorization.data.photographs import MAX_ASPECT, BadPhotograph
from ablate.colorization.data.prepared.chunks import Work, note_file, read_note, write_chunk
from ablate.colorization.data.prepared.manifest import FORMAT, Manifest
from ablate.colorization.data.prepared.merge import merge, one_sided
from ablate.colorization.data.prepared.recipe import Recipe
from ablate.colorization.data.prepared.target import Target
from ablate.colorization.data.sources.choice import source_of
from ablate.colorization.data.sources.source import Entry, Listed
from ablate.colorization.data.split import IGNORED, split_by_folder
from ablate.colorization.data.storage import is_url
from ablate.errors import DataError, Interrupted
from ablate.system.signals import signals_held

log = logging.getLogger(__name__)

_CHUNKS = 64
"""A set has at least so many chunks of at least so many photographs: no core waits long for the last one."""
_SMALLEST = 32


def prepare(config: DataConfig, recipe: Recipe, out: str, *, workers: int, shard_mib: int) -> Manifest:
    """Turn photographs into a prepared data set, or go on with that.

    Memory does not grow with their number, but for a list of their names.

    Args:
        config: Where the photographs are.
        recipe: How they become records.
        out: The data set's folder, or a URL that TensorFlow can write to.
        workers: Processes.
        shard_mib: About how many MiB of records go into a file.

    Returns:
        The manifest.

    Raises:
        DataError: The source cannot be read or has no photographs; the folder holds something else, or cannot be
            written. What is done is kept.
        Interrupted: Ctrl-C, or another signal.
    """
    target = Target(out)
    with _alone(target):
        source = source_of(config)
        plan = {"format": FORMAT, "source": source.signature(), "recipe": asdict(recipe), "shard_mib": shard_mib}
        made_from = hashlib.sha256(json.dumps(plan, sort_keys=True).encode()).hexdigest()
        done = target.manifest()
        if done is not None:
            if done.made_from != made_from:
                raise DataError(
                    f"{out} holds a data set that was prepared from other photographs or with other settings: "
                    "choose another out=DIR, or remove it"
                )
            target.clean()
            log.info("%s is prepared already: nothing to do", out)
            return done
        target.begin(made_from)
        source = source.unpacked(target.notes)
        listed = with_parts(source.list(), config)
        size = _chunk_size(len(listed.entries), recipe, shard_mib)
        _say_size(len(listed.entries), recipe, target)
        work = Work(source, recipe, target.local, target.notes)
        try:
            with _pool(workers) as pool:
                run = _Run(target, pool, 2 * workers, _chunks(listed.entries, size))
                with run.progress.bar:
                    manifest = _made(run, work, config, listed, made_from)
            target.finish(manifest)
        except KeyboardInterrupt as interrupt:
            raise Interrupted(f"{str(interrupt) or 'Interrupted'}: the same command goes on") from None
        except OSError as error:
            raise DataError(
                f"{out} cannot be written: {error}; what is done is kept, the same command goes on"
            ) from None
    return manifest


@contextmanager
def _alone(target: Target) -> Iterator[None]:
    target.local.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(target.local / ".lock", timeout=0):
            yield
    except Timeout:
        raise DataError(f"another process prepares {target.out} just now") from None


def with_parts(listed: Listed, config: DataConfig) -> Listed:
    """Give every photograph the part that its folder says, in place, those that evaluate first.

    Raises:
        DataError: There are none, or none to train on.
    """
    entries = listed.entries
    if not entries:
        raise DataError(f"{place(config)} holds no photographs")
    split = listed.split or split_by_folder(
        [entry.name for entry in entries],
        listed.ignored,
        eval_fraction=config.eval_fraction,
        place=place(config),
    )
    log.log(logging.WARNING if split.doubtful else logging.INFO, "Split: %s", split.why)
    if listed.replaced:
        message = "%d photographs are replaced by another of their name later in the archive: %s"
        log.warning(message, len(listed.replaced), first(listed.replaced))
    for number, entry in enumerate(entries):
        if entry.part is None:
            entries[number] = entry._replace(part=split.part(entry.name))
    beside = [entry.name for entry in entries if entry.part == IGNORED]
    if beside:
        entries[:] = [entry for entry in entries if entry.part != IGNORED]
    entries.sort(key=lambda entry: entry.part == "train")
    return replace(listed, ignored=[*listed.ignored, *beside], split=split)


def _chunk_size(photographs: int, recipe: Recipe, shard_mib: int) -> int:
    in_a_shard = shard_mib * 2**20 // (3 * recipe.largest_short_side**2)
    return max(1, min(in_a_shard, max(_SMALLEST, -(-photographs // _CHUNKS))))


def _say_size(photographs: int, recipe: Recipe, target: Target) -> None:
    low, high = recipe.image_size, recipe.largest_short_side
    expected = photographs * 3 * low * low * 4 / 3
    free = shutil.disk_usage(target.local).free
    log.info(
        "%d photographs, each with a shorter side of %d to %d pixels: about %sB",
        photographs,
        low,
        high,
        tqdm.format_sizeof(expected),
    )
    if not is_url(target.out) and free < expected * MAX_ASPECT / 3:
        log.warning("Only %sB are free there", tqdm.format_sizeof(free))


def _chunks(entries: list[Entry], size: int) -> list[list[Entry]]:
    """Cut the photographs into chunks; those that evaluate are in chunks of their own."""
    evaluating = sum(entry.part == "eval" for entry in entries)
    starts = [*range(0, evaluating, size), *range(evaluating, len(entries), size)]
    return [entries[start:stop] for start, stop in zip(starts, [*starts[1:], len(entries)], strict=True)]


def _made(run: "_Run", work: Work, config: DataConfig, listed: Listed, made_from: str) -> Manifest:
    by_content = listed.entries[0].part is None
    evaluating = [number for number, chunk in enumerate(run.chunks) if chunk[0].part == "eval"]
    everything = range(len(run.chunks))
    if not by_content:
        run.do(work, evaluating)
        work = replace(work, evaluating=_forbidden(work, evaluating))
    run.do(work, everything)
    if by_content and (lowest := one_sided(work.notes, everything)):
        # A handful of photographs on one side: the lowest contents evaluate.
        run.target.forget()
        work = replace(work, lowest=lowest)
        run.do(work, everything)
    assert listed.split is not None
    manifest = merge(
        work.notes,
        everything,
        run.target,
        recipe=work.recipe,
        source=place(config),
        made_from=made_from,
        ignored=listed.ignored,
        replaced=listed.replaced,
        split=listed.split.why,
    )
    bad = [BadPhotograph(name, reason) for name, reason in manifest.bad]
    check_usable(config, bad, {part: index.records for part, index in manifest.index.items()})
    return manifest


def _forbidden(work: Work, evaluating: Sequence[int]) -> Path:
    """Write down the digests of the photographs that evaluate: the same contents may not train."""
    digests = [
        bytes.fromhex(record[1])
        for number in evaluating
        for shard in read_note(work.notes, number).shards.values()
        for record in shard.records
    ]
    file = work.notes / "evaluating.npy"
    np.save(file, np.frombuffer(b"".join(digests), np.uint8).reshape(-1, 32))
    return file


class _Run:
    """The work on all chunks; those with a note are done."""

    def __init__(self, target: Target, pool: ProcessPoolExecutor, ahead: int, chunks: list[list[Entry]]):
        self.target, self.chunks = target, chunks
        self._pool, self._ahead = pool, ahead
        done = sum(len(chunk) for number, chunk in enumerate(chunks) if note_file(target.notes, number).exists())
        self.progress = _Progress(sum(map(len, chunks)), done)

    def do(self, work: Work, numbers: Sequence[int]) -> None:
        """Do what is missing of some chunks, on all workers."""
        missing = [number for number in numbers if not note_file(work.notes, number).exists()]
        for number in set(numbers).difference(missing):
            self.target.deliver(number)  # which a command that was killed may not have done
        waiting: dict[Future[None], int] = {}
        try:
            for number in missing:
                if len(waiting) >= self._ahead:
                    self._collect(waiting)
                with signals_held():  # it may start a worker, which would be left half started
                    future = self._pool.submit(write_chunk, work, number, self.chunks[number])
                waiting[future] = number
            while waiting:
                self._collect(waiting)
        except BrokenProcessPool:
            raise DataError(
                "a worker was killed, as the system does when memory runs out: the same command goes on, "
                "with workers=1 in less memory"
            ) from None

    def _collect(self, waiting: dict[Future[None], int]) -> None:
        finished, _ = wait(waiting, return_when=FIRST_COMPLETED)
        for future in finished:
            number = waiting.pop(future)
            future.result()
            self.target.deliver(number)
            self.progress.add(len(self.chunks[number]))


class _Progress:
    """A bar on a terminal, lines in a log; both with the time left."""

    _SECONDS = 10.0

    def __init__(self, total: int, done: int):
        self.bar = tqdm(
            total=total, initial=done, unit=" photographs", desc="Preparing", disable=None, leave=False, smoothing=0.1
        )
        self._total, self._done, self._before = total, done, done
        self._begun = self._said = time.monotonic()
        if done:
            log.info("Going on after %d of %d photographs", done, total)

    def add(self, count: int) -> None:
        self._done += count
        self.bar.update(count)
        now = time.monotonic()
        if self.bar.disable and now - self._said >= self._SECONDS:
            self._said = now
            rate = (self._done - self._before) / (now - self._begun)
            left = tqdm.format_interval((self._total - self._done) / rate)
            log.info("%d of %d photographs, %.0f a second, %s left", self._done, self._total, rate, left)


@contextmanager
def _pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["ablate.colorization.data.prepared.chunks"])
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_begin_worker)
    try:
        yield pool
    finally:
        # After an error or Ctrl-C each worker ends its chunk, which is kept.
        pool.shutdown(cancel_futures=True)


def _begin_worker() -> None:
    """Leave Ctrl-C to the command, and end with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
