"""The name of a variant: its difference from the baseline."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser

from ablate.config.levels import is_level_choice
from ablate.config.short_names import shorten_for_store

BASELINE = "baseline"
NOT_VARIED = ("seed", "study", "experiment", "tracking", "checkpoint", "rerun", "hardware", "scale", "data", "task")
"""Groups and keys that say what all variants of a study have in common, or that change no result."""
_NO_RESULT_SECTIONS = ("study", "tracking", "checkpoint", "rerun", "hydra")
_NO_RESULT_KEYS = (
    "seed", "experiment", "data.root", "data.memory_gib", "data.max_bad_fraction", "evaluation.samples",
    "evaluation.batch_size", "training.log_points", "hardware.onednn", "hardware.threads", "hardware.devices",
    "hardware.compile",
)  # fmt: skip


def variant_name(
    overrides: Iterable[str],
    *,
    choices: Mapping[str, str],
    defaults: Mapping[str, str],
    values: Mapping[str, Any],
    reference: Mapping[str, Any],
) -> str:
    """Name a variant by its differences from the defaults, in alphabetical order.

    Args:
        overrides: A job's overrides, as in `optimizer=adadelta`.
        choices: The level chosen in each config group.
        defaults: The default level of each config group.
        values: The job's configuration, resolved.
        reference: That of its levels alone, without overrides of keys: a key that is set to what it is anyway makes
            no difference.

    Returns:
        For example `optimizer=adadelta,output_res=quarter`, or `baseline` where nothing differs.
    """
    differences = {
        group: level_text(level)
        for group, level in choices.items()
        if level != defaults.get(group) and group not in NOT_VARIED and _section(group) not in _NO_RESULT_SECTIONS
    }
    for override in OverridesParser.create().parse_overrides(list(overrides)):
        if is_level_choice(override, choices):
            continue
        key = override.key_or_group
        now, before = (dict(_flatten(key, _select(config, key))) for config in (values, reference))
        if now == before == {key: _ABSENT} and key not in NOT_VARIED:
            # Several levels of a group at once, which Hydra does not count among the chosen ones.
            now = {key: override.value()}
        for name in sorted({*now, *before}):
            one, other = now.get(name, _ABSENT), before.get(name, _ABSENT)
            if changes_result(name) and not same_level(one, other):
                differences[name] = "absent" if one is _ABSENT else level_text(one)
    return named(differences)


def named(differences: Mapping[str, str]) -> str:
    """Return the name of a variant that differs so from the baseline; one that no store could hold ends in a hash."""
    return shorten_for_store(",".join(f"{key}={differences[key]}" for key in sorted(differences))) or BASELINE


def level_text(value: Any) -> str:
    """Write a level or a value as it stands in a variant's name, such that different ones never look the same.

    A text that looks like something else, or that a name could not be taken apart around, stands in quotes.
    """
    if isinstance(value, str) and (value in _NO_TEXT or not _UNQUOTED.fullmatch(value) or _is_number(value)):
        return repr(value)
    return str(value)


def same_level(one: Any, other: Any) -> bool:
    """Say whether two levels or values are one: 1 and 1.0 are, 1 and true or "1" are not."""
    return bool(_typed(one) == _typed(other))


def differences_of(name: str) -> list[str]:
    """Take a variant's name apart: its differences from the baseline, each as in `depth=reduced`."""
    if name == BASELINE:
        return []
    return _DIFFERENCE.findall(name)


def changes_result(key: str) -> bool:
    """Say whether a key of the configuration has a part in what a run measures."""
    return _section(key) not in _NO_RESULT_SECTIONS and key not in _NO_RESULT_KEYS


_ABSENT = object()
_NO_TEXT = ("None", "True", "False", "absent")
_UNQUOTED = re.compile(r"""(?![\s\[{])[^,='"\x00-\x1f\x7f]+(?<!\s)""")
_DIFFERENCE = re.compile(r"""(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^,]|,(?![\w./@-]+=))+""")
"""Up to a comma that a key follows; what is in quotes holds none."""


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _typed(value: Any) -> Any:
    # In lists too.
    if isinstance(value, list):
        return [_typed(each) for each in value]
    if isinstance(value, Mapping):
        return {key: _typed(each) for key, each in value.items()}
    return ("switch", value) if isinstance(value, bool) else value


def _select(config: Mapping[str, Any], key: str) -> Any:
    node: Any = config
    for part in key.split("."):
        if not isinstance(node, Mapping) or part not in node:
            return _ABSENT
        node = node[part]
    return node


def _flatten(key: str, value: Any) -> Iterator[tuple[str, Any]]:
    if not isinstance(value, Mapping) or not value:
        yield key, value
        return
    for name, child in value.items():
        yield from _flatten(f"{key}.{name}", child)


def _section(key: str) -> str:
    return key.replace("/", ".").split(".")[0]
