"""Colouring of many photographs at a time, in threads, within bounds of memory and processors."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from types import TracebackType

import numpy as np

from ablate.colorize.coloring import join_colors
from ablate.colorize.colorizer import Colorizer
from ablate.colorize.photograph import Photograph, read_photograph
from ablate.colorize.space import Floats
from ablate.colorize.upsampling import Method
from ablate.system.threads import job_threads

BATCH = 32
"""Most squares that a network gets at a time."""
_PIXELS = 64 * 10**6
"""Of all photographs that are held at a time, unless one alone has more; each pixel takes about ten bytes."""


class Engine:
    """Colours photographs for threads that each have one: what waits for the network goes through it in batches.

    Args:
        colorizers: The networks.
        method: Of upsampling.
        threads: Of processors; None takes `job_threads`.
    """

    def __init__(self, colorizers: Sequence[Colorizer], method: Method = "edge_aware", *, threads: int | None = None):
        self.colorizers = tuple(colorizers)
        self._method = method
        self.threads = threads or job_threads()
        self._processors = threading.BoundedSemaphore(self.threads)
        self._memory = _Budget(_PIXELS)
        self._networks = {id(colorizer): _Network(colorizer) for colorizer in self.colorizers}

    def __enter__(self) -> Engine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for network in self._networks.values():
            network.end()

    @contextmanager
    def holding(self, pixels: int) -> Iterator[None]:
        """Wait until there is memory for a photograph of so many pixels, and keep it for the block."""
        self._memory.take(pixels)
        try:
            yield
        finally:
            self._memory.give_back(pixels)

    def read(self, content: bytes) -> Photograph:
        """Decode a photograph, see `read_photograph`, when a processor is free."""
        with self._processors:
            return read_photograph(content)

    def color(self, photograph: Photograph, colorizer: Colorizer) -> Photograph:
        """Colour a photograph with one of the networks."""
        with self._processors:
            L = photograph.square(colorizer.image_size)
        ab = self._networks[id(colorizer)].ask(L).result()
        with self._processors:
            return join_colors(photograph, L, ab, self._method)

    @contextmanager
    def processor(self) -> Iterator[None]:
        """Wait until a processor is free, and keep it for the block."""
        with self._processors:
            yield


class _Budget:
    """An amount that threads share: in turn, so that nobody who needs much waits for ever."""

    def __init__(self, most: int):
        self._most = self._left = most
        self._turn, self._changed = threading.Lock(), threading.Condition()

    def take(self, amount: int) -> None:
        """Wait for an amount, and take it; more than there is counts as all of it."""
        wanted = min(amount, self._most)
        with self._turn, self._changed:
            self._changed.wait_for(lambda: self._left >= wanted)
            self._left -= wanted

    def give_back(self, amount: int) -> None:
        """Give an amount back that was taken."""
        with self._changed:
            self._left += min(amount, self._most)
            self._changed.notify_all()


class _Network:
    """A network in a thread of its own, which takes what has come meanwhile as a batch."""

    def __init__(self, colorizer: Colorizer):
        self._colorizer = colorizer
        self._asked: queue.SimpleQueue[tuple[Floats, Future[Floats]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="network", daemon=True)
        self._thread.start()

    def ask(self, L: Floats) -> Future[Floats]:
        """Ask for the colours of a square."""
        future: Future[Floats] = Future()
        self._asked.put((L, future))
        return future

    def end(self) -> None:
        """Let the thread end."""
        self._asked.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (batch := self._next()) is not None:
            try:
                predicted = self._colorizer.predict_ab(np.stack([L for L, _ in batch]), batch_size=BATCH)
            except BaseException as error:  # for whoever waits for it
                for _, future in batch:
                    future.set_exception(error)
            else:
                for (_, future), ab in zip(batch, predicted, strict=True):
                    future.set_result(ab)

    def _next(self) -> list[tuple[Floats, Future[Floats]]] | None:
        first = self._asked.get()
        if first is None:
            return None
        batch = [first]
        while len(batch) < BATCH:
            try:
                more = self._asked.get_nowait()
            except queue.Empty:
                break
            if more is None:
                self._asked.put(None)
                break
            batch.append(more)
        return batch
