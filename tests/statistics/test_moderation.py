"""Moderated variances against statsmodels, SciPy's F distribution, and numbers integrated directly."""

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats
from statsmodels.formula.api import ols

from ablate.statistics.moderation import PRIOR_DF, Variances, level_of, run_variances


def test_variances_are_those_of_least_squares() -> None:
    means = np.random.default_rng(0).normal(size=(4, 5))
    means[1, 2] = means[3, 0] = means[3, 1] = np.nan
    long = pd.DataFrame(
        [(v, s, means[v, s]) for v in range(4) for s in range(5) if not np.isnan(means[v, s])],
        columns=["variant", "seed", "value"],
    )
    fitted = ols("value ~ C(variant) + C(seed)", long).fit()
    long["left"], long["free"] = fitted.resid, 1 - fitted.get_influence().hat_matrix_diag
    expected = long.groupby("variant").agg(squares=("left", lambda left: (left**2).sum()), df=("free", "sum"))
    found = run_variances(means)
    assert found.df == pytest.approx(expected["df"].to_numpy())
    assert found.seen == pytest.approx((expected["squares"] / expected["df"]).to_numpy())


@pytest.mark.parametrize(("variants", "seeds"), [(2, 3), (9, 3), (14, 10)])
def test_without_a_missing_run_all_have_as_many_degrees_of_freedom(variants: int, seeds: int) -> None:
    found = run_variances(np.random.default_rng(0).normal(size=(variants, seeds)))
    assert found.df == pytest.approx(np.full(variants, (seeds - 1) * (variants - 1) / variants))


def test_unpaired_variances_are_the_variants_own() -> None:
    means = np.random.default_rng(0).normal(size=(3, 6))
    means[1:, 4:] = np.nan
    found = run_variances(means, paired=False)
    assert found.df == pytest.approx([5, 3, 3])
    assert found.seen == pytest.approx(np.nanvar(means, axis=1, ddof=1))


def test_on_average_they_are_the_variance_and_leave_out_what_seeds_do_to_all() -> None:
    random = np.random.default_rng(0)
    seen = [run_variances(random.normal(0, 2, (5, 4)) + random.normal(0, 9, (1, 4))).seen for _ in range(400)]
    assert np.mean(seen) == pytest.approx(4, rel=0.1)


def test_a_variant_without_a_degree_of_freedom_has_none() -> None:
    means = np.full((3, 3), np.nan)
    means[:2], means[2, 0] = np.random.default_rng(0).normal(size=(2, 3)), 1.0
    found = run_variances(means)
    assert found.df[2] == found.seen[2] == 0
    assert found.df[:2] == pytest.approx([1, 1])


@pytest.mark.parametrize("seen", [[1.0], [0.5, 1.0, 3.0], [1e-9, 1.0, 1.1, 0.9], [1e-30, 1e30]])
def test_the_level_is_what_variances_of_an_f_distribution_say(seen: list[float]) -> None:
    df = np.linspace(1.0, 2.5, len(seen))
    level = level_of(Variances(np.array(seen), df))
    assert level is not None

    # The density of the logarithm of a ratio: that of the ratio, times the ratio.
    places = np.linspace(np.log(min(seen)) - 40, np.log(max(seen)) + 40, 8001)
    ratios = np.array(seen) / np.exp(places[:, None])
    logs = (stats.f.logpdf(ratios, df, PRIOR_DF) + np.log(ratios)).sum(axis=1)
    density = np.exp(logs - logs.max())
    cumulated = integrate.cumulative_trapezoid(density, places, initial=0)
    cumulated /= cumulated[-1]
    for probability in (0.05, 0.5, 0.95):
        expected = np.interp(probability, cumulated, places)
        assert np.log(level.quantiles(np.array(probability))) == pytest.approx(expected, abs=0.06)


def test_a_variance_of_nearly_0_does_not_pull_the_level_down() -> None:
    df = np.full(9, 1.8)
    usual = level_of(Variances(np.ones(9), df))
    spoilt = level_of(Variances(np.array([1e-25] + [1.0] * 8), df))
    assert usual is not None
    assert spoilt is not None
    assert usual.typical == pytest.approx(1, rel=0.2)
    assert spoilt.typical > usual.typical / 2


def test_variances_of_0_tell_nothing_of_the_level() -> None:
    assert level_of(Variances(np.zeros(3), np.full(3, 2.0))) is None
    some = level_of(Variances(np.array([0.0, 2.0, 1.0]), np.full(3, 2.0)))
    same = level_of(Variances(np.array([2.0, 1.0]), np.full(2, 2.0)))
    assert some is not None
    assert same is not None
    assert some.typical == same.typical
