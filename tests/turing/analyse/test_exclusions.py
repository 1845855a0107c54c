"""Exclusions by the rules."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ablate.turing.analyse.exclusions import apply_rules, excluded_participants, rule_words, rules_broken
from ablate.turing.protocol import Protocol, Rules

PROTOCOL = Protocol(practice=1, test=3, checks=2, exposure_ms=1000)
NOW = pd.Timestamp("2026-01-01", tz="UTC")


def person(
    number: int,
    *,
    finished: bool = True,
    screened_out: bool = False,
    vision: str = "normal",
    failed: int = 0,
    **trial: Any,
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Make a participant and the trials: one of practice, three that count, and two checks."""
    kinds = ["practice", "test", "check", "test", "check", "test"]
    rows = [
        {
            "participant": number,
            "number": place + 1,
            "kind": kind,
            "fooled": kind == "check" and failed > (place - 2) / 2,
            "shown": True,
            "missed": False,
            "exposure_ms": 1000.0,
            "response_ms": 800.0,
            "loads": 1,
            **trial,
        }
        for place, kind in enumerate(kinds)
    ]
    own = {"participant": number, "color_vision": vision, "finished": NOW if finished else pd.NaT}
    own["screened_out"] = NOW if screened_out else pd.NaT
    return own, rows


def applied(
    *people: tuple[dict[str, Any], list[dict[str, Any]]], rules: Mapping[str, Any] | None = None
) -> tuple[list[int], dict[str, tuple[int, int]]]:
    """Return the participant of each trial that counts, and (participants, trials) by rule."""
    participants = pd.DataFrame([own for own, _ in people]).set_index("participant")
    for time in ("finished", "screened_out"):
        participants[time] = pd.to_datetime(participants[time], utc=True)
    trials = pd.DataFrame([row for _, rows in people for row in rows])
    protocol = PROTOCOL.model_copy(update={"rules": Rules(**(rules or {}))})
    kept, frame = apply_rules(participants, trials, protocol)
    assert (kept["kind"] == "test").all()
    assert frame.columns.tolist() == ["rule", "participants", "trials"]
    # What is left out and what counts are all there was.
    assert len(kept) + frame["trials"].sum() == (trials["kind"] == "test").sum()
    assert kept["participant"].nunique() + frame["participants"].sum() == len(participants)
    return kept["participant"].tolist(), {rule: (people, out) for rule, people, out in frame.itertuples(index=False)}


def test_where_all_is_well_all_test_trials_count_and_no_others() -> None:
    kept, out = applied(person(1), person(2))
    assert kept == [1, 1, 1, 2, 2, 2]
    assert list(out) == [
        "screened out, for more than 1 of 2 obvious fakes taken for real",
        "session not finished",
        "colour vision said to be deficient",
        "more than 1 of 2 obvious fakes taken for real",
        "median response below 150 ms",
        "pair not shown, or said to be missed",
        "pictures not seen for 1,000 ± 100 ms, or who knows how long",
        "pictures asked for more than 3 times",
    ]
    assert set(out.values()) == {(0, 0)}


@pytest.mark.parametrize(
    ("broken", "rule"),
    [
        ({"finished": False}, "session not finished"),
        (
            {"finished": False, "screened_out": True, "failed": 2},
            "screened out, for more than 1 of 2 obvious fakes taken for real",
        ),
        ({"vision": "deficient"}, "colour vision said to be deficient"),
        ({"failed": 2}, "more than 1 of 2 obvious fakes taken for real"),
        ({"response_ms": 149.0}, "median response below 150 ms"),
        ({"shown": False}, "pair not shown, or said to be missed"),
        ({"missed": True}, "pair not shown, or said to be missed"),
        ({"exposure_ms": 1101.0}, "pictures not seen for 1,000 ± 100 ms, or who knows how long"),
        ({"exposure_ms": 899.0}, "pictures not seen for 1,000 ± 100 ms, or who knows how long"),
        ({"exposure_ms": np.nan}, "pictures not seen for 1,000 ± 100 ms, or who knows how long"),
        ({"loads": 4}, "pictures asked for more than 3 times"),
    ],
)
def test_who_breaks_a_rule_is_left_out_by_it_alone(broken: dict[str, Any], rule: str) -> None:
    kept, out = applied(person(1), person(2, **broken))
    assert kept == [1, 1, 1]
    assert {name for name, counts in out.items() if counts != (0, 0)} == {rule}
    assert out[rule] == (1, 3)


