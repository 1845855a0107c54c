"""The number of participants that an experiment needs. Pure functions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from ablate.errors import ConfigError
from ablate.statistics.error_distribution import ErrorDistribution
from ablate.statistics.intervals import ALPHA
from ablate.statistics.power import POWER, minimum_detectable_effect
from ablate.turing.analyse.answer_sums import AnswerSums, sum_answers
from ablate.turing.analyse.rates import CHANCE, covariance
from ablate.turing.protocol import Design

Array = npt.NDArray[np.float64]

_PERCENT = 100


@dataclass(frozen=True)
class Components:
    """What makes answers vary, in percentage points but for the counts: the defaults are a guess before a pilot.

    The rate is that of the paper's full method, 32.3 ± 2.2 % from 40 participants of 40 trials each (Table 1). The
    participants' deviation follows from it, 11.9, if ± is a standard error and photographs have no part in it. Nothing
    is published about photographs: their deviation is a guess.

    Attributes:
        rate: How often people are fooled, in percent of trials.
        participants: Standard deviation of participants' rates, beyond chance; of what a participant does to one
            algorithm and not to the other where all judge both; in a preference design of how often participants
            prefer one of two.
        photographs: Of what a photograph does to one algorithm's rate and not to the other's; in a preference design
            of how often one of two is preferred.
        answers: Of single ratings, in a rating design, whose percentage points are those of the scale's range; None
            in the others, where it follows from the rate.
    """

    rate: float = 32.3
    participants: float = 12.0
    photographs: float = 10.0
    answers: float | None = None

    @property
    def of_answers(self) -> float:
        """Variance of an answer, as a share of 1."""
        rate = self.rate / _PERCENT
        return rate * (1 - rate) if self.answers is None else (self.answers / _PERCENT) ** 2


ASSUMED_RATINGS = Components(rate=50.0, answers=25.0)
"""The guess for a rating design: single ratings of 7 points deviate by 1.5 of them."""


def assumed_components(design: Design) -> Components:
    """Return what is assumed before a pilot."""
    return ASSUMED_RATINGS if design == "rating" else Components()


def variance_components(trials: pd.DataFrame, design: Design = "between", points: int = 2) -> Components:
    """Estimate from answers what makes them vary, over all algorithms.

    A variance is the mean of the algorithms' unbiased estimates, in a preference design of those of their pairs,
    weighted by trials, at least 0. Where there is one algorithm, nothing says which part of the photographs' variance
    another would share, and all of it counts.

    Args:
        trials: See `rates`, or `preference` and `ratings` for these designs.
        design: Of the experiment.
        points: Of the scale of a rating design.

    Returns:
        NaN for a deviation that the answers do not tell: of participants where each algorithm has one, of photographs
        where none was shown twice.
    """
    if design == "preference":
        trials = trials.assign(algorithm=trials["algorithm"] + "\n" + trials["other"])
    if design == "rating":
        trials = trials.assign(fooled=(trials["rating"] - 1) / (points - 1))
    found = list(sum_answers(trials).values())
    weights = np.array([side.trials for side in found], np.float64)
    of_participants = _mean([side.seed_variance for side in found], weights)
    of_photographs = _mean([side.example_variance for side in found], weights)
    rate = _PERCENT * float(np.average([side.rate for side in found], weights=weights))
    if design == "preference":
        rate = CHANCE
    else:
        of_photographs -= np.nan_to_num(_shared(found))
    if design in ("within", "rating"):
        turned = {"participant": "photograph", "photograph": "participant"}
        of_participants -= np.nan_to_num(_shared(list(sum_answers(trials.rename(columns=turned)).values())))
    participants, photographs = (
        _PERCENT * float(np.sqrt(np.maximum(variance, 0))) for variance in (of_participants, of_photographs)
    )
    answers = None
    if design == "rating":
        spread = trials.groupby("algorithm")["fooled"].var(ddof=0).reindex([*sum_answers(trials)])
        answers = _PERCENT * float(np.sqrt(np.average(spread, weights=weights)))
    return Components(rate, participants, photographs, answers)


def _shared(found: Sequence[AnswerSums]) -> float:
    """Return the mean covariance of what photographs do to two algorithms."""
    pairs = [(covariance(a, b), a.trials * b.trials) for place, a in enumerate(found) for b in found[place + 1 :]]
    return _mean([value for value, _ in pairs], np.array([weight for _, weight in pairs], np.float64))


def participants_needed(
    difference: float,
    *,
    trials: int,
    photographs: int,
    components: Components | None = None,
    comparisons: int = 1,
    power: float = POWER,
    design: Design = "between",
    algorithms: int = 2,
    unit: float = 1.0,
) -> int:
    """Return how many participants an experiment needs to find a difference of two algorithms: between, of each one.

    With s participants of t trials, i photographs, A algorithms, and variances p (1 - p) of an answer, v_s of
    participants and v_i of photographs with one of the algorithms, the difference of two rates has the variance

        2 (v_s + (p (1 - p) - v_s) / t) / s + 2 v_i / i        with s participants an algorithm
        2 (v_s + (p (1 - p) - v_s) A / t) / s + 2 v_i / i      where each judges all algorithms

    with the variance of a rating in place of p (1 - p) where ratings are compared, as shares of the scale's range,
    and in a preference design, near p = 1/2, the probability that one of two is preferred, by Bradley and Terry's
    model,

        (v_s + (p (1 - p) - v_s) (A - 1) / t) / s + v_i / i

    The last part stays, however many participants there are. The first is estimated in the experiment with 2 (s - 1)
    degrees of freedom, s - 1 where each judges all, see `statistics.power`.

    Args:
        difference: Of the true rates, in percentage points; in a preference design from 50 %.
        trials: That count, of one participant.
        photographs: In the bundle.
        components: What makes answers vary.
        comparisons: How many pairs of algorithms the p-value is corrected for, by Holm's method.
        power: Probability of finding it, at a level of 0.05 for all comparisons.
        design: Of the experiment.
        algorithms: How many there are.
        unit: Percentage points of a point in which errors are to be said, such as one of a scale.

    Returns:
        At least 2.

    Raises:
        ConfigError: A value is impossible, or the photographs are too few: no number of participants suffices.
    """
    components = components or Components()
    _check(difference, trials, photographs, components, comparisons, unit)
    wanted, alpha = difference / _PERCENT, ALPHA / comparisons
    of_one, of_photographs = _variances(components, trials, design, algorithms)
    groups = 2 if design == "between" else 1

    def detects(participants: float, photographs: int) -> bool:
        if np.isinf(participants):
            return _limit(of_photographs, photographs, alpha, power) <= wanted
        df, example_df = float(groups * (participants - 1)), ErrorDistribution.df_of_examples(photographs)
        error = ErrorDistribution(of_one / participants, df, of_photographs / photographs, example_df)
        return minimum_detectable_effect(error, alpha=alpha, power=power) <= wanted

    # With the variance known: no number below the first of these suffices.
    multiple = float(special.ndtri(1 - alpha / 2) + special.ndtri(power))
    most = (wanted / multiple) ** 2
    if not detects(np.inf, photographs):
        least = max(int(of_photographs / most), photographs)
        while not detects(np.inf, least):
            least += 1
        enough = 2 * least
        raise ConfigError(
            f"{photographs} photographs are too few to find a difference of {difference / unit:g} points: however "
            f"many people judge them, other photographs might give another one. It takes at least {least:,} "
            f"photographs, and with {enough:,} of them {_smallest(lambda n: detects(n, enough), 2):,} participants"
            + (" an algorithm" if design == "between" else "")
        )
    return _smallest(lambda n: detects(n, photographs), max(2, int(of_one / (most - of_photographs / photographs))))


def photograph_limit(
    photographs: int,
    *,
    components: Components | None = None,
    comparisons: int = 1,
    power: float = POWER,
    design: Design = "between",
) -> float:
    """Return the difference, in percentage points, that is found with a given power however many people take part.

    Smaller ones are found less often: the variance over photographs does not shrink with more people.

    Args:
        photographs: In the bundle.
        components: See `participants_needed`, as are the others.
        comparisons: Alike.
        power: Alike.
        design: Alike.
    """
    _, of_photographs = _variances(components or Components(), 1, design, 2)
    return _PERCENT * _limit(of_photographs, photographs, ALPHA / comparisons, power)


def _limit(of_photographs: float, photographs: int, alpha: float, power: float) -> float:
    example_df = ErrorDistribution.df_of_examples(photographs)
    error = ErrorDistribution(0.0, 1e7, of_photographs / photographs, example_df)
    return minimum_detectable_effect(error, alpha=alpha, power=power)


def _smallest(suffices: Callable[[int], bool], least: int) -> int:
    """Return the smallest number that suffices, from a least one on; all larger ones do too."""
    upper = least
    while not suffices(upper):
        least, upper = upper + 1, 2 * upper + 8
    while least < upper:
        middle = (least + upper) // 2
        least, upper = (least, middle) if suffices(middle) else (middle + 1, upper)
    return upper


def _variances(components: Components, trials: int, design: Design, algorithms: int) -> tuple[float, float]:
    """Return the variance of a difference times the number of participants, and times that of photographs."""
    of_people = (components.participants / _PERCENT) ** 2
    chance = max(components.of_answers - of_people, 0.0)
    of_photographs = (components.photographs / _PERCENT) ** 2
    if design == "preference":
        return of_people + chance * (algorithms - 1) / trials, of_photographs
    share = 1 if design == "between" else algorithms
    return 2 * (of_people + chance * share / trials), 2 * of_photographs


def _mean(values: Sequence[float], weights: Array) -> float:
    """Return the weighted mean of the values that are known; NaN where none is."""
    known = ~np.isnan(values)
    return float(np.average(np.asarray(values)[known], weights=weights[known])) if known.any() else np.nan


def _check(
    difference: float, trials: int, photographs: int, components: Components, comparisons: int, unit: float
) -> None:
    most = f"{CHANCE / unit:.3g}"
    of_people, of_photographs = components.participants, components.photographs
    answers = CHANCE if components.answers is None else components.answers
    in_points = {
        "difference": (difference, 0 < difference <= CHANCE, f"above 0 and at most {most} points"),
        "answers_sd": (answers, 0 < answers <= CHANCE, f"above 0 and at most {most}"),
        "participants_sd": (of_people, 0 <= of_people <= CHANCE, f"0 to {most} points"),
        "photographs_sd": (of_photographs, 0 <= of_photographs <= CHANCE, f"0 to {most} points"),
    }
    ranges = {
        **{name: (value / unit, allowed, said) for name, (value, allowed, said) in in_points.items()},
        "rate": (components.rate, 0 < components.rate < _PERCENT, "between 0 and 100 percent"),
        "trials": (trials, trials >= 1, "at least 1"),
        "photographs": (photographs, photographs >= 2, "at least 2"),
        "comparisons": (comparisons, comparisons >= 1, "at least 1"),
    }
    for name, (value, allowed, said) in ranges.items():
        if not allowed:
            raise ConfigError(f"{name} must be {said}. Received: {name}={value:g}")
