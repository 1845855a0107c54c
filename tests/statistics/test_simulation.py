"""Simulated studies: they vary as they are told, and intervals and verdicts keep what they promise."""

from dataclasses import replace

import numpy as np
import pytest

from ablate.statistics import simulation
from ablate.statistics.simulation import (
    DIFFERENCES,
    KINDS,
    RATES,
    Errors,
    Kind,
    draw,
    draw_runs,
    draw_scales,
    effect_weights,
    judge,
    outcomes,
)

KIND = {kind.name: kind for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])
def test_errors_have_the_standard_deviation_that_is_said(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulation, "POINTS", 16)
    random = np.random.default_rng(0)
    scales = draw_scales(replace(kind, log_sd=0.0), 3, random)
    found = [judge(draw(kind, scales, draw_runs(kind, 3, 4, random), random), kind) for _ in range(150)]
    ratios = np.concatenate([each.errors / each.deviations for each in found])
    assert np.nanmean(ratios) == pytest.approx(0, abs=0.25)
    assert np.nanstd(ratios) == pytest.approx(1, rel=0.2)


def test_effects_are_those_of_a_full_factorial() -> None:
    assert effect_weights(2).shape == (3, 4)
    assert effect_weights(3).shape == (6, 8)
    assert effect_weights(3).sum(axis=1) == pytest.approx(np.zeros(6))


def test_what_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    said = iter(
        Errors(*(np.array(each, dtype=float) for each in each_study))
        for each_study in (
            ([0.5, -3.0, np.nan], [1, 2, np.nan], [0.4, 2, np.nan], [3, 4, np.nan], [1, 2, 1]),
            ([0.0, 0.0, np.nan], [1, 2, np.nan], [1, 1, np.nan], [6, 6, np.nan], [1, 2, 1]),
        )
    )
    monkeypatch.setattr(simulation, "judge", lambda study, kind: next(said))
    rows, found = outcomes(KIND["all alike"], variants=3, seeds=3, studies=2, seed=0)
    one, other = (dict(zip(RATES, row, strict=True)) for row in rows)
    assert one == {
        "false_alarm": 1.0,
        "covered": 0.0,
        "noisiest_covered": 0.0,
        "detected": 1.0,
        "detectable": pytest.approx(np.log(2.5)),
        "wrongly_equivalent": 0.5,
    }
    assert (other["false_alarm"], other["covered"], other["noisiest_covered"]) == (0, 1, 1)
    assert other["detected"] == 1
    assert found.shape == (2, len(DIFFERENCES))
    # The second one's limits are 1 standard error.
    assert found[1].tolist() == [1.0] * len(DIFFERENCES)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "most"), [("all alike", 0.055), ("baseline 3 times noisier", 0.07)])
def test_studies_keep_what_they_promise(name: str, most: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulation, "POINTS", 2**10)
    studies = 200
    rows, _ = outcomes(KIND[name], variants=8, seeds=3, studies=studies, seed=1)
    means = dict(zip(RATES, rows.mean(axis=0), strict=True))
    # Two standard errors.
    assert means["false_alarm"] <= most + 2 * np.sqrt(most / studies)
    assert means["wrongly_equivalent"] <= 0.05 + 2 * np.sqrt(0.05 / studies)
    assert means["covered"] >= 0.9
    assert 0.68 <= means["detected"] <= 0.92


@pytest.mark.slow
def test_the_check_has_teeth_variances_that_are_pooled_fail_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulation, "POINTS", 2**10)
    monkeypatch.setattr("ablate.statistics.simultaneous.PRIOR_DF", 1e4)
    monkeypatch.setattr("ablate.statistics.simultaneous.BASELINE_PRIOR_DF", 1e4)
    rows, _ = outcomes(KIND["baseline 3 times noisier"], variants=8, seeds=3, studies=100, seed=1)
    assert rows[:, RATES.index("false_alarm")].mean() > 0.12
