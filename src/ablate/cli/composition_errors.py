"""Error messages for a configuration that Hydra cannot compose: the file and its line, or the level."""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from hydra.core.override_parser.types import Override
from hydra.errors import ConfigCompositionException, HydraException
from omegaconf import OmegaConf, grammar_parser
from omegaconf.errors import GrammarParseError, OmegaConfBaseException
from yaml import MarkedYAMLError, YAMLError
from yaml.reader import ReaderError

from ablate.cli.command_line import CommandLine
from ablate.config.schema import unknown_key, unknown_level

_TWICE = re.compile(r"Multiple values for (\S+)\.|(\S+) appears more than once in the final defaults list")
_NO_DEFAULT = re.compile(r"Could not override '([^']+)'\. No match in the defaults list\.")
_LAUNCHERS = {"joblib": "joblib", "submitit_local": "submitit", "submitit_slurm": "submitit"}
"""By launcher, the extra of this package that brings it."""
_LEVEL_KEYS = ("name", "_target_")
"""Keys of a level that hold its name or class."""


def explain_unreadable_file(error: BaseException, path: Path | None = None) -> str | None:
    """Return the message for an unreadable file, with the line.

    Args:
        error: Of YAML, of OmegaConf or of decoding text.
        path: The file; None: the file that Hydra was reading.

    Returns:
        One line; None where the error has another cause.
    """
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, YAMLError | UnicodeDecodeError | GrammarParseError):
        cause = cause.__cause__
    found = path or _local_variable(error, "file_config_source.py", "full_path") or getattr(cause, "name", None)
    if cause is None or found is None:
        return None
    file = Path(found)
    if isinstance(cause, MarkedYAMLError) and cause.problem_mark is not None:
        begun = cause.context_mark
        start = f", {cause.context} of line {begun.line + 1}" if cause.context and begun is not None else ""
        return f"{file} cannot be read: line {cause.problem_mark.line + 1}: {cause.problem}{start}"
    if isinstance(cause, ReaderError | UnicodeDecodeError):
        return f"{file} cannot be read: line {_undecodable_line(file)}: no text in UTF-8"
    if isinstance(cause, GrammarParseError):
        invalid = (number for number, text in enumerate(_read_lines(file), 1) if not _is_interpolation_valid(text))
        line = next(invalid, None)
        place = f"line {line}: " if line else ""
        return f"{file} cannot be read: {place}{' '.join(str(cause).split()) or 'no interpolation'}"
    return f"{file} cannot be read: {' '.join(str(cause).split())}"


def _undecodable_line(file: Path) -> int:
    """Return the first line with a character that YAML does not take for text."""
    for number, line in enumerate(file.read_bytes().split(b"\n"), 1):
        try:
            text = line.decode()
        except UnicodeDecodeError:
            return number
        if not text.replace("\t", "").replace("\r", "").isprintable():
            return number
    return 1


def _read_lines(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines()


def _is_interpolation_valid(line: str) -> bool:
    text = line[line.find("${") :] if "${" in line else ""
    try:
        if text:
            grammar_parser.parse(text)
    except GrammarParseError:
        return False
    return True


def explain_unknown_level(error: BaseException, arguments: Sequence[str]) -> str | None:
    """Return the message for a config group that was given a value, with the key to set: `dropout.rate=0.3`.

    Args:
        error: Of Hydra.
        arguments: The command's options and overrides.

    Returns:
        One line; None where the error has another cause.
    """
    override = _local_variable(error, "defaults_list.py", "override")
    if not isinstance(override, Override) or not str(error).startswith("Config group override must be"):
        return None
    command, group = CommandLine(arguments), override.key_or_group
    value = str(override.input_line).partition("=")[2]
    others = [line for line in command.overrides if line.partition("=")[0].lstrip("+~") != group]
    levels = command.loader.get_group_options(group)
    if value in levels:
        return f"{group}={value}: for Hydra this is no text; the level of that name is {group}=\"'{value}'\""
    keys = [f"{key}={value}" for key in _keys_of_type(override.value(), group, command, others)]
    hint = f". A value is set by its key: {' or '.join(keys)}" if keys else ""
    return unknown_level(group, value, levels) + hint


def explain_missing_level(group: str, level: str, allowed: Sequence[str]) -> str:
    """Return the message for a level that a group does not have; of a launcher, with what to install for it."""
    extra = _LAUNCHERS.get(level) if group == "hydra/launcher" else None
    return (
        f'{group}={level} needs a package: pip install "ablate[{extra}]"'
        if extra
        else unknown_level(group, level, allowed)
    )


def explain_group(error: BaseException, arguments: Sequence[str]) -> str | None:
    """Return the message for a group that is added though it is there, or overridden though it is not.

    Args:
        error: Of Hydra.
        arguments: The command's options and overrides.

    Returns:
        One line; None where the error has another cause.
    """
    if not isinstance(error, ConfigCompositionException):
        return None
    twice, absent = _TWICE.match(str(error)), _NO_DEFAULT.match(str(error))
    found = twice or absent
    if found is None:
        return None
    command, group = CommandLine(arguments), found[found.lastindex or 0]
    level = next(
        (line.partition("=")[2] for line in command.overrides if line.partition("=")[0].lstrip("+") == group), ""
    )
    if twice and f"+{group}={level}" in command.overrides:
        return f"+{group}={level}: the configuration has the group {group} already: {group}={level} chooses its level"
    if absent and group.partition("/")[0] in command.loader.list_groups(""):
        return f"{group}={level}: {group} is not among the configuration's defaults: +{group}={level} adds it"
    if absent:
        chosen = command.compose([]).hydra.runtime.choices
        return unknown_key(group, [name for name in chosen if not str(name).startswith("hydra/")], what="group")
    return None


def _keys_of_type(value: Any, group: str, command: CommandLine, overrides: Sequence[str]) -> list[str]:
    """Return the keys of a group's level that hold a value of the same type."""
    try:
        config = command.compose(overrides)
    except (HydraException, OmegaConfBaseException, ValueError):
        config = command.compose([])
    section = group.replace("/", ".")
    node = OmegaConf.select(config, section)
    alike = []
    for key in node if isinstance(node, Mapping) else ():
        with suppress(OmegaConfBaseException):
            if key not in _LEVEL_KEYS and _type_of(OmegaConf.select(config, f"{section}.{key}")) == _type_of(value):
                alike.append(f"{section}.{key}")
    return alike


def _type_of(value: Any) -> type:
    return float if isinstance(value, int) and not isinstance(value, bool) else type(value)


def _local_variable(error: BaseException | None, file: str, name: str) -> Any:
    """Return a local variable of the innermost function of a file in an error's traceback."""
    found = None
    while error is not None:
        trace = error.__traceback__
        while trace is not None:
            if Path(trace.tb_frame.f_code.co_filename).name == file:
                found = trace.tb_frame.f_locals.get(name, found)
            trace = trace.tb_next
        error = error.__cause__
    return found
