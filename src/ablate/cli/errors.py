"""Error messages of a command: one line that names the cause and what is allowed."""

import errno
import os
import re
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
from ablate.cli.composition_errors import (
    explain_group,
    explain_missing_level,
    explain_unknown_level,
    explain_unreadable_file,
)
from ablate.cli.import_path import project_importable
from ablate.cli.terminal import is_closed_pipe, quiet_on_closed_pipe, visible
from ablate.config.hydra_job import unresolved_values
from ablate.config.schema import unknown_key
from ablate.config.user_code import one_line, properties_unmasked, user_place
from ablate.errors import AblateError
from ablate.system.signals import SIGNALS

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
"""Of the machine, wherever the code is that meets it."""
_CREDENTIALS = re.compile(r"(?<=://)[^\s/@'\"]+@|(?<=[?&]password=)[^\s&'\"]+")
"""User and password of an address: who reads a log need not know them."""


@contextmanager
def handle_errors(page: str) -> Iterator[None]:
    """End a command with one line and exit code 1 on errors that a user can fix; it ends with the page that explains.

    With `HYDRA_FULL_ERROR=1` in the environment, Hydra's switch, an error before a run shows its stack trace. That of
    an error in a run is in the run's log.

    Args:
        page: The section of the documentation about the command, for errors of a kind that has no page of its own.
    """
    with quiet_on_closed_pipe(), _errors_in_one_line(page):
        yield


@contextmanager
def _errors_in_one_line(page: str) -> Iterator[None]:
    before = os.environ.get("HYDRA_FULL_ERROR")
    traced = before == "1"
    # Hydra then raises its errors instead of printing them itself.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    SIGNALS.install()
    try:
        with project_importable(), properties_unmasked():
            yield
    except (AblateError, HydraException, OmegaConfBaseException, OSError, YAMLError) as error:
        if traced or is_closed_pipe(error):
            raise
        _exit(f"Error: {with_page(explain_error(error, sys.argv[1:]), error, page)}", 1)
    except RecursionError as error:
        if traced or not _came_through(error, "defaults_list.py"):
            raise
        _exit("Error: a configuration includes itself: its `defaults`, or those of what it includes, name it", 1)
    except UnicodeEncodeError as error:
        if traced or "surrogates" not in error.reason:
            raise
        name, encoding = ascii(error.object), sys.getfilesystemencoding()
        _exit(f"Error: {name} is no name in {encoding}: set LANG=C.UTF-8 or PYTHONUTF8=1, or rename it", 1)
    except Exception as error:  # of Hydra, or of the code of a user, which raises whatever it likes
        if traced or not (_is_hydra_s(error) or user_place(error)):
            raise
        _exit(f"Error: {explain_error(error, sys.argv[1:])}", 1)
    except KeyboardInterrupt as interrupt:
        if traced:
            raise
        _exit(str(interrupt) or "Interrupted", 130)
    finally:
        if before is None:
            del os.environ["HYDRA_FULL_ERROR"]
        else:
            os.environ["HYDRA_FULL_ERROR"] = before


def with_page(said: str, error: Exception, page: str) -> str:
    """Add the page that explains an error to what is said of it; none does for the machine's and a user's code."""
    if isinstance(error, AblateError):
        page = error.page or page
    elif (isinstance(error, OSError) and not isinstance(error, HydraException)) or user_place(error):
        return said
    if "\n" in said:  # of several lines each is of another variant, or file
        return f"{said}\nSee {page}"
    return f"{said} See {page}" if said.endswith((".", "?")) else f"{said}. See {page}"


def _is_hydra_s(error: Exception) -> bool:
    """Tell whether Hydra's code raised an error, for example for an override that it does not expect."""
    if not isinstance(error, AttributeError | TypeError | ValueError):
        return False
    frames = traceback.extract_tb(error.__traceback__)
    raised = bool(frames) and "hydra" in Path(frames[-1].filename).parts
    return raised or _came_through(error, "file_config_source.py")


def _came_through(error: BaseException, file: str) -> bool:
    """Tell whether the traceback of an error contains a file."""
    return any(Path(frame.filename).name == file for frame in traceback.extract_tb(error.__traceback__))


def _exit(line: str, code: int) -> NoReturn:
    print(visible(_CREDENTIALS.sub("", line)), file=sys.stderr)
    sys.exit(code)


def explain_error(error: Exception, arguments: Sequence[str]) -> str:
    """Return the message of an error in a command.

    Args:
        error: The error.
        arguments: The command's options and overrides.

    Returns:
        The message of an `AblateError` as it is; one line for an error of Hydra, with what is allowed, and for one in
        the user's own code, with its line.
    """
    if isinstance(error, AblateError):
        return str(error)
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        file = f" ({error.filename})" if error.filename else ""
        return f"{error.strerror}{file}. `python -m ablate.doctor` looks at the disks that runs write to"
    place = user_place(error)
    if place:
        return f"{place}: {one_line(error)} (HYDRA_FULL_ERROR=1 shows the stack trace)"
    message = (
        explain_unreadable_file(error) or explain_unknown_level(error, arguments) or explain_group(error, arguments)
    )
    if message is not None:
        return message
    if isinstance(error, MissingConfigException) and error.missing_cfg_file and error.options:
        group, _, level = error.missing_cfg_file.rpartition("/")
        return explain_missing_level(group, level, error.options)
    if isinstance(error, OverrideParseException):
        return f"{error.override} is no override: {' '.join(str(error).split())}"
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, OmegaConfBaseException):
        cause = cause.__cause__
    if isinstance(error, ConfigCompositionException) and cause is not None and cause.full_key:
        key = str(cause.full_key)
        with suppress(HydraException, OmegaConfBaseException):
            siblings = _sibling_keys(key, arguments)
            if siblings:  # else Hydra's message, which tells how to add a first key
                return unknown_key(key, siblings)
    return " ".join(str(error).split())


def _sibling_keys(key: str, arguments: Sequence[str]) -> list[str]:
    """Return the existing keys beside an unknown one, with the levels that the arguments choose."""
    parser = OverridesParser.create()
    command, others = CommandLine(arguments), []
    for argument in command.overrides:
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
        config = command.compose(others)
    except (HydraException, OmegaConfBaseException):
        config = command.compose([])
    siblings: Any = {**unresolved_values(config), "hydra": OmegaConf.to_container(config.hydra)}
    hidden = {"hydra"}
    for part in key.split(".")[:-1]:
        child = siblings.get(part)
        if not isinstance(child, dict):
            break
        siblings, hidden = child, set()
    return [str(name) for name in siblings if name not in hidden]
