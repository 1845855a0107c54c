"""Worker processes of a preparation, and its progress."""

import logging
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool

from tqdm import tqdm

from ablate.colorization.data.prepared.chunk import ChunkJob, result_file, write_chunk
from ablate.colorization.data.prepared.destination import Destination
from ablate.colorization.data.sources.source import Entry
from ablate.errors import DataError
from ablate.system.signals import signals_held

log = logging.getLogger(__name__)


class Workers:
    """Processes that write chunks; those with a result are done.

    Args:
        destination: Where the data set is written.
        chunks: The photographs of every chunk.
        processes: How many processes.
    """

    def __init__(self, destination: Destination, chunks: list[list[Entry]], processes: int):
        self.destination, self.chunks = destination, chunks
        self._pool, self._ahead = _pool(processes), 2 * processes
        done = sum(len(chunk) for number, chunk in enumerate(chunks) if self._is_done(number))
        self._progress = _Progress(sum(map(len, chunks)), done)

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, *error: object) -> None:
        """End the processes: after an error or Ctrl-C each of them finishes its chunk, which is kept."""
        self._progress.bar.close()
        self._pool.shutdown(cancel_futures=True)

    def write(self, job: ChunkJob, numbers: Sequence[int]) -> None:
        """Write the chunks that are missing among some.

        Raises:
            DataError: A worker was killed.
        """
        missing = [number for number in numbers if not self._is_done(number)]
        for number in set(numbers).difference(missing):
            self.destination.upload_chunk(number)  # a command that was killed may not have done it
        waiting: dict[Future[None], int] = {}
        try:
            for number in missing:
                if len(waiting) >= self._ahead:
                    self._collect(waiting)
                with signals_held():  # it may start a worker, which would be left half started
                    future = self._pool.submit(write_chunk, job, number, self.chunks[number])
                waiting[future] = number
            while waiting:
                self._collect(waiting)
        except BrokenProcessPool:
            raise DataError(
                "a worker was killed, as the system does when memory runs out: the same command resumes, "
                "with workers=1 in less memory"
            ) from None

    def _is_done(self, number: int) -> bool:
        return result_file(self.destination.results, number).exists()

    def _collect(self, waiting: dict[Future[None], int]) -> None:
        finished, _ = wait(waiting, return_when=FIRST_COMPLETED)
        for future in finished:
            number = waiting.pop(future)
            future.result()
            self.destination.upload_chunk(number)
            self._progress.add(len(self.chunks[number]))


class _Progress:
    """A bar on a terminal, lines in a log; both with the time left."""

    _SECONDS = 10.0

    def __init__(self, total: int, done: int):
        self.bar = tqdm(
            total=total, initial=done, unit=" photographs", desc="Preparing", disable=None, leave=False, smoothing=0.1
        )
        self._total, self._done, self._before = total, done, done
        self._begun = self._logged = time.monotonic()
        if done:
            log.info("Resumed after %d of %d photographs", done, total)

    def add(self, count: int) -> None:
        self._done += count
        self.bar.update(count)
        now = time.monotonic()
        if self.bar.disable and now - self._logged >= self._SECONDS:
            self._logged = now
            rate = (self._done - self._before) / (now - self._begun)
            left = tqdm.format_interval((self._total - self._done) / rate)
            log.info("%d of %d photographs, %.0f a second, %s left", self._done, self._total, rate, left)


def _pool(processes: int) -> ProcessPoolExecutor:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["ablate.colorization.data.prepared.chunk", "skimage.color"])
    return ProcessPoolExecutor(processes, mp_context=context, initializer=_begin_worker)


def _begin_worker() -> None:
    """Leave Ctrl-C to the command, and end with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
