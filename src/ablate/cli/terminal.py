"""The terminal: its log, its progress line, and output that nobody reads any more."""

import logging
import os
import select
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

CLEAR_LINE = "\r\x1b[K"
"""Goes to the start of a terminal's line and empties it."""


class TerminalFormatter(logging.Formatter):
    """Lets a line of the log take the place of the line that progress is drawn in, on a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record's line."""
        return (CLEAR_LINE if sys.stdout.isatty() else "") + super().format(record)


class TerminalHandler(logging.StreamHandler[TextIO]):
    """Writes the log to a stream; where nobody reads it any more, what is logged is lost, and the work goes on."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Print the stack trace of an error in logging, but for that one."""
        if not is_closed_pipe(sys.exc_info()[1]):
            super().handleError(record)


def is_closed_pipe(error: BaseException | None) -> bool:
    """Say whether an error is that of writing to a pipe that nobody reads any more: `head` has seen enough."""
    return isinstance(error, BrokenPipeError) and any(map(_is_unread, (sys.stdout, sys.stderr)))


def _is_unread(stream: TextIO) -> bool:
    try:
        poll = select.poll()
        poll.register(stream.fileno(), 0)
        return any(event & select.POLLERR for _, event in poll.poll(0))
    except (OSError, ValueError):  # what stands for a stream in a test has no number
        return False


@contextmanager
def quiet_on_closed_pipe() -> Iterator[None]:
    """Let a command end without a word, and with the code of a signal, where nobody reads what it prints."""
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
        # What is left in them is written once more at the very end.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in filter(_is_unread, streams):
            os.dup2(nowhere, stream.fileno())
        sys.exit(128 + signal.SIGPIPE)
