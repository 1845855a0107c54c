"""The split by folders, and its reason."""

from collections.abc import Sequence

import pytest

from ablate.colorization.data.split import EVALUATION_FOLDERS, SplitRule, common_root, split_by_folder
from ablate.errors import DataError


def split(*names: str, other_files: Sequence[str] = ()) -> SplitRule:
    return split_by_folder(names, other_files, eval_fraction=0.1, label="data.root=DIR")


def splits(*names: str) -> list[str | None]:
    found = split(*names)
    return [found.split_of(name) for name in names]


@pytest.mark.parametrize(
    "folder", [*EVALUATION_FOLDERS, "Val", "VALID", "Validation", "TEST", "photos/val", "a/b/Validation", "test/x/val"]
)
def test_a_folder_that_evaluates_is_found_below_the_photographs_own_root(folder):
    root = folder.rpartition("/")[0] + "/" * ("/" in folder)
    assert splits(f"{root}a.png", f"{folder}/a.png", f"{folder}/deep/b.png", f"{root}more/c.png") == [
        "train", "eval", "eval", "train",
    ]  # fmt: skip
    assert splits(f"{root}Train/a.png", f"{folder}/a.png", f"{root}beside.png") == ["train", "eval", "unused"]


@pytest.mark.parametrize(
    ("folders", "evaluating"),
    [
        (["val", "test"], "val"),
        (["test", "validation"], "validation"),
        (["valid", "validation", "Test"], "valid"),
        (["val", "valid", "validation", "test"], "val"),
    ],
)
@pytest.mark.parametrize("train", ["train/", ""])
def test_of_several_the_first_evaluates_and_the_others_are_held_out(folders, evaluating, train):
    names = [f"{train}a.png", *(f"{folder}/{number}.png" for folder in folders for number in range(2))]
    found = split(*names)
    expected = {name: "eval" if name.startswith(f"{evaluating}/") else "unused" for name in names[1:]}
    assert {name: found.split_of(name) for name in names} == {names[0]: "train", **expected}
    held_out = " and ".join(sorted(folder for folder in folders if folder != evaluating))
    assert found.reason.startswith(
        f"{evaluating} evaluates (2), {'train trains' if train else 'all others train'} (1); "
    )
    assert f"{held_out} ({2 * len(folders) - 2}) held out: neither trains nor evaluates" in found.reason


def test_one_folder_in_two_spellings_is_one():
    assert splits("a.png", "val/b.png", "Val/c.png") == ["train", "eval", "eval"]
    assert split("a.png", "val/b.png", "Val/c.png").reason == "Val and val evaluate (2), all others train (1)"


def test_what_is_said_counts_photographs_by_their_folders():
    names = [f"photos/{number}.png" for number in range(1500)]
    assert split("photos/val/a.png", *names).reason == "photos/val evaluates (1), all others train (1,500)"
    assert split("train/a.png", "val/b.png", "c.png", "cats/d.png").reason == (
        "val evaluates (1), train trains (1); of all others (2) none trains or evaluates"
    )


@pytest.mark.parametrize(
    "names",
    [
        ["a.png", "b.png"],
        ["photos/a.png", "photos/cats/b.png"],
        ["train/a.png", "train/b.png"],
        ["train/a.png", "cats/b.png", "dogs/c.png"],
        ["values/a.png", "testing/b.png", "my test/c.png"],
        ["val.png", "test.jpg"],
        ["photos/train/cats/a.png"],
        [],
    ],
)
def test_without_such_a_folder_contents_decide(names):
    found = split(*names)
    assert [found.split_of(name) for name in names] == [None] * len(names)
    assert found.reason.startswith("no folder val, valid, validation or test")
    assert found.reason.endswith(": 10 % of the photographs evaluate, chosen by their contents")
    assert not found.doubtful


@pytest.mark.parametrize(
    ("names", "deeper"),
    [
        (["cats/test/a.png", "dogs/b.png"], "cats/test"),
        (["train/test/a.png", "train/cats/b.png"], "train/test"),
        (["train/cats/test/a.png"], "train/cats/test"),
        (["cover.png", "photos/val/a.png", "photos/train/b.png"], "photos/val"),
        (["cats/Val/x/a.png", "cats/train/b.png", "dogs/val/c.png"], "cats/Val"),
    ],
)
def test_a_folder_that_lies_deeper_does_not_evaluate_and_that_is_said(names, deeper):
    found = split(*names)
    assert [found.split_of(name) for name in names] == [None] * len(names)
    assert f"; {deeper} lies deeper, and is a folder like any other" in found.reason
    assert found.doubtful


def test_below_a_folder_that_trains_all_trains():
    assert splits("val/a.png", "train/test/b.png", "train/val/c.png") == ["eval", "train", "train"]
    assert splits("val/train/a.png", "b.png") == ["eval", "train"]


@pytest.mark.parametrize(
    ("names", "root"),
    [
        (["photos/train/a.png", "photos/val/b.png"], "photos/"),
        (["photos/train/a.png", "photos/train/b.png"], "photos/"),
        (["photos/valid/a.png", "photos/val/b.png"], "photos/"),
        (["test/train/a.png", "test/val/b.png"], "test/"),
        (["train/train/a.png", "train/test/b.png"], "train/"),
        (["train/cats/a.png", "train/test/b.png"], ""),
        (["a/b/c/1.png", "a/b/c/2.png"], "a/b/c/"),
        (["a.png", "photos/b.png"], ""),
        (["one.png"], ""),
        (["x/one.png"], "x/"),
        ([], ""),
    ],
)
def test_the_root_is_told_from_the_photographs(names, root):
    assert common_root(names) == root


@pytest.mark.parametrize(
    ("names", "other_files", "empty"),
    [
        (["train/a.png", "train/b.png"], ["val/c.tif", "notes.txt"], "val"),
        (["photos/a.png", "photos/b.png"], ["photos/Test/c.bmp"], "photos/Test"),
        (["a.png", "val/b.png"], ["train/c.tif"], "train"),
        (["a.png", "test/b.png"], ["val/x/c.heic"], "val"),
    ],
)
def test_a_folder_without_photographs_that_should_have_some_is_named(names, other_files, empty):
    found = split(*names, other_files=other_files)
    assert f"; {empty} holds no photographs (.jpg, .jpeg, .png, .webp)" in found.reason
    assert found.doubtful


@pytest.mark.parametrize(
    "names", [["val/a.png"], ["test/a.png", "test/b.png"], ["val/a.png", "test/b.png"], ["x/Test/cats/a.png"]]
)
def test_what_evaluates_alone_does_not_train(names):
    with pytest.raises(DataError, match=r"^data\.root=DIR has no photograph to train on: .* evaluates"):
        split(*names)
