"""Own questions: asked in their turn, checked by the server, kept once, and removed with all else."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from ablate.errors import ConfigError, DataError
from ablate.turing.bundle import Bundle
from ablate.turing.database import Database, OwnAnswers, read_answers
from ablate.turing.database.own_answers import fix_questions
from ablate.turing.protocol import Protocol, Rules
from ablate.turing.questions import Questions
from ablate.turing.serve.command import main as serve_main
from ablate.turing.serve.enrollment import Closed, Newcomer
from ablate.turing.serve.preview import preview_name
from ablate.turing.serve.recruiting import Exit, Recruiting
from ablate.turing.serve.sessions import Choice, Sessions
from tests.support.browsing import asked, begin
from tests.support.bundles import SHORT, make_bundle
from tests.support.judged import opened, take_part
from tests.support.own_questions import AFTER, BEFORE, OWN, own_questions
from tests.support.servers import TOKEN, Served
from tests.support.visitors import Answer, Visitor
from tests.turing.serve.test_accessibility import violations


def left(number: int) -> str:
    return "left"


def asking(folder: Path, text: str = OWN) -> Recruiting:
    return Recruiting(completion=Exit(code="C0DE"), questions=own_questions(folder, text))


def reply(visitor: Visitor, part: str, **replies: str) -> Answer:
    page = visitor.get(f"questions/{part}")
    return visitor.post(f"questions/{part}", csrf=page.field("csrf"), **replies)


def kept(served: Served) -> list[tuple[int, str, dict[str, object]]]:
    with served.site.database.reading() as session:
        return [(row.participant_id, row.part, json.loads(row.answers)) for row in session.query(OwnAnswers)]


@pytest.mark.slow
def test_they_are_asked_in_their_turn_and_kept_once(
    serve: Callable[..., Served], bundle: Bundle, tmp_path: Path
) -> None:
    ways = asking(tmp_path)
    served = serve(bundle, recruiting=ways)
    visitor = served.visitor()
    assert "asked some questions by the researchers" in visitor.get("./").text
    visitor.begin()
    assert visitor.get("trial").headers["location"] == "questions/before"
    # Not before their turn; and no pair before they are answered.
    assert visitor.get("questions/after").headers["location"] == "../trial"
    page = visitor.get("questions/before")
    token = page.field("csrf")
    assert visitor.post("pair", csrf=token, number=1).status == 409
    assert visitor.post("questions/before", csrf="0" * 64, **BEFORE).status == 403
    assert visitor.post("questions/before", **BEFORE).status == 403
    assert visitor.post("questions/between", csrf=token, **BEFORE).status == 404
    assert visitor.post("questions/before", csrf=token, **BEFORE, more="x").status == 422
    assert kept(served) == []
    assert visitor.post("questions/before", csrf=token, **BEFORE).headers["location"] == "../trial"
    # Sent again, with other answers: the first ones count.
    assert visitor.post("questions/before", csrf=token, **(BEFORE | {"q-age": "99"})).status == 303
    assert kept(served) == [(1, "before", {"age": 31, "screen": "NA", "cameras": ["phone"]})]
    assert visitor.get("questions/before").headers["location"] == "../trial"
    while visitor.judge(left):
        pass
    # The way out comes after the last questions.
    assert visitor.get("thanks").headers["location"] == "questions/after"
    assert visitor.get("complete").headers["location"] == "thanks"
    assert "C0DE" not in visitor.get("questions/after").text
    assert reply(visitor, "after", **AFTER).status == 303
    assert "C0DE" in visitor.get("thanks").text
    assert kept(served)[1] == (1, "after", {"sure": 5, "distance": 0.7, "strategy": "The sky"})
    answers = read_answers(served.site.database, "drawn")
    assert answers.questions == ways.questions
    assert answers.participants["finished"].notna().all()
    with served.site.database.reading() as session:
        assert ways.questions is not None
        assert {row.questions for row in session.query(OwnAnswers)} == {ways.questions.hash}


@pytest.mark.slow
def test_a_fault_is_said_beside_its_question_and_what_was_written_stays(
    serve: Callable[..., Served], bundle: Bundle, tmp_path: Path
) -> None:
    served = serve(bundle, recruiting=asking(tmp_path))
    visitor = served.visitor()
    visitor.begin()
    page = reply(visitor, "before", **{"q-age": '"><script>1', "q-screen": "monitor"})
    assert page.status == 422
    assert "<script>1" not in page.text
    assert 'value="&#34;&gt;&lt;script&gt;1"' in page.text
    assert 'value="monitor" checked' in page.text
    assert '<a href="#q-age">How old are you?</a> Please write a number, in digits.' in page.text
    assert 'id="q-cameras-fault" class="fault">Please answer this question.' in page.text
    assert "q-screen-fault" not in page.text
    assert kept(served) == []
    multipart = b'--x\r\nContent-Disposition: form-data; name="q-age"; filename="f"\r\n\r\n31\r\n--x--\r\n'
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    assert visitor.request("POST", "questions/before", multipart, kind).status == 422


@pytest.mark.slow
def test_who_withdrew_is_asked_nothing(serve: Callable[..., Served], bundle: Bundle, tmp_path: Path) -> None:
    served = serve(bundle, recruiting=asking(tmp_path))
    visitor, other = served.visitor(), served.visitor()
    for each in (visitor, other):
        each.begin()
        reply(each, "before", **BEFORE)
    token = visitor.get("withdraw").field("csrf")
    visitor.post("withdraw", csrf=token)
    assert [number for number, *_ in kept(served)] == [2]
    assert visitor.post("questions/after", csrf=token, **AFTER).status == 303
    assert visitor.get("questions/before").headers["location"] == "../trial"
    assert [number for number, *_ in kept(served)] == [2]


def test_who_is_screened_out_is_not_asked_at_the_end(database: Database, tmp_path: Path) -> None:
    strict = Protocol(practice=1, test=2, checks=2, exposure_ms=200, rules=Rules(max_failed_checks=0))
    ways = Recruiting(screen_out=Exit(code="0UT"), questions=own_questions(tmp_path))
    sessions = opened(database, make_bundle(tmp_path / "drawn", protocol=strict), ways)
    sessions.begin(Newcomer("fails", "normal"))
    assert sessions.asked("fails") == "before"
    while (state := sessions.find("fails")) and state.trial:
        assert sessions.send("fails", state.trial.number)
        assert sessions.show("fails", state.trial.number)
        taken: Choice = "left" if state.trial.real_side == "left" else "right"
        sessions.answer("fails", state.trial.number, taken, exposure_ms=200.0, response_ms=800.0)
    assert state is not None
    assert state.participant.screened_out is not None
    assert sessions.asked("fails") is None
    sessions.keep_replies("fails", "after", {"sure": 5})
    assert read_answers(database, "drawn").own_answers.empty


def test_a_withdrawal_removes_them_from_the_file(bundle: Bundle, database: Database, tmp_path: Path) -> None:
    sessions = opened(database, bundle, asking(tmp_path))
    take_part(sessions, "goes")
    sessions.keep_replies("goes", "after", {"sure": 5, "distance": None, "strategy": "nobody else wrote this"})
    files = [tmp_path / "turing.db", tmp_path / "turing.db-wal"]
    assert any(b"nobody else wrote this" in file.read_bytes() for file in files)
    assert sessions.withdraw("goes")
    assert not any(b"nobody else wrote this" in file.read_bytes() for file in files if file.exists())
    assert read_answers(database, "drawn", personal=True).own_answers.empty


def test_they_do_not_change_once_somebody_has_begun(bundle: Bundle, database: Database, tmp_path: Path) -> None:
    first, other = asking(tmp_path), asking(tmp_path, OWN.replace("How old", "Just how old"))
    sessions = opened(database, bundle)
    for each in (first, other, first):
        fix_questions(database, 1, each.questions)
    # A server that asks others, or none, lets nobody in.
    for stale in (sessions, Sessions(database, 1, bundle, other)):
        with pytest.raises(Closed):
            stale.begin(Newcomer("somebody", "normal"))
    asked = opened(database, bundle, first)
    asked.begin(Newcomer("somebody", "normal"))
    for changed in (other.questions, None):
        with pytest.raises(DataError, match=r"drawn was begun with other questions= .*1 participant.*.*another name"):
            fix_questions(database, 1, changed)
    fix_questions(database, 1, first.questions)
    # Nobody's answers are left to be mixed with.
    asked.withdraw("somebody")
    fix_questions(database, 1, None)
    opened(database, bundle).begin(Newcomer("somebody else", "normal"))
    with pytest.raises(DataError, match="drawn was begun without own questions"):
        fix_questions(database, 1, first.questions)


@pytest.mark.slow
def test_a_preview_shows_them_and_keeps_nothing(serve: Callable[..., Served], bundle: Bundle, tmp_path: Path) -> None:
    served = serve(bundle, recruiting=asking(tmp_path))
    visitor = served.visitor(preview_name(served.site.signer, "drawn"))
    visitor.begin()
    page = visitor.get("questions/before").text
    assert "Preview: nothing counts" in page
    reply(visitor, "before", **BEFORE)
    while visitor.judge(left):
        pass
    reply(visitor, "after", **AFTER)
    assert "<code>PREVIEW</code>" in visitor.get("thanks").text
    assert kept(served) == []


def test_the_command_checks_them(bundle: Bundle, tmp_path: Path) -> None:
    own_questions(tmp_path)
    texts = tmp_path / "fr.yaml"
    texts.write_text("language: fr", encoding="utf-8")
    arguments = [
        str(bundle.folder),
        f"database=sqlite:///{tmp_path / 'own.db'}",
        f"questions={tmp_path}/questions.yaml",
    ]
    with pytest.raises(ConfigError, match=r"screen\.question is not in fr"):
        serve_main([*arguments, f"texts={texts}"])


def test_without_them_nothing_is_asked_nor_said(bundle: Bundle, database: Database) -> None:
    sessions = opened(database, bundle)
    take_part(sessions, "key")
    assert sessions.asked("key") is None
    sessions.keep_replies("key", "after", {"sure": 5})
    answers = read_answers(database, "drawn")
    assert answers.own_answers.empty
    assert "asked some questions" not in "".join(answers.consents.values())


@pytest.mark.slow
@pytest.mark.parametrize("size", [(1280, 1024), (320, 256)], ids=["desktop", "zoom of 400 %"])
def test_by_keyboard_in_a_browser_with_every_fault_and_without(
    serve: Callable[..., Served], bundle: Bundle, tmp_path: Path, browser: Browser, size: tuple[int, int]
) -> None:
    served = serve(bundle, recruiting=asking(tmp_path))
    context = browser.new_context(viewport={"width": size[0], "height": size[1]})
    page = context.new_page()
    page.goto(f"{served.address}/e/drawn/")
    begin(page)
    expect(page.get_by_role("heading", name="Some questions before you begin")).to_be_visible()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    page.get_by_role("button", name="Continue").click()
    expect(page).to_have_title("Something is missing · Some questions before you begin · Which picture is the fake?")
    summary = page.get_by_role("alert")
    expect(summary).to_be_focused()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    # The link leads to the question, whose fault is read with it.
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    age = page.get_by_label("How old are you?")
    expect(age).to_be_focused()
    expect(age).to_have_accessible_description("A whole number from 18 to 120 Please answer this question.")
    page.keyboard.type("31")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(page.get_by_label("A laptop")).to_be_checked()
    page.get_by_label("A reflex camera").check()
    page.get_by_role("button", name="Continue").press("Enter")
    for number in range(1, SHORT.photographs + 1):
        assert asked(page) == number
        page.keyboard.press("ArrowLeft")
        if number <= SHORT.practice:
            page.locator("a.button").click()
    expect(page.get_by_role("heading", name="Some questions at the end")).to_be_visible()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    group = page.get_by_role("group", name="How sure were you?")
    expect(group).to_have_accessible_description("1: not at all 7: very")
    group.get_by_label("6").check()
    page.get_by_label("What did you look at?").fill("Sky, or grass.")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    assert [answers for *_, answers in kept(served)] == [
        {"age": 31, "screen": "laptop", "cameras": ["reflex"]},
        {"sure": 6, "distance": None, "strategy": "Sky, or grass."},
    ]
    # The back button shows no form that could be sent once more.
    page.go_back()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    context.close()


@pytest.mark.slow
def test_from_right_to_left(serve: Callable[..., Served], bundle: Bundle, tmp_path: Path, browser: Browser) -> None:
    texts = tmp_path / "ar.yaml"
    texts.write_text("language: ar", encoding="utf-8")
    served = serve(bundle, recruiting=asking(tmp_path), texts=texts)
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(f"{served.address}/e/drawn/")
    begin(page)
    expect(page.get_by_role("group", name="أمام ماذا تجلس؟")).to_be_visible()
    radio = page.get_by_label("حاسوب محمول").bounding_box()
    form = page.locator("form").bounding_box()
    assert radio is not None
    assert form is not None
    assert radio["x"] > form["x"] + form["width"] / 2
    assert violations(page) == []
    context.close()


@pytest.mark.slow
def test_the_experimenter_has_their_table(serve: Callable[..., Served], bundle: Bundle, tmp_path: Path) -> None:
    served = serve(bundle, recruiting=asking(tmp_path))
    visitor = served.visitor()
    visitor.begin()
    reply(visitor, "before", **BEFORE)
    boss = Visitor(f"{served.address}/experimenter/")
    served.visitors.append(boss)
    boss.post("login", token=TOKEN)
    assert 'href="questions.csv"' in boss.get("drawn/").text
    assert boss.get("drawn/questions.csv").text.splitlines()[1].split(",")[2:4] == ["31", "NA"]
    assert boss.get("drawn/questions.parquet").status == 200
    assert boss.get("drawn/devices.csv").status == 404
    assert isinstance(served.sessions().recruiting.questions, Questions)
