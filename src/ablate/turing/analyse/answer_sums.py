"""The answers about an algorithm as sums, from which rates and variances follow. Pure functions on arrays."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

Array = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class AnswerSums:
    """The answers about one algorithm, as sums.

    Attributes:
        trials: Their number n.
        participants: Who gave them.
        rate: Share of trials that fooled, 0 to 1.
        photographs: How many were shown.
        shown: (num_photographs,): in how many trials each one was, of all photographs of the experiment.
        excess: (num_photographs,): how many of them fooled beyond the rate.
        of_participants: Variance of the rate from participants and chance: see `rate_estimate`; NaN with one.
        seed_variance: Estimated variance of S; it may be below 0, and is NaN with one participant.
        example_variance: Of P; NaN where no photograph was shown twice, or only one was.
        together: Pairs of trials of one photograph with two participants, over n^2, times s / (s - 1).
    """

    trials: int
    participants: int
    rate: float
    photographs: int
    shown: Array
    excess: Array
    of_participants: float
    seed_variance: float
    example_variance: float
    together: float

    @property
    def shrunk(self) -> float:
        """The rate with half a trial that fooled and half a one that did not: never 0 or 1."""
        return (self.trials * self.rate + 0.5) / (self.trials + 1)


def sum_answers(trials: pd.DataFrame) -> dict[str, AnswerSums]:
    """Sum up the answers about each algorithm, by its name, in their order.

    Args:
        trials: See `rates`.
    """
    algorithm, algorithms = pd.factorize(trials["algorithm"])
    seen, photographs = pd.factorize(trials["photograph"])
    people, fooled = pd.factorize(trials["participant"])[0], trials["fooled"].to_numpy(np.float64)
    return {
        str(name): sums_of_algorithm(people[own], seen[own], fooled[own], photographs=len(photographs))
        for place, name in enumerate(algorithms)
        for own in [algorithm == place]
    }


def sums_of_algorithm(people: Codes, seen: Codes, fooled: Array, *, photographs: int) -> AnswerSums:
    """Sum up the answers about one algorithm.

    Args:
        people: (num_trials,): who gave the answer, a number each.
        seen: (num_trials,): of which photograph, 0 to photographs - 1.
        fooled: (num_trials,): 0 or 1.
        photographs: How many the experiment has.
    """
    names, people = np.unique(people, return_inverse=True)
    cells = np.unique(people * photographs + seen, return_inverse=True)[1]
    count, participants, rate = len(fooled), len(names), float(fooled.mean())
    deviations = fooled - rate
    of_people = np.bincount(people, deviations)
    shown = np.bincount(seen, minlength=photographs).astype(np.float64)
    everywhere, one_person, one_photograph, one_cell = (
        _pairs(group, fooled) for group in (np.zeros(count, np.int64), people, seen, cells)
    )
    neither = everywhere - one_person - one_photograph + one_cell
    two_people, two_photographs = one_photograph - one_cell, one_person - one_cell
    several = participants / (participants - 1) if participants > 1 else np.nan
    return AnswerSums(
        trials=count,
        participants=participants,
        rate=rate,
        photographs=int(np.count_nonzero(shown)),
        shown=shown,
        excess=np.bincount(seen, deviations, minlength=photographs).astype(np.float64),
        of_participants=several * float(of_people @ of_people) / count**2,
        seed_variance=_half_square(neither) - _half_square(two_photographs),
        example_variance=_half_square(neither) - _half_square(two_people),
        together=several * float(two_people[1]) / count**2,
    )


def _pairs(groups: Codes, values: Array) -> Array:
    """Return, over ordered pairs within groups, the sum of half their squared differences, and their number."""
    count, total, squares = (np.bincount(groups, weights) for weights in (np.ones_like(values), values, values**2))
    return np.array([float((count * squares - total**2).sum()), float((count**2 - count).sum())])


def _half_square(pairs: Array) -> float:
    return float(pairs[0] / pairs[1]) if pairs[1] else np.nan
