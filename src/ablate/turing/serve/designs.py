"""The pictures of a participant's trials, by the design of the experiment. Pure functions.

Where a participant judges several algorithms, or pairs of them, these are dealt: each gets as many trials as another,
and what is left over goes to those that have fewest trials of participants who have finished or are under way.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from ablate.turing.bundle import Manifest, Stimulus
from ablate.turing.protocol import REAL, Kind


@dataclass(frozen=True)
class Compared:
    """What a trial compares.

    Attributes:
        algorithm: Whose picture is shown.
        other: Whose picture is beside it in a preference design; None where that is the real one, as in the others, or
            where there is none, as in a rating design.
    """

    algorithm: str
    other: str | None = None


def comparisons(manifest: Manifest) -> list[Compared]:
    """Return all that trials of an experiment compare; a pair of algorithms has one order, whatever the sides are."""
    if manifest.protocol.design != "preference":
        return [Compared(name) for name in manifest.compared]
    return [Compared(first, second) for first, second in combinations(manifest.compared, 2)]


def deal(
    units: Sequence[Compared], kinds: Sequence[Kind], taken: Mapping[Compared, int], random: np.random.Generator
) -> list[Compared | None]:
    """Deal what is compared to a participant's trials.

    Args:
        units: All there are.
        kinds: Of the trials, in their order.
        taken: How many trials of the test each has of other participants; none where it is not named.
        random: Where the order is drawn from.

    Returns:
        For each trial what it compares; None for a check, which shows an obvious fake.
    """
    dealt: dict[Kind, list[Compared]] = {
        "test": _evenly(units, kinds.count("test"), taken, random),
        "practice": _evenly(units, kinds.count("practice"), {}, random),
    }
    return [dealt[kind].pop() if kind in dealt else None for kind in kinds]


def _evenly(
    units: Sequence[Compared], count: int, taken: Mapping[Compared, int], random: np.random.Generator
) -> list[Compared]:
    each, left = divmod(count, len(units))
    # Of those that have as few, chance decides.
    shuffled = [units[place] for place in random.permutation(len(units))]
    fewest = sorted(shuffled, key=lambda unit: taken.get(unit, 0))[:left]
    hand = [*(unit for unit in units for _ in range(each)), *fewest]
    return [hand[place] for place in random.permutation(count)]


def picture_of(stimulus: Stimulus, name: str, manifest: Manifest) -> str:
    """Return the file of what an algorithm, or `REAL`, makes of a crop."""
    if name == REAL and manifest.protocol.with_real:
        return stimulus.real
    return stimulus.recolored[[algorithm.name for algorithm in manifest.algorithms].index(name)]
