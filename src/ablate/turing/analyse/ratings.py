"""Mean ratings and their differences, with intervals over participants and photographs. Pure functions on frames.

Trials are a frame with the columns participant, photograph, algorithm and rating (1 to the points of the scale): a row
a trial of a rating design, in which each participant rates all algorithms. Participants and photographs are samples:
the errors of means and differences are the two-way robust ones of `two_way`, as for differences within people.
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from ablate.statistics.error_distribution import ErrorDistribution
from ablate.statistics.intervals import ALPHA, Estimate
from ablate.turing.analyse.rates import LEAST, pairs_table
from ablate.turing.analyse.two_way import two_way_error

Array = npt.NDArray[np.float64]

RATINGS = ("algorithm", "participants", "photographs", "trials", "rating", "low", "high", "sd")


def mean_ratings(trials: pd.DataFrame, points: int, order: Sequence[str] = ()) -> pd.DataFrame:
    """Estimate each algorithm's mean rating.

    The interval is found for the log odds of where the mean lies on the scale, by the delta method, so that it does
    not leave the scale. Half a rating of each end is added for its centre and slope, as half a trial is for a rate.

    Args:
        trials: See above.
        points: Of the scale.
        order: Of the algorithms; those that are not in it come last.

    Returns:
        A row an algorithm: columns `RATINGS`. `rating` is the mean, with the ends of its 95 % interval, and `sd` the
        standard deviation of single ratings, in points of the scale. With one participant the interval is NaN.
    """
    span = points - 1
    rows = []
    for name in _names(trials, order):
        own = trials[trials["algorithm"] == name]
        judged = _on_scale(own, points)
        mean, (centre, variance) = float(judged.mean()), _with_ends(judged)
        error = _error((judged - mean) / len(judged), own, LEAST * variance / len(judged))
        half_width = np.nan if error is None else error.half_width(ALPHA) / (centre * (1 - centre))
        ends = special.expit(special.logit(centre) + np.array([-half_width, half_width]))
        counts = own["participant"].nunique(), own["photograph"].nunique(), len(own)
        low, high = 1 + span * ends
        rows.append((name, *counts, 1 + span * mean, float(low), float(high), span * float(judged.std())))
    return pd.DataFrame(rows, columns=list(RATINGS))


def compare_ratings(trials: pd.DataFrame, points: int, order: Sequence[str] = ()) -> pd.DataFrame:
    """Compare every algorithm with every other one.

    Args:
        trials: See above.
        points: Of the scale.
        order: See `mean_ratings`.

    Returns:
        A row a pair: columns `rates.PAIRS`, as `rates.compare_rates` has them, in points of the scale.
    """
    return pairs_table(rating_differences(trials, points, order), unit=points - 1)


def rating_differences(
    trials: pd.DataFrame, points: int, order: Sequence[str] = ()
) -> dict[tuple[str, str], Estimate]:
    """Estimate the difference of each two algorithms, one less the later other, as shares of the scale's range."""
    return {pair: _difference(trials, points, *pair) for pair in combinations(_names(trials, order), 2)}


def _difference(trials: pd.DataFrame, points: int, algorithm: str, other: str) -> Estimate:
    own = trials[trials["algorithm"].isin([algorithm, other])]
    judged, parts, means, least = _on_scale(own, points), np.zeros(len(own)), list[float](), 0.0
    for name, sign in ((algorithm, 1), (other, -1)):
        of_it = (own["algorithm"] == name).to_numpy()
        means.append(float(judged[of_it].mean()))
        parts[of_it] = sign * (judged[of_it] - means[-1]) / of_it.sum()
        least += LEAST * _with_ends(judged[of_it])[1] / int(of_it.sum())
    return Estimate(means[0] - means[1], _error(parts, own, least))


def _error(parts: Array, trials: pd.DataFrame, least: float) -> ErrorDistribution | None:
    people, photographs = (pd.factorize(trials[name])[0].astype(np.int64) for name in ("participant", "photograph"))
    return two_way_error(parts, people, photographs, least=least)


def _names(trials: pd.DataFrame, order: Sequence[str]) -> list[str]:
    """Return the algorithms that were rated."""
    found = trials["algorithm"].unique().tolist()
    return [name for name in dict.fromkeys([*order, *found]) if name in found]


def _on_scale(trials: pd.DataFrame, points: int) -> Array:
    """Return (num_trials,): where each rating lies between the ends of the scale, 0 to 1."""
    return (trials["rating"].to_numpy(np.float64) - 1) / (points - 1)


def _with_ends(judged: Array) -> tuple[float, float]:
    """Return mean and variance of ratings with half a one of each end: the mean is within, the variance above 0."""
    count = len(judged) + 1
    mean = float(judged.sum() + 0.5) / count
    return mean, float((judged**2).sum() + 0.5) / count - mean**2
