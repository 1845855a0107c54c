"""What a participant is shown: drawn from the experiment's seed and the participant's number. Pure functions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ablate.turing.bundle import Manifest

Kind = Literal["practice", "test", "check"]
Side = Literal["left", "right"]
SIDES: tuple[Side, Side] = ("left", "right")
_ASSIGNMENT, _TRIALS = 0, 1
"""Streams of random numbers, so that one does not depend on how many the other has taken."""


@dataclass(frozen=True)
class Drawn:
    """A trial before it is shown.

    Attributes:
        kind: Whether it counts.
        photograph: Name of the photograph.
        real: File of the real picture.
        recolored: File of the other one.
        real_side: Where the real one is.
    """

    kind: Kind
    photograph: str
    real: str
    recolored: str
    real_side: Side


def assigned(seed: int, place: int, algorithms: int) -> int:
    """Return which algorithm the n-th participant sees: permuted blocks, so that counts differ by one at most.

    Args:
        seed: Of the experiment.
        place: Number of the participant, from 0.
        algorithms: How many there are.

    Returns:
        In 0..algorithms - 1.
    """
    block, within = divmod(place, algorithms)
    return int(np.random.default_rng([seed, _ASSIGNMENT, block]).permutation(algorithms)[within])


def draw_trials(manifest: Manifest, *, seed: int, algorithm: int, place: int) -> Sequence[Drawn]:
    """Draw a participant's trials: practice first, then the test with the checks at random places in it.

    Args:
        manifest: Of the experiment's bundle.
        seed: Of the experiment, not of the bundle: who knows it knows the right answers.
        algorithm: Which one the participant sees, as a place in `manifest.algorithms`.
        place: Number of the participant, from 0.

    Returns:
        `manifest.protocol.photographs` trials; none shows what another has shown.
    """
    protocol = manifest.protocol
    random = np.random.default_rng([seed, _TRIALS, place])
    chosen = random.choice(len(manifest.stimuli), protocol.photographs, replace=False)
    test, checks, practice = protocol.test, protocol.checks, protocol.practice
    later = random.permutation(test + checks)
    kinds: list[Kind] = ["practice"] * practice
    kinds += ["test" if each < test else "check" for each in later]
    sides = random.integers(0, 2, len(kinds))
    drawn = []
    for kind, number, side in zip(kinds, chosen, sides, strict=True):
        stimulus = manifest.stimuli[number]
        recolored = stimulus.check if kind == "check" else stimulus.recolored[algorithm]
        drawn.append(Drawn(kind, stimulus.photograph, stimulus.real, recolored, SIDES[side]))
    return drawn
