"""The texts that participants read: one file, which can be translated or reworded."""

import logging
import re
from collections.abc import Collection, Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from string import Formatter
from types import MappingProxyType
from typing import Any

import yaml

from ablate.config.schema import unknown_key
from ablate.errors import ConfigError
from ablate.turing.protocol import Design
from ablate.turing.serve.plural_texts import OTHER, chosen_text, is_plural, texts_by_number
from ablate.turing.yaml_file import read_yaml

log = logging.getLogger(__name__)

OF_DESIGNS: Collection[str] = ("preference", "rating")
"""The designs whose texts differ from the others': a section of each has those that do."""
NO_NUMBERS: Mapping[str, object] = MappingProxyType({})
_OF_EXPERIMENT = ("practice", "test", "trials", "seconds", "minutes", "megabytes", "questions", "points")
_OF_TRIAL = (*_OF_EXPERIMENT, "number")
_OF_SCORE = (*_OF_EXPERIMENT, "found", "judged")
_OF_QUESTIONS = ("asked", "faulty")
_OF_REPLY = ("low", "high", "longest")
_OF_GATES = (*_OF_EXPERIMENT, "width", "height", "ratio_from", "ratio_to", "rate")
_PLACEHOLDERS: Mapping[str, Collection[str]] = {
    "language": (), "title": (), "preview": (), "error": (), "questions": _OF_QUESTIONS, "reply": _OF_REPLY,
    "gates": _OF_GATES, "trial": _OF_TRIAL, "feedback": _OF_TRIAL, "debrief": _OF_SCORE,
}  # fmt: skip
"""The numbers that a section's texts may have in braces; those of an experiment where it is not named."""

_FROM_RIGHT = {"ar", "arc", "ckb", "dv", "fa", "he", "iw", "ks", "nqo", "ps", "sd", "syr", "ug", "ur", "yi"}
_SCRIPTS_FROM_RIGHT = {"adlm", "arab", "hebr", "nkoo", "rohg", "syrc", "thaa"}


def direction(language: str) -> str:
    """Return `rtl` for a language that is written from right to left, else `ltr`.

    Args:
        language: Its tag (BCP 47), such as `ar`, `fa-IR` or `az-Arab`.
    """
    primary, *more = language.lower().split("-")
    script = next((part for part in more if len(part) == 4 and part.isalpha()), None)
    rtl = primary in _FROM_RIGHT if script is None else script in _SCRIPTS_FROM_RIGHT
    return "rtl" if rtl else "ltr"


def fill(texts: Mapping[str, Any], numbers: Mapping[str, object] = NO_NUMBERS) -> dict[str, Any]:
    """Return texts with numbers in place of {trials} and the like; of a list without the lines that say nothing.

    Args:
        texts: As `load_texts` returns them.
        numbers: By name. Sections that may have one that is not given are left out.
    """

    def filled(value: Any) -> Any:
        if is_plural(value):
            return filled(chosen_text(value, numbers))
        if isinstance(value, Mapping):
            return {key: filled(each) for key, each in value.items()}
        if isinstance(value, list):
            return [line for each in value if (line := filled(each))]
        return value.format_map(numbers)

    return {
        name: filled(value)
        for name, value in texts.items()
        if name not in OF_DESIGNS and numbers.keys() >= set(_placeholders(name))
    }


def texts_of_design(texts: Mapping[str, Any], design: Design) -> dict[str, Any]:
    """Return the texts of a design: the shared ones, and its own in place of those of the same name.

    Args:
        texts: As `load_texts` returns them.
        design: Of the experiment.
    """
    shared = {name: value for name, value in texts.items() if name not in OF_DESIGNS}
    return _merged(shared, texts[design], "") if design in OF_DESIGNS else shared


def load_texts(path: Path | None = None) -> dict[str, Any]:
    """Return the texts: the English ones, or a file's, which may leave out what it does not change.

    Raises:
        ConfigError: The file cannot be read, or a text is unknown, empty, of another kind, or has braces in which no
            number of its section is named.
    """
    english = yaml.safe_load((files("ablate.turing.serve") / "english.yaml").read_text(encoding="utf-8"))
    if path is None:
        return dict(english)
    own = read_yaml("texts", path)
    merged = _merged(english, own, "")
    if not re.fullmatch("[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*", merged["language"]):
        raise ConfigError(f"texts: language must be a tag such as en, pt-BR or ar. Received: {merged['language']}")
    english_still = list(_left_out(english, own, ""))
    if english_still and merged["language"].split("-")[0] != english["language"]:
        log.warning("texts=%s leaves out what stays English: %s", path, ", ".join(english_still))
    return merged


