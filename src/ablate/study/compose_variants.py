"""Composition of a sweep's variants from few compositions of Hydra, section by section.

A level that is one plain file, and a value, change the section that they are named after and no other. A section of a
variant is then the one that Hydra composed for another variant with the same overrides of it. All other overrides are
the context, as levels that write elsewhere or choose other levels: variants share sections within one. Where Hydra's
compositions contradict this, it composes each variant.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, OverrideType
from omegaconf import DictConfig

from ablate.config.hydra_job import current_hydra_job, job_config_loader, unresolved_values

Load = Callable[[list[str]], DictConfig]
Values = dict[str, Any]
Lines = tuple[str, ...]
_ABSENT = object()


def compose_variants(load: Load, variants: Sequence[Lines]) -> list[Values]:
    """Compose variants, each as Hydra does.

    Args:
        load: Hydra's composition of one list of overrides.
        variants: The overrides of each, all different.

    Returns:
        The values of each without the section `hydra`, interpolations unresolved. Variants may share sections: they
        must not be changed.
    """
    if not variants:
        return []
    composition = _Composition(load, variants[0])
    while waiting := [lines for lines in variants if composition.unknown(lines)]:
        # One that has many new sections spares compositions of those that have few.
        composition.record(max(waiting, key=lambda lines: len(composition.unknown(lines))))
    assembled = [lines for lines in variants if lines not in composition.whole]
    # The last one is composed to see that all of this holds.
    if assembled:
        last = assembled[-1]
        composition.consistent &= _same(composition.assemble(last), composition.compose_whole(last))
    if composition.consistent:
        return [composition.assemble(lines) for lines in variants]
    return [composition.compose_whole(lines) for lines in variants]


@dataclass
class _Context:
    """What Hydra composed in one context.

    Attributes:
        sections: The sections, by name and overrides.
        names: Their names.
        levels: The levels of groups of which no override chose one.
    """

    sections: dict[tuple[str, Lines], Any] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    levels: dict[str, Any] = field(default_factory=dict)


class _Composition:
    """Variants, composed by Hydra where a section of theirs is new.

    Attributes:
        whole: The variants that Hydra has composed.
        consistent: Whether Hydra's compositions agree wherever they should.
    """

    def __init__(self, load: Load, first: Lines):
        self.whole: dict[Lines, Values] = {}
        self.consistent = True
        self._load = load
        self._parser = OverridesParser.create()
        self._contexts: dict[Lines, _Context] = {}
        self._section_of: dict[str, str | None] = {}
        self._chosen: dict[str, str] = {}
        config = self._compose(first)
        with current_hydra_job(config):
            self._repository = job_config_loader().repository
        self._groups = frozenset(config.hydra.runtime.choices)
        self._keep(first, config)

    def compose_whole(self, lines: Lines) -> Values:
        """Let Hydra compose a variant."""
        if lines not in self.whole:
            self._compose(lines)
        return self.whole[lines]

    def unknown(self, lines: Lines) -> list[str]:
        """Return the sections of a variant that were not composed yet; all of its own where its context is new."""
        if lines in self.whole:
            return []
        own, context = self._split(lines)
        new = [name for name in context.names | own.keys() if (name, own.get(name, ())) not in context.sections]
        return new if context.names else [*new, ""]

    def record(self, lines: Lines) -> None:
        """Let Hydra compose a variant, and keep its sections."""
        self._keep(lines, self._compose(lines))

    def assemble(self, lines: Lines) -> Values:
        """Return a variant of known sections, or as Hydra has composed it."""
        if lines in self.whole:
            return self.whole[lines]
        own, context = self._split(lines)
        found = {name: context.sections[name, own.get(name, ())] for name in context.names | own.keys()}
        return {name: section for name, section in found.items() if section is not _ABSENT}

    def _compose(self, lines: Lines) -> DictConfig:
        config = self._load([*lines])
        self.whole[lines] = unresolved_values(config)
        return config

    def _keep(self, lines: Lines, config: DictConfig) -> None:
        """Keep the sections of a variant, and compare them with those that should be the same."""
        own, context = self._split(lines)
        values = self.whole[lines]
        context.names |= values.keys() | own.keys()
        for name in context.names:
            section = values.get(name, _ABSENT)
            self.consistent &= _same(context.sections.setdefault((name, own.get(name, ())), section), section)
        chosen = {self._chosen.get(line) for line in lines}
        for group, level in config.hydra.runtime.choices.items():
            self.consistent &= group in chosen or context.levels.setdefault(group, level) == level

    def _split(self, lines: Lines) -> tuple[dict[str, Lines], _Context]:
        """Return the overrides of each section, and the context that the others make."""
        own, others = dict[str, Lines](), list[str]()
        for line in lines:
            if line not in self._section_of:
                self._section_of[line] = self._section(line)
            section = self._section_of[line]
            if section is None:
                others.append(line)
            else:
                own[section] = (*own.get(section, ()), line)
        return own, self._contexts.setdefault(tuple(others), _Context())

    def _section(self, line: str) -> str | None:
        """Return the section that an override changes; None where that may be any."""
        (override,) = self._parser.parse_overrides([line])
        key = override.key_or_group
        section = re.split("[./]", key)[0]
        if section == "hydra" or override.package is not None:
            return None
        if not self._repository.group_exists(key) or isinstance(override.value(), dict):
            return section
        self._chosen[line] = key
        return section if key in self._groups and self._is_plain(override) else None

    def _is_plain(self, override: Override) -> bool:
        """Tell whether an override chooses a level that is one file without a package or other levels of its own."""
        level = override.value()
        if override.type != OverrideType.CHANGE or not isinstance(level, str):
            return False
        found = self._repository.load_config(f"{override.key_or_group}/{level}")
        return found is not None and found.header.get("package") is None and not found.defaults_list


def _same(one: Any, other: Any) -> bool:
    # 1, 1.0 and true are not.
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    return repr(one) == repr(other)
