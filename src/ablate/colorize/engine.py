"""Colouring of many photographs at a time, in threads, within bounds of memory and processors."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from types import TracebackType

import numpy as np

from ablate.colorize.coloring import join_colors
from ablate.colorize.colorizer import BATCH, Colorizer
from ablate.colorize.photograph import Photograph, read_photograph
from ablate.colorize.space import Floats
from ablate.colorize.upsampling import Method
from ablate.system.allocator import keep_freed_memory
from ablate.system.threads import job_threads

_PIXELS = 64 * 10**6
"""Of all photographs that are held at a time, unless one alone has more; each pixel takes about ten bytes."""


class Engine:
    """Colours photographs for threads that each have one: what waits for a network goes through it in batches.

    Args:
        colorizers: The networks.
        method: Of upsampling.
        threads: Of processors; None takes `job_threads`.
    """

    def __init__(self, colorizers: Sequence[Colorizer], method: Method = "edge_aware", *, threads: int | None = None):
        keep_freed_memory()
        self.colorizers = tuple(colorizers)
        self._method = method
        self.threads = threads or job_threads()
        self._processors = _Processors(self.threads)
        self._memory = _Budget(_PIXELS)
        self._networks = {id(each): _Network(each, self._processors) for each in self.colorizers}

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
        with self.processor():
            return read_photograph(content)

    def color(self, photograph: Photograph, colorizer: Colorizer) -> Photograph:
        """Colour a photograph with one of the networks."""
        with self.processor():
            L = photograph.square(colorizer.image_size)
        ab = self._networks[id(colorizer)].ask(L).result()
        with self.processor():
            return join_colors(photograph, L, ab, self._method)

    @contextmanager
    def processor(self) -> Iterator[None]:
        """Wait until a processor is free, and keep it for the block."""
        with self._processors.one():
            yield


class _Processors:
    """The processors that threads share, and whether all of them have work."""

    def __init__(self, count: int):
        self._count, self._users = count, 0
        self._free = threading.BoundedSemaphore(count)
        self.changed = threading.Condition()

    @property
    def idle(self) -> bool:
        """Whether one of them has nothing to do; to be asked while `changed` is held."""
        return self._users < self._count

    @contextmanager
    def one(self) -> Iterator[None]:
        """Wait until one is free, and keep it for the block."""
        with self.changed:
            self._users += 1
        try:
            with self._free:
                yield
        finally:
            with self.changed:
                self._users -= 1
                if self.idle:
                    self.changed.notify_all()


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
    """A network in a thread of its own. It waits for a full batch, but not while a processor has nothing to do."""

    def __init__(self, colorizer: Colorizer, processors: _Processors):
        self._colorizer, self._processors, self._changed = colorizer, processors, processors.changed
        self._asked = list[tuple[Floats, Future[Floats]]]()
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="network", daemon=True)
        self._thread.start()

    def ask(self, L: Floats) -> Future[Floats]:
        """Ask for the colours of a square."""
        future: Future[Floats] = Future()
        with self._changed:
            self._asked.append((L, future))
            if self._ready():
                self._changed.notify_all()
        return future

    def end(self) -> None:
        """Let the thread end."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        self._thread.join()

    def _ready(self) -> bool:
        return len(self._asked) >= BATCH or (bool(self._asked) and self._processors.idle)

    def _run(self) -> None:
        while batch := self._next():
            squares = np.stack([L for L, _ in batch])
            try:
                with self._processors.one():
                    predicted = self._colorizer.predict_ab(squares)
            except BaseException as error:  # for whoever waits for it
                for _, future in batch:
                    future.set_exception(error)
            else:
                for (_, future), ab in zip(batch, predicted, strict=True):
                    future.set_result(ab)

    def _next(self) -> list[tuple[Floats, Future[Floats]]]:
        """Return what is asked for; nothing when all is answered and the thread is to end."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended or self._ready())
            batch, self._asked = self._asked[:BATCH], self._asked[BATCH:]
        return batch
