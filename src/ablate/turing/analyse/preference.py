"""Ranking of algorithms by paired comparisons, over participants and photographs. Pure functions on frames.

Trials are a frame with the columns participant, photograph, algorithm, other and fooled (whether the picture of
`algorithm` was found more natural than that of `other`): a row a trial. Strengths are those of Bradley and Terry,
fitted to all trials as if these were independent; their errors are not taken for that, see `two_way`. The part of a
trial in the error of a combination c of strengths is c' C x (y - p), with C the covariance of independent trials, x
its pair (1 for one algorithm, -1 for the other), y its answer and p the fitted probability.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from ablate.statistics.corrections import holm
from ablate.statistics.error_distribution import ErrorDistribution
from ablate.statistics.intervals import ALPHA, Estimate
from ablate.statistics.power import minimum_detectable_effect
from ablate.turing.analyse.bradley_terry import Strengths, fit_strengths, is_connected
from ablate.turing.analyse.rates import LEAST
from ablate.turing.analyse.two_way import two_way_error

Array = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]

RANKING = (
    "algorithm", "participants", "photographs", "trials", "share", "low", "high", "strength", "rank", "best_rank",
    "worst_rank",
)  # fmt: skip
PREFERENCES = (
    "algorithm", "other", "trials", "preferred", "probability", "low", "high", "p", "p_corrected",
    "minimum_detectable_effect",
)  # fmt: skip
_PERCENT = 100


@dataclass(frozen=True)
class Judgements:
    """The trials of a preference design as arrays, and the strengths that they give.

    Attributes:
        names: Of the algorithms that were judged.
        first: (num_trials,): the algorithm of each trial, as a place in `names`.
        second: (num_trials,): the other one.
        won: (num_trials,): whether the first one was preferred, 0 or 1.
        people: (num_trials,): who judged, a number each.
        photographs: (num_trials,): which photograph, alike.
    """

    names: list[str]
    first: Codes
    second: Codes
    won: Array
    people: Codes
    photographs: Codes

    @cached_property
    def strengths(self) -> Strengths | None:
        """Their strengths; None where not all of them were compared, directly or by way of others."""
        count = len(self.names)
        if count < 2 or not is_connected(self.first, self.second, algorithms=count):
            return None
        pairs, of_pair = np.unique(self.first * count + self.second, return_inverse=True)
        won, trials = np.bincount(of_pair, self.won).astype(np.float64), np.bincount(of_pair).astype(np.float64)
        return fit_strengths(pairs // count, pairs % count, won, trials, algorithms=count)

    @cached_property
    def _excess(self) -> Array:
        assert self.strengths is not None
        values = self.strengths.values
        return self.won - special.expit(values[self.first] - values[self.second])

    def error(self, combination: Array) -> ErrorDistribution | None:
        """Return the error of a combination of strengths; None with one participant.

        Args:
            combination: (num_algorithms,), of sum 0.
        """
        assert self.strengths is not None
        covariance = self.strengths.covariance
        of_algorithm = covariance @ combination
        parts = (of_algorithm[self.first] - of_algorithm[self.second]) * self._excess
        least = LEAST * float(combination @ covariance @ combination)
        return two_way_error(parts, self.people, self.photographs, least=least)

    def differences(self) -> dict[tuple[int, int], Estimate]:
        """Estimate by how much each algorithm is stronger than each later one, in log odds; NaN without strengths."""
        pairs = combinations(range(len(self.names)), 2)
        return {pair: Estimate(np.nan) if self.strengths is None else self._difference(*pair) for pair in pairs}

    def _difference(self, first: int, second: int) -> Estimate:
        assert self.strengths is not None
        combination = np.zeros(len(self.names))
        combination[first], combination[second] = 1, -1
        return Estimate(float(self.strengths.values @ combination), self.error(combination))

    def share(self, algorithm: int) -> tuple[float, float, float]:
        """Return how often an algorithm is preferred, on average over the others, 0 to 1, and its 95 % interval.

        The interval is found for the log odds of the share, by the delta method; NaN with one participant.
        """
        assert self.strengths is not None
        values = self.strengths.values
        chances = special.expit(values[algorithm] - values)
        others = np.arange(len(values)) != algorithm
        share = float(chances[others].mean())
        slopes = np.where(others, chances * (1 - chances), 0.0) / others.sum()
        combination = -slopes
        combination[algorithm] = slopes.sum()
        error = self.error(combination / (share * (1 - share)))
        half_width = np.nan if error is None else error.half_width(ALPHA)
        centre = special.logit(share)
        return share, float(special.expit(centre - half_width)), float(special.expit(centre + half_width))


def judgements(trials: pd.DataFrame, order: Sequence[str] = ()) -> Judgements:
    """Return trials as arrays.

    Args:
        trials: See above.
        order: Of the algorithms; of those that are not in it, as they come.
    """
    found = pd.unique(trials[["algorithm", "other"]].to_numpy().ravel())
    known = set(found)
    names = [name for name in dict.fromkeys([*order, *found]) if name in known]
    places = {name: place for place, name in enumerate(names)}
    return Judgements(
        names=names,
        first=trials["algorithm"].map(places).to_numpy(np.int64),
        second=trials["other"].map(places).to_numpy(np.int64),
        won=trials["fooled"].to_numpy(np.float64),
        people=pd.factorize(trials["participant"])[0].astype(np.int64),
        photographs=pd.factorize(trials["photograph"])[0].astype(np.int64),
    )


def rank_algorithms(trials: pd.DataFrame, order: Sequence[str] = ()) -> pd.DataFrame:
    """Rank algorithms by how often they are preferred.

    Args:
        trials: See above.
        order: See `judgements`.

    Returns:
        A row an algorithm: columns `RANKING`. `share` is how often it is preferred, on average over the others, with
        the ends of its 95 % interval, in percent; `strength` is in log odds, of mean 0. `best_rank` and `worst_rank`
        are the ranks that the corrected comparisons leave: one more than how many are found to be stronger, and as
        many less than all as are found to be weaker; with 95 % they hold the true ranks of all algorithms at once
        (Mogstad, Romano, Shaikh and Wilhelm 2024, doi:10.1093/restud/rdad006). NaN where not all algorithms were
        compared.
    """
    judged = judgements(trials, order)
    best, worst = possible_ranks(judged.differences(), len(judged.names))
    known = judged.strengths is not None
    rows = []
    for place, name in enumerate(judged.names):
        own = (judged.first == place) | (judged.second == place)
        share, low, high = judged.share(place) if judged.strengths is not None else (np.nan,) * 3
        rows.append(
            (
                name,
                len(np.unique(judged.people[own])),
                len(np.unique(judged.photographs[own])),
                int(own.sum()),
                *(_PERCENT * part for part in (share, low, high)),
                judged.strengths.values[place] if judged.strengths is not None else np.nan,
                np.nan,
                best[place] if known else np.nan,
                worst[place] if known else np.nan,
            )
        )
    frame = pd.DataFrame(rows, columns=list(RANKING)).astype({"strength": float})
    return frame.assign(rank=frame["strength"].rank(ascending=False, method="min"))


def possible_ranks(differences: Mapping[tuple[int, int], Estimate], algorithms: int) -> tuple[Codes, Codes]:
    """Return the best and the worst rank that corrected comparisons leave each algorithm: see `rank_algorithms`.

    Args:
        differences: See `Judgements.differences`.
        algorithms: How many there are.
    """
    corrected = holm([estimate.p_value for estimate in differences.values()])
    best, worst = np.ones(algorithms, np.int64), np.full(algorithms, algorithms, np.int64)
    for (pair, estimate), p in zip(differences.items(), corrected, strict=True):
        if p < ALPHA:
            stronger, weaker = pair if estimate.mean > 0 else pair[::-1]
            best[weaker] += 1
            worst[stronger] -= 1
    return best, worst


def compare_algorithms(trials: pd.DataFrame, order: Sequence[str] = ()) -> pd.DataFrame:
    """Compare every algorithm with every other one.

    Args:
        trials: See above.
        order: See `judgements`.

    Returns:
        A row a pair: columns `PREFERENCES`. `trials` compared the two directly, and in `preferred` percent of them
        that of `algorithm` was; NaN where there are none. `probability` is the model's, from all trials, with the
        ends of its 95 % interval, in percent. `p` is two-sided, of 50 %, and `p_corrected` the same by Holm's method
        over all pairs. `minimum_detectable_effect` is how many points from 50 % a repetition finds with a probability
        of 80 %, at the level that Holm's method asks of the first pair.
    """
    judged = judgements(trials, order)
    estimates = judged.differences()
    tested = sum(estimate.error is not None for estimate in estimates.values())
    rows = []
    for (a, b), estimate in estimates.items():
        ahead = (judged.first == a) & (judged.second == b)
        behind = (judged.first == b) & (judged.second == a)
        direct = int((ahead | behind).sum())
        won = float(judged.won[ahead].sum() + (1 - judged.won[behind]).sum())
        rows.append(
            (
                judged.names[a],
                judged.names[b],
                direct,
                _PERCENT * won / direct if direct else np.nan,
                *(_PERCENT * float(special.expit(each)) for each in (estimate.mean, *estimate.interval())),
                estimate.p_value,
                _minimum_detectable(estimate.error, ALPHA / tested) if estimate.error else np.nan,
            )
        )
    frame = pd.DataFrame(rows, columns=[name for name in PREFERENCES if name != "p_corrected"])
    return frame.assign(p_corrected=holm(frame["p"].to_list()))[list(PREFERENCES)]


def _minimum_detectable(error: ErrorDistribution, alpha: float) -> float:
    return _PERCENT * (float(special.expit(minimum_detectable_effect(error, alpha=alpha))) - 0.5)
