"""The mixture of normal distributions against Student's t and its limits."""

import math

import numpy as np
import pytest
from scipy import special, stats

from ablate.statistics.error_distribution import ErrorDistribution

ACCURACY = 5e-8
"""How closely 48 nodes of a quadrature meet a probability."""


@pytest.mark.parametrize("df", range(1, 31))
def test_the_mixture_ends_in_students_t(df: int) -> None:
    almost_all = ErrorDistribution(1 - 1e-12, df, 1e-12)
    distances = np.linspace(0, 20, 41)
    expected = special.stdtr(df, -distances)
    assert [almost_all.tail_probability(float(distance)) for distance in distances] == pytest.approx(
        expected, abs=ACCURACY
    )


@pytest.mark.parametrize("df", [1, 2, 9, 99])
@pytest.mark.parametrize("variance", [1.0, 0.1, 0.3, 1 / 7, 3e-9])
def test_of_seeds_alone_it_is_students_t_far_out_too(df: int, variance: float) -> None:
    error = ErrorDistribution(variance, df)
    far = 20 * math.sqrt(variance)
    assert error.tail_probability(far) == pytest.approx(special.stdtr(df, -20.0), rel=1e-9)
    assert error.half_width(1e-9) == pytest.approx(math.sqrt(variance) * special.stdtrit(df, 1 - 5e-10), rel=1e-9)


@pytest.mark.parametrize("df", [1, 2, 9])
def test_the_mixture_begins_with_the_normal_distribution(df: int) -> None:
    for error in (ErrorDistribution(0.0, df, 4.0), ErrorDistribution(1e-12, df, 4.0)):
        assert error.tail_probability(3.0) == pytest.approx(stats.norm.sf(1.5), abs=1e-6)
        assert error.half_width(0.05) == pytest.approx(2 * stats.norm.ppf(0.975), rel=1e-3)


@pytest.mark.parametrize("df", [1, 2, 4, 9])
def test_an_interval_grows_with_its_level_and_with_the_part_of_the_seeds(df: int) -> None:
    shares = np.linspace(0, 1, 11)
    half_widths = np.array(
        [
            [ErrorDistribution(share, df, 1 - share).half_width(1 - level) for level in (0.5, 0.9, 0.95, 0.99)]
            for share in shares
        ]
    )
    # At 50 % that is not so: what lies between reaches a little further than Student's t, by 1 %.
    assert (np.diff(half_widths[:, 1:], axis=0) > 0).all()
    assert (np.diff(half_widths, axis=1) > 0).all()


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_what_lies_further_off_is_less_likely(share: float) -> None:
    tails = [ErrorDistribution(share, 2, 1 - share).tail_probability(distance) for distance in np.linspace(-5, 5, 41)]
    assert (np.diff(tails) < 0).all()
    assert np.add(tails, tails[::-1]) == pytest.approx(1, abs=2 * ACCURACY)
