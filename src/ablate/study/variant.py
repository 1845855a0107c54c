"""The name of a variant: its difference from the baseline."""

from collections.abc import Iterable, Mapping

from hydra.core.override_parser.overrides_parser import OverridesParser

BASELINE = "baseline"
NOT_VARIED = ("seed", "study", "tracking", "hardware", "scale", "data", "task")
"""Groups and keys that say what all variants of a study have in common, or that change no result."""
_NO_RESULT_SECTIONS = ("study", "tracking", "hardware", "hydra")
_NO_RESULT_KEYS = ("data.root", "data.memory_gib", "data.max_bad_fraction")


def variant_name(overrides: Iterable[str], *, choices: Mapping[str, str], defaults: Mapping[str, str]) -> str:
    """Name a variant by its differences from the defaults, in alphabetical order.

    Args:
        overrides: A job's overrides, as in `optimizer=adadelta`.
        choices: The level chosen in each config group.
        defaults: The default level of each config group.

    Returns:
        For example `optimizer=adadelta,output_res=quarter`, or `baseline` where nothing differs.
    """
    differences = {
        group: level
        for group, level in choices.items()
        if level != defaults.get(group) and _section(group) not in NOT_VARIED
    }
    for override in OverridesParser.create().parse_overrides(list(overrides)):
        key = override.key_or_group
        if key not in choices and key not in NOT_VARIED and _changes_result(key):
            differences[key] = override.get_value_element_as_str()
    return ",".join(f"{key}={differences[key]}" for key in sorted(differences)) or BASELINE


def _changes_result(key: str) -> bool:
    if key == "hardware.precision":
        return True
    return _section(key) not in _NO_RESULT_SECTIONS and key not in _NO_RESULT_KEYS


def _section(key: str) -> str:
    return key.replace("/", ".").split(".")[0]
