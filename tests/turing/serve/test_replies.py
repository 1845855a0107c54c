"""Replies to own questions: nothing outside of what was asked is taken."""

from pathlib import Path
from typing import Any

import pytest

from ablate.turing.questions import Question
from ablate.turing.serve.replies import read_replies
from tests.support.own_questions import AFTER, BEFORE, own_questions


@pytest.fixture
def before(tmp_path: Path) -> tuple[Question, ...]:
    """The questions before the trials."""
    return own_questions(tmp_path).before


@pytest.fixture
def after(tmp_path: Path) -> tuple[Question, ...]:
    """The questions after them."""
    return own_questions(tmp_path).after


def test_what_is_possible_is_taken(before: tuple[Question, ...], after: tuple[Question, ...]) -> None:
    found = read_replies(before, [*BEFORE.items(), ("q-cameras", "reflex"), ("q-cameras", "phone")])
    assert found.faults == {}
    assert found.answers == {"age": 31, "screen": "NA", "cameras": ["phone", "reflex"]}
    found = read_replies(after, list(AFTER.items()))
    assert found.faults == {}
    assert found.answers == {"sure": 5, "distance": 0.7, "strategy": "The sky"}


def test_what_is_left_out_is_missing_where_it_is_required(
    before: tuple[Question, ...], after: tuple[Question, ...]
) -> None:
    empty = [("q-age", " "), ("q-screen", "")]
    assert read_replies(before, empty).faults == {"age": "missing", "cameras": "missing"}
    assert read_replies(before, empty).answers == {"screen": None}
    found = read_replies(after, [("q-strategy", " \r\n "), ("q-distance", "")])
    assert found.faults == {"sure": "missing", "strategy": "missing"}


@pytest.mark.parametrize(
    ("name", "given", "fault"),
    [
        ("age", "17", "range"), ("age", "121", "range"), ("age", "-20", "range"), ("age", "20.5", "not_whole"),
        ("age", "1e2", "not_number"), ("age", "nan", "not_number"), ("age", "inf", "not_number"),
        ("age", "2_0", "not_number"), ("age", "thirty", "not_number"), ("age", "0x20", "not_number"),
        ("age", "3" * 21, "not_number"), ("age", "=31", "not_number"), ("screen", "LAPTOP", "choice"),
        ("screen", "laptop ", "choice"), ("cameras", "drone", "choice"),
    ],
)  # fmt: skip
def test_what_is_impossible_is_not(before: tuple[Question, ...], name: str, given: str, fault: str) -> None:
    found = read_replies(before, [*(BEFORE | {f"q-{name}": given}).items()])
    assert found.faults == {name: fault}


@pytest.mark.parametrize(
    ("name", "given", "fault"),
    [
        ("sure", "0", "choice"), ("sure", "8", "choice"), ("sure", "５", "choice"), ("sure", "05", "choice"),
        ("distance", "0.1", "range"), ("distance", "4", "range"), ("strategy", "x" * 51, "long"),
        ("strategy", "\x00\x07", "missing"),
    ],
)  # fmt: skip
def test_so_it_is_after(after: tuple[Question, ...], name: str, given: str, fault: str) -> None:
    found = read_replies(after, [*(AFTER | {f"q-{name}": given}).items()])
    assert found.faults == {name: fault}
    assert found.given[name] == [given]


@pytest.mark.parametrize(
    ("name", "given", "kept"),
    [
        ("distance", "+1.50", 1.5), ("distance", "٠٫٧", 0.7), ("distance", "2", 2.0), ("distance", " 1 ", 1.0),
        ("strategy", "=SUM(A1)", " =SUM(A1)"), ("strategy", "a\r\nb", "a\nb"),
        ("strategy", "x" * 25 + "\r\n" * 25, "x" * 25),
    ],
)  # fmt: skip
def test_numbers_and_texts_are_read_as_they_are_meant(
    after: tuple[Question, ...], name: str, given: str, kept: Any
) -> None:
    found = read_replies(after, [*(AFTER | {f"q-{name}": given}).items()])
    assert found.faults == {}
    assert found.answers[name] == kept
    assert type(found.answers[name]) is type(kept)


def test_two_answers_to_one_question_are_none(before: tuple[Question, ...]) -> None:
    assert read_replies(before, [*BEFORE.items(), ("q-screen", "laptop")]).faults == {"screen": "choice"}
    assert read_replies(before, [*BEFORE.items(), ("q-age", "32")]).faults == {"age": "choice"}


@pytest.mark.parametrize("field", ["q-strategy", "age", "q-", "participant", "q-q-age"])
def test_a_field_of_no_question_is_refused(before: tuple[Question, ...], field: str) -> None:
    with pytest.raises(ValueError, match="no question has the field"):
        read_replies(before, [*BEFORE.items(), (field, "x")])
