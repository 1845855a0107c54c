"""Descriptions in MLflow."""

from ablate.tracking.notes import escaped, is_generated, note_tags, table


def test_a_description_is_replaced_until_a_person_edits_it() -> None:
    tags = note_tags({}, "one")
    tags |= note_tags(tags, "two")
    assert tags["mlflow.note.content"] == "two"
    assert is_generated(tags)
    tags["mlflow.note.content"] = "two, and mine"
    assert note_tags(tags, "three") == {}
    assert not is_generated(tags)
    # One that is emptied is written again.
    assert note_tags({**tags, "mlflow.note.content": ""}, "three")["mlflow.note.content"] == "three"


def test_a_cell_is_one_line_that_markdown_shows_as_it_is() -> None:
    assert table(["a"], [[escaped("x|y\n<b>*")]]) == "| a |\n| --- |\n| x\\|y \\<b\\>\\* |"
