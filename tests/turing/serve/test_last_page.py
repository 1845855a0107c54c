"""The last page: one's own score, what it was about, and a comment, which is personal."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from ablate.turing.bundle import Bundle
from ablate.turing.database import Database, read_answers
from ablate.turing.export.psych_ds import psych_ds_files
from ablate.turing.serve.plain_text import plain_text
from ablate.turing.serve.recruiting import Exit, Recruiting
from tests.support.judged import START, opened, take_part
from tests.support.servers import TOKEN, Served
from tests.support.visitors import Visitor
from tests.turing.serve.test_accessibility import violations

HOSTILE = '</textarea><script>alert(1)</script> {{ 7*7 }} "quoted"'


def left(number: int) -> str:
    return "left"


def comments(served: Served) -> list[str]:
    found = read_answers(served.site.database, "drawn", personal=True).participants
    return [str(each) for each in found["comment"].fillna("none")]


@pytest.mark.slow
def test_it_says_how_many_fakes_were_found(served: Served) -> None:
    visitor = served.visitor()
    visitor.begin()
    assert visitor.get("thanks").headers["location"] == "trial"
    while visitor.judge(left):
        pass
    trials = read_answers(served.site.database, "drawn").trials
    found = int((~trials.loc[trials["kind"] == "test", "fooled"]).sum())
    page = visitor.get("thanks").text
    assert f"You found the fake in {found} of the 4 pairs of the test that you judged." in page
    assert "What it was about" in page


def test_a_score_counts_what_was_judged_of_the_test(bundle: Bundle, database: Database) -> None:
    sessions = opened(database, bundle)
    take_part(sessions, "finds", lambda trial: "right" if trial.real_side == "left" else "left")
    take_part(sessions, "misses", lambda trial: "missed")
    take_part(sessions, "nothing yet", trials=0)
    assert [sessions.score(each) for each in ("finds", "misses", "nothing yet")] == [(4, 4), (0, 0), (0, 0)]


@pytest.mark.slow
def test_without_lines_there_is_no_debriefing(serve: Callable[..., Served], bundle: Bundle, tmp_path: Path) -> None:
    texts = tmp_path / "texts.yaml"
    texts.write_text("debrief: {text: []}", encoding="utf-8")
    visitor = serve(bundle, texts=texts).visitor()
    visitor.take_part(left)
    assert "What it was about" not in visitor.get("thanks").text


@pytest.mark.slow
def test_a_comment_is_kept_shown_escaped_and_removed_with_all_else(served: Served, tmp_path: Path) -> None:
    visitor = served.visitor()
    visitor.begin()
    token = visitor.look().field("csrf")
    # Not before the end.
    visitor.post("comment", csrf=token, comment="too early")
    assert comments(served) == ["none"]
    while visitor.judge(left):
        pass
    assert visitor.post("comment", csrf="0" * 64, comment="forged").status == 403
    assert visitor.post("comment", csrf=token, comment="x" * 2001).status == 422
    for sent in ("first", HOSTILE):
        assert visitor.post("comment", csrf=token, comment=sent).headers["location"] == "thanks"
    assert comments(served) == [HOSTILE]
    # As long as it can be, in letters of four bytes.
    assert visitor.post("comment", csrf=token, comment="😀" * 1000).status == 303
    assert comments(served) == ["😀" * 1000]
    assert visitor.post("comment", csrf=token, comment=" \r\n ").status == 303
    assert comments(served) == ["none"]
    visitor.post("comment", csrf=token, comment=HOSTILE)
    boss = Visitor(f"{served.address}/experimenter/")
    served.visitors.append(boss)
    boss.post("login", token=TOKEN)
    for page in (visitor.get("thanks").text, boss.get("drawn/participants/").text):
        assert "&lt;script&gt;" in page
        assert "alert(1)</script>" not in page
    visitor.post("withdraw", csrf=token)
    assert comments(served) == []
    assert not any(b"quoted" in file.read_bytes() for file in tmp_path.glob("turing.db*"))


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("a\r\nb\x00\x07c", "a\nbc"), ("\u202eabc", "abc"), ("=HYPERLINK(1)", " =HYPERLINK(1)"), (" @x ", " @x"),
        ("\t=1", " =1"), ("a = b", "a = b"), ("ä|é", "ä|é"), ("", ""), ("a\tb", "a b"), ("a\rb\u2028c", "a\nb\nc"),
        ("oui\xa0!", "oui\xa0!"), ("色\u3000緑", "色\u3000緑"), ("می\u200cخواهم", "می\u200cخواهم"),
        ("👩\u200d🎨", "👩\u200d🎨"), ("＝1", " ＝1"), ("﹢1", " ﹢1"),
    ],
)  # fmt: skip
def test_a_comment_is_plain_text(given: str, kept: str) -> None:
    assert plain_text(given) == kept


def test_a_comment_is_in_an_export_only_where_it_is_asked_for(bundle: Bundle, database: Database) -> None:
    sessions = opened(database, bundle)
    take_part(sessions, "key")
    sessions.comment("key", 'I am Jane,\n"Doe"')
    plain, personal = (psych_ds_files(read_answers(database, "drawn", personal=each), START) for each in (False, True))
    assert b"Jane" not in b"".join(plain.values())
    assert any(b'"I am Jane,\n""Doe"""' in content for content in personal.values())
    assert b"personal data: not to be published" in personal["README.md"]


@pytest.mark.slow
@pytest.mark.parametrize("size", [(1280, 1024), (320, 256)], ids=["desktop", "zoom of 400 %"])
def test_the_last_page_in_a_browser(
    serve: Callable[..., Served], bundle: Bundle, browser: Browser, size: tuple[int, int]
) -> None:
    served = serve(bundle, recruiting=Recruiting(completion=Exit(code="C0DE")))
    visitor = served.visitor()
    visitor.take_part(left)
    context = browser.new_context(viewport={"width": size[0], "height": size[1]})
    address = f"{served.address}/e/drawn/"
    context.add_cookies([{"name": name, "value": value, "url": address} for name, value in visitor.cookies.items()])
    page = context.new_page()
    page.goto(address)
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    page.get_by_label("Is there anything that you want to tell us?").fill("Nice.\nReally.")
    page.get_by_role("button", name="Send the comment").click()
    expect(page.get_by_text("Your comment is saved.")).to_be_visible()
    assert comments(served) == ["Nice.\nReally."]
    assert violations(page) == []
    context.close()
