"""Holm's correction against statsmodels."""

import math
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from ablate.statistics.corrections import holm


@pytest.mark.slow
def test_holm_is_that_of_statsmodels() -> None:
    random = np.random.default_rng(0)
    for size in (1, 2, 5, 8, 30):
        p = random.beta(0.3, 2, size).tolist()
        assert holm(p) == pytest.approx(multipletests(p, method="holm")[1], rel=1e-12)


@mock.patch("gc.collect")  # statsmodels calls it at every call, a quarter of a second
@settings(deadline=None)
@given(st.lists(st.sampled_from([0.0, 0.001, 0.01, 0.02, 0.2, 1.0, math.nan]), max_size=8))
def test_holm_takes_ties_and_leaves_out_what_is_unknown(collect: mock.Mock, p_values: list[float]) -> None:
    corrected, known = holm(p_values), ~np.isnan(p_values)
    assert np.isnan(corrected).tolist() == (~known).tolist()
    if known.any():
        expected = multipletests(np.array(p_values)[known], method="holm")[1]
        assert corrected[known] == pytest.approx(expected, rel=1e-12)
