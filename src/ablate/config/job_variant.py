"""The variant of a Hydra job: its differences from the defaults."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser

from ablate.config.hydra_job import chosen_levels, compose_levels_only, is_level_choice, job_overrides
from ablate.config.level import level_text, same_level
from ablate.config.result_keys import NOT_VARIED, changes_result, is_varied_group
from ablate.config.validation import ValidConfig
from ablate.config.variant import Variant

_ABSENT = object()


def variant_of_job(config: ValidConfig) -> Variant:
    """Return the variant of the current Hydra job: as its study names it, or by its differences from the defaults.

    Args:
        config: The job's configuration.
    """
    name = config.run.study.variant
    if name is not None:
        return Variant.parse(name)
    return variant_of_overrides(
        job_overrides(),
        choices=chosen_levels(),
        defaults=compose_levels_only(NOT_VARIED)[0],
        values=config.values,
        reference=compose_levels_only()[1],
        no_result_keys=getattr(config.task, "no_result_keys", ()),
    )


def factors_of_job(config: ValidConfig) -> dict[str, str]:
    """Return the level of each factor that the current Hydra job may be compared by, as `level_text` writes it.

    These are the varied config groups, and the keys that its command sets: in an ad-hoc sweep nothing else can vary.

    Args:
        config: The job's configuration.
    """
    choices = chosen_levels()
    factors = {group: level_text(level) for group, level in choices.items() if is_varied_group(group)}
    for override in OverridesParser.create().parse_overrides(job_overrides()):
        key = override.key_or_group
        if is_level_choice(override, choices):
            continue
        for name, value in _flatten(key, _select(config.values, key)):
            if changes_result(name, getattr(config.task, "no_result_keys", ())):
                factors[name] = "absent" if value is _ABSENT else level_text(value)
    return factors


def variant_of_overrides(
    overrides: Iterable[str],
    *,
    choices: Mapping[str, str],
    defaults: Mapping[str, str],
    values: Mapping[str, Any],
    reference: Mapping[str, Any],
    no_result_keys: Collection[str] = (),
) -> Variant:
    """Return the variant that a job's overrides make of the defaults.

    Args:
        overrides: As in `optimizer=adadelta`.
        choices: The level chosen in each config group.
        defaults: The default level of each config group.
        values: The job's configuration, resolved.
        reference: The configuration of its levels alone, without overrides of keys: setting a key to the value that it
            has there makes no difference.
        no_result_keys: See `result_keys.changes_result`.

    Returns:
        For example `optimizer=adadelta,output_res=quarter`; the baseline where nothing differs.
    """
    differences = {
        group: level_text(level)
        for group, level in choices.items()
        if level != defaults.get(group) and is_varied_group(group)
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
            if changes_result(name, no_result_keys) and not same_level(one, other):
                differences[name] = "absent" if one is _ABSENT else level_text(one)
    return Variant.from_texts(differences)


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
