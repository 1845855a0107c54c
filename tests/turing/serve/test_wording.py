"""What participants read speaks of what there is: nothing of none, and one as one."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from ablate.turing.database import Database
from ablate.turing.protocol import Design, Protocol
from ablate.turing.serve.consent_text import consent_text
from ablate.turing.serve.recruiting import Recruiting
from ablate.turing.serve.text_numbers import text_numbers
from ablate.turing.serve.texts import fill, load_texts, texts_of_design
from tests.support.bundles import make_bundle
from tests.support.judged import opened
from tests.support.own_questions import OWN, own_questions
from tests.support.servers import TOKEN, Served

OFF = re.compile(r"\b0 (pairs?|pictures?|questions?|letters)|\b1 (pairs|pictures|questions|letters)|\{|\bNone\b")
ONE = OWN[: OWN.index("  - name: screen")]
"""A file of one question, which must be answered."""


def first_page(database: Database, folder: Path, protocol: Protocol, questions: str = "") -> str:
    recruiting = Recruiting(questions=own_questions(folder, questions) if questions else None)
    sessions = opened(database, make_bundle(folder / "drawn", protocol=protocol), recruiting)
    texts = texts_of_design(load_texts(), protocol.design)
    return consent_text(texts, text_numbers(sessions), recruiting).text


@pytest.mark.parametrize(
    ("design", "practice", "test", "checks", "said", "unsaid"),
    [
        ("between", 0, 1, 0, ["The test has one pair."], ["practice", "Before the test"]),
        ("between", 1, 1, 1, ["The test has 2 pairs.", "Before the test there is one pair for practice"], []),
        ("within", 2, 4, 1, ["The test has 5 pairs.", "Before the test there are 2 pairs for practice"], []),
        ("preference", 0, 1, 0, ["There is one pair."], ["get used to"]),
        ("preference", 1, 3, 0, ["There are 3 pairs.", "Before these comes one pair to get used to"], []),
        ("rating", 0, 1, 0, ["There is one picture."], ["get used to", "pair"]),
        ("rating", 2, 3, 1, ["There are 4 pictures.", "Before these come 2 pictures to get used to"], ["pair"]),
        ("preference", 3, 3, 1, ["There are 4 pairs.", "Before these come 3 pairs to get used to"], []),
    ],
)
def test_the_first_page_counts(
    database: Database,
    tmp_path: Path,
    design: Design,
    practice: int,
    test: int,
    checks: int,
    said: Sequence[str],
    unsaid: Sequence[str],
) -> None:
    protocol = Protocol(design=design, practice=practice, test=test, checks=checks)
    page = first_page(database, tmp_path, protocol)
    assert not OFF.search(page)
    assert [text for text in said if text not in page] == []
    assert [text for text in unsaid if text in page] == []
    assert "question by the researchers" not in page
    assert "\n\n\n" not in page


@pytest.mark.parametrize(
    ("questions", "said", "unsaid"),
    [
        (ONE, "You are also asked a question by the researchers.", "optional"),
        (OWN, "You are also asked some questions by the researchers.", "asked a question"),
        (OWN, "What is marked as optional among what they ask", "asked a question"),
    ],
)
def test_the_first_page_speaks_of_own_questions(
    database: Database, tmp_path: Path, questions: str, said: str, unsaid: str
) -> None:
    page = first_page(database, tmp_path, Protocol(practice=0, test=1, checks=0), questions)
    assert said in page
    assert unsaid not in page


def said_of(section: str, key: str, **numbers: object) -> Any:
    experiment = dict.fromkeys(
        ("practice", "test", "trials", "seconds", "minutes", "megabytes", "questions", "points"), 1
    )
    return fill(load_texts(), {**experiment, **numbers})[section][key]


def test_scores_letters_and_headings_are_of_one_or_of_many() -> None:
    assert said_of("debrief", "text", found=0, judged=1)[0] == "You judged one pair of the test. Fakes found: 0."
    assert "in 1 of the 2 pairs of the test" in said_of("debrief", "text", found=1, judged=2)[0]
    reply = {"low": "1", "high": "2"}
    assert said_of("reply", "text", **reply, longest=1) == "One letter."
    assert said_of("reply", "long", **reply, longest=2) == "Please write at most 2 letters."
    assert said_of("questions", "before", asked=1, faulty=0) == "A question before you begin"
    assert said_of("questions", "after", asked=2, faulty=0) == "Some questions at the end"


@pytest.mark.slow
def test_the_pages_of_a_study_of_one_pair_and_one_question(serve: Callable[..., Served], tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "drawn", protocol=Protocol(practice=0, test=1, checks=0, exposure_ms=100))
    served = serve(bundle, recruiting=Recruiting(questions=own_questions(tmp_path, ONE)))
    visitor = served.visitor()
    visitor.begin()
    page = visitor.get("questions/before")
    assert "<h1>A question before you begin</h1>" in page.text
    faulty = visitor.post("questions/before", csrf=page.field("csrf"))
    assert "Please look at this question once more." in faulty.text
    visitor.post("questions/before", csrf=page.field("csrf"), **{"q-age": "31"})
    visitor.judge(lambda number: "left")
    thanks = visitor.get("thanks").text
    assert "You judged one pair of the test. Fakes found: " in thanks
    assert not OFF.search(thanks)
    experimenter = served.visitor(None)
    experimenter.post("/experimenter/login", token=TOKEN)
    standing = experimenter.get("/experimenter/drawn/").text
    assert "trials that count" in standing
    assert "ailed checks" not in standing
