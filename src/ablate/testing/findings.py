"""Findings: what is wrong with a task, each a line that says what to do, and where in the user's code it came up."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ablate.config.user_code import is_users, one_line, place_of, shortened, unmasked, user_place


@dataclass(frozen=True)
class Finding:
    """Something that a check has found.

    Attributes:
        text: What is wrong, and what to do.
        wrong: Whether results cannot be had or trusted; else it is a warning.
        place: The file and line of the user's code where it came up, as in `digits.py:12`; empty where none did.
    """

    text: str
    wrong: bool = True
    place: str = ""

    def __str__(self) -> str:
        return f"{self.place}: {self.text}" if self.place else self.text


Findings = Iterator[Finding]


def problem(text: str) -> Finding:
    """Return a finding that makes results impossible or wrong."""
    return Finding(text)


def warning(text: str) -> Finding:
    """Return a finding that a user should know."""
    return Finding(text, wrong=False)


def gather(check: Callable[[], Iterable[Finding]]) -> list[Finding]:
    """Return the findings of a check; an error in the user's code, or in a library that it calls, is one."""
    found = list[Finding]()
    try:
        found.extend(check())
    except Exception as error:  # whatever the code of a user raises
        found.append(finding_of(error))
    return found


def finding_of(error: BaseException) -> Finding:
    """Return an error as a finding: its message in one line, and the user's line that it came from."""
    seen = unmasked(error)
    return Finding(one_line(seen), place=user_place(seen))


@contextmanager
def collected_warnings(*ignored: str) -> Iterator[list[Finding]]:
    """Collect what warns meanwhile, in place of showing it: the log of `ablate`, Keras, and the user's own lines.

    Args:
        ignored: Beginnings of those that are left out.
    """
    collected, handler = list[Finding](), _Collector()
    logger, tensorflow = logging.getLogger("ablate"), logging.getLogger("tensorflow")
    propagate = logger.propagate
    logger.addHandler(handler)
    logger.propagate = False
    tensorflow.addFilter(_is_error)  # it warns of tracing a function for each model
    try:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            yield collected
        found = [*map(warning, handler.texts), *filter(None, map(_finding_of_warning, warned))]
        collected += [each for each in dict.fromkeys(found) if not each.text.startswith(ignored)]
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagate
        tensorflow.removeFilter(_is_error)


def _is_error(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.ERROR


class _Collector(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(shortened(record.getMessage()))


def _finding_of_warning(warned: warnings.WarningMessage) -> Finding | None:
    """Return a warning of the user's own lines, or of Keras, as a finding."""
    own = is_users(warned.filename)
    if not own and not (issubclass(warned.category, UserWarning) and "keras" in Path(warned.filename).parts):
        return None
    return Finding(
        shortened(str(warned.message)), wrong=False, place=place_of(warned.filename, warned.lineno) if own else ""
    )
