"""Texts can be reworded and translated, and a mistake in that is found before anybody sees it."""

from pathlib import Path

import pytest

from ablate.errors import ConfigError
from ablate.turing.serve.texts import load_texts


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
        ("trial: {heading: '{nummer}'}", "nummer.*in braces. Allowed: {practice}"),
        ("trial: {heading: '{'}", "trial.heading"),
        ("[", "cannot be read"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, content: str, said: str) -> None:
    file = tmp_path / "texts.yaml"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match=said):
        load_texts(file)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nothing\.yaml cannot be read"):
        load_texts(tmp_path / "nothing.yaml")
