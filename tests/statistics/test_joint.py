"""Errors drawn jointly: the method as it is written down, drawn plainly, and limits that are known."""

import numpy as np
import numpy.typing as npt
import pytest
from scipy import special, stats

from ablate.statistics.error_model import ErrorModel
from ablate.statistics.joint import JointErrors
from ablate.statistics.quasi_random import chi2_quantiles, normal_deviates
from ablate.statistics.simultaneous import many_to_one
from ablate.statistics.tails import Maximum, solved

Array = npt.NDArray[np.float64]


def as_written(values: Array, draws: int, random: np.random.Generator) -> tuple[Array, Array]:
    """Draw errors as docs/statistics.md writes them, one after the other, of a study without missing runs.

    Returns:
        (draws, num_variants), the errors, and the differences.
    """
    y, (count, seeds, examples) = values.mean(axis=2), values.shape
    left = y - y.mean(axis=1, keepdims=True) - y.mean(axis=0) + y.mean()
    d = (seeds - 1) * (count - 1) / count
    s2 = (left**2).sum(axis=1) / d
    a = 3.0
    centre = (np.log(s2) - special.digamma(d / 2) + np.log(d / 2) + special.digamma(a / 2) - np.log(a / 2)).mean()
    width = np.sqrt((special.polygamma(1, d / 2) + special.polygamma(1, a / 2)) / count)
    nodes = centre + width * np.linspace(-5, 5, 301)
    x = np.log(s2) - nodes[:, None]
    weights = (d / 2 * x - (d + a) / 2 * np.log1p(d / a * np.exp(x))).sum(axis=1)
    weights = np.exp(weights - weights.max())
    s02 = np.exp(random.choice(nodes, draws, p=weights / weights.sum()))
    prior = np.array([1.0] + [3.0] * (count - 1))
    sigma2 = (prior * s02[:, None] + d * s2) / random.chisquare(prior + d, (draws, count))
    own = np.sqrt(sigma2[:, 1:] / seeds) * random.normal(size=(draws, count - 1))
    errors = own - np.sqrt(sigma2[:, :1]) * random.normal(size=(draws, seeds)).mean(axis=1, keepdims=True)
    if examples > 1:
        ms_e, ms_p = np.empty(count - 1), np.empty(count - 1)
        for place in range(1, count):
            table = values[place] - values[0]
            rest = table - table.mean(axis=1, keepdims=True) - table.mean(axis=0) + table.mean()
            ms_e[place - 1] = (rest**2).sum() / (seeds - 1) / (examples - 1)
            ms_p[place - 1] = seeds * table.mean(axis=0).var(ddof=1)
        errors *= np.sqrt(np.maximum(1, ms_e / examples / (sigma2[:, 1:] + sigma2[:, :1])))
        q = np.maximum(ms_p - ms_e, 0) / seeds / examples
        g = (examples - 1) / random.chisquare(examples - 1, (draws, 1))
        errors += np.sqrt(q * g / 2) * (random.normal(size=(draws, count - 1)) - random.normal(size=(draws, 1)))
    return errors, y[1:].mean(axis=1) - y[0].mean()


@pytest.mark.parametrize(("examples", "of_both"), [(1, 0.0), (30, 1.0), (30, 12.0)])
def test_it_is_the_method_as_written(examples: int, of_both: float) -> None:
    random = np.random.default_rng(examples)
    values = random.normal(size=(6, 3, 1)) * np.array([1, 1, 2, 0.5, 1, 0.3])[:, None, None]
    values = values + (random.normal(0, 3, (6, 1, examples)) if examples > 1 else 0.0)
    values = values + random.normal(0, of_both, (6, 3, examples))
    errors, difference = as_written(values, 100_000, random)
    alone = np.quantile(np.abs(errors), 0.95, axis=0)
    largest = (np.abs(errors) / alone).max(axis=1)
    frame = many_to_one(values)
    assert frame["difference"].to_numpy() == pytest.approx(difference)
    # 100,000 draws tell a quantile to 1 % where tails are heavy.
    assert (frame["high_individual"] - difference).to_numpy() == pytest.approx(alone, rel=0.02)
    assert (frame["high"] - difference).to_numpy() == pytest.approx(alone * np.quantile(largest, 0.95), rel=0.025)
    expected = [(largest >= abs(each) / width).mean() for each, width in zip(difference, alone, strict=True)]
    assert frame["p"].to_numpy() == pytest.approx(expected, abs=0.006)
    deviation = frame["standard_error"].to_numpy()
    assert ((frame["high"] - frame["low"]) / 2 > deviation).all()


