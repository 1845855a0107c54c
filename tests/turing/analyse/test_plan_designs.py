"""Plans of all designs, and the warning that photographs are few."""

import math
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from ablate.errors import ConfigError
from ablate.turing.analyse.photograph_warning import photograph_warning
from ablate.turing.analyse.plan import plan
from ablate.turing.analyse.power import Components, participants_needed, photograph_limit
from ablate.turing.database import Database
from ablate.turing.protocol import Design, Protocol
from tests.support.bundles import make_bundle
from tests.support.judged import opened, take_part

MULTIPLE = stats.norm.ppf(0.975) + stats.norm.ppf(0.8)


@pytest.mark.slow
def test_many_participants_are_the_textbooks() -> None:
    components = Components(rate=50.0, participants=10.0, photographs=0.0)
    for design, algorithms, variance in (
        ("preference", 2, 0.01 + 0.24 / 20),
        ("preference", 5, 0.01 + 0.24 * 4 / 20),
        ("within", 2, 2 * (0.01 + 0.24 * 2 / 20)),
        ("within", 4, 2 * (0.01 + 0.24 * 4 / 20)),
        ("rating", 4, 2 * (0.01 + 0.24 * 4 / 20)),
    ):
        needed = participants_needed(
            2.0, trials=20, photographs=100, components=components, design=design, algorithms=algorithms
        )
        known = variance * (MULTIPLE / 0.02) ** 2
        assert known <= needed <= known + 6


def test_the_limit_of_photographs_is_their_variance_alone() -> None:
    components = Components(photographs=10.0)
    assert photograph_limit(200, components=components) == pytest.approx(MULTIPLE * 10 * math.sqrt(2 / 200), rel=1e-3)
    of_preference = photograph_limit(200, components=components, design="preference")
    assert of_preference == pytest.approx(MULTIPLE * 10 / math.sqrt(200), rel=1e-3)
    # With few their variance has to be estimated, too.
    assert photograph_limit(10, components=components) > MULTIPLE * 10 * math.sqrt(2 / 10)
    assert photograph_limit(20, components=Components(photographs=0.0)) == 0.0
    with pytest.raises(ConfigError, match="40 photographs are too few"):
        participants_needed(photograph_limit(40) - 0.1, trials=40, photographs=40)
    assert participants_needed(photograph_limit(40) + 0.5, trials=40, photographs=40) > 100


def test_few_photographs_are_warned_of_with_the_number() -> None:
    def said(photographs: int, deviation: float = 10.0) -> str | None:
        components = Components(photographs=deviation)
        return photograph_warning(photographs, components, design="between", algorithms=2, source="assumed")

    assert said(200) is None
    assert said(20, 0.0) is None
    assert said(20, np.nan) is None
    warning = said(20)
    assert warning is not None
    assert warning.startswith("20 photographs let differences of 9.")
    assert "does not shrink with them" in warning
    assert "a standard deviation of 10 points over photographs, assumed" in warning


@pytest.mark.slow
def test_the_plan_says_what_a_design_takes() -> None:
    between, within, preference = (
        plan({"difference": "10", "design": design}) for design in ("between", "within", "preference")
    )
    assert "participants an algorithm" in between[0]
    assert "who judge all algorithms: 80 % of such experiments find a difference of 10 points" in within[0]
    assert "that one of two is preferred in 60 % of pairs" in preference[0]
    assert all("let no difference below " in lines[3] for lines in (between, within, preference))
    assert not any("Warning" in line for line in between)
    rating = plan({"difference": "0.5", "design": "rating", "answers_sd": "1.2", "algorithms": "3"})
    assert "who rate all algorithms: 80 % of such experiments find a difference of 0.5 points of 7" in rating[0]
    assert "of 1.2 points of single ratings, and of 0.72 points over participants and 0.6 over" in rating[2]
    assert "let no difference below 0.19 points of 7 be found" in rating[3]
    # The same in percent of the scale's range.
    halved = {"difference": "0.25", "answers_sd": "0.6", "participants_sd": "0.36", "photographs_sd": "0.3"}
    smaller = plan({**halved, "design": "rating", "points": "4", "algorithms": "3"})
    assert smaller[0].split()[0] == rating[0].split()[0]
    with pytest.raises(ConfigError, match="points= is for design=rating"):
        plan({"difference": "5", "points": "7"})
    with pytest.raises(ConfigError, match="and ratings have a mean"):
        plan({"difference": "0.5", "design": "rating", "rate": "30"})
    warned = plan({"difference": "20", "photographs": "40"})[-1]
    assert warned.startswith("Warning: 40 photographs let differences of ")
    assert "points from 50 % or more" in plan({"difference": "20", "photographs": "20", "design": "preference"})[-1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"design": "both"}, "design must be one of between, within, preference, rating. Received: design=both"),
        ({"design": "preference", "rate": "30"}, "rate= is for designs against the real picture"),
        ({"design": "rating"}, "difference must be above 0 and at most 3 points. Received: difference=10"),
        (
            {"design": "rating", "difference": "1", "photographs_sd": "4"},
            "photographs_sd must be 0 to 3 points. Received: photographs_sd=4",
        ),
        (
            {"design": "rating", "difference": "0.1", "photographs": "10"},
            "10 photographs are too few to find a difference of 0.1 points",
        ),
    ],
)
def test_what_makes_no_sense_is_one_clear_error(arguments: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        plan({"difference": "10", **arguments})


@pytest.mark.parametrize(
    ("design", "choice", "said", "given"),
    [
        ("within", None, r"the answers to drawn, the rate is 0 %, .* as in rate=5", {"rate": "5"}),
        (
            "rating",
            7,
            r"the answers to drawn, all ratings of an algorithm are the same.*answers_sd=1",
            {"answers_sd": "1"},
        ),
    ],
)
def test_a_pilot_of_answers_that_are_all_the_same_asks_for_what_it_does_not_know(
    tmp_path: Path, database: Database, design: Design, choice: int | None, said: str, given: dict[str, str]
) -> None:
    protocol = Protocol(practice=0, test=4, checks=0, exposure_ms=200, design=design)
    sessions = opened(database, make_bundle(tmp_path / "drawn", protocol=protocol, photographs=4, side=16))
    for key in ("one", "two"):
        take_part(sessions, key, lambda trial: choice or ("right" if trial.real_side == "left" else "left"))
    arguments = {"difference": "2", "database": database.name, "photographs": "2000"}
    with pytest.raises(ConfigError, match=said):
        plan(arguments)
    assert "participants" in plan({**arguments, **given})[0]
