"""The minimum detectable effect of a study. Pure functions."""

import numpy as np
from scipy import optimize, special

from ablate.statistics.error_distribution import SHARES, ErrorDistribution, chi2_ratio_nodes, critical_values

POWER = 0.8


def minimum_detectable_effect(error: ErrorDistribution, *, alpha: float, power: float = POWER) -> float:
    """Return the smallest true difference that a repetition of the study finds with a given power.

    The seeds' variance is not known, and a repetition estimates its own: both are averaged over. That asks for more
    than the usual multiple of the standard error, much more with three seeds.

    Args:
        error: Of the difference, as the study estimates it.
        alpha: Two-sided level at which the repetition tests.
        power: Share of repetitions that find it.
    """
    if error.standard_error == 0:
        return 0.0
    seeds, examples = error.seed_share, 1 - error.seed_share
    nodes, weights = chi2_ratio_nodes(error.df)
    true = seeds * nodes[:, None]
    estimated = true / nodes
    limit = np.sqrt(estimated + examples) * np.interp(
        estimated / (estimated + examples), SHARES, critical_values(error.df, error.example_df, alpha)
    )
    deviation = np.sqrt(true + examples)

    def excess_power(difference: float) -> float:
        found = special.ndtr((difference - limit) / deviation) + special.ndtr(-(difference + limit) / deviation)
        return float(weights @ found @ weights) - power

    upper = 4.0
    while excess_power(upper) < 0:
        upper *= 2
    return error.standard_error * float(optimize.brentq(excess_power, 0.0, upper, xtol=1e-6))
