"""Participants' pages over HTTP: what is kept, and what neither reloads nor second tabs change."""

import json
import math
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import text

from ablate.turing.analyse.exclusions import apply_rules
from ablate.turing.bundle import Bundle
from ablate.turing.database import Database, Trial, read_answers
from ablate.turing.serve.enrollment import QUIET_SECONDS, Newcomer
from ablate.turing.serve.security import hash_key
from ablate.turing.serve.sessions import Sessions
from tests.support.bundles import SHORT, make_bundle
from tests.support.servers import Served, links


def left(number: int) -> str:
    return "left"


def trials(served: Served) -> pd.DataFrame:
    return read_answers(served.site.database, "drawn").trials


@pytest.mark.slow
def test_a_whole_session_is_in_the_database_as_it_was_answered(served: Served) -> None:
    visitor = served.visitor()
    assert visitor.begin().headers["location"] == "trial"
    choices = {}
    while visitor.judge(lambda number: choices.setdefault(number, "left" if number % 3 else "right")):
        pass
    assert visitor.confirmed == choices
    assert sorted(choices) == list(range(1, SHORT.photographs + 1))
    assert visitor.get("trial").headers["location"] == "thanks"
    assert "Thank you" in visitor.get("thanks").text
    answers = read_answers(served.site.database, "drawn")
    assert answers.trials["number"].tolist() == sorted(choices)
    assert answers.trials["kind"].tolist()[:2] == ["practice", "practice"]
    assert answers.trials["kind"].value_counts().to_dict() == {"practice": 2, "test": 4, "check": 1}
    assert answers.trials["photograph"].is_unique
    assert (answers.trials["exposure_ms"] == SHORT.exposure_ms).all()
    assert (answers.trials["response_ms"] == 812.5).all()
    assert (answers.trials["loads"] == 1).all()
    (person,) = answers.participants.to_dict("records")
    assert person["color_vision"] == "normal"
    assert person["finished"] > person["started"]
    # What was clicked is the fake, as far as the participant knows: fooled is who clicked the real one.
    sessions = served.sessions()
    place = sessions.find(hash_key(served.site.signer.read("turing-drawn", visitor.cookies["turing-drawn"]) or ""))
    assert place is not None
    assert place.trial is None
    with served.site.database.reading() as session:
        for row in answers.trials.to_dict("records"):
            trial = session.get_one(Trial, (row["participant"], row["number"]))
            assert row["fooled"] == (choices[row["number"]] == trial.real_side)
            assert trial.file(trial.real_side) == row["real"]


@pytest.mark.slow
def test_a_reload_neither_loses_nor_repeats(served: Served) -> None:
    visitor = served.visitor()
    visitor.begin()
    first = visitor.get("trial")
    again = visitor.get("trial")
    assert first.field("number") == again.field("number") == "1"
    token = first.field("csrf")
    assert visitor.post("pair", csrf=token, number=1).body == visitor.post("pair", csrf=token, number=1).body
    assert visitor.post("shown", csrf=token, number=1).status == 204
    # Seen is seen: the page asks, and shows nothing again.
    assert visitor.post("pair", csrf=token, number=1).status == 409
    assert visitor.get("picture/1/left").status == 404
    after = visitor.get("trial").text
    assert 'data-state="seen"' in after
    assert "<img" not in after
    assert visitor.post("answer", csrf=token, number=1, choice="right").status == 200
    (row,) = trials(served).to_dict("records")
    assert row["loads"] == 2
    assert row["exposure_ms"] != row["exposure_ms"]
    assert visitor.get("trial").field("number") == "2"


def test_a_pair_is_shown_once_and_only_after_it_was_sent(served: Served) -> None:
    visitor = served.visitor()
    visitor.begin()
    token = visitor.get("trial").field("csrf")
    # Neither shown nor judged before both pictures have come.
    assert visitor.post("shown", csrf=token, number=1).status == 409
    assert visitor.post("answer", csrf=token, number=1, choice="left", exposure_ms=200).status == 409
    # Two tabs load it, and one may show it.
    assert [visitor.post("pair", csrf=token, number=1).status for _ in range(2)] == [200, 200]
    assert visitor.post("answer", csrf=token, number=1, choice="left", exposure_ms=200).status == 409
    assert [visitor.post("shown", csrf=token, number=1).status for _ in range(2)] == [204, 409]
    assert visitor.post("answer", csrf=token, number=1, choice="left", exposure_ms=200).status == 200
    (row,) = trials(served).to_dict("records")
    assert (row["loads"], row["shown"], row["missed"]) == (2, True, False)


