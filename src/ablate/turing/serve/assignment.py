"""Random assignment: a participant's algorithm and trials, from the seed and their number. Pure functions."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from types import MappingProxyType
from typing import Literal

import numpy as np

from ablate.errors import DataError
from ablate.turing.bundle import Manifest, Stimulus
from ablate.turing.protocol import Kind
from ablate.turing.serve.designs import Compared, comparisons, deal, picture_of

Side = Literal["left", "right"]
SIDES: tuple[Side, Side] = ("left", "right")
_ASSIGNMENT, _TRIALS, _COMPARED = 0, 1, 2
"""Streams of random numbers, so that one does not depend on how many the other has taken."""
NOTHING_TAKEN: Mapping[Compared, int] = MappingProxyType({})


@dataclass(frozen=True)
class AssignedTrial:
    """A trial before it is shown.

    Attributes:
        kind: Whether it counts.
        photograph: Name of the photograph.
        real: File of the real picture; in a preference design of that of `other`.
        recolored: File of the other one.
        real_side: Where `real` is; empty in a rating design, which shows `recolored` alone.
        algorithm: Whose picture `recolored` is; None where it is that of the algorithm that the participant has.
        other: Whose picture `real` is in a preference design; None for the real one in the others, and in checks.
    """

    kind: Kind
    photograph: str
    real: str
    recolored: str
    real_side: Side | Literal[""]
    algorithm: str | None = None
    other: str | None = None


def assign_algorithm(seed: int, place: int, taken: Sequence[int]) -> int:
    """Draw an algorithm among those that fewest participants have: who drops out is replaced.

    Where nobody drops out these are permuted blocks, and counts differ by one at most.

    Args:
        seed: Of the experiment.
        place: Number of the participant, from 0.
        taken: How many participants have finished or are under way, by algorithm.

    Returns:
        In 0..len(taken) - 1.
    """
    fewest = [number for number, count in enumerate(taken) if count == min(taken)]
    return int(np.random.default_rng([seed, _ASSIGNMENT, place]).choice(fewest))


def photographs_per_kind(manifest: Manifest) -> Mapping[Kind, int]:
    """Return how many photographs each kind of trial has, for one participant.

    Raises:
        DataError: There are too few; `build` makes no such bundle, but did so once.
    """
    counts = Counter(stimulus.photograph for stimulus in manifest.stimuli)
    shares = manifest.protocol.shares(counts.values())
    if shares is None:
        raise DataError(
            f"the bundle {manifest.name} has {len(counts)} photographs, too few for practice, test and checks to "
            "have each their own: build it anew under another name, and `build` says how many it takes"
        )
    return shares


def assign_trials(
    manifest: Manifest,
    *,
    seed: int,
    algorithm: int | None,
    place: int,
    taken: Mapping[Compared, int] = NOTHING_TAKEN,
) -> Sequence[AssignedTrial]:
    """Draw a participant's trials: practice first, then the test with the checks at random places in it.

    Args:
        manifest: Of the experiment's bundle.
        seed: Of the experiment, not of the bundle: who knows it knows the right answers.
        algorithm: Which one the participant sees, as a place in `manifest.algorithms`; None where it is not one alone.
        place: Number of the participant, from 0.
        taken: How many trials of the test participants who have finished or are under way have of each comparison.

    Returns:
        `manifest.protocol.photographs` trials. None shows a crop that another has shown, nor a photograph of which
        one of another kind shows a crop: practice says what is real, and an obvious fake does.

    Raises:
        DataError: There are too few photographs.
    """
    protocol, shares = manifest.protocol, photographs_per_kind(manifest)
    random = np.random.default_rng([seed, _TRIALS, place])
    crops = defaultdict[str, list[Stimulus]](list)
    for stimulus in manifest.stimuli:
        crops[stimulus.photograph].append(stimulus)
    photographs = list(crops.values())
    chosen = [photographs[each] for each in random.choice(len(photographs), sum(shares.values()), replace=False)]
    later = random.permutation(protocol.test + protocol.checks)
    kinds: list[Kind] = ["practice"] * protocol.practice
    kinds += ["test" if each < protocol.test else "check" for each in later]
    sides = random.integers(0, 2, len(kinds))
    shown = {kind: _round_robin(own, random) for kind, own in _distributed(chosen, kinds, shares).items()}
    drawn = []
    pairs: Sequence[Compared | None] = [None] * len(kinds)
    if algorithm is None:
        pairs = deal(comparisons(manifest), kinds, taken, np.random.default_rng([seed, _COMPARED, place]))
    for kind, side, pair in zip(kinds, sides, pairs, strict=True):
        stimulus = next(shown[kind])
        recolored = stimulus.check if kind == "check" or algorithm is None else stimulus.recolored[algorithm]
        real_side: Side | Literal[""] = "" if protocol.is_rating else SIDES[side]
        trial = AssignedTrial(kind, stimulus.photograph, stimulus.real, recolored, real_side)
        drawn.append(trial if pair is None else _comparing(trial, pair, stimulus, manifest))
    return drawn


def _comparing(trial: AssignedTrial, pair: Compared, stimulus: Stimulus, manifest: Manifest) -> AssignedTrial:
    """Return a trial with the pictures that it compares."""
    return replace(
        trial,
        real=stimulus.real if pair.other is None else picture_of(stimulus, pair.other, manifest),
        recolored=picture_of(stimulus, pair.algorithm, manifest),
        algorithm=pair.algorithm,
        other=pair.other,
    )


_Crops = list[Stimulus]
"""Of one photograph."""


def _distributed(
    chosen: Sequence[_Crops], kinds: Sequence[Kind], shares: Mapping[Kind, int]
) -> Mapping[Kind, list[_Crops]]:
    """Give photographs to kinds of trials, in the order of the trials, until each has its share."""
    left, dealt = iter(chosen), {kind: list[_Crops]() for kind in shares}
    for kind in kinds:
        if len(dealt[kind]) < shares[kind]:
            dealt[kind].append(next(left))
    return dealt


def _round_robin(photographs: Sequence[_Crops], random: np.random.Generator) -> Iterator[Stimulus]:
    """Yield one crop of each photograph, then another one of each, and so on."""
    shuffled = [[crops[place] for place in random.permutation(len(crops))] for crops in photographs]
    return (crop for turn in zip_longest(*shuffled) for crop in turn if crop is not None)
