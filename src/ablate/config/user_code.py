"""Errors in the user's own code: the line that they came from, and a message in one line."""

from __future__ import annotations

import inspect
import re
import sysconfig
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from itertools import dropwhile
from pathlib import Path
from typing import Any

from omegaconf.errors import OmegaConfBaseException, ReadonlyConfigError

import ablate
from ablate.config.sections import RunConfig
from ablate.errors import AblateError

_OWN = (str(Path(ablate.__file__).parent), str(Path(ablate.__file__).parents[1] / "hydra_plugins"))
_LIBRARIES = (*(sysconfig.get_paths()[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")), "<")
_BOLD = re.compile(r"\x1b\[1m(.*?)\x1b\[0m", re.DOTALL)
_RAISED_IN_STREAM = re.compile(r"^(\w*(?:Error|Exception)): (.+)$", re.MULTILINE)
_LENGTH = 400


def is_users(filename: str) -> bool:
    """Tell whether a file is neither this package's, nor Python's or a library's."""
    return not filename.startswith((*_OWN, *_LIBRARIES)) and "site-packages" not in filename


def user_place(error: BaseException) -> str:
    """Return the last line of the user's own code in an error's traceback, as in `digits.py:12`; empty for none.

    A script that calls `ablate` does not count: its line is before those of this package.
    """
    frames = traceback.extract_tb(error.__traceback__)
    called = dropwhile(lambda frame: not frame.filename.startswith(_OWN), frames)
    places = [place_of(frame.filename, frame.lineno) for frame in called if is_users(frame.filename)]
    return places[-1] if places else ""


def unmasked(error: BaseException) -> BaseException:
    """Return what a property raised where Python says that there is no such attribute.

    A property that raises an AttributeError, as for a key that the configuration does not have, is asked for once more
    by `__getattr__` where its class has one, and the error of that hides the first.
    """
    seen = set[str]()
    while isinstance(error, AttributeError) and error.obj is not None and error.name and error.name not in seen:
        seen.add(error.name)
        defined = inspect.getattr_static(type(error.obj), error.name, None)
        raised = _raised_by(defined, error.obj) if isinstance(defined, property | cached_property) else None
        if raised is None:
            break
        error = raised
    return error


def _raised_by(attribute: property | cached_property[Any], owner: Any) -> AttributeError | None:
    try:
        attribute.__get__(owner, type(owner))
    except AttributeError as error:
        return error
    return None


@contextmanager
def properties_unmasked() -> Iterator[None]:
    """Let the errors of properties be seen, see `unmasked`."""
    try:
        yield
    except AttributeError as error:
        original = unmasked(error)
        if original is error:
            raise
        raise original from None


def one_line(error: BaseException) -> str:
    """Return the part of an error's message that says something: Keras and TensorFlow bury it in their own traces."""
    text = str(error)
    if isinstance(error, AblateError):
        return text
    if isinstance(error, ReadonlyConfigError):
        return f"the configuration cannot be changed, as {error.full_key} here: a run is known by it"
    if isinstance(error, OmegaConfBaseException) and error.full_key:
        keys = ", ".join(map(str, error.parent_node)) if isinstance(error.parent_node, Mapping) else ""
        beside = f"; beside it are {keys}" if keys else ""
        if error.full_key in RunConfig.model_fields:
            return f"a task's configuration has no {error.full_key}, which is ablate's{beside}"
        return f"the configuration has no {error.full_key}{beside}"
    said = _BOLD.search(text)
    if said is not None:
        return shortened(f"{text.partition('.call()')[0].rpartition(' ')[2]}: {said[1]}")
    if text.startswith("Graph execution error") or " [[{{node" in text or "\t [[{{node" in text:
        raised = _RAISED_IN_STREAM.findall(text)
        if raised:
            return shortened(": ".join(raised[-1]))
        lines = [line for line in text.splitlines() if line.strip() and not line.startswith((" ", "\t", "Detected"))]
        if lines:
            return shortened(_explained(lines[-1]))
    name = type(error).__name__
    return shortened(_explained(f"{name}: {text}" if text else name))


def _explained(text: str) -> str:
    """Leave out what says nothing, and add what a message means where it does not say so itself."""
    text = re.sub(r"\{\{function_node .*?\}\} | \[Op:\w+\] name:\s*$", "", text)
    text = (
        text.rpartition("Exception encountered: ")[2]
        .partition("Example:")[0]
        .partition("Full object config:")[0]
        .strip()
    )
    outside = re.search(r"indices\[.*\] = (\d+) is not in \[0, (\d+)\)", text)
    if outside is not None:
        text = f"{text}: class numbers start at 0, and the model needs an output for each"
    if "Cannot batch tensors" in text:
        text += " Examples must have one shape: pad them, or leave batch() out of data()"
    if "Cast string to float" in text:
        text += ": are the targets text? Give class numbers, as np.unique(y, return_inverse=True)[1]"
    if "target.shape" in text or "compile_loss" in text:
        text += ". Does `loss` suit the targets and the model's output?"
    return text


def shortened(text: str) -> str:
    """Return text in one line of bounded length."""
    text = " ".join(text.split())
    return text if len(text) <= _LENGTH else f"{text[: _LENGTH - 3]}..."


def place_of(filename: str, line: int | None) -> str:
    """Return a file and line as text, relative to the current folder."""
    path = Path(filename)
    return f"{path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}:{line}"
