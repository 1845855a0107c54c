"""What is wrong with a configuration that Hydra cannot compose, in one line: the file and its line, or the level."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import OmegaConf, grammar_parser
from omegaconf.errors import GrammarParseError, OmegaConfBaseException
from yaml import MarkedYAMLError, YAMLError
from yaml.reader import ReaderError

from ablate.cli.command_line import CommandLine
from ablate.config.schema import unknown_level

_NO_KEYS = ("name", "_target_")
"""Keys of a level that say which it is."""


def explain_unreadable_file(error: BaseException, path: Path | None = None) -> str | None:
    """Say which file cannot be read, and in which line, where an error comes from that.

    Args:
        error: Of YAML, of OmegaConf or of decoding text.
        path: The file; None: the one that Hydra was reading.

    Returns:
        One line; None where the error has another reason.
    """
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, YAMLError | UnicodeDecodeError | GrammarParseError):
        cause = cause.__cause__
    found = path or _local(error, "file_config_source.py", "full_path") or getattr(cause, "name", None)
    if cause is None or found is None:
        return None
    file = Path(found)
    if isinstance(cause, MarkedYAMLError) and cause.problem_mark is not None:
        begun = cause.context_mark
        since = f", {cause.context} of line {begun.line + 1}" if cause.context and begun is not None else ""
        return f"{file} cannot be read: line {cause.problem_mark.line + 1}: {cause.problem}{since}"
    if isinstance(cause, ReaderError | UnicodeDecodeError):
        return f"{file} cannot be read: line {_undecodable(file)}: it is no text in UTF-8"
    if isinstance(cause, GrammarParseError):
        line = next((number for number, text in enumerate(_lines(file), 1) if not _interpolates(text)), None)
        place = f"line {line}: " if line else ""
        return f"{file} cannot be read: {place}{' '.join(str(cause).split()) or 'no interpolation'}"
    return f"{file} cannot be read: {' '.join(str(cause).split())}"


def _undecodable(file: Path) -> int:
    """Return the first line that holds what YAML takes for no text."""
    for number, line in enumerate(file.read_bytes().split(b"\n"), 1):
        try:
            text = line.decode()
        except UnicodeDecodeError:
            return number
        if not text.replace("\t", "").replace("\r", "").isprintable():
            return number
    return 1


def _lines(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines()


def _interpolates(line: str) -> bool:
    text = line[line.find("${") :] if "${" in line else ""
    try:
        if text:
            grammar_parser.parse(text)
    except GrammarParseError:
        return False
    return True


def explain_unknown_level(error: BaseException, arguments: Sequence[str]) -> str | None:
    """Say what a value would be set with that a config group was given instead of a level: `dropout.rate=0.3`.

    Args:
        error: Of Hydra.
        arguments: The command's options and overrides.

    Returns:
        One line; None where the error has another reason.
    """
    override = _local(error, "defaults_list.py", "override")
    if not isinstance(override, Override) or not str(error).startswith("Config group override must be"):
        return None
    given, group = CommandLine(arguments), override.key_or_group
    value = str(override.input_line).partition("=")[2]
    others = [line for line in given.overrides if line.partition("=")[0].lstrip("+~") != group]
    levels = given.loader.get_group_options(group)
    if value in levels:
        return f"{group}={value}: for Hydra this is no text; the level of that name is {group}=\"'{value}'\""
    keys = [f"{key}={value}" for key in _keys_for(override.value(), group, given, others)]
    told = f". A value is set by its key: {' or '.join(keys)}" if keys else ""
    return unknown_level(group, value, levels) + told


def _keys_for(value: Any, group: str, given: CommandLine, overrides: Sequence[str]) -> list[str]:
    """Return the keys of a group's level that hold a value of such a kind."""
    try:
        config = given.compose(overrides)
    except (HydraException, OmegaConfBaseException, ValueError):
        config = given.compose([])
    section = group.replace("/", ".")
    node = OmegaConf.select(config, section)
    alike = []
    for key in node if isinstance(node, Mapping) else ():
        with suppress(OmegaConfBaseException):
            if key not in _NO_KEYS and _kind(OmegaConf.select(config, f"{section}.{key}")) == _kind(value):
                alike.append(f"{section}.{key}")
    return alike


def _kind(value: Any) -> type:
    return float if isinstance(value, int) and not isinstance(value, bool) else type(value)


def _local(error: BaseException | None, file: str, name: str) -> Any:
    """Return the value of a variable in the innermost function of a file that an error came through."""
    found = None
    while error is not None:
        trace = error.__traceback__
        while trace is not None:
            if Path(trace.tb_frame.f_code.co_filename).name == file:
                found = trace.tb_frame.f_locals.get(name, found)
            trace = trace.tb_next
        error = error.__cause__
    return found