@pytest.mark.slow
def test_the_next_pair_is_sent_ahead_while_one_is_judged_and_is_not_shown_by_that(served: Served) -> None:
    visitor = served.visitor()
    visitor.begin()
    token = visitor.get("trial").field("csrf")

    def sent(number: int) -> int:
        return visitor.post("pair", csrf=token, number=number).status

    assert sent(1) == 200
    assert sent(2) == 409  # the first one has not been shown yet
    assert visitor.post("shown", csrf=token, number=1).status == 204
    assert [sent(number) for number in (1, 2, 3)] == [409, 200, 409]
    assert visitor.post("shown", csrf=token, number=2).status == 409
    assert visitor.post("answer", csrf=token, number=2, choice="left", exposure_ms=200).status == 409
    assert visitor.get("picture/2/left").status == 404
    assert visitor.post("answer", csrf=token, number=1, choice="left", exposure_ms=200).status == 200
    assert 'data-state="new"' in visitor.get("trial").text
    # It is not sent again, and shown once.
    assert [visitor.post("shown", csrf=token, number=2).status for _ in range(2)] == [204, 409]
    assert visitor.post("answer", csrf=token, number=2, choice="left", exposure_ms=200).status == 200
    while visitor.judge(left):
        pass
    assert trials(served)["loads"].tolist() == [1] * SHORT.photographs
    assert sent(SHORT.photographs + 1) == 409


@pytest.mark.slow
def test_who_pays_for_data_is_told_how_much_there_is(served: Served, bundle: Bundle) -> None:
    visitor = served.visitor()
    visitor.begin()
    said = int(re.findall("about ([0-9]+) MB", visitor.get("./").text)[0])
    sent = 0
    for number in range(1, SHORT.photographs + 1):
        page = visitor.get("trial")
        token = page.field("csrf")
        sent += len(visitor.post("pair", csrf=token, number=number).body)
        visitor.post("shown", csrf=token, number=number)
        visitor.post("answer", csrf=token, number=number, choice="left", exposure_ms=200)
        if number <= SHORT.practice:
            sent += sum(len(visitor.get(f"picture/{number}/{side}").body) for side in ("left", "right"))
    assert said == math.ceil(sent / 1e6)


def test_a_missed_pair_is_not_judged_and_does_not_count(served: Served) -> None:
    visitor = served.visitor()
    visitor.begin()
    token = visitor.look().field("csrf")
    said = visitor.post("answer", csrf=token, number=1, choice="missed")
    # Practice says nothing of a pair that was not judged.
    assert json.loads(said.body) == {"next": "trial"}
    assert visitor.get("feedback/1").headers["location"] == "../trial"
    assert visitor.get("picture/1/left").status == 404
    visitor.judge(left)
    visitor.look()
    visitor.post("answer", csrf=token, number=3, choice="missed", response_ms=5)
    while visitor.judge(left):
        pass
    answers = read_answers(served.site.database, "drawn")
    assert answers.trials["missed"].tolist() == [True, False, True, False, False, False, False]
    assert not answers.trials.loc[answers.trials["missed"], "fooled"].any()
    assert answers.trials.loc[answers.trials["missed"], "response_ms"].isna().all()
    kept, rules = apply_rules(answers.participants, answers.trials, answers.protocol)
    assert 3 not in kept["number"].tolist()
    tests = (answers.trials["kind"] == "test").sum() - (answers.trials["kind"][2] == "test")
    assert len(kept) == tests
    assert "pair not shown, or said to be missed" in rules["rule"].tolist()


@pytest.mark.parametrize(("able", "cookies"), [("", True), ("yes", False)])
def test_who_cannot_take_part_takes_no_place(served: Served, able: str, cookies: bool) -> None:
    visitor = served.visitor()
    token = visitor.get("./").field("csrf")
    assert json.loads(visitor.get("cookie").body) == {"kept": True}
    if not cookies:
        visitor.cookies = {}
        assert json.loads(visitor.get("cookie").body) == {"kept": False}
    said = visitor.post("consent", csrf=token, color_vision="normal", agree="yes", able=able)
    assert said.status == 403
    assert "This browser cannot take part as it is" in said.text
    assert read_answers(served.site.database, "drawn").participants.empty


