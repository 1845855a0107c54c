"""Texts can be reworded and translated, and a mistake in that is found before anybody sees it."""

from pathlib import Path

import pytest
import yaml

from ablate.errors import ConfigError
from ablate.turing.serve.texts import direction, fill, load_texts, texts_of_design


def test_a_file_changes_what_it_names(tmp_path: Path) -> None:
    file = tmp_path / "de.yaml"
    file.write_text("language: de\nwelcome:\n  consent: [Ihre Antworten werden gespeichert.]\n", encoding="utf-8")
    texts, english = load_texts(file), load_texts()
    assert texts["language"] == "de"
    assert texts["welcome"]["consent"] == ["Ihre Antworten werden gespeichert."]
    assert texts["welcome"]["begin"] == english["welcome"]["begin"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("welcom: {}", "unknown key: welcom"),
        ("trial: {questoin: x}", r"unknown key: trial.questoin.*trial.question\?"),
        ("trial: [x]", "trial. must have heading"),
        ("title: 3", "title must be a text"),
        ("thanks: {text: x}", "thanks.text must be a list"),
        ("trial: {heading: '{nummer}'}", "{nummer} stands for no number in braces. Allowed: {practice}"),
        ("trial: {heading: '{'}", "trial.heading.*written twice"),
        ("trial: {heading: 'Paar {{number}}'}", r"{{number}} would show as it is: {number} is a number"),
        ("trial: {heading: '{number:03}'}", "{number:03} stands for no number"),
        ("trial: {heading: '{number!r}'}", "{number!r} stands for no number"),
        ("trial: {heading: '{}'}", "{} stands for no number"),
        ("welcome: {heading: 'Paar {number}'}", "welcome.heading: {number} .*Allowed: {practice}, {test}, {trials}"),
        ("title: '{trials}'", "title: {trials} .*Allowed: none here"),
        ("error: {back: '{trials}'}", "error.back: {trials} .*Allowed: none here"),
        ("trial: {heading: {trials}}", "trial.heading must be a text, in quotes"),
        ("language: no", "language must be a text, in quotes"),
        ("language: klingon and more", "language must be a tag such as en"),
        ("trial: {question: ' '}", "trial.question must not be empty"),
        ("trial: {question: {number: {1: One, other: ''}}}", "trial.question must not be empty"),
        ("title: {trials: {1: One, other: Many}}", "title: trials is no number .* Allowed: none here"),
        ("trial: {heading: {trial: {1: One, other: Many}}}", "trial is no number .* Allowed: practice, test, trials"),
        ("trial: {heading: {trials: {1: One}}}", "trial.heading: the texts by trials are those .* Received: 1$"),
        ("trial: {heading: {trials: {one: One, other: Many}}}", "of numbers and of other. Received: one, other"),
        ("trial: {heading: {trials: {1: 3, other: Many}}}", "trial.heading.trials.1 must be a text"),
        ("trial: {heading: {trials: {1: One, other: '{nummer}'}}}", "{nummer} stands for no number in braces"),
        ("welcome: {text: [{trials: {0: [], other: Many}}]}", "welcome.text.trials.0 must be a text"),
        ("[", "cannot be read"),
        ("{a: " * 1500 + "}" * 1500, "cannot be read: it is nested too deeply"),
        ("title: 2024-13-45", "cannot be read: month must be in"),
        ("title: A\nlanguage: de\ntitle: B", "title is there twice"),
        (r'title: "a\x07"', "cannot be read: U.0007 is a control character"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, content: str, said: str) -> None:
    file = tmp_path / "texts.yaml"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match=said):
        load_texts(file)


def test_a_number_may_stand_in_any_text_of_an_experiment(tmp_path: Path) -> None:
    file = tmp_path / "texts.yaml"
    file.write_text(
        "welcome: {begin: 'Begin {trials} pairs'}\nthanks: {text: ['{test} of {{these}}']}\n"
        "trial: {question: 'Pair {number}: which?'}",
        encoding="utf-8",
    )
    texts = load_texts(file)
    numbers = {
        "practice": 1, "test": 4, "trials": 5, "seconds": "0.2", "minutes": 1, "megabytes": 2, "questions": 0,
        "points": 7,
    }  # fmt: skip
    filled = fill(texts, numbers)
    assert filled["welcome"]["begin"] == "Begin 5 pairs"
    assert filled["thanks"]["text"] == ["4 of {these}"]
    assert "trial" not in filled
    assert fill(texts, {**numbers, "number": 3})["trial"]["question"] == "Pair 3: which?"
    assert set(fill(texts)) == {"language", "title", "preview", "error"}


@pytest.mark.parametrize(
    ("practice", "said"),
    [(0, ["Dwie próby."]), (1, ["Jedna para.", "Dwie próby."]), (3, ["3 pary.", "Dwie próby."]),
     (7, ["7 par.", "Dwie próby."])],
)  # fmt: skip
def test_a_text_can_depend_on_a_number(tmp_path: Path, practice: int, said: list[str]) -> None:
    """Polish has three plurals."""
    file = tmp_path / "pl.yaml"
    file.write_text(
        "language: pl\nwelcome:\n  text:\n"
        "    - practice: {0: '', 1: Jedna para., 2: '2 pary.', 3: '3 pary.', other: '{practice} par.'}\n"
        "    - test: {2: Dwie próby., other: '{test} prób.'}\n"
        'preference: {trial: {question: {trials: {1: "Jedna?", other: "Która?"}}}}',
        encoding="utf-8",
    )
    numbers = {
        "practice": practice,
        "test": 2,
        "trials": 2,
        "seconds": "1",
        "minutes": 1,
        "megabytes": 1,
        "questions": 0,
        "points": 7,
    }
    texts = load_texts(file)
    assert fill(texts, numbers)["welcome"]["text"] == said
    asked = fill(texts_of_design(texts, "preference"), {**numbers, "number": 1})["trial"]["question"]
    assert asked == "Która?"


def test_the_english_texts_pass_what_a_translation_must_pass(tmp_path: Path) -> None:
    file = tmp_path / "en.yaml"
    file.write_text(yaml.safe_dump(load_texts()), encoding="utf-8")
    assert load_texts(file) == load_texts()


def test_what_a_translation_leaves_out_is_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "texts.yaml"
    file.write_text("welcome: {begin: Start}", encoding="utf-8")
    load_texts(file)
    assert not caplog.messages  # English reworded
    english = load_texts()
    del english["trial"]["missed"], english["closed"]
    file.write_text(yaml.safe_dump({**english, "language": "de"}), encoding="utf-8")
    load_texts(file)
    assert caplog.messages == [f"texts={file} leaves out what stays English: trial.missed, closed"]


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", "ltr"), ("ar", "rtl"), ("he-IL", "rtl"), ("fa-IR", "rtl"), ("az", "ltr"), ("az-Arab", "rtl"),
        ("ur-Latn-PK", "ltr"), ("de-CH-1996", "ltr"),
    ],
)  # fmt: skip
def test_the_direction_is_that_of_the_language(language: str, expected: str) -> None:
    assert direction(language) == expected


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nothing\.yaml cannot be read"):
        load_texts(tmp_path / "nothing.yaml")
