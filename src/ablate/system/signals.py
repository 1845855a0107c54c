"""Signals that end a command in order: Ctrl-C, SIGTERM, a closed terminal, a scheduler's warning."""

import os
import signal
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from ablate.errors import Interrupted

_ENDS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2)
"""SLURM warns with one of the last two when a job's time is almost up."""
_PATIENCE = 20.0
"""Seconds that an orderly end may take before it is interrupted itself."""


def end_orderly_at_signals() -> None:
    """Let Ctrl-C, SIGTERM and a closed terminal raise `KeyboardInterrupt` once; Ctrl-C again ends at once.

    Another SIGTERM raises it again if the first came long ago: a library may have caught that one.
    """
    # A terminal that is gone no longer says that it was one.
    terminals = [stream for stream in (1, 2) if os.isatty(stream)]

    def forget_terminals(number: int, frame: FrameType | None) -> None:
        # Writing to a terminal that is gone is an error: what is still to be said goes to the log file alone.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in terminals:
            os.dup2(nowhere, stream)

    raised: list[tuple[float, int]] = []

    def interrupt(number: int, frame: FrameType | None) -> None:
        if _swallows(frame):
            threading.Timer(0.05, os.kill, (os.getpid(), number)).start()
            return
        if number == signal.SIGHUP:
            forget_terminals(number, frame)
        # A second signal must not disturb the end that the first one brings about, unless a person insists.
        now = time.monotonic()
        if raised and now - raised[-1][0] < _PATIENCE:
            return
        raised.append((now, number))
        signal.signal(signal.SIGHUP, forget_terminals)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        error = (
            KeyboardInterrupt()
            if number == signal.SIGINT
            else Interrupted(f"Interrupted by {signal.Signals(number).name}")
        )
        if _deferred and not _deferred[-1].asked:
            _deferred[-1].asked.append(error)
            # Not the log, which the signal may have interrupted.
            with suppress(OSError):
                os.write(2, b"Ends after a checkpoint; Ctrl-C again ends at once\n")
            return
        raise error

    before = sys.unraisablehook

    def printed_only(unraisable: Any) -> None:
        """Interrupt again where the error came up in a callback that Python drops errors of."""
        if not raised or not isinstance(unraisable.exc_value, KeyboardInterrupt):
            before(unraisable)
            return
        _, number = raised.pop()
        signal.signal(number, interrupt)
        threading.Timer(0.05, os.kill, (os.getpid(), number)).start()

    sys.unraisablehook = printed_only
    for number in _ENDS:
        # `nohup` has the signal ignored, and so it stays.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, interrupt)


@dataclass
class Deferred:
    """The end that a signal asked for while work went on that can end better by itself."""

    asked: list[BaseException] = field(default_factory=list)

    def __call__(self) -> BaseException | None:
        """Return what to raise at the next good moment, or None."""
        return self.asked[0] if self.asked else None


_deferred: list[Deferred] = []


@contextmanager
def ends_deferred() -> Iterator[Deferred]:
    """Let a first signal that ends a command wait for a good moment; another one, or long after it, ends at once.

    Yields:
        What says whether one came: who asks, raises it.

    Raises:
        KeyboardInterrupt: One came, and nobody has asked.
    """
    deferred = Deferred()
    _deferred.append(deferred)
    try:
        yield deferred
    finally:
        _deferred.remove(deferred)
    if deferred.asked:
        raise deferred.asked[0]


def _swallows(frame: FrameType | None) -> bool:
    """Say whether a frame is part of a finaliser or a weak reference's callback: Python only prints their errors."""
    while frame is not None:
        if frame.f_code.co_name == "__del__" or frame.f_code.co_filename == weakref.__file__:
            return True
        frame = frame.f_back
    return False


@contextmanager
def signals_held() -> Iterator[None]:
    """Let signals that end a command wait: for what may not be left half done."""
    came: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        # Signals are handled in the main thread alone.
        yield
        return
    handlers = {
        number: signal.signal(number, lambda number, frame: came.append(number))
        for number in _ENDS
        if signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        if came:
            signal.raise_signal(came[0])
