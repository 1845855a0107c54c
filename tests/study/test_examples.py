"""Examples are told apart by their contents, and called by their names."""

import unicodedata

import pandas as pd
import pytest

from ablate.study.examples import by_contents, fingerprint, labels_of, relabelled

NAMES = ["a.png", "b.png", "caf\u00e9.png"]
TABLE = pd.DataFrame({"example": NAMES, "digest": ["z", "y", "x"], "auc": [1.0, 2.0, 3.0]})


def test_names_and_the_order_of_rows_make_no_difference() -> None:
    renamed = TABLE.assign(example=["3", "2", "1"])[::-1]
    assert fingerprint(by_contents(renamed)) == fingerprint(by_contents(TABLE))
    pd.testing.assert_series_equal(by_contents(renamed)["auc"], by_contents(TABLE)["auc"])


@pytest.mark.parametrize("digests", [["z", "y", "w"], ["z", "y", "y"], ["z", "y", None]])
def test_other_contents_are_other_examples(digests: list[str | None]) -> None:
    assert fingerprint(by_contents(TABLE.assign(digest=digests))) != fingerprint(by_contents(TABLE))


def test_fewer_examples_are_others() -> None:
    assert fingerprint(by_contents(TABLE[:2])) != fingerprint(by_contents(TABLE))


def test_equal_contents_are_paired_one_by_one() -> None:
    twice = TABLE.assign(digest=["z", "y", "y"])
    table = by_contents(twice)
    assert table.index.tolist() == ["y", "y/1", "z"]
    assert fingerprint(table) == fingerprint(by_contents(twice.assign(example=["q", "p", "o"])))
    assert labels_of(table).tolist() == ["b.png", "caf\u00e9.png", "a.png"]


@pytest.mark.parametrize("columns", [["example", "auc"], ["example", "digest", "auc"]])
def test_where_a_task_tells_no_contents_names_decide_in_any_spelling(columns: list[str]) -> None:
    plain = TABLE.assign(digest=None)[columns]
    spelled = plain.assign(example=[unicodedata.normalize("NFD", name) for name in NAMES])
    pd.testing.assert_frame_equal(by_contents(spelled), by_contents(plain))
    assert by_contents(plain).index.tolist() == NAMES
    assert fingerprint(by_contents(plain)) != fingerprint(by_contents(plain.assign(example=["a.png", "b.png", "c"])))


def test_no_two_examples_have_one_label() -> None:
    table = by_contents(pd.DataFrame({"example": ["a", "a", "a (2)", "a"], "digest": list("wxyz")}))
    assert labels_of(table).tolist() == ["a", "a (2)", "a (2) (2)", "a (3)"]


def test_samples_are_called_as_the_report_calls_their_contents() -> None:
    labels = labels_of(by_contents(TABLE))
    own = by_contents(TABLE.assign(example=["b.png", "c.png", "a.png"]))
    samples = pd.DataFrame({"example": ["b.png", "a.png"], "kind": "truth"})
    assert relabelled(samples, own, labels)["example"].tolist() == ["a.png", "caf\u00e9.png"]
    assert relabelled(samples, own, labels.drop(labels.index[0]))["example"].tolist() == ["a.png"]


def test_samples_that_do_not_evaluate_keep_their_names() -> None:
    own = by_contents(TABLE)
    samples = pd.DataFrame({"example": ["a.png", "elsewhere.png"], "kind": "truth"})
    assert relabelled(samples, own, labels_of(own))["example"].tolist() == ["a.png (only shown)", "elsewhere.png"]
