"""The terminal: its log, its progress line, what would command it, and a closed pipe."""

import logging
import os
import re
import select
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

CLEAR_LINE = "\r\x1b[K"
"""Moves to the start of the line and clears it."""
_COMMANDS = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Characters that control a terminal, change the direction of a text or end its line; and what no text has."""


def visible(text: str) -> str:
    r"""Return a text with escapes for what would command a terminal or show it in another order.

    Names and notes of a store may come from anybody. Tabs and ends of lines, `\n`, stay.

    Example:
        >>> visible("a\x1b[2Jb")
        'a\\x1b[2Jb'
    """
    return _COMMANDS.sub(_escaped, text)


def visible_line(text: str) -> str:
    """Return a text as `visible` does, and as one line."""
    return visible(text).replace("\n", "\\n")


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()


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
