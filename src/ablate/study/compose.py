"""Composing the runs of a sweep: hundreds in seconds, where Hydra by itself takes a tenth of a second for each."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast

from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig

from ablate.config.interpolation import has_hydra_interpolation, resolve, unresolved_values

Load = Callable[[list[str]], DictConfig]
Values = dict[str, Any]
Path = tuple[str, ...]
Change = tuple[Path, Any]

PLAIN = ("seed", "study.name", "study.variant")
"""Keys that no config group depends on, and that differ between most runs."""
_REMOVED = object()


def compose_runs(load: Load, runs: Sequence[Sequence[str]]) -> list[Values]:
    """Compose the configuration of every run of a sweep.

    Each override is composed once, alone, on top of the first run's; a run is the first one with the changes of its
    own overrides. That is exact where each of these changes nothing but its own section or key. Where one does not, as
    a level that sets keys of other sections, where two change the same key, and where a key is given twice, Hydra
    composes the run.

    Args:
        load: Hydra's composition of one list of overrides.
        runs: The overrides of each run.

    Returns:
        Of each run all but the section `hydra`, as plain values; interpolations not yet resolved, unless they speak of
        the run's own job, `${hydra:..}`.
    """
    parser = OverridesParser.create()
    first: dict[str, str] = {}
    base: Values = {}
    alone: dict[str, list[Change]] = {}
    composed: list[Values] = []
    for overrides in runs:
        keys = [_key(line) for line in overrides]
        if len(set(keys)) < len(keys) or "study" in keys:
            composed.append(unresolved_values(load([*overrides])))
            continue
        lines = {key: line for key, line in zip(keys, overrides, strict=True) if not _is_plain(line)}
        if not base:
            first, base = lines, unresolved_values(load([*lines.values()]))
        values = None
        if list(lines) == list(first):
            changed = {key: line for key, line in lines.items() if line != first[key]}
            for key, line in changed.items():
                if line not in alone:
                    alone[line] = list(_changes(base, unresolved_values(load([*{**first, key: line}.values()]))))
            if _are_apart({key: alone[line] for key, line in changed.items()}):
                values = _changed(base, [change for line in changed.values() for change in alone[line]])
        if values is None:
            values = unresolved_values(load([*lines.values()]))
        for override in parser.parse_overrides([line for line in overrides if _is_plain(line)]):
            value = override.value()
            values = _changed(values, [(tuple(override.key_or_group.split(".")), getattr(value, "text", value))])
        composed.append(values)
    return [
        resolve(load([*overrides])) if has_hydra_interpolation(values) else values
        for overrides, values in zip(runs, composed, strict=True)
    ]


def _key(line: str) -> str:
    return line.partition("=")[0].lstrip("+~").replace("/", ".")


def _is_plain(line: str) -> bool:
    # Whether there is something to add or to take away, only Hydra knows.
    return line.partition("=")[0].removeprefix("++") in PLAIN


def _changes(before: Mapping[str, Any], after: Mapping[str, Any], place: Path = ()) -> Iterator[Change]:
    for key in [*before, *(key for key in after if key not in before)]:
        one, other = before.get(key, _REMOVED), after.get(key, _REMOVED)
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            yield from _changes(one, other, (*place, key))
        elif repr(one) != repr(other):  # 1, 1.0 and True are equal, in lists too
            yield (*place, key), other


def _are_apart(changes: Mapping[str, Sequence[Change]]) -> bool:
    """Say whether overrides, by key, change only what is theirs, and none the same as another or a part of it."""
    if len(changes) < 2:
        return True
    owns = [tuple(key.split(".")) for key in changes]
    if any(one[: len(other)] == other for one in owns for other in owns if one is not other):
        return False
    return all(place[: len(own)] == own for own, some in zip(owns, changes.values(), strict=True) for place, _ in some)


def _changed(values: Mapping[str, Any], changes: Sequence[Change]) -> Values:
    """Return values with changes; what does not change is shared."""
    result = dict(values)
    for (key, *rest), value in changes:
        if rest:
            result[key] = _changed(cast(Mapping[str, Any], result.get(key, {})), [(tuple(rest), value)])
        elif value is _REMOVED:
            result.pop(key, None)
        else:
            result[key] = value
    return result
