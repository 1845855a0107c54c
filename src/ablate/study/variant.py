"""The name of a variant: its difference from the baseline."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser

BASELINE = "baseline"
NOT_VARIED = ("seed", "study", "experiment", "tracking", "checkpoint", "rerun", "hardware", "scale", "data", "task")
"""Groups and keys that say what all variants of a study have in common, or that change no result."""
_NO_RESULT_SECTIONS = ("study", "tracking", "checkpoint", "rerun", "hydra")
_NO_RESULT_KEYS = (
    "data.root", "data.memory_gib", "data.max_bad_fraction", "evaluation.samples", "evaluation.batch_size",
    "training.log_points", "hardware.onednn", "hardware.threads", "hardware.devices", "hardware.compile",
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
        group: level
        for group, level in choices.items()
        if level != defaults.get(group) and _section(group) not in NOT_VARIED
    }
    for override in OverridesParser.create().parse_overrides(list(overrides)):
        key = override.key_or_group
        if key in choices or key in NOT_VARIED:
            continue
        now, before = (dict(_flatten(key, _select(config, key))) for config in (values, reference))
        for name in sorted({*now, *before}):
            if _changes_result(name) and now.get(name, _ABSENT) != before.get(name, _ABSENT):
                differences[name] = str(now.get(name, _ABSENT))
    return ",".join(f"{key}={differences[key]}" for key in sorted(differences)) or BASELINE


_ABSENT = "absent"


def _select(config: Mapping[str, Any], key: str) -> Any:
    node: Any = config
    for part in key.split("."):
        if not isinstance(node, Mapping) or part not in node:
            return _ABSENT
        node = node[part]
    return node


def _flatten(key: str, value: Any) -> Iterator[tuple[str, Any]]:
    if not isinstance(value, Mapping):
        yield key, value
        return
    for name, child in value.items():
        yield from _flatten(f"{key}.{name}", child)


def _changes_result(key: str) -> bool:
    return _section(key) not in _NO_RESULT_SECTIONS and key not in _NO_RESULT_KEYS


def _section(key: str) -> str:
    return key.replace("/", ".").split(".")[0]
