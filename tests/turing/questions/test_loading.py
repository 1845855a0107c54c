"""Own questions: a file is checked before anybody is asked, and the same questions have the same hash."""

from pathlib import Path

import pytest

from ablate.errors import ConfigError
from ablate.turing.questions import Questions, check_questions, text_in
from ablate.turing.serve.app import MAX_BODY
from tests.support.own_questions import OWN, own_questions

AGE = "{name: age, kind: number, question: Age, minimum: 18, maximum: 99}"
ONE = "{name: one, kind: choice, question: Which, choices: {a: A, b: B}}"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[", "cannot be read"),
        ("[" * 3000 + "]" * 3000, "cannot be read: it is nested too deeply"),
        ("before: [{name: a, kind: text, question: 2024-13-45}]", "cannot be read: month must be in"),
        (r'before: [{name: a, kind: text, question: "a\0"}]', r"cannot be read: U\+0000 is a control character"),
        (r'before: [{name: a, kind: text, question: "\ud800"}]', r"cannot be read: U\+D800 is .*half of one"),
        ("3", "must have before or after, each a list of questions"),
        ("", "must have before or after"),
        ("befor: []", r"unknown key: befor\. .*Did you mean before\?"),
        ("before: []", "before must be a list of questions"),
        ("before: {age: 3}", "before must be a list of questions"),
        ("before: [3]", "before, question 1 has no name"),
        ("before: [{kind: text}]", "before, question 1 has no name"),
        ("before: [{name: age}]", "age has no kind: it takes one of choice, several, number, text, scale"),
        ("before: [{name: age, kind: numbr}]", "age: unknown level: kind=numbr.*Did you mean kind=number"),
        ("before: [{name: age, kind: [x]}]", "age: unknown level: kind="),
        ("before: [{name: age, kind: text}]", "missing key: questions.age.question"),
        ("before: [{name: a, kind: text, question: Q, longst: 3}]", r"unknown key: questions.a.longst.*longest\?"),
        ("before: [{name: a, kind: text, question: Q, longest: 1001}]", "questions.a.longest=1001"),
        ("before: [{name: a, kind: text, question: 3}]", "questions.a.question=3: must be a text"),
        ("before: [{name: a, kind: text, question: ' '}]", "questions.a.question= : must be a text"),
        ("before: [{name: a, kind: text, question: {no: Ja}}]", "questions.a.question: must be a text"),
        ("before: [{name: a, kind: text, question: Q, question: R}]", "question is there twice"),
        ("before: [{name: Age, kind: text, question: Q}]", "questions.Age.name=Age: must be the name of a column"),
        ("before: [{name: 'a b', kind: text, question: Q}]", "must be the name of a column"),
        ("before: [{name: if, kind: text, question: Q}]", "no keyword of R"),
        ("before: [{name: choice, kind: text, question: Q}]", "choice: the data have a column choice already"),
        ("before: [{name: touch, kind: text, question: Q}]", "touch: the data have a column touch already"),
        ("before: [{name: after_answered, kind: text, question: Q}]", "the data have a column after_answered already"),
        (f"before: [{AGE}]\nafter: [{AGE}]", "age: age has the column age, too"),
        (
            "before: [{name: one_a, kind: text, question: Q}, {name: one, kind: several, question: Q, choices: {a: A, "
            "b: B}}]",
            "one: one_a has the column one_a, too",
        ),
        (
            "before: [{name: s, kind: several, question: Q, choices: {a: One, A: Two}}]",
            "s: s has the column s_A, too",
        ),
        (f"before: [{ONE.replace('{a: A, b: B}', '{a: A}')}]", "questions.one.choices: must be 2 to 50 choices"),
        (f"before: [{ONE.replace('{a: A, b: B}', '[a, b]')}]", "must be 2 to 50 choices"),
        (f"before: [{ONE.replace('a: A', 'yes: A')}]", "True cannot be a choice's value in the data.*in quotes"),
        (f"before: [{ONE.replace('a: A', '1: A')}]", "1 cannot be a choice's value.*in quotes"),
        (f"before: [{ONE.replace('a: A', 'a-b: A')}]", "'a-b' cannot be a choice's value"),
        (f"before: [{ONE.replace('a: A', 'b: A')}]", "b is there twice"),
        (f"before: [{AGE.replace('18', '99')}]", "questions.age: minimum must be below maximum"),
        (f"before: [{AGE.replace('18', '1.5')}]", "questions.age: minimum and maximum must be whole numbers"),
        (f"before: [{AGE.replace('18', '.nan')}]", "questions.age.minimum=nan"),
        (f"before: [{AGE.replace('18', '-.inf')}]", "questions.age.minimum=-inf"),
        ("before: [{name: s, kind: scale, question: Q, points: 1, low: L, high: H}]", "questions.s.points=1"),
        ("before: [{name: s, kind: scale, question: Q, points: 5, low: L}]", "missing key: questions.s.high"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, content: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        own_questions(tmp_path, content)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    from ablate.turing.questions import load_questions

    with pytest.raises(ConfigError, match=r"nothing\.yaml cannot be read"):
        load_questions(tmp_path / "nothing.yaml", ())


def test_every_kind_is_kept_as_it_is(tmp_path: Path) -> None:
    found = own_questions(tmp_path)
    assert [each.name for each in found.all] == ["age", "screen", "cameras", "sure", "distance", "strategy"]
    assert found.of("before")[2].columns == ["cameras_phone", "cameras_reflex", "cameras_none"]
    again = Questions.model_validate_json(found.stored)
    assert again == found
    assert again.hash == found.hash


@pytest.mark.parametrize(
    ("old", "new"),
    [("How old are you?", "Your age?"), ("maximum: 120", "maximum: 121"), ("A laptop", "A notebook")],
)
def test_a_change_changes_the_hash(tmp_path: Path, old: str, new: str) -> None:
    assert own_questions(tmp_path, OWN.replace(old, new)).hash != own_questions(tmp_path).hash


def test_what_changes_no_question_changes_no_hash(tmp_path: Path) -> None:
    said = OWN.replace("    minimum: 18\n", "    minimum: 18.0\n    required: true\n") + "# a comment\n"
    assert own_questions(tmp_path, said).hash == own_questions(tmp_path).hash


def test_a_text_is_that_of_the_language_or_of_any() -> None:
    texts = {"en": "colour", "pt": "cor", "zh-Hant": "色"}
    assert text_in("one") == text_in("one", "de") == "one"
    assert text_in(texts, "pt-BR") == "cor"
    assert text_in(texts, "ZH-hant") == "色"
    assert text_in(texts, "de") is None
    assert text_in(texts) == "colour"


def test_a_language_that_a_question_lacks_is_named(tmp_path: Path) -> None:
    found = own_questions(tmp_path)
    for language in ("en", "de-CH", "ar"):
        check_questions(found, language, MAX_BODY)
    with pytest.raises(ConfigError, match=r"questions: screen.question is not in fr.*it is in en, de, ar"):
        check_questions(found, "fr", MAX_BODY)


def test_choices_that_read_the_same_are_named(tmp_path: Path) -> None:
    found = own_questions(tmp_path, OWN.replace("Ein Monitor", "Ein Laptop"))
    check_questions(found, "en", MAX_BODY)
    with pytest.raises(ConfigError, match="questions: screen: 2 of its choices read Ein Laptop"):
        check_questions(found, "de", MAX_BODY)


def test_answers_that_no_form_could_send_are_refused_beforehand(tmp_path: Path) -> None:
    def texts(longest: int) -> Questions:
        item = f"{{kind: text, question: Q, longest: {longest}"
        return own_questions(tmp_path, f"after: [{item}, name: one}}, {item}, name: two}}]")

    check_questions(texts(600), "en", MAX_BODY)
    with pytest.raises(
        ConfigError, match=r"questions: after: the longest answers would have .* of which a form takes"
    ):
        check_questions(texts(1000), "en", MAX_BODY)
