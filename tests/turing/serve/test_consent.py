"""Consent and privacy: the words that were agreed to are kept, and they say what is."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from ablate.turing.bundle import Bundle
from ablate.turing.database import Database, read_answers
from ablate.turing.database.tables import Base
from ablate.turing.serve.texts import fill, load_texts, texts_of_design
from tests.support.judged import english, opened, take_part
from tests.support.servers import Served, free_port, running
from tests.support.visitors import Visitor

TURING = Path(__file__).parents[3] / "docs" / "turing.md"
SAID = {
    "participants.id": "answers", "participants.experiment_id": "answers", "participants.place": "when you begin",
    "participants.key": "scrambled form of that number", "participants.algorithm": "which pictures you see",
    "participants.color_vision": "your answer to the question below", "participants.started": "when you begin",
    "participants.finished": "and finish", "participants.consent": "this text with its language",
    "participants.external_id": "The link that you came by has an id",
    "participants.screened_out": "that this was so is kept, and when",
    "participants.comment": "a comment if you leave one",
    "consents.hash": "this text", "consents.language": "its language", "consents.text": "this text",
    "trials.participant_id": "answers", "trials.number": "which pictures you see",
    "trials.kind": "which pictures you see", "trials.photograph": "which pictures you see",
    "trials.real": "which pictures you see", "trials.recolored": "which pictures you see",
    "trials.real_side": "on which side", "trials.loads": "how often they are loaded",
    "trials.shown": "are seen", "trials.exposure_ms": "for how long they are seen",
    "own_answers.participant_id": "answers", "own_answers.part": "You are also asked some questions",
    "own_answers.questions": "You are also asked some questions", "own_answers.answers": "What you answer is kept",
    "own_answers.answered": "What you answer is kept, and when",
    "devices.participant_id": "answers", "devices.window_width": "the size of your window and screen",
    "devices.window_height": "the size of your window and screen",
    "devices.screen_width": "the size of your window and screen",
    "devices.screen_height": "the size of your window and screen", "devices.pixel_ratio": "the ratio of its pixels",
    "devices.touch": "whether you touch the screen", "devices.refresh_rate": "how often a second it is renewed",
    "devices.browser": "the family of your browser",
    "trials.choice": "what you choose", "trials.algorithm": "which pictures you see",
    "trials.other": "which pictures you see",
    "trials.rating": "how you rate them", "trials.response_ms": "how fast", "trials.answered": "when",
}  # fmt: skip
"""By stored column of a participant, where the consent text says that it is kept."""
OPTIONAL = ("consent_device", "consent_questions", "consent_id", "consent_screen_out")
"""Parts of the consent that are there where what they say is set."""
STAYS = {
    "withdrawals.participant_id": "somebody withdrew", "withdrawals.experiment_id": "somebody withdrew",
    "withdrawals.key": "the scrambled number of the cookie", "withdrawals.algorithm": "which program's pictures",
    "withdrawals.withdrawn": "and when", "withdrawals.by": "somebody withdrew",
}  # fmt: skip
"""Alike, where the page of the withdrawal says that it stays."""
OTHERS = {"experiments", "settings", "turned_away"}
"""Tables that have nothing of a participant."""


def stored() -> dict[str, list[str]]:
    """Return the columns of each table."""
    return {table.name: [column.name for column in table.columns] for table in Base.metadata.sorted_tables}


def test_the_consent_says_all_that_is_kept_of_a_participant() -> None:
    names = ("practice", "test", "trials", "seconds", "minutes", "megabytes", "questions", "points")
    texts = fill(load_texts(), dict.fromkeys(names, 2))
    of_ratings = fill(texts_of_design(load_texts(), "rating"), dict.fromkeys(names, 2))["welcome"]["consent"]
    consent = " ".join([*texts["welcome"]["consent"], *(texts["welcome"][each] for each in OPTIONAL), *of_ratings])
    withdrawal = " ".join(texts["withdraw"]["text"])
    columns = {f"{table}.{name}" for table, names in stored().items() if table not in OTHERS for name in names}
    assert columns == SAID.keys() | STAYS.keys()
    assert [column for column, words in SAID.items() if words not in consent] == []
    assert [column for column, words in STAYS.items() if words not in withdrawal] == []


def test_the_docs_name_every_stored_column() -> None:
    section = TURING.read_text(encoding="utf-8").partition("\n## What is kept\n")[2].partition("\n###")[0]
    named, table = dict[str, list[str]](), ""
    for row in [line.split("|") for line in section.splitlines() if line.startswith("|")][2:]:
        table = row[1].strip("` ") or table
        named.setdefault(table, []).extend(re.findall(r"`(\w+)`", row[2]))
    assert {name: sorted(columns) for name, columns in named.items()} == {
        name: sorted(columns) for name, columns in stored().items()
    }


def test_a_text_is_kept_once_for_all_who_agreed_to_it(bundle: Bundle, database: Database) -> None:
    sessions = opened(database, bundle)
    for number in range(3):
        take_part(sessions, f"key {number}", trials=0)
    answers = read_answers(database, "drawn")
    text = english(sessions)
    assert answers.consents == {text.hash: text.text}
    assert set(answers.participants["consent"]) == {text.hash}
    # What a page shows is what is kept.
    assert "You will see two pictures side by side, for 0.2 s." in text.text


@pytest.mark.slow
def test_consent_is_to_the_words_that_were_shown(served: Served, tmp_path: Path) -> None:
    from ablate.turing.serve.command import server

    visitor = served.visitor()
    page = visitor.get("./")
    file = tmp_path / "de.yaml"
    file.write_text("language: de\nwelcome:\n  consent: [Ihre Antworten werden gespeichert.]\n", encoding="utf-8")
    # The server starts again with other texts, while the page is open.
    port = free_port()
    site = replace(served.site, texts=load_texts(file))
    with running(server(site, host="127.0.0.1", port=port, proxies="127.0.0.1")):
        again = Visitor(f"http://127.0.0.1:{port}/e/drawn/", cookies=visitor.cookies)
        form = {"color_vision": "normal", "agree": "yes", "able": "yes"}
        refused = again.post("consent", csrf=page.field("csrf"), **form)
        assert refused.status == 403
        assert "Please continue from here" in refused.text
        assert read_answers(served.site.database, "drawn").participants.empty
        assert again.begin().status == 303
        again.close()
    answers = read_answers(served.site.database, "drawn")
    assert answers.participants["language"].tolist() == ["de"]
    (text,) = answers.consents.values()
    assert text.startswith("language: de\n")
    assert "Ihre Antworten werden gespeichert." in text
