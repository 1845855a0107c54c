"""Recruiting: participants who come by an id, take part once, and are sent back; ids are personal, and untrusted."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlalchemy import text

from ablate.errors import ConfigError
from ablate.turing.analyse.exclusions import apply_rules
from ablate.turing.bundle import Bundle
from ablate.turing.database import Database, Experiment, Trial, read_answers
from ablate.turing.export.codebook import summary
from ablate.turing.export.command import main as export
from ablate.turing.export.psych_ds import psych_ds_files
from ablate.turing.export.tables import participants_table
from ablate.turing.protocol import Protocol, Rules
from ablate.turing.serve.command import main as serve_main
from ablate.turing.serve.enrollment import Full, Newcomer
from ablate.turing.serve.progress import progress_by_algorithm
from ablate.turing.serve.recruiting import OPTIONS, Exit, Recruiting, parse_recruiting
from ablate.turing.serve.security import hash_key
from ablate.turing.serve.sessions import Choice, Sessions
from tests.support.browsing import asked, begin
from tests.support.bundles import SHORT, make_bundle
from tests.support.judged import START, opened, take_part
from tests.support.servers import TOKEN, Served
from tests.support.visitors import Visitor

PROLIFIC = Recruiting("PROLIFIC_PID", Exit(address="https://app.prolific.com/submissions/complete?cc=C0DE"))
PID = "5f0e3a9c1b2d4e6f7a8b9c0d"


def left(number: int) -> str:
    return "left"


def people(served: Served) -> list[str]:
    found = read_answers(served.site.database, "drawn", personal=True).participants
    return [str(each) for each in found["external_id"].fillna("none")]


@contextmanager
def recruiter(study: Callable[[], str]) -> Iterator[tuple[str, list[str]]]:
    """Serve a page that sends people to a study with their id, as Prolific does, and notes how they come back."""
    returned = list[str]()

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.startswith("/submissions/complete"):
                returned.append(self.path)
                assert "Referer" not in self.headers
            link = f"{study()}?PROLIFIC_PID={PID}&STUDY_ID=s1&SESSION_ID=x2"
            page = f'<!DOCTYPE html><title>Recruiter</title><h1>Welcome back</h1><a href="{link}">Open study</a>'
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(page.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", returned
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def judge_all(page: Page, *, first: int = 1, last: int = SHORT.photographs) -> None:
    for number in range(first, last + 1):
        assert asked(page) == number
        page.keyboard.press("ArrowLeft")
        if number <= SHORT.practice:
            page.locator("a.button").click()


@pytest.mark.slow
def test_in_by_an_address_with_an_id_and_out_by_a_redirect_with_a_code(
    serve: Callable[..., Served], bundle: Bundle, context: BrowserContext, browser: Browser
) -> None:
    addresses = list[str]()
    with recruiter(lambda: addresses[-1]) as (site, returned):
        way = Exit(address=f"{site}/submissions/complete?cc=C0DE&participant={{id}}")
        served = serve(bundle, recruiting=Recruiting("PROLIFIC_PID", way))
        # Without the slash, as people shorten addresses: the id is not lost.
        addresses.append(f"{served.address}/e/drawn")
        page = context.new_page()
        page.goto(site)
        page.get_by_role("link", name="Open study").click()
        expect(page.get_by_text("The link that you came by has an id")).to_be_visible()
        begin(page)
        judge_all(page, last=3)
        # The address of the pages behind the first one does not have the id.
        assert PID not in page.url
        # Another device, the same id: it continues where the first one was.
        elsewhere = browser.new_context()
        other = elsewhere.new_page()
        other.goto(site)
        other.get_by_role("link", name="Open study").click()
        other.get_by_role("link", name="Continue where you were").click()
        judge_all(other, first=4)
        expect(other.get_by_role("heading", name="Thank you")).to_be_visible()
        other.get_by_role("link", name="Complete the study").click()
        expect(other.get_by_role("heading", name="Welcome back")).to_be_visible()
        assert returned == [f"/submissions/complete?cc=C0DE&participant={PID}"]
        # Once more: there is nothing to do but to leave.
        page.goto(site)
        page.get_by_role("link", name="Open study").click()
        expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
        assert people(served) == [PID]
        elsewhere.close()


@pytest.mark.slow
def test_an_id_takes_part_once_and_nobody_without(serve: Callable[..., Served], bundle: Bundle) -> None:
    served = serve(bundle, recruiting=PROLIFIC)
    without = served.visitor()
    page = without.get("./")
    assert page.status == 403
    assert "This link is not complete" in page.text
    assert "set-cookie" not in page.headers
    first, again, other = (served.visitor() for _ in range(3))
    assert first.begin(query=f"?PROLIFIC_PID={PID}").status == 303
    first.judge(left)
    assert "Continue where you were" in again.get(f"./?PROLIFIC_PID={PID}").text
    assert again.get("trial").field("number") == "2"
    # The next one at the same computer does not continue that session.
    assert again.begin(query="?PROLIFIC_PID=other").status == 303
    assert again.get("trial").field("number") == "1"
    assert people(served) == [PID, "other"]
    # Before it has ended there is no way out, and no code.
    assert first.get("complete").headers["location"] == "thanks"
    assert first.get("thanks").headers["location"] == "trial"
    while first.judge(left):
        pass
    assert 'href="complete"' in first.get("thanks").text
    assert first.get("complete").headers["location"] == "https://app.prolific.com/submissions/complete?cc=C0DE"
    # Nothing in an address changes where to.
    for query in ("?next=https://evil.example", "?completion=https://evil.example", "?PROLIFIC_PID=evil.example"):
        assert first.get(f"complete{query}").headers["location"].startswith("https://app.prolific.com/")
    # Who withdraws does not begin again with that id, in any browser.
    first.post("withdraw", csrf=first.get("withdraw").field("csrf"))
    assert "You have withdrawn" in other.get(f"./?PROLIFIC_PID={PID}").text
    assert people(served) == ["other"]


@pytest.mark.slow
def test_two_tabs_that_begin_at_once_are_one_participant(serve: Callable[..., Served], bundle: Bundle) -> None:
    served = serve(bundle, recruiting=PROLIFIC)
    statuses, tabs = list[int](), [served.visitor() for _ in range(8)]
    tokens = [tab.get("./?PROLIFIC_PID=twice").field("csrf") for tab in tabs]

    def beginning(tab: Visitor, token: str) -> None:
        form = {"csrf": token, "external_id": "twice", "color_vision": "normal", "agree": "yes", "able": "yes"}
        statuses.append(tab.post("consent", **form).status)

    threads = [threading.Thread(target=beginning, args=each) for each in zip(tabs, tokens, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [303] * 8
    assert people(served) == ["twice"]


@pytest.mark.parametrize(
    "given",
    [
        "", "%20", "a%00b", "a%0d%0aSet-Cookie:x", "%3Cscript%3Ealert(1)%3C/script%3E", "%22onload=x", "{{7*7}}",
        "%7B%7B%25PROLIFIC_PID%25%7D%7D", "a" * 101, "%3D1", "%401", "%2B1", "-1",
        "%C3%A4", "a%2F..", "a&PROLIFIC_PID=b", "%FF",
    ],
)  # fmt: skip
def test_an_id_that_is_none_is_refused_and_not_repeated(
    serve: Callable[..., Served], bundle: Bundle, given: str
) -> None:
    served = serve(bundle, recruiting=PROLIFIC)
    visitor = served.visitor()
    page = visitor.get(f"./?PROLIFIC_PID={given}")
    assert page.status == 403
    assert page.body == served.visitor().get("./").body
    assert visitor.cookies == {}


@pytest.mark.slow
def test_a_form_cannot_bring_an_id_of_its_own(serve: Callable[..., Served], bundle: Bundle) -> None:
    served = serve(bundle, recruiting=PROLIFIC)
    visitor = served.visitor()
    form = {"csrf": visitor.get(f"./?PROLIFIC_PID={PID}").field("csrf"), "color_vision": "normal"}
    sent = {**form, "agree": "yes", "able": "yes"}
    for other in ("somebody", "", "<script>", "a" * 200):
        assert visitor.post("consent", **sent, external_id=other).status in (403, 422)
    assert visitor.post("consent", **sent).status == 403
    assert people(served) == []
    assert visitor.post("consent", **sent, external_id=PID).status == 303
    # And where no ids are asked for none is kept, whatever comes.
    plain = serve(bundle)
    guest = plain.visitor()
    token = guest.get(f"./?PROLIFIC_PID={PID}").field("csrf")
    assert guest.post("consent", **{**sent, "csrf": token}, external_id="somebody").status == 303
    assert people(plain) == [PID, "none"]


def test_no_log_has_an_id(
    serve: Callable[..., Served], bundle: Bundle, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = serve(bundle, recruiting=PROLIFIC)
    visitor = served.visitor()
    page = visitor.get(f"./?PROLIFIC_PID={PID}")
    with served.site.database.writing() as session:
        session.connection().exec_driver_sql("DROP TABLE trials")
    with caplog.at_level(logging.INFO):
        failed = visitor.post(
            "consent", csrf=page.field("csrf"), external_id=PID, color_vision="normal", agree="yes", able="yes"
        )
    assert failed.status == 500
    assert "no such table" in caplog.text
    assert PID not in caplog.text
    assert PID not in failed.text


def test_whatever_goes_wrong_leads_back_with_the_id(serve: Callable[..., Served], bundle: Bundle) -> None:
    served = serve(bundle, recruiting=PROLIFIC, limits={"sessions": 0})
    visitor, first = served.visitor(), f"./?PROLIFIC_PID={PID}"
    page = visitor.get(first)
    assert f'action="consent?PROLIFIC_PID={PID}"' in page.text
    form = {"external_id": PID, "color_vision": "normal", "agree": "yes", "able": "yes"}
    address = f"consent?PROLIFIC_PID={PID}"
    forged, refused, broken = (
        visitor.post(address, csrf="0" * 64, **form),
        visitor.post(address, csrf=page.field("csrf"), **form),
        visitor.post(address, csrf=page.field("csrf"), nonsense=1),
    )
    with served.site.database.writing() as session:
        session.connection().exec_driver_sql("DROP TABLE withdrawals")
    failed = visitor.get(first)
    assert [each.status for each in (forged, refused, broken, failed)] == [403, 429, 422, 500]
    assert all(f'href="{first}"' in each.text for each in (forged, refused, broken, failed))
    # And with nothing else that an address may have.
    hostile = visitor.get("./?PROLIFIC_PID=%22onload=x&other=y")
    assert hostile.status == 500
    assert 'href="./"' in hostile.text


@pytest.mark.slow
def test_a_code_is_shown_to_who_has_finished(serve: Callable[..., Served], bundle: Bundle) -> None:
    served = serve(bundle, recruiting=Recruiting(completion=Exit(code="C0DE-7")))
    visitor = served.visitor()
    visitor.begin()
    assert "C0DE-7" not in visitor.get("./").text + visitor.get("trial").text
    while visitor.judge(left):
        pass
    assert "<code>C0DE-7</code>" in visitor.get("thanks").text
    assert visitor.get("complete").headers["location"] == "thanks"


def test_ids_are_in_an_export_only_where_it_is_asked_for_them(
    bundle: Bundle, database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sessions = opened(database, bundle, PROLIFIC)
    take_part(sessions, "stays", external_id="who-stays")
    take_part(sessions, "goes", external_id="who-goes")
    sessions.withdraw("goes")
    plain, personal = (
        b"".join(psych_ds_files(read_answers(database, "drawn", personal=each), START).values())
        for each in (False, True)
    )
    assert b"who-stays" not in plain
    assert b"who-stays" in personal
    assert b"personal data: not to be published" in personal
    assert b"not to be published" not in plain
    # Who withdrew is not in the file any more, by the id neither.
    assert b"who-goes" not in personal
    assert b"who-goes" not in b"".join(file.read_bytes() for file in tmp_path.glob("turing.db*"))
    arguments = [f"database=sqlite:///{tmp_path / 'turing.db'}", f"out={tmp_path / 'there'}"]
    for more, found in (([], False), (["personal=true"], True)):
        export([*arguments, *more])
        assert ("personal data" in capsys.readouterr().out) == found
        (file,) = (tmp_path / "there" / "data").glob("*participants*")
        assert ("who-stays" in file.read_text(encoding="utf-8")) == found


@pytest.mark.slow
def test_the_experimenter_finds_the_ids(serve: Callable[..., Served], bundle: Bundle) -> None:
    served = serve(bundle, recruiting=PROLIFIC)
    served.visitor().begin(query=f"?PROLIFIC_PID={PID}")
    boss = Visitor(f"{served.address}/experimenter/")
    served.visitors.append(boss)
    boss.post("login", token=TOKEN)
    assert PID in boss.get("drawn/participants/").text
    assert PID not in boss.get("drawn/").text + boss.get("drawn/participants.csv").text
    # Stored, not compressed away: the two archives differ by it.
    assert len(boss.get("drawn/data.zip?personal=true").body) > len(boss.get("drawn/data.zip").body)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["participant_id=a b"], "participant_id must be the name of a part of the address"),
        (["completion=javascript:alert(1)"], "completion must be a code of letters"),
        (["completion=//evil.example/"], "completion must be a code of letters"),
        (["completion=https://{id}.example/", "participant_id=PID"], "behind the host"),
        (["completion=https://host/?{who}"], "completion must be a code"),
        (["completion=https://user@host/"], "completion must be a code"),
        (["completion=https://host/a b"], "completion must be a code"),
        (["completion=https://host/?id={id}"], "set participant_id=NAME"),
        (["screen_out=what is this"], "screen_out must be a code"),
        (["screen_out=FAILED"], "nobody can fail the checks of drawn: it has 1, and its rules allow 1"),
        (["finished_per_algorithm=0"], "finished_per_algorithm must be a whole number from 1"),
    ],
)
def test_a_mistake_is_named(bundle: Bundle, tmp_path: Path, options: list[str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        serve_main([str(bundle.folder), f"database=sqlite:///{tmp_path / 'own.db'}", *options])


STRICT = Protocol(practice=1, test=2, checks=2, exposure_ms=200, rules=Rules(max_failed_checks=0))


@pytest.mark.slow
def test_who_fails_the_checks_is_sent_back_at_once_with_another_code(
    serve: Callable[..., Served], tmp_path: Path
) -> None:
    ways = Recruiting("PID", Exit(code="D0NE"), Exit(address="https://pool.example/?screened={id}"))
    served = serve(make_bundle(tmp_path / "drawn", protocol=STRICT), recruiting=ways)
    sessions = served.sessions()

    def of(trial: Trial | None, *, fails: bool) -> str:
        assert trial is not None
        return trial.real_side if fails else "right" if trial.real_side == "left" else "left"

    def judged(who: str, *, fails: bool) -> Visitor:
        visitor = served.visitor()
        assert "Some pairs show whether you are looking" in visitor.get(f"./?PID={who}").text
        visitor.begin(query=f"?PID={who}")
        key = hash_key(served.site.signer.session_key("drawn", who))
        while (state := sessions.find(key)) and state.trial:
            side = of(state.trial, fails=fails and state.trial.kind == "check")
            visitor.judge(lambda number, side=side: side)  # type: ignore[misc]
        return visitor

    looks, clicks = judged("looks", fails=False), judged("clicks", fails=True)
    assert "<code>D0NE</code>" in looks.get("thanks").text
    out = clicks.get("thanks").text
    assert "This study has ended for you" in out
    assert "D0NE" not in out
    assert 'href="withdraw"' in out
    assert clicks.get("complete").headers["location"] == "https://pool.example/?screened=clicks"
    # Coming back, or an open tab, brings nothing more.
    assert clicks.get("./?PID=clicks").headers["location"] == "thanks"
    assert clicks.get("trial").headers["location"] == "thanks"
    token = served.site.signer.form_token(served.site.signer.session_key("drawn", "clicks"))
    last = len(clicks.confirmed)
    assert STRICT.practice < last <= STRICT.photographs
    assert clicks.post("pair", csrf=token, number=last + 1).status == 409
    assert clicks.post("answer", csrf=token, number=last + 1, choice="left").status == 409
    # The same answer again is confirmed as before.
    assert clicks.post("answer", csrf=token, number=last, choice=clicks.confirmed[last]).status == 200
    answers = read_answers(served.site.database, "drawn")
    kept, rules = apply_rules(answers.participants, answers.trials, answers.protocol)
    assert set(kept["participant"]) == {1}
    assert rules.loc[0].tolist()[:2] == ["screened out, for more than 0 of 2 obvious fakes taken for real", 1]
    table = participants_table(answers)
    assert table["exclusion"].fillna("").tolist() == ["", "screened_out"]
    assert table["screened_out"].notna().tolist() == [False, True]
    assert table["finished"].notna().tolist() == [True, False]
    assert "Screened out after failed checks, and not counted: 1." in summary(answers)
    (row,) = [row for row in progress_by_algorithm(answers, kept, START) if row["screened_out"]]
    assert (row["started"], row["finished"], row["under_way"], row["dropped_out"]) == (1, 0, 0, 0)


def test_without_a_way_out_who_fails_goes_on_to_the_end(database: Database, tmp_path: Path) -> None:
    sessions = opened(database, make_bundle(tmp_path / "drawn", protocol=STRICT))
    take_part(sessions, "clicks", lambda trial: "left" if trial.real_side == "left" else "right")
    table = participants_table(read_answers(database, "drawn"))
    assert table["exclusion"].tolist() == ["failed_checks"]
    assert table["finished"].notna().all()


def test_nobody_begins_when_as_many_have_finished_as_are_wanted(database: Database, tmp_path: Path) -> None:
    ways = Recruiting(screen_out=Exit(code="0UT"), finished_per_algorithm=2)
    sessions = opened(database, make_bundle(tmp_path / "drawn", protocol=STRICT), ways)

    def fails(trial: Trial) -> Choice:
        return "left" if trial.real_side == "left" else "right"

    def looks(trial: Trial) -> Choice:
        return "right" if trial.real_side == "left" else "left"

    # Who is screened out, withdraws or leaves takes nobody's place.
    for number in range(3):
        sessions.begin(Newcomer(f"fails {number}", "normal"))
        while (state := sessions.find(f"fails {number}")) and state.trial:
            trial = state.trial
            assert sessions.send(f"fails {number}", trial.number)
            assert sessions.show(f"fails {number}", trial.number)
            sessions.answer(f"fails {number}", trial.number, fails(trial), exposure_ms=200.0, response_ms=800.0)
    take_part(sessions, "withdraws", looks)
    sessions.withdraw("withdraws")
    for number in range(3):
        take_part(sessions, f"looks {number}", looks)
    take_part(sessions, "under way", looks, trials=1)
    assert sessions.full
    with pytest.raises(Full):
        sessions.begin(Newcomer("too late", "normal"))
    assert sessions.find("too late") is None
    assert sessions.begin(Newcomer("under way", "normal")).trial is not None
    # Half an hour later that place is free, and the algorithm is the one that is missing.
    late = Sessions(database, 1, sessions.bundle, ways, clock=lambda: START + 10_000)
    assert not late.full
    late.begin(Newcomer("in place", "normal"))
    people = read_answers(database, "drawn").participants
    done = people[people["finished"].notna() | (people.index == people.index.max())]
    assert done["algorithm"].value_counts().tolist() == [2, 2]
    with database.reading() as session:
        # Who was turned away has taken no place.
        assert session.get_one(Experiment, 1).participants == len(people) + 1


@pytest.mark.slow
@pytest.mark.database
def test_the_last_place_asked_for_twice_at_once_is_one_participants(postgres: str, bundle: Bundle) -> None:
    database = Database(postgres)
    sessions = opened(database, bundle, Recruiting(finished_per_algorithm=1))
    take_part(sessions, "first", trials=1)
    begun = list[int]()

    def begin() -> None:
        begun.append(sessions.begin(Newcomer("last", "normal")).participant.id)

    tabs = [threading.Thread(target=begin) for _ in range(2)]
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    with database.writing() as other:
        other.get_one(Experiment, 1, with_for_update=True)
        for tab in tabs:
            tab.start()
        while other.scalar(waiting) != len(tabs):  # neither has found the other
            time.sleep(0.01)
    for tab in tabs:
        tab.join()
    assert begun == [begun[0]] * 2
    assert read_answers(database, "drawn").participants.index.tolist() == [1, begun[0]]
    database.engine.dispose()


@pytest.mark.slow
def test_who_comes_too_late_is_told_so(serve: Callable[..., Served], bundle: Bundle) -> None:
    served = serve(bundle, recruiting=Recruiting(finished_per_algorithm=1))
    waiting = served.visitor()
    token = waiting.get("./").field("csrf")
    for _ in range(2):
        served.visitor().begin()
    late = served.visitor().get("./")
    assert late.status == 403
    assert "All places are taken" in late.text
    form = {"csrf": token, "color_vision": "normal", "agree": "yes", "able": "yes"}
    assert "All places are taken" in waiting.post("consent", **form).text
    assert len(people(served)) == 2


def test_settings() -> None:
    assert parse_recruiting(OPTIONS) == Recruiting()
    options = {"participant_id": "survey_code", "completion": "https://x.example:8080/done?credit={id}#top"}
    found = parse_recruiting({**OPTIONS, **options})
    assert found.id_parameter == "survey_code"
    assert found.completion is not None
    assert found.completion.to("a+b@c") == "https://x.example:8080/done?credit=a%2Bb%40c#top"
    assert parse_recruiting({**OPTIONS, "completion": "C1-A_b"}).completion == Exit(code="C1-A_b")
