"""Minimum detectable effects against closed forms and simulation."""

import math

import numpy as np
import pytest
from scipy import stats

from ablate.statistics.error_distribution import ErrorDistribution
from ablate.statistics.power import minimum_detectable_effect


@pytest.mark.parametrize("alpha", [0.05, 0.05 / 8])
@pytest.mark.parametrize("power", [0.5, 0.8, 0.95])
@pytest.mark.parametrize(
    "error", [ErrorDistribution(4.0, 10**7), ErrorDistribution(1.0, 10**7, 3.0), ErrorDistribution(0.0, 2, 4.0)]
)
def test_with_a_known_variance_it_is_the_classical_one(error: ErrorDistribution, power: float, alpha: float) -> None:
    # Less the chance to find a difference of the other sign, below 1e-3 of it here.
    classical = 2 * (stats.norm.ppf(1 - alpha / 2) + stats.norm.ppf(power))
    assert minimum_detectable_effect(error, alpha=alpha, power=power) == pytest.approx(classical, rel=1e-3)


@pytest.mark.parametrize("alpha", [0.05, 0.05 / 8])
def test_four_of_five_studies_of_three_seeds_find_what_another_could_detect(alpha: float) -> None:
    studies = 40_000
    random = np.random.default_rng(0)
    before, after = random.normal(size=(2, studies, 3))
    # It is as many times the standard error in every study, so that one call says it for all.
    multiple = minimum_detectable_effect(ErrorDistribution(1.0, 2), alpha=alpha)
    truth = multiple * before.std(axis=1, ddof=1) / math.sqrt(3)
    found = stats.ttest_1samp(after + truth[:, None], 0, axis=1).pvalue < alpha
    # The standard error of the share is 0.2 %.
    assert found.mean() == pytest.approx(0.8, abs=0.006)


def test_fewer_seeds_detect_less() -> None:
    detectable = [minimum_detectable_effect(ErrorDistribution(1.0, df), alpha=0.05) for df in (1, 2, 4, 9, 100)]
    assert (np.diff(detectable) < 0).all()
    assert detectable[1] / detectable[-1] > 3
