"""Designs: the variants of a study, from its factors. Pure functions."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ablate.config.level import same_level

Design = Literal["one_at_a_time", "full_factorial", "fractional_factorial", "list"]
Levels = Mapping[str, Any]
Signs = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Expansion:
    """The variants of a design, in order; the baseline comes first where it is one of them.

    Attributes:
        variants: The level of each factor.
        aliases: Lines of aliased effects of a fractional design.
    """

    variants: list[dict[str, Any]]
    aliases: tuple[str, ...] = ()


def expand(design: Design, factors: Mapping[str, Sequence[Any]], baseline: Levels, resolution: int = 5) -> Expansion:
    """Expand factors to variants.

    Args:
        design: `one_at_a_time`: the baseline, and every other level of every factor alone, as in the ablation table
            of a paper. `full_factorial`: every combination. `fractional_factorial`: of factors with two levels each,
            the fraction of the combinations in which effects of a low order are not aliased. `list`: the baseline;
            a study adds the variants of its list.
        factors: The levels of each factor.
        baseline: One level of each.
        resolution: Of the fractional design. At 3, main effects are not aliased with each other; at 4, nor with
            two-way interactions; at 5, nor are those with each other (Box, Hunter and Hunter 2005, chapter 6).

    Returns:
        The variants.

    Raises:
        ValueError: A factor of a fractional design has other than two levels, or there are too few factors.
    """
    if design == "list":
        return Expansion([dict(baseline)])
    if design == "one_at_a_time":
        others = [
            {**baseline, factor: level}
            for factor, levels in factors.items()
            for level in levels
            if not same_level(level, baseline[factor])
        ]
        return Expansion([dict(baseline), *others])
    # The baseline's level of every factor comes first, so that the baseline is the first combination.
    ordered = {
        factor: [baseline[factor], *(level for level in levels if not same_level(level, baseline[factor]))]
        for factor, levels in factors.items()
    }
    if design == "full_factorial":
        return Expansion([dict(zip(ordered, levels, strict=True)) for levels in product(*ordered.values())])
    return _fractional(ordered, resolution)


def _fractional(factors: Mapping[str, Sequence[Any]], resolution: int) -> Expansion:
    from pyDOE3 import fracfact_aliasing  # a second to import, for this design alone

    others = [f"{factor} has {len(levels)}" for factor, levels in factors.items() if len(levels) != 2]
    if others:
        raise ValueError(f"a fractional_factorial design needs factors of two levels each; {', '.join(others)}")
    if not 3 <= resolution <= len(factors):
        raise ValueError(
            f"resolution must lie in 3..{len(factors)}, the number of factors. Received: resolution={resolution}"
        )
    signs = _fraction(len(factors), resolution)
    # The mirror image of the fraction that contains the baseline.
    mirrored = signs * signs[0]
    variants = [
        {factor: levels[0 if sign == 1 else 1] for (factor, levels), sign in zip(factors.items(), row, strict=True)}
        for row in mirrored
    ]
    aliases, _ = fracfact_aliasing(mirrored.astype(float))
    return Expansion(variants, tuple(_alias_line(line, list(factors)) for line in aliases if "=" in line))


def _fraction(count: int, resolution: int) -> Signs:
    """Return the smallest fraction with a resolution, one column a factor: -1 or 1. The full factorial has any."""
    from pyDOE3 import ff2n, fracfact, fracfact_opt

    # Of n basic factors there are 2^n - 1 products for the others to follow.
    for erased in range(count - math.ceil(math.log2(count + 1)), 0, -1):
        signs = np.asarray(fracfact(fracfact_opt(count, erased)[0]), dtype=np.int64)
        if shortest_word(signs) >= resolution:
            return signs
    return np.asarray(ff2n(count), dtype=np.int64)


def shortest_word(signs: Signs) -> int:
    """Return the resolution of a two-level design: the fewest factors whose product is constant over all runs.

    Args:
        signs: (num_runs, num_factors), -1 or 1.

    Returns:
        That number; for a full factorial, the number of factors plus one.
    """
    count = int(signs.shape[1])
    for length in range(1, count + 1):
        for word in combinations(range(count), length):
            if len(set(signs[:, word].prod(axis=1).tolist())) == 1:
                return length
    return count + 1


def _alias_line(line: str, factors: Sequence[str]) -> str:
    """Write an alias chain of pyDOE3, as in `ab = cde`, with the names of the factors."""
    effects = [effect.strip() for effect in line.split("=")]
    return " = ".join(" × ".join(factors[ord(letter) - ord("a")] for letter in effect) for effect in effects)
