"""The terminal: its log, its progress line, and a closed pipe."""

import logging
import os
import select
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

CLEAR_LINE = "\r\x1b[K"
"""Moves to the start of the line and clears it."""


class TerminalFormatter(logging.Formatter):
    """Writes a line of the log in place of the progress line, on a terminal."""

    label = ""
    """Before every message: which of several runs at a time it is of."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record's line."""
        return (CLEAR_LINE if sys.stdout.isatty() else "") + super().format(record)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """Return the record's line without its traceback."""
        record.message = self.label + record.message
        return super().formatMessage(record)


class TerminalHandler(logging.StreamHandler[TextIO]):
    """Writes the log to a stream; after the stream is closed, the work continues without it."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Print the stack trace of an error in logging, except for a closed pipe."""
        if not is_closed_pipe(sys.exc_info()[1]):
            super().handleError(record)


def is_closed_pipe(error: BaseException | None) -> bool:
    """Tell whether an error comes from a closed pipe of the output: `head` has read enough."""
    return isinstance(error, BrokenPipeError) and any(map(_is_closed, (sys.stdout, sys.stderr)))


def _is_closed(stream: TextIO) -> bool:
    try:
        poll = select.poll()
        poll.register(stream.fileno(), 0)
        return any(event & select.POLLERR for _, event in poll.poll(0))
    except (OSError, ValueError):  # a test's stream has no descriptor
        return False


@contextmanager
def quiet_on_closed_pipe() -> Iterator[None]:
    """End a command silently, with the exit code of SIGPIPE, after its output is closed."""
    streams = (sys.stdout, sys.stderr)
    try:
        try:
            yield
        finally:
            for stream in streams:
                stream.flush()
    except BrokenPipeError as error:
        if not is_closed_pipe(error):
            raise
        # Python flushes the streams once more at exit.
        null = os.open(os.devnull, os.O_WRONLY)
        for stream in filter(_is_closed, streams):
            os.dup2(null, stream.fileno())
        sys.exit(128 + signal.SIGPIPE)
