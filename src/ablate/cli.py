"""What all commands have in common: one clear line for an error, and an orderly end at a signal."""

import logging
import os
import select
import signal
import sys
import threading
import time
import traceback
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn, TextIO

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import ConfigCompositionException, HydraException, MissingConfigException, OverrideParseException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from ablate.command_line import CommandLine
from ablate.config_errors import no_level, unreadable
from ablate.errors import AblateError, Interrupted
from ablate.resolution import plain
from ablate.schema import unknown, unknown_level

_ENDS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2)
"""SLURM warns with one of the last two when a job's time is almost up."""
_PATIENCE = 20.0
"""Seconds that an orderly end may take before it is interrupted itself."""


_SAFE_PATH = sys.flags.safe_path
"""Whether Python was told (`-P`, `PYTHONSAFEPATH`) not to find modules in the current folder."""

CLEAR = "\r\x1b[K"
"""Goes to the start of a terminal's line and empties it."""


class TerminalFormatter(logging.Formatter):
    """Lets a line of the log take the place of the line that progress is drawn in, on a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record's line."""
        return (CLEAR if sys.stdout.isatty() else "") + super().format(record)


class TerminalHandler(logging.StreamHandler[TextIO]):
    """Writes the log to a stream; where nobody reads it any more, what is logged is lost, and the work goes on."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Print the stack trace of an error in logging, but for that one."""
        if not is_unread(sys.exc_info()[1]):
            super().handleError(record)


@contextmanager
def command() -> Iterator[None]:
    """Run a command's main function: errors that a user can mend end it with one line and exit code 1.

    With `HYDRA_FULL_ERROR=1` in the environment, the stack trace of an error before a run is shown as well, as
    Hydra's users expect; one of a run itself is in its log.
    """
    with _quiet_where_nobody_reads(), _errors_in_a_line():
        yield


@contextmanager
def _errors_in_a_line() -> Iterator[None]:
    before = os.environ.get("HYDRA_FULL_ERROR")
    traced = before == "1"
    # Hydra then raises its errors instead of printing them itself.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    end_orderly_at_signals()
    try:
        with _here_importable():
            yield
    except (AblateError, HydraException, OmegaConfBaseException, OSError, YAMLError) as error:
        if traced or is_unread(error):
            raise
        _leave(f"Error: {explain(error, sys.argv[1:])}", 1)
    except (AttributeError, TypeError, ValueError) as error:
        if traced or not (_raised_in(error, "hydra") or _passed(error, "file_config_source.py")):
            raise
        _leave(f"Error: {explain(error, sys.argv[1:])}", 1)
    except RecursionError as error:
        if traced or not _passed(error, "defaults_list.py"):
            raise
        _leave("Error: a configuration includes itself: its `defaults`, or those of what it includes, name it", 1)
    except KeyboardInterrupt as interrupt:
        if traced:
            raise
        _leave(str(interrupt) or "Interrupted", 130)
    finally:
        if before is None:
            del os.environ["HYDRA_FULL_ERROR"]
        else:
            os.environ["HYDRA_FULL_ERROR"] = before


def is_unread(error: BaseException | None) -> bool:
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
def _quiet_where_nobody_reads() -> Iterator[None]:
    """Let a command end without a word, and with the code of a signal, where nobody reads what it prints."""
    streams = (sys.stdout, sys.stderr)
    try:
        try:
            yield
        finally:
            for stream in streams:
                stream.flush()
    except BrokenPipeError as error:
        if not is_unread(error):
            raise
        # What is left in them is written once more at the very end.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in filter(_is_unread, streams):
            os.dup2(nowhere, stream.fileno())
        sys.exit(128 + signal.SIGPIPE)


@contextmanager
def _here_importable() -> Iterator[None]:
    """Let modules of the current folder be found, as `python -m` does: a console script's path has its own folder."""
    here = str(Path.cwd())
    missing = not _SAFE_PATH and here not in sys.path and "" not in sys.path
    if missing:
        sys.path.insert(0, here)
    try:
        yield
    finally:
        if missing:
            sys.path.remove(here)


def _raised_in(error: Exception, package: str) -> bool:
    """Return whether a package raised an error by itself: over an override that it does not expect, for example."""
    frames = traceback.extract_tb(error.__traceback__)
    return bool(frames) and package in Path(frames[-1].filename).parts


def _passed(error: BaseException, file: str) -> bool:
    """Return whether an error came through code of a file."""
    return any(Path(frame.filename).name == file for frame in traceback.extract_tb(error.__traceback__))


def _leave(line: str, code: int) -> NoReturn:
    print(line, file=sys.stderr)
    sys.exit(code)


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


def explain(error: Exception, arguments: Sequence[str]) -> str:
    """Say what is wrong with a command in as few lines as possible.

    Args:
        error: What was raised.
        arguments: The command's overrides.

    Returns:
        The error's own message where it is ours; Hydra's, put into one line that names what is allowed.
    """
    if isinstance(error, AblateError):
        return str(error)
    said = unreadable(error) or no_level(error, arguments)
    if said is not None:
        return said
    if isinstance(error, MissingConfigException) and error.missing_cfg_file and error.options:
        group, _, level = error.missing_cfg_file.rpartition("/")
        return unknown_level(group, level, error.options)
    if isinstance(error, OverrideParseException):
        return f"{error.override} is no override: {' '.join(str(error).split())}"
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, OmegaConfBaseException):
        cause = cause.__cause__
    if isinstance(error, ConfigCompositionException) and cause is not None and cause.full_key:
        key = str(cause.full_key)
        with suppress(HydraException, OmegaConfBaseException):
            beside = _keys_beside(key, arguments)
            if beside:  # else Hydra's own words, which say how a first one is added
                return unknown(key, beside)
    return " ".join(str(error).split())


def _keys_beside(key: str, arguments: Sequence[str]) -> list[str]:
    """Return the keys that exist where an unknown one was given, among the levels that the arguments choose."""
    parser = OverridesParser.create()
    given, others = CommandLine(arguments), []
    for argument in given.overrides:
        try:
            override = parser.parse_override(argument)
        except HydraException:
            continue
        if not override.is_sweep_override() and key not in (
            override.key_or_group,
            override.key_or_group.replace("/", "."),
        ):
            others.append(argument)
    try:
        node = given.compose(others)
    except (HydraException, OmegaConfBaseException):
        node = given.compose([])
    beside: Any = {**plain(node), "hydra": OmegaConf.to_container(node.hydra)}
    hidden = {"hydra"}
    for part in key.split(".")[:-1]:
        child = beside.get(part)
        if not isinstance(child, dict):
            break
        beside, hidden = child, set()
    return [str(name) for name in beside if name not in hidden]
