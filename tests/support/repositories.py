"""Git, in folders of tests."""

import subprocess
from pathlib import Path


def git(folder: Path, *arguments: str) -> str:
    """Call git in a folder; return what it says."""
    identity = ["-c", "user.name=n", "-c", "user.email=e"]
    called = subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True)
    return called.stdout.decode()


def committed(folder: Path, text: str) -> str:
    """Make a folder a repository with one file, `notes.txt`; return its commit."""
    git(folder, "init")
    (folder / "notes.txt").write_text(text)
    git(folder, "add", "notes.txt")
    git(folder, "commit", "-m", "notes")
    return git(folder, "rev-parse", "HEAD").strip()
