"""Fooling rates and their differences, with intervals over people and photographs. Pure functions on frames.

Trials are a frame with the columns participant, photograph, algorithm and fooled (0 or 1): a row a trial. The model of
what participant s, who judges algorithm a, says of photograph i:

    y[a, s, i] = rate[a] + S[a, s] + P[a, i] + E[a, s, i]

with independent effects of participants; of photographs, which are the same for all algorithms, so that P[a, i] and
P[b, i] are correlated; and of both together. Participants and photographs are samples: the intervals are about other
people and other photographs of the same kind. docs/turing.md says more.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from ablate.report.compare import ALPHA, holm
from ablate.statistics.intervals import MANY, Estimate, Spread

Array = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]

CHANCE = 50.0
"""Percent of trials that fool who cannot tell the pictures apart."""
LEAST = 0.25
"""Share of the binomial variance below which the participants' variance is not believed; chosen by simulation."""
RATES = ("algorithm", "participants", "photographs", "trials", "rate", "low", "high", "p_chance", "p_corrected")
PAIRS = ("algorithm", "other", "difference", "low", "high", "p", "p_corrected", "detectable")
_PERCENT = 100


def fooling_rates(trials: pd.DataFrame) -> pd.DataFrame:
    """Estimate how often each algorithm fools people.

    Args:
        trials: See above.

    Returns:
        A row an algorithm, in their order in `trials`: columns `RATES`. Rates and the ends of their 95 % intervals are
        in percent. `p_chance` is two-sided, of a true rate of 50 %, and `p_corrected` the same by Holm's method over
        the algorithms. With one participant interval and p-values are NaN.
    """
    found = sides(trials)
    rows = [
        (
            name,
            side.participants,
            side.photographs,
            side.trials,
            *(_PERCENT * share for share in (side.rate, low, high)),
            p_chance,
        )
        for name, side in found.items()
        for low, high, p_chance in [rate_interval(side)]
    ]
    frame = pd.DataFrame(rows, columns=[name for name in RATES if name != "p_corrected"])
    return frame.assign(p_corrected=holm(frame["p_chance"].to_list()))


def compare_rates(trials: pd.DataFrame) -> pd.DataFrame:
    """Compare every algorithm with every other one.

    Args:
        trials: See above.

    Returns:
        A row a pair, in the order of algorithms in `trials`: columns `PAIRS`. Differences, their 95 % intervals and
        `detectable` are in percentage points. `p` is two-sided, and `p_corrected` the same by Holm's method over all
        pairs. `detectable` is the difference that a repetition finds with a probability of 80 %, at the level that
        Holm's method asks of the first pair; infinite where that is more than there can be. Where an algorithm has one
        participant all but the difference is NaN.
    """
    found = sides(trials)
    estimates = {(a, b): difference_estimate(found[a], found[b]) for a, b in combinations(found, 2)}
    tested = sum(estimate.spread is not None for estimate in estimates.values())
    rows = [
        (
            *names,
            _PERCENT * estimate.mean,
            *np.clip([_PERCENT * end for end in estimate.interval()], -_PERCENT, _PERCENT),
            estimate.p_value,
            _detectable(estimate.spread, ALPHA / tested) if estimate.spread else np.nan,
        )
        for names, estimate in estimates.items()
    ]
    frame = pd.DataFrame(rows, columns=[name for name in PAIRS if name != "p_corrected"])
    return frame.assign(p_corrected=holm(frame["p"].to_list()))[list(PAIRS)]


def _detectable(spread: Spread, alpha: float) -> float:
    points = _PERCENT * spread.detectable(alpha=alpha)
    return points if points <= _PERCENT else np.inf


@dataclass(frozen=True)
class Side:
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


