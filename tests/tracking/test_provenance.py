"""The provenance of a result: commit and uncommitted changes."""

from pathlib import Path

from ablate.tracking.provenance import git_commit, git_diff
from tests.support.repositories import committed, git


def test_a_commit_is_that_of_a_folder_which_it_has(tmp_path: Path) -> None:
    commit = committed(tmp_path, "one\n\n")
    (tmp_path / "inside").mkdir()
    assert git_commit(tmp_path) == commit
    # A package that is installed below somebody's repository does not come from it.
    assert git_commit(tmp_path / "inside") is None
    assert git_commit(tmp_path.parent) is None
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "config.yaml").touch()
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "a project of several")
    assert git_commit(tmp_path / "project") == git_commit(tmp_path) != commit


def test_uncommitted_changes_name_what_is_new(tmp_path: Path) -> None:
    committed(tmp_path, "one\n\n")
    assert git_diff(tmp_path) == ""
    (tmp_path / "notes.txt").write_bytes(b"\xff two\n\n\n")
    (tmp_path / "photographs").mkdir()
    for name in ("new.yaml", "photographs/1.jpg", "photographs/2.jpg"):
        (tmp_path / name).touch()
    diff = git_diff(tmp_path)
    assert "two\n" in diff
    assert diff.endswith("# not in git: new.yaml\n# not in git: photographs/\n")
