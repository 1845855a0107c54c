"""Splits, leaks and the fingerprint of a listing."""

import hashlib
from pathlib import Path

import pytest

from ablate.colorization.data.listing import LEAKED, abridged, fingerprint_of, listing_of
from ablate.colorization.data.split import EVALUATION, TRAIN, SplitRule, split_by_content

RULE = SplitRule("as the test has it")


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


def listed(*files, eval_fraction=0.5):
    given = [(name, Path(name), split, digest(content)) for name, split, content in files]
    return listing_of(given, [], RULE, eval_fraction)


def test_the_fingerprint_is_the_hash_of_lines_of_split_and_digest():
    lines = f"eval {digest('a')}\ntrain {digest('b')}\ntrain {digest('c')}\n"
    found = fingerprint_of({TRAIN: [digest("b"), digest("c")], EVALUATION: [digest("a")]})
    assert found == hashlib.sha256(lines.encode()).hexdigest()


def test_a_leak_does_not_train_and_a_duplicate_does():
    found = listed(("a", EVALUATION, "1"), ("b", TRAIN, "1"), ("c", TRAIN, "2"), ("d", TRAIN, "2"))
    assert [(file.name, file.reason) for file in found.leaked] == [("b", LEAKED)]
    assert sorted(file.name for file in found.of_split(TRAIN)) == ["c", "d"]
    assert [file.name for file in found.of_split(EVALUATION)] == ["a"]


def test_files_are_ordered_by_content_then_name():
    found = listed(*((name, TRAIN, content) for name, content in ("a1", "b0", "c1", "d2")))
    order = [(file.digest, file.name) for file in found.files]
    assert order == sorted(order)


def test_contents_decide_where_no_split_is_given():
    files = [(str(number), None, str(number)) for number in range(50)]
    found = listed(*files, eval_fraction=0.3)
    assert found.by_content
    for file in found.files:
        assert file.split == split_by_content(file.digest, 0.3)


@pytest.mark.parametrize("fraction", [0.0001, 0.9999])
def test_of_a_handful_on_one_side_the_lowest_content_evaluates(fraction):
    found = listed(*((name, None, name) for name in "abc"), eval_fraction=fraction)
    (only,) = found.of_split(EVALUATION)
    assert only.digest == min(file.digest for file in found.files)
    assert len(found.of_split(TRAIN)) == 2


def test_names_are_abridged():
    assert abridged(["a", "b"], 2) == "a, b"
    assert abridged(["a", "b", "c"], 2) == "a, b and 1 more"
