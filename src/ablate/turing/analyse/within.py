"""Differences of fooling rates where each participant judges all algorithms. Pure functions on frames.

Trials are those of `rates`. What a participant does to both algorithms alike cancels: the participants' part of a
difference is that of their own differences, and that of photographs alike, see `two_way`.
"""

from itertools import combinations

import numpy as np
import pandas as pd

from ablate.statistics.intervals import Estimate
from ablate.turing.analyse.rates import LEAST, pairs_table
from ablate.turing.analyse.two_way import two_way_error


def compare_within(trials: pd.DataFrame) -> pd.DataFrame:
    """Compare every algorithm with every other one, as `rates.compare_rates` does, with the same columns."""
    names = [str(name) for name in trials["algorithm"].unique()]
    return pairs_table({(a, b): within_difference(trials, a, b) for a, b in combinations(names, 2)})


def within_difference(trials: pd.DataFrame, algorithm: str, other: str) -> Estimate:
    """Estimate the difference of two algorithms' rates, one less the other's, of shares of 0 to 1."""
    own = trials[trials["algorithm"].isin([algorithm, other])]
    fooled, rate, part, least = own["fooled"].to_numpy(np.float64), dict[str, float](), np.zeros(len(own)), 0.0
    for name, sign in ((algorithm, 1), (other, -1)):
        judged = (own["algorithm"] == name).to_numpy()
        count = int(judged.sum())
        rate[name] = float(fooled[judged].mean())
        part[judged] = sign * (fooled[judged] - rate[name]) / count
        shrunk = (count * rate[name] + 0.5) / (count + 1)
        least += LEAST * shrunk * (1 - shrunk) / count
    people, photographs = (pd.factorize(own[name])[0].astype(np.int64) for name in ("participant", "photograph"))
    return Estimate(rate[algorithm] - rate[other], two_way_error(part, people, photographs, least=least))