def test_the_first_of_two_answers_counts(served: Served) -> None:
    visitor = served.visitor()
    visitor.begin()
    token = visitor.look().field("csrf")
    assert visitor.post("answer", csrf=token, number=1, choice="right").status == 200
    # A second tab, the back button, or a form that is sent again: confirmed, and nothing changes.
    assert visitor.post("answer", csrf=token, number=1, choice="left").status == 200
    assert visitor.get("trial").field("number") == "2"
    sessions, key = served.sessions(), served.site.signer.read("turing-drawn", visitor.cookies["turing-drawn"])
    trial = sessions.practiced(hash_key(key or ""), 1)
    assert trial is not None
    assert trial.choice == "right"


@pytest.mark.slow
def test_trials_come_in_order(served: Served) -> None:
    visitor = served.visitor()
    visitor.begin()
    token = visitor.get("trial").field("csrf")
    assert visitor.post("answer", csrf=token, number=2, choice="right").status == 409
    assert visitor.post("shown", csrf=token, number=2).status == 409
    assert visitor.post("pair", csrf=token, number=2).status == 409
    assert visitor.get("picture/2/left").status == 404
    assert visitor.get("picture/999/left").status == 404
    assert len(trials(served)) == 0


@pytest.mark.slow
def test_practice_says_whether_it_was_right_and_the_test_does_not(served: Served) -> None:
    visitor = served.visitor()
    visitor.begin()
    for number in range(1, 4):
        token = visitor.look().field("csrf")
        said = visitor.post("answer", csrf=token, number=number, choice="left")
        assert json.loads(said.body) == {"next": f"feedback/{number}" if number <= 2 else "trial"}
    fooled = trials(served)["fooled"].tolist()
    for number in (1, 2):
        page = visitor.get(f"feedback/{number}")
        assert ("Wrong." in page.text) == fooled[number - 1]
        assert ("Correct." in page.text) != fooled[number - 1]
        assert visitor.get(f"picture/{number}/left").status == 200
    assert "Begin the test" in visitor.get("feedback/2").text
    assert visitor.get("feedback/3").headers["location"] == "../trial"
    assert visitor.get("picture/3/left").status == 404


@pytest.mark.slow
def test_the_same_browser_takes_part_once(served: Served) -> None:
    visitor = served.visitor()
    visitor.begin()
    assert "Continue where you were" in visitor.get("./").text
    token = served.site.signer.form_token(
        served.site.signer.read("turing-drawn", visitor.cookies["turing-drawn"]) or ""
    )
    visitor.post("consent", csrf=token, color_vision="deficient", agree="yes", able="yes")
    people = read_answers(served.site.database, "drawn").participants
    assert people["color_vision"].tolist() == ["normal"]
    while visitor.judge(left):
        pass
    assert visitor.get("./").headers["location"] == "thanks"


def test_without_consent_nothing_begins(served: Served) -> None:
    visitor = served.visitor()
    token = visitor.get("./").field("csrf")
    for form in ({"color_vision": "normal"}, {"agree": "no", "color_vision": "normal"}, {"agree": "yes"}):
        assert visitor.post("consent", csrf=token, **form).status == 422
    assert visitor.get("trial").headers["location"] == "./"
    assert read_answers(served.site.database, "drawn").participants.empty


@pytest.mark.slow
def test_algorithms_are_balanced_and_only_one_is_seen(served: Served) -> None:
    for _ in range(6):
        served.visitor().begin()
    counts = read_answers(served.site.database, "drawn").participants["algorithm"].value_counts()
    assert counts.to_dict() == {"baseline": 3, "loss=regression": 3}


@pytest.mark.slow
def test_who_drops_out_is_replaced(database: Database, bundle: Bundle) -> None:
    now = 0.0
    sessions = Sessions(database, database.register(bundle, now), bundle, clock=lambda: now)
    finished = Counter[str]()
    random = np.random.default_rng(1)
    for number in range(60):
        key = f"key {number}"
        algorithm = sessions.begin(Newcomer(key, "normal")).participant.algorithm
        # One algorithm bores people.
        if random.random() < (0.6 if algorithm == "baseline" else 0.1):
            now += QUIET_SECONDS + 1
            continue
        for trial in range(1, SHORT.photographs + 1):
            assert sessions.send(key, trial)
            assert sessions.show(key, trial)
            assert sessions.answer(key, trial, "left", exposure_ms=200, response_ms=800)
        finished[algorithm] += 1
        assert abs(finished["baseline"] - finished["loss=regression"]) <= 1
    assert sum(finished.values()) < 50


