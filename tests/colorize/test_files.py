"""The photographs that a command means, and the places of their results."""

import os
from pathlib import Path

import pytest

from ablate.colorize.files import find_photographs
from ablate.errors import ConfigError, DataError


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("a/1.jpg", "a/deep/2.PNG", "a/.hidden/3.jpg", "a/notes.txt", "b/1.jpg", "b/4.tif", "out/5.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["a"], ["1.jpg", "deep/2.PNG"]),
        (["a/"], ["1.jpg", "deep/2.PNG"]),
        (["a", "b"], ["a/1.jpg", "a/deep/2.PNG", "b/1.jpg", "b/4.tif"]),
        (["."], ["a/1.jpg", "a/deep/2.PNG", "b/1.jpg", "b/4.tif"]),
        (["b/4.tif"], ["4.tif"]),
        (["a/1.jpg", "b/1.jpg"], ["a/1.jpg", "b/1.jpg"]),
        (["**/*.jpg"], ["a/1.jpg", "b/1.jpg"]),
        (["*/*.jpg", "b/[1]*"], ["a/1.jpg", "b/1.jpg"]),
        (["a/*"], ["1.jpg"]),
        (["b/1.jpg", "b/1.jpg"], ["1.jpg"]),
        (["a/notes.txt"], ["notes.txt"]),
        (["sample/chelsea"], ["chelsea.png"]),
        (["sample/china", "b"], ["china.jpg", "b/1.jpg", "b/4.tif"]),
    ],
)
def test_results_mirror_the_tree(arguments: list[str], names: list[str], tree: Path) -> None:
    assert [str(source.name) for source in find_photographs(arguments, Path("out"))] == names


@pytest.mark.parametrize(
    ("arguments", "out", "error", "message"),
    [
        (["none.jpg"], "out", DataError, "there is no none.jpg"),
        (["*.gif"], "out", DataError, r"no file matches \*\.gif"),
        (["a/.hidden"], "out2", DataError, "there is no photograph in a/.hidden|3.jpg"),
        ([""], "out", ConfigError, "an empty argument names no photograph"),
        (["none\n.jpg"], "out", DataError, r"^there is no none\\n\.jpg$"),
        (["sample/cat"], "out", ConfigError, "there is no sample/cat: sample has astronaut, .*, rocket"),
        (["a"], "a", ConfigError, "would replace a/1.jpg itself"),
        (["out/*.jpg"], "out", ConfigError, "would replace out/5.jpg itself"),
        (["a", "b/../a"], "out", None, ""),
    ],
)
def test_what_is_refused(
    arguments: list[str], out: str, error: type[Exception] | None, message: str, tree: Path
) -> None:
    (tree / "a/.hidden/3.jpg").unlink()
    if error is None:
        assert len(find_photographs(arguments, Path(out))) == 2
        return
    with pytest.raises(error, match=message):
        find_photographs(arguments, Path(out))


def test_the_sample_is_all_of_it_unless_a_folder_is_called_so(tree: Path) -> None:
    assert len(find_photographs(["sample"], Path("out"))) == 8
    (tree / "sample").mkdir()
    (tree / "sample" / "mine.jpg").touch()
    assert [str(source.name) for source in find_photographs(["sample"], Path("out"))] == ["mine.jpg"]


@pytest.mark.parametrize("out", ["out", "./out", "a/../out", "link", "link/", "a/deep/../../out"])
def test_results_are_not_coloured_again(out: str, tree: Path) -> None:
    (tree / "link").symlink_to("out")
    expected = ["a/1.jpg", "b/1.jpg"]
    assert [str(source.name) for source in find_photographs(["**/1.jpg", "*/5.jpg"], Path(out))] == expected
    assert "out/5.jpg" not in [str(source.name) for source in find_photographs(["."], Path(out))]
    assert [str(source.name) for source in find_photographs(["a/*.jpg"], Path())] == ["1.jpg"]


def test_links_in_circles_end(tree: Path) -> None:
    (tree / "a/loop.jpg").symlink_to("loop.jpg")
    (tree / "a/deep/above").symlink_to("..")
    assert [str(source.name) for source in find_photographs(["a"], Path("out"))] == ["1.jpg", "loop.jpg", "deep/2.PNG"]
    assert [str(source.name) for source in find_photographs(["a/**"], Path("out"))] == ["1.jpg", "deep/2.PNG"]


def test_a_folder_that_cannot_be_read_is_named(tree: Path) -> None:
    tree.chmod(0o755)
    (tree / "a/deep").chmod(0o000)
    nobody = os.geteuid() == 0  # to root all folders are readable
    if nobody:
        os.seteuid(65534)
    try:
        found = find_photographs(["a"], Path("out"))
    finally:
        if nobody:
            os.seteuid(0)
        (tree / "a/deep").chmod(0o755)
    assert [(str(each.name), each.problem) for each in found] == [
        ("1.jpg", ""),
        ("deep", "the folder cannot be read: Permission denied"),
    ]
