"""Simulated experiments in which participants judge several algorithms: see `simulation`, whose model this is.

In a preference design the log odds that one of two is preferred are the difference of their strengths, of what the
participant makes of each, and of what the photograph does to each, all but the first normal. Where each participant
judges all algorithms beside the real picture, the participant's part has a share for each algorithm.
"""

from collections.abc import Sequence
from functools import cache
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from ablate.statistics.corrections import holm
from ablate.statistics.intervals import ALPHA
from ablate.turing.analyse.answer_sums import sum_answers
from ablate.turing.analyse.bradley_terry import fit_strengths
from ablate.turing.analyse.power import Components
from ablate.turing.analyse.preference import judgements, possible_ranks
from ablate.turing.analyse.rates import rate_interval
from ablate.turing.analyse.sensitivity import sensitivity
from ablate.turing.analyse.simulation import Deviations, Validity, mean_log_odds, normal_nodes
from ablate.turing.analyse.within import within_difference

Array = npt.NDArray[np.float64]

OWN = 0.5
"""Share of the variance between people that each algorithm has of its own, where all are judged."""
_PERCENT = 100


def dealt(units: int, participants: int, trials: int, random: np.random.Generator) -> npt.NDArray[np.int64]:
    """Return what each trial compares, (participants, trials): all alike, and what is left over in turn."""
    each = np.arange(trials * participants).reshape(participants, trials) % units
    return random.permuted(each, axis=1)


def photographs_seen(
    photographs: int, participants: int, trials: int, random: np.random.Generator
) -> npt.NDArray[np.int64]:
    """Return which photograph each trial shows, (participants, trials): none twice to a participant."""
    return random.random((participants, photographs)).argsort(axis=1)[:, :trials]


def draw_preferences(
    deviations: Deviations,
    strengths: Sequence[float],
    *,
    participants: int,
    trials: int,
    photographs: int,
    random: np.random.Generator,
) -> pd.DataFrame:
    """Draw the answers of a preference design.

    Args:
        deviations: Of the log odds that one of two is preferred; what a photograph does to both alike has no part.
        strengths: (num_algorithms,): log odds.
        participants: How many.
        trials: Of each, each with another photograph.
        photographs: In the bundle.
        random: Where they are drawn from.

    Returns:
        Columns participant, photograph, algorithm, other, fooled.
    """
    count = len(strengths)
    pairs = np.array(list(combinations(range(count), 2)))
    of_trial = pairs[dealt(len(pairs), participants, trials, random)]
    seen = photographs_seen(photographs, participants, trials, random)
    people = random.normal(0, deviations.participants / np.sqrt(2), (participants, count))
    own = random.normal(0, deviations.both / np.sqrt(2), (photographs, count))
    person = np.broadcast_to(np.arange(participants)[:, None], seen.shape)
    values = np.asarray(strengths)[of_trial] + people[person[..., None], of_trial] + own[seen[..., None], of_trial]
    odds = values[..., 0] - values[..., 1]
    names = np.array([f"a{place}" for place in range(count)])
    return pd.DataFrame(
        {
            "participant": person.ravel(),
            "photograph": seen.ravel(),
            "algorithm": names[of_trial[..., 0].ravel()],
            "other": names[of_trial[..., 1].ravel()],
            "fooled": (random.random(seen.shape) < special.expit(odds)).ravel(),
        }
    )


@cache
def true_preferences(deviations: Deviations, strengths: tuple[float, ...]) -> tuple[Array, Array]:
    """Return what Bradley and Terry's model says of all people and photographs, when all pairs are shown alike.

    Averaged over people and photographs log odds are smaller than those of one person, by about as much for all pairs.

    Returns:
        (num_pairs,): how often the first of each pair is preferred, in percent, in the order of `combinations`; and
        (num_algorithms,): how often each is, on average over the others.
    """
    count = len(strengths)
    first, second = np.array(list(combinations(range(count), 2))).T
    nodes, weights = normal_nodes()
    spread = np.hypot(deviations.participants, deviations.both)
    values = np.asarray(strengths)
    chances = special.expit((values[first] - values[second])[:, None] + spread * nodes) @ weights
    # Of so many trials nothing of the penalty is left.
    trials = np.full(len(first), 1e9)
    fitted = fit_strengths(first, second, trials * chances, trials, algorithms=count).values
    table = special.expit(fitted[:, None] - fitted)
    shares = (table.sum(axis=1) - 0.5) / (count - 1)
    return _PERCENT * special.expit(fitted[first] - fitted[second]), _PERCENT * shares


