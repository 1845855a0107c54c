"""The texts that participants read: one file, which can be translated or reworded."""

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from ablate.config.schema import unknown_key
from ablate.errors import ConfigError

_NUMBERS = dict.fromkeys(("practice", "test", "trials", "number", "seconds", "minutes"), 1)


def load_texts(path: Path | None = None) -> dict[str, Any]:
    """Return the texts: the English ones, or a file's, which may leave out what it does not change.

    Raises:
        ConfigError: The file cannot be read, or a text is unknown, of another kind, or has a number that there is not.
    """
    english = yaml.safe_load((files("ablate.turing.serve") / "english.yaml").read_text(encoding="utf-8"))
    if path is None:
        return dict(english)
    try:
        own = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"texts={path} cannot be read: {' '.join(str(error).split())}") from None
    return _merged(english, own, "")


def _merged(known: Mapping[str, Any], own: Any, place: str) -> dict[str, Any]:
    if not isinstance(own, Mapping):
        raise ConfigError(f"texts: {place or 'the file'} must have {', '.join(known)}")
    merged = dict(known)
    for key, value in own.items():
        name = f"{place}{key}"
        if key not in known:
            raise ConfigError("texts: " + unknown_key(name, known))
        if isinstance(known[key], Mapping):
            merged[key] = _merged(known[key], value, f"{name}.")
            continue
        lines = value if isinstance(known[key], list) else [value]
        if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
            raise ConfigError(
                f"texts: {name} must be {'a list of lines' if isinstance(known[key], list) else 'a text'}"
            )
        for line in lines:
            try:
                line.format(**_NUMBERS)
            except (KeyError, IndexError, ValueError) as error:
                allowed = ", ".join(f"{{{number}}}" for number in _NUMBERS)
                raise ConfigError(f"texts: {name}: {error} in braces. Allowed: {allowed}") from None
        merged[key] = value
    return merged
