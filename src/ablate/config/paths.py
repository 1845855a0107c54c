"""Paths of the configuration, studies and results; relative paths are relative to the folder of the command."""

from os import PathLike
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import OmegaConf

from ablate.config.project import Project, find_project, starts_from_base

RESULTS = "results"
STORE = "mlflow.db"
"""The default store, in the folder of results."""
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
    return (_CHECKOUT if _is_checkout() else _PACKAGE) / "conf"


def current_project() -> Project | None:
    """Return the project of one's own that the start folder belongs to, if any.

    Raises:
        ConfigError: Its table is wrong.
    """
    return find_project(start_folder())


def project_dir() -> Path:
    """Return the project's folder: that of `[tool.ablate]`; inside the checkout, the checkout; else the start folder.

    Raises:
        ConfigError: The table is wrong.
    """
    start, project = start_folder(), current_project()
    if project is not None:
        return project.folder
    return _CHECKOUT if _is_checkout() and start.is_relative_to(_CHECKOUT) else start


def experiment_folders() -> list[Path]:
    """Return the folders of study files: `experiments` of the start folder, of the project, and what ships.

    A project that starts from `base` has no use for the shipped task's studies.
    """
    project, shipped = current_project(), _CHECKOUT if _is_checkout() else _PACKAGE
    own = project is not None and project.config_dir is not None and starts_from_base(project.config_dir)
    parents = (start_folder(), project_dir(), *(() if own else (shipped,)))
    folders = dict.fromkeys(each / "experiments" for each in parents)
    return [folder for folder in folders if folder.is_dir()]


def results_dir() -> Path:
    """Return the folder of all that runs and reports write: `results` of the project, or what its table names.

    A project with a store at its top, as earlier versions made it, keeps its results there.

    Raises:
        ConfigError: The table is wrong.
    """
    return project_dir() if has_store_at_top() else _results_dir()


def has_store_at_top() -> bool:
    """Return whether the project's store lies where earlier versions made it, and none in the folder of results."""
    return (project_dir() / STORE).is_file() and not (_results_dir() / STORE).is_file()


def _results_dir() -> Path:
    project = current_project()
    return project_dir() / RESULTS if project is None else project.results


def _is_checkout() -> bool:
    return (_CHECKOUT / "conf" / "config.yaml").is_file()


# For the folders of Hydra in conf/base.yaml: one place for all of a command, as `now` is one time.
OmegaConf.register_new_resolver("ablate.results", lambda: str(results_dir()), replace=True, use_cache=True)