def simulate_preferences(
    deviations: Deviations,
    strengths: tuple[float, ...],
    *,
    participants: int,
    trials: int,
    photographs: int,
    experiments: int,
    seed: int,
) -> Validity:
    """Simulate experiments of a preference design.

    Returns:
        Coverage of shares (`rates`) and of pairs (`differences`), and the share of experiments that call some pair
        different; `others` is the share in which the ranks that are left hold the true ones, of all algorithms.
    """
    random = np.random.default_rng(seed)
    pairs, shares = true_preferences(deviations, strengths)
    best = np.array([1 + sum(other > own for other in strengths) for own in strengths])
    worst = np.array([sum(other >= own for other in strengths) for own in strengths])
    of_shares, of_pairs, found, ranked = 0, 0, 0, 0
    for _ in range(experiments):
        drawn = draw_preferences(
            deviations, strengths, participants=participants, trials=trials, photographs=photographs, random=random
        )
        judged = judgements(drawn, [f"a{place}" for place in range(len(strengths))])
        differences = judged.differences()
        for place, share in enumerate(shares):
            _, low, high = judged.share(place)
            of_shares += _PERCENT * low <= share <= _PERCENT * high
        for pair, estimate in zip(pairs, differences.values(), strict=True):
            low, high = _PERCENT * special.expit(estimate.interval())
            of_pairs += low <= pair <= high
        found += bool((holm([estimate.p_value for estimate in differences.values()]) < ALPHA).any())
        lowest, highest = possible_ranks(differences, len(strengths))
        # Of equals all orders are true.
        ranked += bool(((lowest <= best) & (highest >= worst)).all())
    return Validity(
        of_shares / experiments / len(shares),
        of_pairs / experiments / len(pairs),
        found / experiments,
        ranked / experiments,
    )


def draw_within(
    deviations: Deviations,
    rates: Sequence[float],
    *,
    participants: int,
    trials: int,
    photographs: int,
    random: np.random.Generator,
) -> pd.DataFrame:
    """Draw the answers of participants who judge all algorithms beside the real picture: see `draw_preferences`.

    Args:
        deviations: As `simulation.draw_answers` has them.
        rates: (num_algorithms,): true rates, 0 to 1.
        participants: How many.
        trials: Of each.
        photographs: In the bundle.
        random: Where they are drawn from.

    Returns:
        Columns participant, photograph, algorithm, fooled, real_side, choice.
    """
    count = len(rates)
    algorithm = dealt(count, participants, trials, random)
    seen = photographs_seen(photographs, participants, trials, random)
    person = np.broadcast_to(np.arange(participants)[:, None], seen.shape)
    shared = random.normal(0, deviations.participants * np.sqrt(1 - OWN), participants)
    people = random.normal(0, deviations.participants * np.sqrt(OWN), (participants, count))
    alike = random.normal(0, deviations.photographs, photographs)
    own = random.normal(0, deviations.both, (photographs, count))
    centre = np.array([mean_log_odds(rate, deviations.total) for rate in rates])
    odds = centre[algorithm] + shared[person] + people[person, algorithm] + alike[seen] + own[seen, algorithm]
    fooled = (random.random(seen.shape) < special.expit(odds)).ravel()
    left = random.random(fooled.size) < 0.5
    return pd.DataFrame(
        {
            "participant": person.ravel(),
            "photograph": seen.ravel(),
            "algorithm": [f"a{place}" for place in algorithm.ravel()],
            "fooled": fooled,
            "real_side": np.where(left, "left", "right"),
            "choice": np.where(left == fooled, "left", "right"),
        }
    )


def simulate_within(
    deviations: Deviations,
    rates: Sequence[float],
    *,
    participants: int,
    trials: int,
    photographs: int,
    experiments: int,
    seed: int,
) -> Validity:
    """Simulate experiments in which each participant judges all algorithms.

    Returns:
        Coverage of rates and of differences, the share of experiments that call some pair different, and of d'
        (`others`).
    """
    random = np.random.default_rng(seed)
    names = [f"a{place}" for place in range(len(rates))]
    pairs = list(combinations(range(len(rates)), 2))
    sensitivities = [np.sqrt(2) * special.ndtri(1 - rate) for rate in rates]
    of_rates, of_differences, found, of_sensitivity = 0, 0, 0, 0
    for _ in range(experiments):
        drawn = draw_within(
            deviations, rates, participants=participants, trials=trials, photographs=photographs, random=random
        )
        judged, told = sum_answers(drawn), sensitivity(drawn).set_index("algorithm")
        for name, rate, d_prime in zip(names, rates, sensitivities, strict=True):
            low, high, _ = rate_interval(judged[name])
            of_rates += low <= rate <= high
            ends = told.loc[name, ["d_prime_low", "d_prime_high"]].to_numpy(np.float64)
            of_sensitivity += bool(ends[0] <= d_prime <= ends[1])
        estimates = [within_difference(drawn, names[a], names[b]) for a, b in pairs]
        for (a, b), estimate in zip(pairs, estimates, strict=True):
            low, high = estimate.interval()
            of_differences += low <= rates[a] - rates[b] <= high
        found += bool((holm([estimate.p_value for estimate in estimates]) < ALPHA).any())
    each = experiments * len(rates)
    return Validity(
        of_rates / each, of_differences / experiments / max(len(pairs), 1), found / experiments, of_sensitivity / each
    )


def preference_components(deviations: Deviations) -> Components:
    """Return what the log odds' deviations are in percentage points, around 50 %: what a plan is made from."""
    people, photographs = (_deviation(part, deviations) for part in (deviations.participants, deviations.both))
    return Components(_PERCENT / 2, people, photographs)


def _deviation(within: float, deviations: Deviations) -> float:
    nodes, weights = normal_nodes()
    spread = np.hypot(deviations.participants, deviations.both)
    rest = np.sqrt(max(spread**2 - within**2, 0.0))
    means = special.expit(within * nodes[:, None] + rest * nodes) @ weights
    return _PERCENT * float(np.sqrt(weights @ (means - 0.5) ** 2))
