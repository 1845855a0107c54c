"""Statistics of L, in closed form."""

import numpy as np
import pytest

from ablate.turing.build.lightness_statistics import STEPS, lightness_statistics


def test_distinct_values_and_parts_are_counted() -> None:
    L = np.array([[10.0, 10.004, 10.006, 20.51] * 4] * 16)
    found = lightness_statistics(L)
    assert [found[f"distinct values at {step}, rounded"] for step in ("1", "0.01", "0.001")] == [2, 3, 4]
    assert [found[f"distinct values at {step}, cut off"] for step in ("1", "0.01", "0.005")] == [2, 2, 3]
    assert found["values that occur once at 0.001, rounded"] == 0
    assert found["part 0 of 1"] == 0.75
    assert found["part 5 of 1"] == 0.25
    assert found["mean"] == pytest.approx(L.mean())
    assert found["entropy at 1, cut off"] == pytest.approx(-(0.75 * np.log(0.75) + 0.25 * np.log(0.25)))


def test_what_is_finer_than_the_resolution_changes_nothing() -> None:
    random = np.random.default_rng(0)
    coarse = random.integers(100, 9900, (32, 32)) / 100
    finer = coarse + random.uniform(-0.004, 0.004, coarse.shape)
    known, exact = lightness_statistics(coarse, 0.01), lightness_statistics(coarse)
    assert lightness_statistics(finer, 0.01) == known
    assert lightness_statistics(finer) != exact
    assert len(known) == len(exact) > 100
    assert all(f"distinct values at {step:g}, rounded" in known for step in STEPS)


def test_noise_and_frequencies_are_seen() -> None:
    flat = np.full((64, 64), 50.0)
    noisy = flat + np.random.default_rng(1).normal(0, 1, flat.shape)
    waves = flat + np.sin(2 * np.pi * 0.3 * np.arange(64))
    of_flat, of_noisy, of_waves = (lightness_statistics(L) for L in (flat, noisy, waves))
    assert of_flat["edges"] == of_flat["local noise, quantile 0.5"] == 0
    assert of_noisy["local noise, quantile 0.5"] == pytest.approx(0.9, abs=0.1)
    bands = [name for name in of_waves if name.startswith("energy")]
    assert max(bands, key=lambda name: of_waves[name]) == "energy from 0.25 cycles a pixel on"
    assert of_flat["compressed size, 8 bits"] < of_noisy["compressed size, 8 bits"]


@pytest.mark.parametrize("L", [0.0, 100.0])
def test_black_and_white_are_finite(L: float) -> None:
    assert np.isfinite(list(lightness_statistics(np.full((16, 16), L)).values())).all()
