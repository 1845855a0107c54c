"""Simulated experiments of a rating design: see `simulation_designs`.

A rating is the whole number, on the scale, that lies next to the sum of what the algorithm, the participant, the
participant with that algorithm, the photograph, the photograph in that algorithm's colours, and chance make of it: all
but the first normal. True means follow from the normal distribution.
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from ablate.statistics.corrections import holm
from ablate.statistics.intervals import ALPHA
from ablate.turing.analyse.power import Components
from ablate.turing.analyse.ratings import mean_ratings, rating_differences
from ablate.turing.analyse.simulation import Deviations, Validity
from ablate.turing.analyse.simulation_designs import OWN, dealt, photographs_seen

Array = npt.NDArray[np.float64]

POINTS = 7
CHANCE_DEVIATION = 1.0
"""Standard deviation of a single rating beyond what makes it vary otherwise, in points."""


def true_mean(centre: float, deviations: Deviations) -> float:
    """Return the mean rating of all people and photographs, in points.

    Args:
        centre: What the algorithm alone makes of it.
        deviations: Of what makes ratings vary, in points.
    """
    return float(_mean(np.array([centre]), float(np.hypot(deviations.total, CHANCE_DEVIATION)))[0])


def _mean(centres: Array, deviation: float) -> Array:
    steps = np.arange(1, POINTS) + 0.5
    return np.asarray(1 + special.ndtr((centres[:, None] - steps) / deviation).sum(axis=1), np.float64)


def draw_ratings(
    deviations: Deviations,
    centres: Sequence[float],
    *,
    participants: int,
    trials: int,
    photographs: int,
    random: np.random.Generator,
) -> pd.DataFrame:
    """Draw ratings.

    Args:
        deviations: Of what makes them vary, in points.
        centres: (num_algorithms,): what each algorithm alone makes of them.
        participants: How many.
        trials: Of each, each with another photograph.
        photographs: In the bundle.
        random: Where they are drawn from.

    Returns:
        Columns participant, photograph, algorithm, rating.
    """
    count = len(centres)
    algorithm = dealt(count, participants, trials, random)
    photograph = photographs_seen(photographs, participants, trials, random)
    person = np.broadcast_to(np.arange(participants)[:, None], photograph.shape)
    shared = random.normal(0, deviations.participants * np.sqrt(1 - OWN), participants)
    people = random.normal(0, deviations.participants * np.sqrt(OWN), (participants, count))
    alike = random.normal(0, deviations.photographs, photographs)
    own = random.normal(0, deviations.both, (photographs, count))
    value = np.asarray(centres)[algorithm] + shared[person] + people[person, algorithm]
    value = value + alike[photograph] + own[photograph, algorithm] + random.normal(0, CHANCE_DEVIATION, value.shape)
    return pd.DataFrame(
        {
            "participant": person.ravel(),
            "photograph": photograph.ravel(),
            "algorithm": [f"a{place}" for place in algorithm.ravel()],
            "rating": np.clip(np.rint(value), 1, POINTS).ravel(),
        }
    )


def simulate_ratings(
    deviations: Deviations,
    centres: Sequence[float],
    *,
    participants: int,
    trials: int,
    photographs: int,
    experiments: int,
    seed: int,
) -> Validity:
    """Simulate experiments of a rating design.

    Returns:
        Coverage of means (`rates`) and of differences, and the share of experiments that call some pair different.
    """
    random = np.random.default_rng(seed)
    names = [f"a{place}" for place in range(len(centres))]
    means = dict(zip(names, (true_mean(centre, deviations) for centre in centres), strict=True))
    pairs = list(combinations(names, 2))
    of_means, of_differences, found = 0, 0, 0
    for _ in range(experiments):
        drawn = draw_ratings(
            deviations, centres, participants=participants, trials=trials, photographs=photographs, random=random
        )
        estimated = mean_ratings(drawn, POINTS).set_index("algorithm")
        true = np.array([means[str(name)] for name in estimated.index])
        of_means += int(((estimated["low"] <= true) & (true <= estimated["high"])).sum())
        estimates = rating_differences(drawn, POINTS, names)
        for (a, b), estimate in estimates.items():
            low, high = ((POINTS - 1) * end for end in estimate.interval())
            of_differences += low <= means[a] - means[b] <= high
        found += bool((holm([estimate.p_value for estimate in estimates.values()]) < ALPHA).any())
    return Validity(
        of_means / experiments / len(names), of_differences / experiments / max(len(pairs), 1), found / experiments
    )


def rating_components(deviations: Deviations, centre: float) -> Components:
    """Return what a plan is made from: standard deviations in percent of the scale's range, around a centre."""
    total = float(np.hypot(deviations.total, CHANCE_DEVIATION))
    own_people = deviations.participants * np.sqrt(OWN)
    people, photographs = (_deviation(centre, part, total) for part in (own_people, deviations.both))
    return Components(50.0, people, photographs, _single(centre, total))


def _deviation(centre: float, within: float, total: float) -> float:
    """Return how much means vary by one part, in percent of the range."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    means = _mean(centre + within * nodes, float(np.sqrt(total**2 - within**2)))
    weights = weights / weights.sum()
    return 100 / (POINTS - 1) * float(np.sqrt(weights @ (means - weights @ means) ** 2))


def _single(centre: float, total: float) -> float:
    ends = np.arange(1, POINTS) + 0.5
    below = special.ndtr((ends - centre) / total)
    chances, points = np.diff(np.concatenate([[0.0], below, [1.0]])), np.arange(1, POINTS + 1)
    return 100 / (POINTS - 1) * float(np.sqrt(chances @ points**2 - (chances @ points) ** 2))
