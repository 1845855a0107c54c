"""Provenance of a result: commit, uncommitted changes, packages, machine."""

import importlib.metadata
import platform
import socket
import subprocess
import sys
from pathlib import Path

NEW_FILE = "# not in git: "
"""What a line of `git_diff` begins with that names a new file."""
PACKAGES = ("ablate", "tensorflow", "keras", "numpy", "scikit-image", "pillow", "hydra-core", "mlflow")


def package_versions() -> dict[str, str]:
    """Return the installed version of each package that can change a result or its record."""
    return {name: importlib.metadata.version(name) for name in PACKAGES}


def machine() -> dict[str, str]:
    """Return the host, operating system and Python."""
    return {"host": socket.gethostname(), "platform": platform.platform(), "python": sys.version.split()[0]}


def git_commit(folder: Path) -> str | None:
    """Return the commit that a folder stands at; None where the commit has nothing of it.

    A folder that only lies in somebody's repository, such as one of results or of installed packages, has none.
    """
    commit, known = _git(folder, "rev-parse", "HEAD"), _git(folder, "ls-tree", "--name-only", "HEAD")
    return commit.strip() if commit and known else None


def resolved_commit(folder: Path, name: str) -> str | None:
    """Return the commit that a branch, a tag or the beginning of a hash names in a folder's repository."""
    commit = None if name.startswith("-") else _git(folder, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
    return commit.strip() if commit else None


def git_diff(folder: Path) -> str:
    """Return the uncommitted changes of a folder's checkout, new files named below.

    `git apply` takes it, unless it changes a text that is not UTF-8, of which the odd characters are lost.
    """
    diff = _git(folder, "diff", "--binary", "HEAD") or ""
    new = (_git(folder, "ls-files", "--others", "--directory", "--exclude-standard") or "").splitlines()
    return diff + "".join(f"{NEW_FILE}{name}\n" for name in new)


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        result = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return result.stdout.decode("utf-8", "replace")