def _placeholders(section: str) -> Collection[str]:
    return _PLACEHOLDERS.get(section, _OF_EXPERIMENT)


def _section(name: str) -> str:
    """Return the section that a text is in, or that it takes the place of in a design."""
    section, *more = name.split(".")
    return more[0] if section in OF_DESIGNS else section


def _left_out(known: Mapping[str, Any], own: Mapping[str, Any], place: str) -> Iterator[str]:
    """Yield the names of texts that a file does not have; of a section without any, the section's."""
    for key, value in known.items():
        if key not in own:
            yield f"{place}{key}"
        elif isinstance(value, Mapping) and not is_plural(value):
            yield from _left_out(value, own[key], f"{place}{key}.")


def _merged(known: Mapping[str, Any], own: Any, place: str) -> dict[str, Any]:
    if not isinstance(own, Mapping):
        raise ConfigError(f"texts: {place or 'the file'} must have {', '.join(known)}")
    merged = dict(known)
    for key, value in own.items():
        name = f"{place}{key}"
        if key not in known:
            raise ConfigError("texts: " + unknown_key(name, known))
        if isinstance(known[key], Mapping) and not is_plural(known[key]):
            merged[key] = _merged(known[key], value, f"{name}.")
            continue
        lines = value if isinstance(known[key], list) else [value]
        if not isinstance(lines, list) or not all(isinstance(line, str) or is_plural(line) for line in lines):
            kind = "a list of lines" if isinstance(known[key], list) else "a text"
            raise ConfigError(f"texts: {name} must be {kind}, in quotes where it has a colon or begins with a brace")
        for line in lines:
            if isinstance(line, str):
                _check(name, line)
            else:
                _check_plural(name, line, in_list=isinstance(known[key], list))
        merged[key] = value
    return merged


def _check_plural(name: str, value: Mapping[str, Any], *, in_list: bool) -> None:
    """Refuse a text by a number that its section does not have, or that says nothing where something must stand."""
    number, texts = texts_by_number(value)
    allowed = _placeholders(_section(name))
    if number not in allowed:
        said = ", ".join(allowed) or "none here"
        raise ConfigError(f"texts: {name}: {number} is no number by which a text can be chosen. Allowed: {said}")
    if OTHER not in texts or not all(key == OTHER or key.isdecimal() for key in texts):
        raise ConfigError(
            f"texts: {name}: the texts by {number} are those of numbers and of {OTHER}. Received: {', '.join(texts)}"
        )
    for key, text in texts.items():
        if not isinstance(text, str):
            raise ConfigError(f"texts: {name}.{number}.{key} must be a text, in quotes where it has a colon")
        if text or not in_list:  # an empty line of a list is left out
            _check(name, text)


def _check(name: str, line: str) -> None:
    """Refuse a text that would show braces, or nothing."""
    allowed = _placeholders(_section(name))
    said = f"Allowed: {', '.join(f'{{{number}}}' for number in allowed) or 'none here'}"
    if not line.strip():
        raise ConfigError(f"texts: {name} must not be empty; what the file leaves out stays English")
    doubled = re.search(r"\{\{\s*(\w+)\s*\}\}", line)
    if doubled and doubled[1] in _OF_TRIAL:
        raise ConfigError(f"texts: {name}: {doubled[0]} would show as it is: {{{doubled[1]}}} is a number. {said}")
    try:
        parts = list(Formatter().parse(line))
    except ValueError as error:
        raise ConfigError(f"texts: {name}: {error}. A brace that is to be seen is written twice. {said}") from None
    for _, number, form, conversion in parts:
        if number is not None and (number not in allowed or form or conversion):
            written = f"{number}{f'!{conversion}' if conversion else ''}{f':{form}' if form else ''}"
            raise ConfigError(f"texts: {name}: {{{written}}} stands for no number in braces. {said}")
