"""Paths as a user gives them: relative to the folder that the command was given in."""

from os import PathLike
from pathlib import Path

from hydra.core.hydra_config import HydraConfig


def start_folder() -> Path:
    """Return the folder that the command was given in; with `hydra.job.chdir=true`, its jobs work in others."""
    return Path(HydraConfig.get().runtime.cwd) if HydraConfig.initialized() else Path.cwd()


def absolute(path: str | PathLike[str]) -> Path:
    """Return a path of a configuration, an argument or the environment as an absolute one."""
    return start_folder() / Path(path).expanduser()
