"""Strengths by Bradley and Terry's model, against closed forms and statsmodels."""

import numpy as np
import pytest
from scipy import special
from statsmodels.genmod.families import Binomial
from statsmodels.genmod.generalized_linear_model import GLM

from ablate.turing.analyse.bradley_terry import fit_strengths, is_connected


def test_of_two_algorithms_the_penalty_is_half_a_trial_each_way() -> None:
    for won, trials in ((7.0, 20.0), (0.0, 5.0), (12.0, 12.0)):
        found = fit_strengths(np.array([0]), np.array([1]), np.array([won]), np.array([trials]), algorithms=2)
        odds = np.log((won + 0.5) / (trials - won + 0.5))
        assert found.values == pytest.approx([odds / 2, -odds / 2])
        chance = special.expit(odds)
        contrast = np.array([1, -1])
        assert contrast @ found.covariance @ contrast == pytest.approx(1 / (trials * chance * (1 - chance)))


def test_of_many_trials_it_is_maximum_likelihood() -> None:
    first, second = np.array([0, 0, 0, 1, 1]), np.array([1, 2, 3, 2, 3])
    trials = np.array([4e6, 3e6, 5e6, 1e6, 2e6])
    won = trials * np.array([0.3, 0.55, 0.7, 0.8, 0.85])
    found = fit_strengths(first, second, won, trials, algorithms=4)
    design = np.zeros((5, 4))
    design[np.arange(5), first], design[np.arange(5), second] = 1, -1
    model = GLM(np.stack([won, trials - won], axis=1), design[:, 1:], family=Binomial()).fit()
    known = np.array([0, *model.params])
    assert found.values == pytest.approx(known - known.mean(), abs=1e-5)
    contrast = np.array([-1, 0, 0, 1])
    assert contrast @ found.covariance @ contrast == pytest.approx(model.cov_params()[2, 2], rel=1e-4)


def test_who_always_wins_has_a_finite_strength_and_order_is_no_matter() -> None:
    first, second = np.array([0, 0, 1]), np.array([1, 2, 2])
    found = fit_strengths(first, second, np.array([9.0, 9.0, 9.0]), np.full(3, 9.0), algorithms=3).values
    assert np.isfinite(found).all()
    assert found[0] > found[1] > found[2]
    assert found.sum() == pytest.approx(0)
    turned = fit_strengths(second, first, np.zeros(3), np.full(3, 9.0), algorithms=3).values
    assert turned == pytest.approx(found)


def test_strengths_that_no_comparison_connects_are_known() -> None:
    assert is_connected(np.array([0, 2]), np.array([1, 1]), algorithms=3)
    assert not is_connected(np.array([0, 2]), np.array([1, 3]), algorithms=4)
