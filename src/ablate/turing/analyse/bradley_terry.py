"""Bradley and Terry's model of paired comparisons. Pure functions on arrays.

Algorithm i is preferred to algorithm j with the probability 1 / (1 + exp(-(s[i] - s[j]))): each has a strength s, and
the strengths have the mean 0 (Bradley and Terry 1952, doi:10.2307/2334029). They are estimated with Firth's penalty
(1993, doi:10.1093/biomet/80.1.27), which takes the bias of the first order away, and leaves them finite where one
algorithm was preferred always.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

Array = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]

_STEPS, _TOLERANCE = 100, 1e-9
_LONGEST = 1.0
"""Of a step, in log odds."""


@dataclass(frozen=True)
class Strengths:
    """Estimated strengths.

    Attributes:
        values: (num_algorithms,): log odds; their mean is 0.
        covariance: (num_algorithms, num_algorithms): of independent trials, the pseudo-inverse of the information.
    """

    values: Array
    covariance: Array


def fit_strengths(first: Codes, second: Codes, won: Array, trials: Array, *, algorithms: int) -> Strengths:
    """Estimate strengths from what pairs of algorithms were compared how often.

    Args:
        first: (num_pairs,): an algorithm of each pair, 0 to algorithms - 1.
        second: (num_pairs,): the other one.
        won: (num_pairs,): in how many trials the first one was preferred.
        trials: (num_pairs,): of how many.
        algorithms: How many there are, all connected: see `is_connected`.
    """
    rows = np.arange(len(first))
    design = np.zeros((len(first), algorithms))
    design[rows, first], design[rows, second] = 1, -1
    values = np.zeros(algorithms)
    for _ in range(_STEPS):
        chance, covariance = _state(design, trials, values)
        weights = chance * (1 - chance)
        leverage = trials * weights * np.einsum("pa,ab,pb->p", design, covariance, design)
        step = covariance @ (design.T @ (won - trials * chance + leverage * (0.5 - chance)))
        longest = float(np.abs(step).max(initial=0.0))
        values = values + step * min(1.0, _LONGEST / max(longest, _LONGEST))
        if longest < _TOLERANCE:
            break
    return Strengths(values - values.mean(), _state(design, trials, values)[1])


def _state(design: Array, trials: Array, values: Array) -> tuple[Array, Array]:
    """Return the first ones' probabilities, and the covariance of independent trials."""
    chance = special.expit(design @ values)
    information = design.T @ (design * (trials * chance * (1 - chance))[:, None])
    # Its null space is that of equal strengths: filled to be inverted, and emptied again.
    count = len(values)
    level, equal = float(np.trace(information)) / count, np.full((count, count), 1 / count)
    return chance, np.linalg.inv(information + level * equal) - equal / level


def is_connected(first: Codes, second: Codes, *, algorithms: int) -> bool:
    """Say whether each algorithm was compared with each other one, directly or by way of others."""
    reached = np.arange(algorithms) == 0
    for _ in range(algorithms):
        reached[second[reached[first]]] = True
        reached[first[reached[second]]] = True
    return bool(reached.all())