def test_who_still_answers_has_not_dropped_out(database: Database, bundle: Bundle) -> None:
    now = 0.0
    sessions = Sessions(database, database.register(bundle, now), bundle, clock=lambda: now)
    first = sessions.begin(Newcomer("slow", "normal")).participant.algorithm
    sessions.send("slow", 1)
    sessions.show("slow", 1)
    now = QUIET_SECONDS - 1.0
    sessions.answer("slow", 1, "left", exposure_ms=200, response_ms=800)
    now += QUIET_SECONDS - 1.0
    assert sessions.begin(Newcomer("other", "normal")).participant.algorithm != first


@pytest.mark.slow
def test_closed_takes_nobody_new_and_lets_others_finish(served: Served) -> None:
    begun = served.visitor()
    begun.begin()
    late = served.visitor()
    token = late.get("./").field("csrf")
    served.sessions().set_closed(True)
    assert "closed" in served.visitor().get("./").text
    assert late.post("consent", csrf=token, color_vision="normal", agree="yes", able="yes").status == 403
    while begun.judge(left):
        pass
    assert len(begun.confirmed) == SHORT.photographs
    served.sessions().set_closed(False)
    assert late.post("consent", csrf=token, color_vision="normal", agree="yes", able="yes").status == 303


@pytest.mark.slow
def test_links_are_relative_so_that_any_path_will_do(served: Served) -> None:
    visitor = served.visitor()
    visitor.begin()
    token = visitor.look().field("csrf")
    pages = [visitor.get("./").text, visitor.get("trial").text]
    visitor.post("answer", csrf=token, number=1, choice="left")
    pages.append(visitor.get("feedback/1").text)
    for page in pages:
        assert links(page)
        for link in links(page):
            assert not link.startswith(("/", "http")) or link == "data:,"
    assert visitor.get("../../style.css").status == visitor.get("../../trial.js").status == 200
    # A cookie without a path is kept for the folder of the page that set it, wherever that is.
    fresh = served.visitor().get("./").headers["set-cookie"]
    assert "path" not in fresh.lower()
    assert "httponly" in fresh.lower()


@pytest.mark.slow
def test_two_experiments_do_not_mix(serve: Callable[..., Served], bundle: Bundle, tmp_path: Path) -> None:
    served = serve(bundle, make_bundle(tmp_path / "other", "other"))
    one, other = served.visitor(), served.visitor("other")
    one.begin()
    other.cookies = one.cookies
    assert other.get("trial").status == 403
    other.cookies = {}
    other.begin()
    assert [len(read_answers(served.site.database, name).participants) for name in ("drawn", "other")] == [1, 1]
    assert served.visitor(None).get("/").status == 404


@pytest.mark.slow
def test_one_experiment_is_where_the_root_leads(served: Served) -> None:
    root = served.visitor(None)
    assert root.get("/").headers["location"] == "e/drawn/"
    assert root.get("/e/drawn").headers["location"] == "drawn/"


@pytest.mark.slow
@pytest.mark.parametrize(
    "place", ["/nothing", "/e/nothing/", "/e/nothing", "/e/drawn/nothing", "/docs", "/openapi.json"]
)
def test_an_unknown_address_says_so_in_words(served: Served, place: str) -> None:
    page = served.visitor(None).get(place)
    assert page.status == 404
    assert "There is no such page" in page.text


@pytest.mark.slow
def test_a_lost_picture_is_a_page_in_words_and_a_line_in_the_log(
    served: Served, bundle: Bundle, caplog: pytest.LogCaptureFixture
) -> None:
    visitor = served.visitor()
    visitor.begin()
    token = visitor.get("trial").field("csrf")
    pictures, away = bundle.folder / "pictures", bundle.folder / "away"
    pictures.rename(away)
    page = visitor.post("pair", csrf=token, number=1)
    assert page.status == 500
    assert "Something went wrong on our side" in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert "lost a picture" in caplog.text
    assert "Traceback" not in caplog.text
    # The page asks again, as often as it takes; what was not sent does not count as sent.
    away.rename(pictures)
    visitor.judge(left)
    assert trials(served)["loads"].tolist() == [1]


@pytest.mark.slow
def test_a_database_that_fails_confirms_nothing_and_the_page_tries_again(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    visitor = served.visitor()
    visitor.begin()
    token = visitor.look().field("csrf")
    with served.site.database.engine.begin() as connection:
        connection.execute(text("ALTER TABLE trials RENAME TO gone"))
    assert visitor.post("answer", csrf=token, number=1, choice="left").status == 500
    assert "no such table" in caplog.text
    assert "Traceback" not in caplog.text
    with served.site.database.engine.begin() as connection:
        connection.execute(text("ALTER TABLE gone RENAME TO trials"))
    assert visitor.post("answer", csrf=token, number=1, choice="left").status == 200
    assert len(trials(served)) == 1
