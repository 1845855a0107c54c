"""Errors of a command in one clear line, with what is allowed."""

import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import ConfigCompositionException, HydraException, MissingConfigException, OverrideParseException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from ablate.cli.command_line import CommandLine
from ablate.cli.composition_errors import explain_unknown_level, explain_unreadable_file
from ablate.cli.terminal import is_closed_pipe, quiet_on_closed_pipe
from ablate.config.hydra_job import unresolved_values
from ablate.config.schema import unknown_key, unknown_level
from ablate.errors import AblateError
from ablate.system.signals import SIGNALS

_SAFE_PATH = sys.flags.safe_path
"""Whether Python was told (`-P`, `PYTHONSAFEPATH`) not to find modules in the current folder."""


@contextmanager
def handle_errors() -> Iterator[None]:
    """Run a command's main function: errors that a user can mend end it with one line and exit code 1.

    With `HYDRA_FULL_ERROR=1` in the environment, the stack trace of an error before a run is shown as well, as
    Hydra's users expect; one of a run itself is in its log.
    """
    with quiet_on_closed_pipe(), _errors_in_a_line():
        yield


@contextmanager
def _errors_in_a_line() -> Iterator[None]:
    before = os.environ.get("HYDRA_FULL_ERROR")
    traced = before == "1"
    # Hydra then raises its errors instead of printing them itself.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    SIGNALS.install()
    try:
        with _here_importable():
            yield
    except (AblateError, HydraException, OmegaConfBaseException, OSError, YAMLError) as error:
        if traced or is_closed_pipe(error):
            raise
        _leave(f"Error: {explain_error(error, sys.argv[1:])}", 1)
    except (AttributeError, TypeError, ValueError) as error:
        if traced or not (_raised_in(error, "hydra") or _passed(error, "file_config_source.py")):
            raise
        _leave(f"Error: {explain_error(error, sys.argv[1:])}", 1)
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


def explain_error(error: Exception, arguments: Sequence[str]) -> str:
    """Say what is wrong with a command in as few lines as possible.

    Args:
        error: What was raised.
        arguments: The command's overrides.

    Returns:
        The error's own message where it is ours; Hydra's, put into one line that names what is allowed.
    """
    if isinstance(error, AblateError):
        return str(error)
    said = explain_unreadable_file(error) or explain_unknown_level(error, arguments)
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
                return unknown_key(key, beside)
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
    beside: Any = {**unresolved_values(node), "hydra": OmegaConf.to_container(node.hydra)}
    hidden = {"hydra"}
    for part in key.split(".")[:-1]:
        child = beside.get(part)
        if not isinstance(child, dict):
            break
        beside, hidden = child, set()
    return [str(name) for name in beside if name not in hidden]
