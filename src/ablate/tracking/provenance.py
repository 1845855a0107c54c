"""Where a result comes from: commit, uncommitted changes, packages, machine."""

import importlib.metadata
import platform
import socket
import subprocess
import sys
from pathlib import Path

PACKAGES = ("ablate", "tensorflow", "keras", "numpy", "scikit-image", "pillow", "hydra-core", "mlflow")


def package_versions() -> dict[str, str]:
    """Return the installed version of each package that can change a result or its record."""
    return {name: importlib.metadata.version(name) for name in PACKAGES}


def machine() -> dict[str, str]:
    """Return the host, operating system and Python."""
    return {"host": socket.gethostname(), "platform": platform.platform(), "python": sys.version.split()[0]}


def git_commit(folder: Path) -> str | None:
    """Return the commit that a folder's checkout stands at, or None where there is none."""
    return _git(folder, "rev-parse", "HEAD")


def git_diff(folder: Path) -> str:
    """Return the uncommitted changes of a folder's checkout, empty where there are none."""
    return _git(folder, "diff", "HEAD") or ""


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        result = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return result.stdout.strip()
