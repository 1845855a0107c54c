"""Signals that interrupt a command: Ctrl-C, SIGTERM, a closed terminal, a scheduler's warning."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from ablate.errors import Interrupted

INTERRUPTING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
"""SLURM warns with one of the last two when a job's time is almost up."""


class SignalPolicy:
    """The policy of a command: the first signal interrupts it, once; Ctrl-C after that ends it at once.

    The first signal raises `KeyboardInterrupt`, or `Interrupted` with the signal's name. Where the command polls, as
    in training, it sets a flag instead. Later signals change nothing, so that they do not disturb the end: a sweep
    forwards SIGTERM to a run that may have had Ctrl-C from the terminal. SIGINT has its default again.

    Attributes:
        interrupt: The flag: what the first signal raised, or what is to be raised; None before it.
    """

    def __init__(self) -> None:
        self.interrupt: KeyboardInterrupt | None = None
        self._polled = 0
        self._terminals: list[int] = []

    def install(self) -> None:
        """Handle signals from now on; those that are ignored, as after `nohup`, stay ignored.

        Raises:
            KeyboardInterrupt: A signal came while they were blocked, see `ablate.execution.preload`.
        """
        self.interrupt = None
        # A terminal that is gone no longer says that it was one.
        self._terminals = [stream for stream in (1, 2) if os.isatty(stream)]
        for number in INTERRUPTING:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._handle)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, INTERRUPTING)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGHUP:
            self._forget_terminals()
        if self.interrupt is not None:
            return
        name = signal.Signals(number).name
        self.interrupt = KeyboardInterrupt() if number == signal.SIGINT else Interrupted(f"Interrupted by {name}")
        if signal.getsignal(signal.SIGINT) == self._handle:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
        if not self._polled:
            raise self.interrupt
        # Not the log, which the signal may have interrupted.
        with suppress(OSError):
            os.write(2, b"Ends after a checkpoint; Ctrl-C again ends at once\n")

    def _forget_terminals(self) -> None:
        """Let output to a terminal that is gone, where writing is an error, go nowhere; the log file stays."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in self._terminals:
            os.dup2(nowhere, stream)
        os.close(nowhere)

    def poll(self) -> KeyboardInterrupt | None:
        """Return the interrupt that a signal asked for, or None: the one that a library has swallowed, too."""
        return self.interrupt

    @contextmanager
    def polled(self) -> Iterator[Callable[[], KeyboardInterrupt | None]]:
        """Let signals set the flag, and raise nothing, in code that polls it.

        Yields:
            `poll`.

        Raises:
            KeyboardInterrupt: At the end, where a signal came after the last poll.
        """
        self._polled += 1
        try:
            yield self.poll
        finally:
            self._polled -= 1
        if self.interrupt is not None:
            raise self.interrupt


SIGNALS = SignalPolicy()
"""The policy of this process."""


@contextmanager
def signals_held() -> Iterator[None]:
    """Let interrupting signals, whoever handles them, wait for the end of what may not be left half done."""
    came: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        # Signals are handled in the main thread alone.
        yield
        return
    handlers = {
        number: signal.signal(number, lambda number, frame: came.append(number))
        for number in INTERRUPTING
        if signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        if came:
            signal.raise_signal(came[0])
