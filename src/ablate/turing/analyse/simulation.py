"""Simulated experiments: how often intervals, comparisons and plans keep what they promise.

An answer fools with a probability whose log odds are the sum of what the algorithm, the participant, the photograph,
and the photograph in that algorithm's colours make of it, all but the first normal. True rates are known, so that the
share of intervals that cover them can be counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import optimize, special

from ablate.statistics.corrections import holm
from ablate.statistics.intervals import ALPHA
from ablate.turing.analyse.answer_sums import sum_answers
from ablate.turing.analyse.power import Components
from ablate.turing.analyse.rates import difference_estimate, rate_interval


@dataclass(frozen=True)
class Deviations:
    """Standard deviations of the log odds by what makes them vary.

    Attributes:
        name: What the table says.
        participants: Of people.
        photographs: Of what a photograph does to all algorithms alike.
        both: Of what it does to each one.
    """

    name: str
    participants: float
    photographs: float
    both: float

    @property
    def total(self) -> float:
        """Of all three together."""
        return float(np.sqrt(self.participants**2 + self.photographs**2 + self.both**2))


DEVIATIONS = (
    Deviations("people alone", 0.6, 0.0, 0.0),
    Deviations("people and photographs", 0.6, 0.6, 0.6),
    Deviations("photographs above all", 0.3, 1.0, 1.0),
)


@dataclass(frozen=True)
class Validity:
    """What was counted.

    Attributes:
        rates: Share of 95 % intervals of rates that cover the true one.
        differences: The same of differences.
        found: Share of experiments that call some difference one.
        others: The same as of rates for what else the design has, see there; NaN where there is nothing.
    """

    rates: float
    differences: float
    found: float
    others: float = float("nan")


def draw_answers(
    deviations: Deviations,
    rates: Sequence[float],
    *,
    participants: int,
    trials: int,
    photographs: int,
    random: np.random.Generator,
) -> pd.DataFrame:
    """Draw an experiment's answers.

    Args:
        deviations: How much each part of the log odds varies.
        rates: (num_algorithms,): true rates, over all people and photographs, 0 to 1.
        participants: Of each algorithm.
        trials: Of each participant, each with another photograph.
        photographs: In the bundle.
        random: Where they are drawn from.

    Returns:
        Columns participant, photograph, algorithm, fooled.
    """
    count = len(rates)
    alike = random.normal(0, deviations.photographs, photographs)
    own = random.normal(0, deviations.both, (count, photographs))
    people = random.normal(0, deviations.participants, (count, participants))
    seen = random.random((count, participants, photographs)).argsort(axis=2)[:, :, :trials]
    algorithm, person, _ = np.indices(seen.shape)
    centre = np.array([mean_log_odds(rate, deviations.total) for rate in rates])
    odds = centre[algorithm] + people[algorithm, person] + alike[seen] + own[algorithm, seen]
    return pd.DataFrame(
        {
            "participant": (algorithm * participants + person).ravel(),
            "photograph": seen.ravel(),
            "algorithm": algorithm.ravel(),
            "fooled": (random.random(seen.shape) < special.expit(odds)).ravel(),
        }
    )


def simulate(
    deviations: Deviations,
    rates: Sequence[float],
    *,
    participants: int,
    trials: int,
    photographs: int,
    experiments: int,
    seed: int,
) -> Validity:
    """Simulate experiments: see `draw_answers`."""
    random = np.random.default_rng(seed)
    of_rates, of_differences, found = 0, 0, 0
    pairs = list(combinations(range(len(rates)), 2))
    for _ in range(experiments):
        drawn = draw_answers(
            deviations, rates, participants=participants, trials=trials, photographs=photographs, random=random
        )
        judged = list(sum_answers(drawn).values())
        for rate, side in zip(rates, judged, strict=True):
            low, high, _ = rate_interval(side)
            of_rates += low <= rate <= high
        estimates = [difference_estimate(judged[a], judged[b]) for a, b in pairs]
        for (a, b), estimate in zip(pairs, estimates, strict=True):
            low, high = estimate.interval()
            of_differences += low <= rates[a] - rates[b] <= high
        found += bool((holm([estimate.p_value for estimate in estimates]) < ALPHA).any())
    return Validity(
        of_rates / experiments / len(rates), of_differences / experiments / max(len(pairs), 1), found / experiments
    )


def components(deviations: Deviations, rate: float, *, own: float = 1.0) -> Components:
    """Return what the log odds' deviations are in percentage points, around a rate: what a plan is made from.

    Args:
        deviations: Of the log odds.
        rate: 0 to 1.
        own: Share of the variance between people that counts: less than 1 where what they do to all algorithms alike
            cancels.
    """
    nodes, weights = normal_nodes()

    def variance(within: float) -> float:
        """Of the mean answer, over what has this deviation of the log odds."""
        rest = np.sqrt(max(deviations.total**2 - within**2, 0.0))
        odds = mean_log_odds(rate, deviations.total) + within * nodes[:, None] + rest * nodes
        return float(weights @ (special.expit(odds) @ weights - rate) ** 2)

    alone = variance(np.hypot(deviations.photographs, deviations.both)) - variance(deviations.photographs)
    people = variance(deviations.participants * np.sqrt(own))
    return Components(100 * rate, 100 * np.sqrt(people), 100 * np.sqrt(max(alone, 0.0)))


@cache
def normal_nodes() -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return nodes and weights of the normal distribution."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(64)
    return nodes, weights / weights.sum()


@cache
def mean_log_odds(rate: float, deviation: float) -> float:
    """Return the mean log odds that give a rate."""
    nodes, weights = normal_nodes()

    def excess(centre: float) -> float:
        return float(weights @ special.expit(centre + deviation * nodes)) - rate

    return float(optimize.brentq(excess, -15, 15))
