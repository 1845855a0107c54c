"""Paths of the configuration, studies and results; relative paths are relative to the folder of the command."""

from os import PathLike
from pathlib import Path

from hydra.core.hydra_config import HydraConfig

_PACKAGE = Path(__file__).resolve().parents[1]
_CHECKOUT = _PACKAGE.parents[1]


def start_folder() -> Path:
    """Return the folder in which the command was started; with `hydra.job.chdir=true`, jobs have other folders."""
    return Path(HydraConfig.get().runtime.cwd) if HydraConfig.initialized() else Path.cwd()


def absolute(path: str | PathLike[str]) -> Path:
    """Return a path from the configuration, an argument or the environment as an absolute path."""
    return start_folder() / Path(path).expanduser()


def conf_dir() -> Path:
    """Return the folder of the configuration: the checkout's `conf`, or the one inside the installed package."""
    checkout = _CHECKOUT / "conf"
    return checkout if (checkout / "config.yaml").is_file() else _PACKAGE / "conf"


def experiment_folders() -> list[Path]:
    """Return the folders of study files: `experiments` in the start folder, and in the checkout or package."""
    shipped = _CHECKOUT if (_CHECKOUT / "conf" / "config.yaml").is_file() else _PACKAGE
    return [folder for folder in (start_folder() / "experiments", shipped / "experiments") if folder.is_dir()]


def project_dir() -> Path:
    """Return the folder of results: the checkout, or the start folder if `ablate` is installed."""
    return _CHECKOUT if (_CHECKOUT / "conf" / "config.yaml").is_file() else start_folder()
