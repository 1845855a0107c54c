"""Composing the runs of a sweep: hundreds in seconds, where Hydra by itself takes a tenth of a second for each."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast

from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig

from ablate.config import plain

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
    own overrides. Where two of those change the same key, which happens if a level chooses others in its defaults
    list, Hydra composes the run.

    Args:
        load: Hydra's composition of one list of overrides.
        runs: The overrides of each run.

    Returns:
        Of each run all but the section `hydra`, as plain values, interpolations not yet resolved.
    """
    parser = OverridesParser.create()
    first: dict[str, str] = {}
    base: Values = {}
    alone: dict[str, list[Change]] = {}
    composed: list[Values] = []
    for overrides in runs:
        lines = {line.partition("=")[0]: line for line in overrides if line.partition("=")[0] not in PLAIN}
        if not base:
            first, base = lines, plain(load([*lines.values()]))
        if list(lines) == list(first):
            changed = [line for key, line in lines.items() if line != first[key]]
            for line in changed:
                if line not in alone:
                    key = line.partition("=")[0]
                    alone[line] = list(_changes(base, plain(load([*{**first, key: line}.values()]))))
            changes = [alone[line] for line in changed]
        else:
            changes = []
        apart = list(lines) == list(first) and _are_apart(changes)
        values = _changed(base, [one for some in changes for one in some]) if apart else plain(load([*lines.values()]))
        for override in parser.parse_overrides([line for line in overrides if line.partition("=")[0] in PLAIN]):
            value = override.value()
            text = getattr(value, "text", value)
            values = _changed(values, [(tuple(override.key_or_group.split(".")), text)])
        composed.append(values)
    return composed


def _changes(before: Mapping[str, Any], after: Mapping[str, Any], place: Path = ()) -> Iterator[Change]:
    for key in [*before, *(key for key in after if key not in before)]:
        one, other = before.get(key, _REMOVED), after.get(key, _REMOVED)
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            yield from _changes(one, other, (*place, key))
        elif type(one) is not type(other) or one != other:
            yield (*place, key), other


def _are_apart(changes: Sequence[Sequence[Change]]) -> bool:
    """Say whether no change of one override is at, above or below that of another."""
    seen: set[Path] = set()
    above: set[Path] = set()
    for some in changes:
        places = [place for place, _ in some]
        for place in places:
            if place in above or any(place[:length] in seen for length in range(1, len(place) + 1)):
                return False
        seen.update(places)
        above.update(place[:length] for place in places for length in range(1, len(place)))
    return True


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