@pytest.mark.parametrize(
    "borderline",
    [
        {"vision": "unknown"},
        {"failed": 1},
        {"response_ms": 150.0},
        {"response_ms": np.nan},
        {"exposure_ms": 1100.0},
        {"exposure_ms": 900.0},
        {"loads": 3},
    ],
)
def test_what_is_allowed_or_not_known_breaks_no_rule(borderline: dict[str, Any]) -> None:
    kept, _ = applied(person(1, **borderline))
    assert kept == [1, 1, 1]


def test_a_rule_about_trials_leaves_the_participants_others() -> None:
    own, rows = person(1)
    rows[1]["loads"], rows[3]["exposure_ms"], rows[0]["loads"] = 9, 20.0, 9
    kept, out = applied((own, rows))
    assert kept == [1]
    assert out["pictures not seen for 1,000 ± 100 ms, or who knows how long"] == (0, 1)
    assert out["pictures asked for more than 3 times"] == (0, 1)


def test_the_first_rule_that_is_broken_counts() -> None:
    kept, out = applied(person(1), person(2, finished=False, vision="deficient", failed=2, loads=9))
    assert kept == [1, 1, 1]
    assert out["session not finished"] == (1, 3)
    assert sum(people for people, _ in out.values()) == 1


def test_who_has_not_answered_anything_is_counted_all_the_same() -> None:
    own, _ = person(2, finished=False)
    _, out = applied(person(1), (own, []))
    assert out["session not finished"] == (1, 0)


def test_response_times_of_practice_and_checks_do_not_count() -> None:
    own, rows = person(1)
    for row in rows:
        row["response_ms"] = 800.0 if row["kind"] == "test" else 1.0
    assert applied((own, rows))[0] == [1, 1, 1]


def test_rules_are_those_of_the_protocol() -> None:
    people = person(1, vision="deficient"), person(2, failed=2), person(3, response_ms=100.0)
    rules = {"leave_out_deficient_color_vision": False, "max_failed_checks": 2, "min_median_response_ms": 0}
    kept, out = applied(*people, rules=rules)
    assert sorted(set(kept)) == [1, 2, 3]
    # A rule that can leave out nobody is none.
    assert len(out) == 4


def test_each_trial_says_which_rule_leaves_it_out() -> None:
    (own, rows), (other, others) = person(1), person(2, vision="deficient", missed=True)
    rows[1]["missed"], rows[5]["loads"] = True, 4
    participants, trials = pd.DataFrame([own, other]).set_index("participant"), pd.DataFrame(rows + others)
    said = rules_broken(participants, trials, PROTOCOL).tolist()
    assert said[:6] == ["", "not_shown", "", "", "", "loads"]
    assert set(said[6:]) == {"color_vision"}


def test_a_participant_goes_with_the_last_trial() -> None:
    (own, rows), (other, others), third = person(1), person(2), person(3, finished=False, vision="deficient")
    # The first loses two trials of three; the second all, by two rules.
    rows[1]["missed"], rows[5]["loads"] = True, 4
    others[1]["missed"], others[3]["loads"], others[5]["missed"] = True, 4, True
    people = pd.DataFrame([own, other, third[0], person(4)[0]]).set_index("participant")
    trials = pd.DataFrame(rows + others + third[1])
    # The fourth has answered nothing of the test.
    people.loc[4, "finished"] = pd.NaT
    said = excluded_participants(people, trials, PROTOCOL)
    assert said.to_dict() == {1: "", 2: "loads", 3: "not_finished", 4: "not_finished"}
    _, counted = apply_rules(people, trials, PROTOCOL)
    words = rule_words(PROTOCOL)
    by_rule = dict(zip(counted["rule"], counted["participants"], strict=True))
    assert by_rule == {words[rule]: (said == rule).sum() for rule in words}


def test_no_answers_at_all() -> None:
    participants = pd.DataFrame(
        {"color_vision": ["normal"], "finished": [pd.NaT], "screened_out": [pd.NaT]},
        index=pd.Index([1], name="participant"),
    )
    types = {"participant": "int64", "kind": "str", "fooled": bool, "shown": bool, "missed": bool}
    types |= {"exposure_ms": float, "response_ms": float, "loads": "int64"}
    trials = pd.DataFrame(columns=list(types)).astype(types)
    kept, out = apply_rules(participants, trials, PROTOCOL)
    assert kept.empty
    assert out["participants"].tolist() == [0, 1, 0, 0, 0, 0, 0, 0]