def known_variances(deviations: Array, correlated: bool) -> JointErrors:
    """Return the errors of comparisons with a baseline, each variance being known."""
    count = len(deviations)
    baseline = np.full((count, 1), -1.0 if correlated else 0.0)
    loadings = np.column_stack([baseline, np.diag(deviations)])
    rows = count + 1
    return JointErrors(
        ErrorModel(
            seen=np.ones(rows),
            df=np.full(rows, 1e9),
            prior_df=np.zeros(rows),
            level=None,
            loadings=loadings,
            row=np.arange(rows),
            residual=np.zeros(count),
            examples=np.zeros(count),
            examples_df=np.inf,
            directions=np.zeros((count, rows)),
        )
    )


def test_independent_errors_are_sidaks() -> None:
    deviations = np.array([1.0, 2.0, 0.1, 5.0])
    errors = known_variances(deviations, correlated=False)
    alone = errors.half_widths(0.95)
    assert alone == pytest.approx(stats.norm.ppf(0.975) * deviations, rel=1e-4)
    c = errors.survival(alone).quantile(0.95)
    assert c * stats.norm.ppf(0.975) == pytest.approx(stats.norm.ppf(0.5 + 0.95 ** (1 / 4) / 2), rel=1e-3)


@pytest.mark.parametrize("count", [3, 8])
def test_errors_that_share_a_baseline_are_dunnetts(count: int) -> None:
    errors = known_variances(np.ones(count), correlated=True)
    c = errors.survival(errors.half_widths(0.95)).quantile(0.95) * stats.norm.ppf(0.975)
    x, step = np.linspace(-8, 8, 2001, retstep=True)
    inside = stats.norm.cdf(np.sqrt(2) * c + x) - stats.norm.cdf(-np.sqrt(2) * c + x)
    assert (stats.norm.pdf(x) * inside**count).sum() * step == pytest.approx(0.95, abs=5e-4)


def test_a_detectable_difference_is_found_with_its_probability() -> None:
    errors = known_variances(np.ones(2), correlated=True)
    widths = errors.half_widths(0.95)
    found = errors.detectable(widths, power=0.9)
    assert found == pytest.approx(np.sqrt(2) * (stats.norm.ppf(0.975) + stats.norm.ppf(0.9)), rel=1e-4)


def test_where_a_tail_has_a_probability() -> None:
    def tail(places: Array) -> tuple[Array, Array]:
        return 2 * stats.t.sf(places, 2), 2 * stats.t.pdf(places, 2)

    for start in (1e-3, 1.0, 1e4):
        assert solved(tail, 0.05, np.array([start])) == pytest.approx(stats.t.ppf(0.975, 2))


def test_the_largest_of_no_errors_is_never_exceeded() -> None:
    assert Maximum(np.zeros(8), 3).quantile(0.95) == 1
    assert Maximum(np.zeros(8), 3).survival(np.array([1.0]))[0] == 0


@pytest.mark.parametrize("df", [0.5, 1.0, 2.78, 30.0])
def test_chi2_quantiles_are_scipys(df: float) -> None:
    deviates = np.linspace(-6, 6, 977)
    expected = np.where(
        deviates < 0, stats.chi2.ppf(stats.norm.cdf(deviates), df), stats.chi2.isf(stats.norm.sf(deviates), df)
    )
    assert chi2_quantiles(deviates, df) == pytest.approx(expected, rel=2e-4)


def test_deviates_are_the_same_ones_each_time_and_fill_space() -> None:
    one = normal_deviates(1024, 3).copy()
    normal_deviates.cache_clear()
    other = normal_deviates(1024, 3)
    assert (one == other).all()
    assert np.isfinite(other).all()
    assert other.mean(axis=0) == pytest.approx(np.zeros(3), abs=2e-3)
    assert (other**2).mean(axis=0) == pytest.approx(np.ones(3), rel=1e-2)
    with pytest.raises(ValueError, match="read-only"):
        other[0] = 0
