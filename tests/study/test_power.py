"""Power and cost of a study with more seeds: the plans, the recommendation and the text."""

from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from ablate.errors import ConfigError
from ablate.statistics.pilot import pilot_of
from ablate.statistics.seeds import predicted_detectable
from ablate.study import power
from ablate.study.pilot import PilotRuns
from ablate.study.power import SEEDS, Costs, known_pilot, more_baseline_seeds, plan_power, predicted_baseline
from ablate.study.power_text import format_power

Array = npt.NDArray[np.float64]


def runs_of(values: Array) -> PilotRuns:
    names = ["baseline", *(f"a={place}" for place in range(1, len(values)))]
    return PilotRuns(names, [range(values.shape[1])] * len(values), pilot_of(values))


def drawn(variants: int, seeds: int = 4, common: float = 0.0) -> PilotRuns:
    random = np.random.default_rng(variants)
    return runs_of(random.normal(size=(variants + 1, seeds, 1)) + random.normal(0, common, (1, seeds, 1)))


def costs(variants: int, hours: float = 1.0, done: int = 4) -> Costs:
    return Costs(np.full(variants + 1, 3600 * hours), [done] * (variants + 1))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the formula for the simulation: it is some 200 times faster."""
    monkeypatch.setattr(power, "detectable", power.predicted_detectable)


def test_costs_are_by_hand() -> None:
    own = Costs(np.array([3600.0, 1800.0, 1800.0]), [2, 3, 0])
    assert own.of(3) == {"runs": 9, "hours": 6.0, "hours_left": 2.5}
    assert own.of(3, 6) == {"runs": 12, "hours": 9.0, "hours_left": 5.5}
    assert own.order(3, 6) == 9 * 3600
    unknown = Costs(np.array([3600.0, np.nan, 1800.0]), [2, 3, 0])
    assert unknown.of(3) == {"runs": 9, "hours": None, "hours_left": 2.5}
    assert unknown.of(4)["hours_left"] is None
    assert unknown.order(3, 6) == 12


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_each_number_of_seeds_has_a_plan() -> None:
    found = plan_power(drawn(3), costs(3), seeds=3)
    assert [plan["seeds"] for plan in found["plans"]] == list(SEEDS)
    assert [plan["runs"] for plan in found["plans"]] == [4 * seeds for seeds in SEEDS]
    assert [plan["hours_left"] for plan in found["plans"]][:3] == [0.0, 0.0, 4.0]
    smaller = np.array([list(plan["detectable"].values()) for plan in found["plans"]])
    assert (np.diff(smaller, axis=0) < 0).all()
    assert "cheapest" not in found


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_the_cheapest_plan_finds_what_is_wanted() -> None:
    runs, own = drawn(6), costs(6)
    plans = plan_power(runs, own, seeds=3)["plans"]
    wanted = max(plans[4]["detectable"].values())
    cheapest = plan_power(runs, own, seeds=3, difference=wanted)["cheapest"]
    assert max(cheapest["detectable"].values()) <= wanted
    # Runs that are alike have more seeds of the baseline for less.
    assert cheapest["baseline_seeds"] > cheapest["seeds"]
    assert cheapest["hours"] < plans[4]["hours"]
    assert plan_power(runs, own, seeds=3, difference=1e-3)["cheapest"] is None


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_what_a_seed_does_to_all_makes_pairs_worth_more() -> None:
    runs, own = drawn(6, 8, common=3.0), costs(6)
    plans = plan_power(runs, own, seeds=3)["plans"]
    wanted = max(plans[4]["detectable"].values())
    cheapest = plan_power(runs, own, seeds=3, difference=wanted)["cheapest"]
    assert (cheapest["seeds"], cheapest["baseline_seeds"]) == (7, None)
    assert predicted_baseline(runs, own, 3) is None


@pytest.mark.slow
def test_more_baseline_seeds_are_recommended_where_they_pay() -> None:
    runs, own = drawn(8, 6), costs(8)
    more = more_baseline_seeds(known_pilot(runs), own, 3)
    assert more is not None
    assert 3 < more <= 12
    plan = predicted_baseline(runs, own, 3)
    assert plan is not None
    assert (plan["baseline_seeds"], plan["runs"]) == (more, 24 + more)
    assert [other["seeds"] for other in plan["plans"]] == [3, 4]
    # A baseline that takes much longer is not run more often.
    dear = Costs(np.array([3600.0 * 100, *[3600.0] * 8]), [0] * 9)
    assert more_baseline_seeds(known_pilot(runs), dear, 3) is None


def test_without_runs_it_says_how_to_get_a_pilot() -> None:
    nothing = PilotRuns(["baseline", "a=1"], [[], [0]], None)
    with pytest.raises(ConfigError, match=r"there are 1\. A pilot is a copy of the study's file") as raised:
        known_pilot(nothing)
    assert "\n" not in str(raised.value)


def text(**changes: Any) -> list[str]:
    plans = [
        {"seeds": seeds, "baseline_seeds": None, "runs": 3 * seeds, "hours": 0.5 * seeds, "hours_left": None,
         "detectable": {"a=1": 12.0 / seeds, "b=1": 1.2 / seeds}}
        for seeds in (3, 4)
    ]  # fmt: skip
    power = {
        "study": "own", "question": "Does it matter?", "label": "AuC", "unit": "%", "plans": plans, "baseline": None,
        "planned": False,
        "alike": [], "pilot": {"runs": 6, "variants": 3, "seeds": 2}, "difference": None,
    }  # fmt: skip
    return format_power({**power, **changes}).splitlines()


def test_the_table_has_a_row_a_variant_and_a_column_a_number_of_seeds() -> None:
    lines = text()
    assert lines[:2] == [
        "Study own: Does it matter?",
        "True differences in AuC, % that are found with a probability of 80 %, by the number of seeds:",
    ]
    assert [line.split() for line in lines[3:10] if "--" not in line] == [
        ["seeds", "3", "4"], ["a=1", "4.0", "3.0"], ["b=1", "0.40", "0.30"], ["runs", "9", "12"],
        ["time", "1:30:00", "2:00:00"], ["time", "left", "?", "?"],
    ]  # fmt: skip
    assert lines[-1] == "From 6 finished runs, of 3 variants with up to 2 seeds"


def test_the_plans_are_said_in_a_line_each() -> None:
    plan = {"seeds": 3, "baseline_seeds": 6, "runs": 12, "hours": 2.0, "detectable": {"a=1": 3.0, "b=1": 2.0}}
    lines = text(baseline=plan, cheapest=plan, looks=None, difference=3.0, alike=["a=1"])
    assert lines[-3] == "Taken to vary as the others do, without two seeds: a=1"
    assert lines[-2] == (
        "More seeds for the baseline pay: with 3 seeds, baseline_seeds: 6 finds a difference of 3.0 % (12 runs, "
        "2:00:00); 3 seeds of all 4.0 % (9 runs, 1:30:00), 4 seeds of all 3.0 % (12 runs, 2:00:00). Decide before the "
        "runs"
    )
    assert lines[-1] == (
        "Cheapest plan that finds 3 % in every variant with 80 %: 3 seeds of each variant, baseline_seeds: 6 "
        "(12 runs, 2:00:00); with as many seeds of the baseline, 4 of all (12 runs, 2:00:00)"
    )
    assert text(baseline=plan, planned=True)[-1].startswith("As planned, with 3 seeds, baseline_seeds: 6 finds a")
    assert "4 seeds of all find 3.0 % of a=1" in text(cheapest=None, looks=None, difference=1.0)[-1]
    looks = {"seeds": [3, 5, 8], "runs": 51.7, "runs_at_most": 72, "hours": 1.5, "found": 0.834}
    assert text(cheapest=plan, looks=looks, difference=3.0)[-1] == (
        "With looks, seeds: {looks: [3, 5, 8]}: 52 runs, 1:30:00 on average where half of the variants differ by 3 % "
        "and half not at all, 72 at most; finds 83 % of the differences"
    )


@pytest.mark.slow
def test_looks_take_less_on_average(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(power, "looked_at", partial(power.looked_at, studies=16))
    runs, own = drawn(4, 8), costs(4)
    wanted = float(predicted_detectable(known_pilot(runs), 8).max())
    looks = power._looks(known_pilot(runs), own, 8, 1.1 * wanted, None)
    assert looks is not None
    assert looks["seeds"][0] == 3
    assert looks["seeds"][-1] in (8, 9)
    assert looks["runs"] < 5 * 8
    assert looks["hours"] == pytest.approx(looks["runs"])
    assert looks["runs_at_most"] == 5 * looks["seeds"][-1]
    assert looks["found"] >= 0.8
    assert power._looks(known_pilot(runs), own, 4, wanted, None) is None
