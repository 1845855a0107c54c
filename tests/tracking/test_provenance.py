"""The provenance of a result: commit and uncommitted changes."""

import subprocess
from pathlib import Path

from ablate.tracking.provenance import git_commit, git_diff


def test_a_commit_is_only_that_of_the_checkout_itself(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=n", "-c", "user.email=e"]
        subprocess.run(["git", "-C", str(tmp_path), *identity, *arguments], check=True, capture_output=True)

    git("init")
    (tmp_path / "a.txt").write_bytes(b"one\n\n")
    git("add", ".")
    git("commit", "-m", "first")
    (tmp_path / "inside").mkdir()
    assert len(git_commit(tmp_path) or "") == 40
    # A package that is installed below somebody's repository does not come from it.
    assert git_commit(tmp_path / "inside") is None
    assert git_diff(tmp_path) == ""
    (tmp_path / "a.txt").write_bytes(b"\xff two\n\n\n")
    (tmp_path / "new.yaml").touch()
    diff = git_diff(tmp_path)
    assert "two\n" in diff
    assert diff.endswith("# not in git: new.yaml\n")
