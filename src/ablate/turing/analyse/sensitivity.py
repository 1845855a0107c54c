"""Sensitivity and side bias: d', and which side is chosen, with intervals. Pure functions on frames.

Trials are a frame with the columns participant, photograph, algorithm, real_side and choice (the side that was taken
for the fake): a row a trial. With H the share of "left" where the fake was at the left, and F that where it was at
the right,

    d' = (z(H) - z(F)) / sqrt(2)        left = (H + F) / 2

z being the normal distribution's inverse: d' of a choice of two does not depend on a preference for a side (Macmillan
and Creelman 2005, chapter 7), and the share of left does not on how often the fake was there. H and F count half a
trial more each way (Hautus 1995, doi:10.3758/BF03203619), so that neither is 0 or 1. Their errors are `two_way`'s, by
the delta method.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from ablate.statistics.error_distribution import ErrorDistribution
from ablate.statistics.intervals import ALPHA
from ablate.turing.analyse.rates import LEAST
from ablate.turing.analyse.two_way import two_way_error

Array = npt.NDArray[np.float64]

SENSITIVITY = ("d_prime", "d_prime_low", "d_prime_high", "left", "left_low", "left_high")
_PERCENT = 100
_ROOT = np.sqrt(2.0)


@dataclass(frozen=True)
class _Sides:
    """The answers about one algorithm by where the fake was.

    Attributes:
        shares: H and F.
        parts: (2, num_trials): what each trial adds to the error of H and of F.
        variances: Those of H and F if trials were independent.
    """

    shares: Array
    parts: Array
    variances: Array


def sensitivity(trials: pd.DataFrame) -> pd.DataFrame:
    """Estimate d' and the share of left of each algorithm.

    Args:
        trials: See above.

    Returns:
        A row an algorithm, in their order in `trials`: columns algorithm and `SENSITIVITY`, with 95 % intervals;
        `left` is in percent. Intervals are found for log odds, of d' for those of the share of right answers that it
        stands for. NaN where the fake was at one side alone; of intervals with one participant, too.
    """
    rows = [(name, *_of_algorithm(own)) for name, own in trials.groupby("algorithm", sort=False)]
    return pd.DataFrame(rows, columns=["algorithm", *SENSITIVITY])


def _of_algorithm(trials: pd.DataFrame) -> tuple[float, ...]:
    sides = _by_side(trials)
    if sides is None:
        return (np.nan,) * len(SENSITIVITY)
    people, photographs = (pd.factorize(trials[name])[0].astype(np.int64) for name in ("participant", "photograph"))

    def error(slopes: Array) -> ErrorDistribution | None:
        least = LEAST * float(slopes**2 @ sides.variances)
        return two_way_error(slopes @ sides.parts, people, photographs, least=least)

    quantiles = special.ndtri(sides.shares)
    d_prime = float(quantiles[0] - quantiles[1]) / _ROOT
    # The share of right answers of who has no preference for a side.
    correct = float(special.ndtr(d_prime / _ROOT))
    slopes = np.array([1, -1]) / _density(quantiles) * _density(np.array([d_prime / _ROOT])) / 2
    ends = _ROOT * special.ndtri(_around(correct, error(slopes / (correct * (1 - correct)))))
    left = float(sides.shares.mean())
    left_ends = _PERCENT * _around(left, error(np.array([0.5, 0.5]) / (left * (1 - left))))
    return (d_prime, *map(float, ends), _PERCENT * left, *map(float, left_ends))


def _density(quantiles: Array) -> Array:
    return np.asarray(np.exp(-(quantiles**2) / 2) / np.sqrt(2 * np.pi), np.float64)


def _around(share: float, error: ErrorDistribution | None) -> Array:
    """Return the ends of a share's 95 % interval, whose log odds have this error; NaN where it has none."""
    half_width = np.nan if error is None else error.half_width(ALPHA)
    return np.asarray(special.expit(special.logit(share) + half_width * np.array([-1, 1])), np.float64)


def _by_side(trials: pd.DataFrame) -> _Sides | None:
    """Return H and F with the parts of trials in their errors; None where the fake was at one side alone."""
    said_left = (trials["choice"] == "left").to_numpy(np.float64)
    fake_left = (trials["real_side"] == "right").to_numpy()
    shares, parts, variances = np.zeros(2), np.zeros((2, len(trials))), np.zeros(2)
    for place, there in enumerate((fake_left, ~fake_left)):
        count = int(there.sum())
        if not count:
            return None
        share = (said_left[there].sum() + 0.5) / (count + 1)
        shares[place], variances[place] = share, share * (1 - share) / count
        parts[place, there] = (said_left[there] - said_left[there].mean()) / count
    return _Sides(shares, parts, variances)
