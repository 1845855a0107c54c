"""Fooling rates and their differences, with intervals over participants and photographs. Pure functions on frames.

Trials are a frame with the columns participant, photograph, algorithm and fooled (0 or 1): a row a trial. The model of
what participant s, who judges algorithm a, says of photograph i:

    y[a, s, i] = rate[a] + S[a, s] + P[a, i] + E[a, s, i]

with independent effects of participants; of photographs, which are the same for all algorithms, so that P[a, i] and
P[b, i] are correlated; and of both together. Participants and photographs are samples: the intervals are about other
people and other photographs of the same kind. docs/turing.md says more.
"""

from collections.abc import Mapping
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from ablate.statistics.corrections import holm
from ablate.statistics.error_distribution import ErrorDistribution
from ablate.statistics.intervals import ALPHA, Estimate
from ablate.statistics.power import minimum_detectable_effect
from ablate.turing.analyse.answer_sums import AnswerSums, sum_answers

Array = npt.NDArray[np.float64]

CHANCE = 50.0
"""Fooling rate, in percent, of participants who guess."""
LEAST = 0.25
"""Share of the binomial variance below which the participants' variance is not believed; chosen by simulation."""
RATES = ("algorithm", "participants", "photographs", "trials", "rate", "low", "high", "p_chance", "p_corrected")
PAIRS = ("algorithm", "other", "difference", "low", "high", "p", "p_corrected", "minimum_detectable_effect")
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
    found = sum_answers(trials)
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
        `minimum_detectable_effect` are in percentage points. `p` is two-sided, and `p_corrected` the same by Holm's
        method over all pairs. `minimum_detectable_effect` is the difference that a repetition finds with a probability
        of 80 %, at the level that Holm's method asks of the first pair; infinite where that is more than there can be.
        Where an algorithm has one participant all but the difference is NaN.
    """
    found = sum_answers(trials)
    return pairs_table({(a, b): difference_estimate(found[a], found[b]) for a, b in combinations(found, 2)})


def pairs_table(estimates: Mapping[tuple[str, str], Estimate], *, unit: float = _PERCENT) -> pd.DataFrame:
    """Return the table of differences, see `compare_rates`.

    Args:
        estimates: Of shares of 0 to 1, by algorithm and other one.
        unit: How many points a share of 1 is.
    """
    tested = sum(estimate.error is not None for estimate in estimates.values())
    rows = [
        (
            *names,
            unit * estimate.mean,
            *np.clip([unit * end for end in estimate.interval()], -unit, unit),
            estimate.p_value,
            _minimum_detectable(estimate.error, ALPHA / tested, unit) if estimate.error else np.nan,
        )
        for names, estimate in estimates.items()
    ]
    frame = pd.DataFrame(rows, columns=[name for name in PAIRS if name != "p_corrected"])
    return frame.assign(p_corrected=holm(frame["p"].to_list()))[list(PAIRS)]


def _minimum_detectable(error: ErrorDistribution, alpha: float, unit: float) -> float:
    points = unit * minimum_detectable_effect(error, alpha=alpha)
    return points if points <= unit else np.inf


def rate_estimate(side: AnswerSums) -> Estimate:
    """Estimate a rate's variance over people and photographs, both random.

    With n trials, and every trial's deviation from the rate over n as its part of the error, the participants' part is
    s / (s - 1) times the sum of squares, over s participants, of the sums of their parts: two-way clustered variance
    (Cameron, Gelbach and Miller 2011, doi:10.1198/jbes.2010.07136) has the same term. That of photographs is the
    variance of P, times what share of pairs of trials show one photograph to two people. It is estimated without bias
    from pairs of trials: half the mean squared difference of pairs that share neither, less that of pairs that share
    the photograph. Where all participants saw all photographs once, it is `crossed_mean` exactly.

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
    error = ErrorDistribution(
        _least(side), side.participants - 1, max(examples, 0.0), ErrorDistribution.df_of_examples(side.photographs)
    )
    # Of a variance that is not known NaN is the larger one.
    return Estimate(
        side.rate, error, *(float(np.maximum(part, 0)) for part in (side.seed_variance, side.example_variance))
    )


def difference_estimate(side: AnswerSums, other: AnswerSums) -> Estimate:
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
    return Estimate(
        difference,
        ErrorDistribution(own + others, df, max(examples, 0.0), ErrorDistribution.df_of_examples(photographs)),
    )


def covariance(side: AnswerSums, other: AnswerSums) -> float:
    """Estimate the covariance of P over two algorithms: what photographs do to both; NaN where none says it.

    Of pairs of trials, one of each algorithm: the mean product of what both are beyond their rates, where they show
    the same photograph, less that where they do not.
    """
    same, product = float(side.shown @ other.shown), float(side.excess @ other.excess)
    different = side.trials * other.trials - same
    # Over all pairs the products sum to 0.
    return product / same + product / different if same and different else np.nan


def rate_interval(side: AnswerSums) -> tuple[float, float, float]:
    """Return the ends of a rate's 95 % interval, 0 to 1, and the p-value of chance; NaN with one participant.

    Both are found for the log odds of the shrunk rate p, which have the rate's standard error over p (1 - p), by the
    delta method.
    """
    error = rate_estimate(side).error
    if error is None:
        return np.nan, np.nan, np.nan
    centre, slope = special.logit(side.shrunk), side.shrunk * (1 - side.shrunk)
    half_width = error.half_width(ALPHA) / slope
    low, high = special.expit(centre - half_width), special.expit(centre + half_width)
    far = abs(centre - special.logit(CHANCE / _PERCENT)) * slope
    return float(low), float(high), min(1.0, 2 * error.tail_probability(far))


def _least(side: AnswerSums) -> float:
    return max(side.of_participants, LEAST * side.shrunk * (1 - side.shrunk) / side.trials)
