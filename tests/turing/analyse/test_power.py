"""The number of participants, against the textbook and by simulated experiments."""

import math
import re

import numpy as np
import pytest
from scipy import stats

from ablate.errors import ConfigError
from ablate.turing.analyse.power import Components, participants_needed, variance_components
from ablate.turing.analyse.simulation import DEVIATIONS, Deviations, components, draw_answers, simulate


def textbook(difference: float, variance: float, alpha: float = 0.05) -> float:
    """Return the sample of each group for a difference of means of a known variance, at a power of 80 %."""
    return float(2 * variance * ((stats.norm.ppf(1 - alpha / 2) + stats.norm.ppf(0.8)) / difference) ** 2)


@pytest.mark.slow
@pytest.mark.parametrize("comparisons", [1, 6])
@pytest.mark.parametrize("difference", [1.0, 2.0])
def test_without_photographs_many_participants_are_the_textbooks(difference: float, comparisons: int) -> None:
    components = Components(rate=30.0, participants=10.0, photographs=0.0)
    needed = participants_needed(
        difference, trials=20, photographs=100, components=components, comparisons=comparisons
    )
    known = textbook(difference / 100, 0.01 + (0.21 - 0.01) / 20, 0.05 / comparisons)
    # That the variance has to be estimated costs a few more.
    assert known <= needed <= known + 6


def test_photographs_take_their_part_of_the_variance_off() -> None:
    components = Components(rate=30.0, participants=10.0, photographs=8.0)
    needed = participants_needed(3.0, trials=20, photographs=300, components=components)
    multiple = stats.norm.ppf(0.975) + stats.norm.ppf(0.8)
    left = (0.03 / multiple) ** 2 - 2 * 0.08**2 / 300
    assert needed == pytest.approx(2 * 0.02 / left, rel=0.02)


@pytest.mark.slow
def test_more_is_needed_for_less() -> None:
    needed = [participants_needed(difference, trials=40, photographs=400) for difference in (20, 10, 5, 4)]
    assert needed == sorted(set(needed))
    of_trials = [participants_needed(8, trials=trials, photographs=400) for trials in (10, 20, 40)]
    assert of_trials == sorted(set(of_trials), reverse=True)
    of_photographs = [participants_needed(8, trials=40, photographs=count) for count in (49, 60, 100, 1000)]
    assert of_photographs == sorted(set(of_photographs), reverse=True)


@pytest.mark.slow
def test_where_people_cannot_make_up_for_photographs_it_says_how_many_it_takes() -> None:
    with pytest.raises(ConfigError, match="50 photographs are too few to find a difference of 5 points") as caught:
        participants_needed(5, trials=40, photographs=50)
    found = re.search(
        r"at least ([\d,]+) photographs, and with ([\d,]+) of them ([\d,]+) participants", str(caught.value)
    )
    assert found is not None
    least, enough, people = (int(text.replace(",", "")) for text in found.groups())
    assert participants_needed(5, trials=40, photographs=enough) == people
    assert participants_needed(5, trials=40, photographs=least) > people
    with pytest.raises(ConfigError, match="too few"):
        participants_needed(5, trials=40, photographs=least - 1)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"difference": 0.0}, "difference must be above 0"),
        ({"difference": 51.0}, "difference must be above 0"),
        ({"difference": math.nan}, "difference must be above 0"),
        ({"trials": 0}, "trials must be at least 1"),
        ({"photographs": 1}, "photographs must be at least 2"),
        ({"components": Components(rate=100.0)}, "rate must be between 0 and 100"),
        ({"components": Components(participants=-1.0)}, "participants_sd must be 0 to 50"),
        ({"components": Components(photographs=60.0)}, r"photographs_sd must be 0 to 50 points\. Received.*=60"),
    ],
)
def test_what_is_impossible_is_refused(changes: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        participants_needed(**{"difference": 5.0, "trials": 40, "photographs": 200, **changes})  # type: ignore[arg-type]


@pytest.mark.slow
def test_four_of_five_experiments_find_what_was_planned() -> None:
    deviations, difference = DEVIATIONS[1], 0.15
    needed = participants_needed(100 * difference, trials=40, photographs=100, components=components(deviations, 0.32))
    counted = simulate(
        deviations,
        (0.32 - difference / 2, 0.32 + difference / 2),
        participants=needed,
        trials=40,
        photographs=100,
        experiments=500,
        seed=5,
    )
    # Three standard errors are 5.4 %; the report's own plans find 79 to 85 %.
    assert 0.8 - 0.054 <= counted.found <= 0.88 + 0.054


def test_a_pilot_tells_what_makes_answers_vary() -> None:
    deviations = Deviations("", participants=0.8, photographs=0.6, both=0.9)
    expected, random = components(deviations, 0.3), np.random.default_rng(1)
    found = variance_components(
        draw_answers(deviations, (0.3,) * 3, participants=150, trials=60, photographs=300, random=random)
    )
    assert found.rate == pytest.approx(30, abs=3)
    assert found.participants == pytest.approx(expected.participants, rel=0.1)
    assert found.photographs == pytest.approx(expected.photographs, rel=0.15)


def test_of_one_algorithm_all_that_photographs_do_counts() -> None:
    deviations, random = (
        Deviations("", participants=0.5, photographs=1.0, both=0.0),
        np.random.default_rng(1),
    )
    drawn = draw_answers(deviations, (0.3, 0.3), participants=100, trials=60, photographs=300, random=random)
    both, alone = variance_components(drawn), variance_components(drawn[drawn["algorithm"] == 0])
    assert both.photographs < 5
    assert alone.photographs > 12


def test_a_pilot_that_is_too_small_says_what_it_does_not_know() -> None:
    drawn = draw_answers(
        DEVIATIONS[0],
        (0.3, 0.3),
        participants=1,
        trials=20,
        photographs=40,
        random=np.random.default_rng(0),
    )
    found = variance_components(drawn)
    assert math.isnan(found.participants)
    assert math.isnan(found.photographs)
    assert found.rate == pytest.approx(100 * drawn["fooled"].mean())