def rate_estimate(side: Side) -> Estimate:
    """Estimate a rate's variance over people and photographs, both random.

    With n trials, and every trial's deviation from the rate over n as its part of the error, the participants' part is
    s / (s - 1) times the sum of squares, over s participants, of the sums of their parts: two-way clustered variance
    (Cameron, Gelbach and Miller 2011, doi:10.1198/jbes.2010.07136) has the same term. That of photographs is the
    variance of P, times what share of pairs of trials show one photograph to two people. It is estimated without bias
    from pairs of trials: half the mean squared difference of pairs that share neither, less that of pairs that share
    the photograph. Where all participants saw all photographs once, it is the report's `crossed_mean` exactly.

    The participants' part counts as at least `LEAST` of what independent trials would have: where nobody or everybody
    is fooled it would be 0.

    Args:
        side: The answers.

    Returns:
        The estimate, of shares of 0 to 1.
    """
    if side.participants < 2:
        return Estimate(side.rate)
    examples = np.nan_to_num(side.example_variance) * side.together
    spread = Spread(_least(side), side.participants - 1, max(examples, 0.0), _examples_df(side.photographs))
    # Of a variance that is not known NaN is the larger one.
    return Estimate(
        side.rate, spread, *(float(np.maximum(part, 0)) for part in (side.seed_variance, side.example_variance))
    )


def difference_estimate(side: Side, other: Side) -> Estimate:
    """Estimate the difference of two algorithms' rates, one less the other's.

    The participants' parts add up, with Welch and Satterthwaite's degrees of freedom. From the photographs' parts
    comes off what is the same for both algorithms, as far as they were judged on the same photographs.

    Args:
        side: The answers about one.
        other: About the other one; of the same experiment.

    Returns:
        The estimate, of differences of shares of 0 to 1.
    """
    difference = side.rate - other.rate
    if min(side.participants, other.participants) < 2:
        return Estimate(difference)
    own, others = _least(side), _least(other)
    df = (own + others) ** 2 / (own**2 / (side.participants - 1) + others**2 / (other.participants - 1))
    shared = float(side.shown @ other.shown) / (side.trials * other.trials)
    common = 2 * np.nan_to_num(covariance(side, other)) * shared
    examples = sum(np.nan_to_num(each.example_variance) * each.together for each in (side, other)) - common
    photographs = int(np.count_nonzero(side.shown + other.shown))
    return Estimate(difference, Spread(own + others, df, max(examples, 0.0), _examples_df(photographs)))


def covariance(side: Side, other: Side) -> float:
    """Estimate the covariance of P over two algorithms: what photographs do to both; NaN where none says it.

    Of pairs of trials, one of each algorithm: the mean product of what both are beyond their rates, where they show
    the same photograph, less that where they do not.
    """
    same, product = float(side.shown @ other.shown), float(side.excess @ other.excess)
    different = side.trials * other.trials - same
    # Over all pairs the products sum to 0.
    return product / same + product / different if same and different else np.nan


def rate_interval(side: Side) -> tuple[float, float, float]:
    """Return the ends of a rate's 95 % interval, 0 to 1, and the p-value of chance; NaN with one participant.

    Both are found for the log odds of the shrunk rate p, which have the rate's standard error over p (1 - p), by the
    delta method.
    """
    spread = rate_estimate(side).spread
    if spread is None:
        return np.nan, np.nan, np.nan
    centre, slope = special.logit(side.shrunk), side.shrunk * (1 - side.shrunk)
    reach = spread.reach(ALPHA) / slope
    low, high = special.expit(centre - reach), special.expit(centre + reach)
    far = abs(centre - special.logit(CHANCE / _PERCENT)) * slope
    return float(low), float(high), min(1.0, 2 * spread.beyond(far))


def _least(side: Side) -> float:
    return max(side.of_participants, LEAST * side.shrunk * (1 - side.shrunk) / side.trials)


def _examples_df(photographs: int) -> float:
    return photographs - 1 if 1 < photographs < MANY else np.inf


def sides(trials: pd.DataFrame) -> dict[str, Side]:
    """Sum up the answers about each algorithm, by its name, in their order.

    Args:
        trials: See above.
    """
    algorithm, algorithms = pd.factorize(trials["algorithm"])
    seen, photographs = pd.factorize(trials["photograph"])
    people, fooled = pd.factorize(trials["participant"])[0], trials["fooled"].to_numpy(np.float64)
    return {
        str(name): side_of(people[own], seen[own], fooled[own], photographs=len(photographs))
        for place, name in enumerate(algorithms)
        for own in [algorithm == place]
    }


def side_of(people: Codes, seen: Codes, fooled: Array, *, photographs: int) -> Side:
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
    return Side(
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
