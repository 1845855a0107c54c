"""The power of planned studies, against studies that are simulated from the truth."""

import numpy as np
import pytest
from scipy import special

from ablate.statistics import many_to_one
from ablate.statistics.pilot import Pilot, pilot_of
from ablate.statistics.planned_power import Truth, detectable, likely_truths, power_of
from ablate.statistics.seeds import predicted_detectable


def truth(variants: int = 3, *, common: float = 1.0, examples: int = 1, of_examples: float = 0.0) -> Truth:
    ones = np.ones(variants + 1)
    of_both = 0.5 * ones if examples > 1 else 0 * ones
    return Truth(ones - of_both, common, of_both, of_examples * ones, examples)


def pilot(variants: int = 3, seeds: int = 30, **changes: float) -> Pilot:
    found = pilot_of(truth(variants, **changes).draw(seeds, None, np.random.default_rng(variants)))  # type: ignore[arg-type]
    assert found is not None
    return found


@pytest.mark.parametrize("baseline_seeds", [None, 9])
def test_errors_have_the_variance_that_is_said(baseline_seeds: int | None) -> None:
    own = truth(2, examples=20, of_examples=0.3)
    random = np.random.default_rng(1)
    means = np.array([np.nanmean(own.draw(3, baseline_seeds, random), axis=(1, 2)) for _ in range(4_000)])
    errors = means[:, 1:] - means[:, :1]
    np.testing.assert_allclose(errors.var(axis=0), own.error_variance(3, baseline_seeds), rtol=0.08)


def test_a_study_has_the_runs_that_are_planned() -> None:
    values = truth(2).draw(3, 5, np.random.default_rng(0))
    assert (~np.isnan(values)).sum(axis=(1, 2)).tolist() == [5, 3, 3]
    assert truth(2).draw(3, None, np.random.default_rng(0)).shape == (3, 3, 1)


@pytest.mark.slow
def test_a_large_pilot_knows_the_truth() -> None:
    truths = list(likely_truths(pilot(4, 60, examples=30, of_examples=0.5), 16))
    np.testing.assert_allclose(np.median([each.of_seeds for each in truths], axis=0), 0.5, rtol=0.6)
    np.testing.assert_allclose(np.mean([each.of_seeds for each in truths]), 0.5, rtol=0.3)
    np.testing.assert_allclose(truths[0].of_both, 0.5, rtol=0.15)
    assert np.median([each.common for each in truths]) == pytest.approx(1, rel=0.4)
    assert {each.num_examples for each in truths} == {30}


@pytest.mark.slow
def test_what_is_promised_is_found() -> None:
    own = pilot(3, 60, examples=30, of_examples=0.1)
    promised = detectable(own, 5, studies=32)
    assert power_of(likely_truths(own, 32), promised, 5) == pytest.approx(np.full(3, 0.8), abs=1e-3)
    # Studies from the truth, analysed as they are: a difference moves its interval.
    random = np.random.default_rng(2)
    studies = [truth(3, examples=30, of_examples=0.1).draw(5, None, random) for _ in range(40)]
    found = [many_to_one(values, points=2**10)["low"].to_numpy() + promised > 0 for values in studies]
    assert np.mean(found) == pytest.approx(0.8, abs=0.1)


@pytest.mark.slow
def test_of_a_known_truth_the_simulation_is_the_formula() -> None:
    own = pilot(3, 60)
    for plan in ((4, None), (10, None), (4, 8)):
        np.testing.assert_allclose(detectable(own, *plan, studies=32), predicted_detectable(own, *plan), rtol=0.25)


@pytest.mark.slow
def test_one_variant_is_students_test() -> None:
    own = pilot(1, 60)
    variance = float(next(likely_truths(own, 2)).error_variance(10)[0])
    limit = special.stdtrit(9, 0.975)
    (found,) = detectable(own, 10, studies=32)
    # Of the non-central t, by simulation.
    random = np.random.default_rng(3)
    spread = np.sqrt(random.chisquare(9, 100_000) / 9)
    needed = np.quantile(limit * spread - random.normal(size=100_000), 0.8)
    assert found == pytest.approx(needed * np.sqrt(variance), rel=0.12)


@pytest.mark.slow
def test_more_seeds_find_smaller_differences() -> None:
    own = pilot(3, 3)
    found = [detectable(own, seeds, studies=32) for seeds in (3, 6, 12)]
    assert (found[0] > found[1]).all()
    assert (found[1] > found[2]).all()
    np.testing.assert_array_equal(detectable(own, 3, studies=32), found[0])
