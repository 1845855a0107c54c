"""Withdrawal, by the participant and by the experimenter: what is removed, what stays, and what counts afterwards."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import select

from ablate.turing.analyse.analysis import analyse
from ablate.turing.analyse.output import terminal_lines
from ablate.turing.bundle import Bundle
from ablate.turing.database import Database, Participant, Trial, read_answers
from ablate.turing.export.tables import tables
from ablate.turing.serve.enrollment import Newcomer, Withdrawn
from tests.support.bundles import SHORT
from tests.support.judged import opened, take_part
from tests.support.servers import TOKEN, Served
from tests.support.visitors import Visitor


def left(number: int) -> str:
    return "left"


def visitors(served: Served, count: int) -> list[Visitor]:
    """Return visitors whose connection may be closed while others take part."""
    arrived = [served.visitor() for _ in range(count)]
    for each in arrived:
        each.patient = True
    return arrived


@pytest.mark.slow
def test_a_participant_withdraws_by_the_last_page(served: Served) -> None:
    visitor, other = visitors(served, 2)
    for each in (visitor, other):
        each.take_part(left)
    assert 'href="withdraw"' in visitor.get("thanks").text
    # The way back: the study's address leads to the last page, and so does the page that asks.
    assert visitor.get("./").headers["location"] == "thanks"
    page = visitor.get("withdraw")
    assert "What stays is that somebody withdrew" in page.text
    assert 'href="./"' in page.text
    assert len(read_answers(served.site.database, "drawn").participants) == 2
    assert visitor.post("withdraw", csrf="0" * 64).status == 403
    assert visitor.post("withdraw", csrf=page.field("csrf")).headers["location"] == "./"
    assert "You have withdrawn" in visitor.get("./").text
    for place in ("trial", "thanks", "withdraw"):
        assert visitor.get(place).headers["location"] == "./"
    # Sent again, or with what the browser still has of the form, it changes nothing.
    assert visitor.post("withdraw", csrf=page.field("csrf")).status == 303
    answers = read_answers(served.site.database, "drawn")
    assert len(answers.participants) == 1
    assert len(answers.trials) == SHORT.photographs
    assert len(answers.withdrawals) == 1
    assert "Thank you" in other.get("thanks").text


def test_who_withdraws_half_way_is_not_asked_on(served: Served) -> None:
    visitor = served.visitor()
    visitor.begin()
    visitor.judge(left)
    token = visitor.look().field("csrf")
    assert 'href="withdraw"' in visitor.get("./").text
    visitor.post("withdraw", csrf=visitor.get("withdraw").field("csrf"))
    # The tab that is still open.
    assert visitor.post("answer", csrf=token, number=2, choice="left").status == 409
    assert visitor.post("pair", csrf=token, number=2).status == 409
    assert visitor.get("feedback/1").headers["location"] == "../trial"
    assert visitor.get("picture/1/left").status == 404
    assert visitor.get("trial").headers["location"] == "./"
    assert "You have withdrawn" in visitor.get("./").text


def test_nothing_of_it_stays_but_that_it_was(bundle: Bundle, database: Database, tmp_path: Path) -> None:
    sessions = opened(database, bundle)
    take_part(sessions, "stays")
    number = take_part(sessions, "goes", vision="as nobody else")  # type: ignore[arg-type]
    written = [tmp_path / "turing.db", tmp_path / "turing.db-wal"]
    assert any(b"as nobody else" in file.read_bytes() for file in written)
    assert sessions.withdraw("goes")
    assert not sessions.withdraw("goes")
    assert not any(b"as nobody else" in file.read_bytes() for file in written if file.exists())
    with database.reading() as session:
        assert session.get(Participant, number) is None
        assert session.scalars(select(Trial).where(Trial.participant_id == number)).all() == []
    assert sessions.is_withdrawn("goes")
    assert not sessions.is_withdrawn("stays")
    with pytest.raises(Withdrawn):
        sessions.begin(Newcomer("goes", "normal"))


def test_the_place_in_the_block_is_free_again(bundle: Bundle, database: Database) -> None:
    sessions = opened(database, bundle)
    for place in range(0, 30, 3):
        take_part(sessions, f"key {place}")
        take_part(sessions, f"key {place + 1}")
        # Of two one has each algorithm: who comes now has that of who goes.
        gone = read_answers(database, "drawn").participants["algorithm"].iloc[-1]
        sessions.withdraw(f"key {place + 1}")
        assert sessions.begin(Newcomer(f"key {place + 2}", "normal")).participant.algorithm == gone
    people = read_answers(database, "drawn").participants
    assert people["algorithm"].value_counts().tolist() == [10, 10]
    # No number is given again, as SQLite would do, and no place: what the next one is shown is drawn anew.
    assert people.index.tolist() == [number for number in range(1, 31) if number % 3 != 2]
    with database.reading() as session:
        assert sorted(session.scalars(select(Participant.place))) == [place - 1 for place in people.index]


def test_analysis_and_export_count_who_withdrew_and_nothing_of_them(bundle: Bundle, database: Database) -> None:
    sessions = opened(database, bundle)
    numbers = [take_part(sessions, f"key {number}") for number in range(6)]
    sessions.withdraw("key 1")
    assert sessions.remove(numbers[2])
    assert not sessions.remove(numbers[2])
    assert not sessions.remove(99)
    answers = read_answers(database, "drawn")
    found = analyse(answers, None)
    assert found.summary["participants"] == {"started": 4, "finished": 4, "kept": 4, "withdrawn": 2}
    assert terminal_lines(found)[0].endswith("4 with 16 trials that count; 2 withdrew")
    assert sorted(answers.withdrawals["by"]) == ["experimenter", "participant"]
    for table in tables(answers).values():
        assert set(table["participant"]) == {numbers[place] for place in (0, 3, 4, 5)}


@pytest.mark.slow
def test_the_experimenter_removes_who_tells_the_code(served: Served) -> None:
    people = visitors(served, 3)
    for each in people:
        each.take_part(left)
    code = people[1].get("thanks").text.partition("<code>")[2].partition("</code>")[0]
    assert code in people[1].get("withdraw").text
    boss = Visitor(f"{served.address}/experimenter/", patient=True)
    served.visitors.append(boss)
    assert boss.get("drawn/participants/2").headers["location"] == "../../login"
    assert boss.post("drawn/participants/2", csrf="0").status == 303
    boss.post("login", token=TOKEN)
    row = next(line for line in boss.get("drawn/participants/").text.splitlines() if code in line)
    assert '<th scope="row">2</th>' in row
    asked = boss.get("drawn/participants/2")
    assert code in asked.text
    assert len(read_answers(served.site.database, "drawn").participants) == 3
    assert boss.post("drawn/participants/2", csrf="0" * 64).status == 403
    assert boss.post("drawn/participants/2", csrf=asked.field("csrf")).headers["location"] == "./"
    assert code not in boss.get("drawn/participants/").text
    assert boss.get("drawn/participants/2").status == 404
    assert boss.get(f"drawn/participants/{2**40}").status == 404
    assert "0 by themselves, 1 removed" in boss.get("drawn/").text
    assert "You have withdrawn" in people[1].get("./").text
    assert "Thank you" in people[0].get("thanks").text


@pytest.mark.slow
def test_the_pages_lead_there_and_back_in_a_browser(served: Served, browser: Browser) -> None:
    (visitor,) = visitors(served, 1)
    visitor.take_part(left)
    context = browser.new_context()
    address = f"{served.address}/e/drawn/"
    context.add_cookies([{"name": name, "value": value, "url": address} for name, value in visitor.cookies.items()])
    page = context.new_page()
    page.goto(address)
    page.get_by_role("link", name="Withdraw and remove my answers").click()
    expect(page.get_by_role("heading", name="Withdraw")).to_be_visible()
    page.get_by_role("link", name="Keep my answers").click()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    assert len(read_answers(served.site.database, "drawn").participants) == 1
    page.get_by_role("link", name="Withdraw and remove my answers").click()
    page.get_by_role("button", name="Withdraw and remove").click()
    expect(page.get_by_role("heading", name="You have withdrawn")).to_be_visible()
    assert read_answers(served.site.database, "drawn").participants.empty
    # The back button shows nothing that can be sent once more.
    page.go_back()
    expect(page.get_by_role("heading", name="You have withdrawn")).to_be_visible()
    context.close()
