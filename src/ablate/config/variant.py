"""Variants: one choice of levels each, known by its differences from the baseline."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ablate.config.level import level_text, same_level
from ablate.config.short_names import shorten, shorten_for_store

BASELINE = "baseline"
"""Name of the variant without differences."""
_DIFFERENCE = re.compile(r"""(?:^,)?(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^,]|,(?![\w./@-]+=))+""")
"""Up to a comma that a key follows; what is in quotes holds none."""


@dataclass(frozen=True)
class Variant:
    """One choice of levels.

    Attributes:
        differences: From the baseline, each as in `depth=reduced`, in alphabetical order of the keys. A variant that a
            user has named holds that name instead.

    Example:
        >>> Variant.from_levels({"depth": "reduced", "dropout": "none"}, {"depth": "full", "dropout": "none"}).name
        'depth=reduced'
        >>> Variant.parse("depth=reduced,dropout.rate=0.2").differences
        ('depth=reduced', 'dropout.rate=0.2')
    """

    differences: tuple[str, ...] = ()

    @classmethod
    def from_texts(cls, differences: Mapping[str, str]) -> Variant:
        """Return the variant with these levels, by key, each as `level_text` writes it."""
        return cls(tuple(f"{key}={differences[key]}" for key in sorted(differences)))

    @classmethod
    def from_levels(cls, levels: Mapping[str, Any], baseline: Mapping[str, Any]) -> Variant:
        """Return the variant with these levels.

        Args:
            levels: One of every factor.
            baseline: The baseline's level of every factor.
        """
        return cls.from_texts(
            {key: level_text(level) for key, level in levels.items() if not same_level(level, baseline[key])}
        )

    @classmethod
    def parse(cls, name: str) -> Variant:
        """Return the variant of a name."""
        return cls() if name == BASELINE else cls(tuple(_DIFFERENCE.findall(name)))

    @property
    def name(self) -> str:
        """Its name: the differences, or `baseline`. One that is too long for the store ends in a hash."""
        return shorten_for_store(",".join(self.differences)) or BASELINE

    @property
    def short_name(self) -> str:
        """Its name, shortened for people where it is long."""
        return shorten(self.name)

    def run_name(self, seed: int | str) -> str:
        """Return the name of its run with a seed, shortened for people."""
        return f"{self.short_name} seed={seed}"
