"""Findings: what is wrong with a task, each a line that says what to do, and where in the user's code it came up."""

from __future__ import annotations

import logging
import re
import sysconfig
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from omegaconf.errors import OmegaConfBaseException

import ablate
from ablate.errors import AblateError

_OWN = (str(Path(ablate.__file__).parent), str(Path(ablate.__file__).parents[1] / "hydra_plugins"))
_LIBRARIES = (*(sysconfig.get_paths()[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")), "<")
_BOLD = re.compile(r"\x1b\[1m(.*?)\x1b\[0m", re.DOTALL)
_RAISED_IN_STREAM = re.compile(r"^(\w*(?:Error|Exception)): (.+)$", re.MULTILINE)
_LENGTH = 400


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
    return Finding(one_line(error), place=user_place(error))


def user_place(error: BaseException) -> str:
    """Return the last line of the user's own code in an error's traceback, as in `digits.py:12`."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if not frame.filename.startswith((*_OWN, *_LIBRARIES)) and "site-packages" not in frame.filename:
            return _place(frame.filename, frame.lineno)
    return ""


def one_line(error: BaseException) -> str:
    """Return the part of an error's message that says something: Keras and TensorFlow bury it in their own traces."""
    text = str(error)
    if isinstance(error, AblateError):
        return text
    if isinstance(error, OmegaConfBaseException) and error.full_key:
        keys = ", ".join(map(str, error.parent_node)) if isinstance(error.parent_node, Mapping) else ""
        return f"the configuration has no {error.full_key}{f'; beside it are {keys}' if keys else ''}"
    said = _BOLD.search(text)
    if said is not None:
        return _short(f"{text.partition('.call()')[0].rpartition(' ')[2]}: {said[1]}")
    if text.startswith("Graph execution error") or " [[{{node" in text or "\t [[{{node" in text:
        raised = _RAISED_IN_STREAM.findall(text)
        if raised:
            return _short(": ".join(raised[-1]))
        lines = [line for line in text.splitlines() if line.strip() and not line.startswith((" ", "\t", "Detected"))]
        if lines:
            return _short(_explained(lines[-1]))
    name = type(error).__name__
    return _short(_explained(f"{name}: {text}" if text else name))


def _explained(text: str) -> str:
    """Leave out what says nothing, and add what a message means where it does not say so itself."""
    text = (
        text.rpartition("Exception encountered: ")[2]
        .partition("Example:")[0]
        .partition("Full object config:")[0]
        .strip()
    )
    outside = re.search(r"indices\[.*\] = (\d+) is not in \[0, (\d+)\)", text)
    if outside is not None:
        text = f"{text}: class numbers start at 0, and the model needs an output for each"
    if "target.shape" in text or "compile_loss" in text:
        text += ". Does `loss` suit the targets and the model's output?"
    return text


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LENGTH else f"{text[: _LENGTH - 3]}..."


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
        self.texts.append(_short(record.getMessage()))


def _finding_of_warning(warned: warnings.WarningMessage) -> Finding | None:
    """Return a warning of the user's own lines, or of Keras, as a finding."""
    own = not warned.filename.startswith((*_OWN, *_LIBRARIES)) and "site-packages" not in warned.filename
    if not own and not (issubclass(warned.category, UserWarning) and "keras" in Path(warned.filename).parts):
        return None
    return Finding(
        _short(str(warned.message)), wrong=False, place=_place(warned.filename, warned.lineno) if own else ""
    )


def _place(filename: str, line: int | None) -> str:
    path = Path(filename)
    return f"{path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}:{line}"
