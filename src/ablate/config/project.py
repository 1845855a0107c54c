"""A project of one's own: the table `[tool.ablate]` of the nearest `pyproject.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import Field

from ablate.config.schema import Schema, validate
from ablate.errors import ConfigError

FILE = "pyproject.toml"
_CONFIG_DIR = "conf"


class ProjectConfig(Schema):
    """The table `[tool.ablate]`; relative paths are relative to the folder of its file.

    Attributes:
        config_dir: Folder of the project's configuration; None: `conf`, where there is one.
        config_name: The configuration that a command starts from.
        results: Folder of all that runs and reports write.
    """

    config_dir: Annotated[str, Field(min_length=1)] | None = None
    config_name: Annotated[str, Field(min_length=1)] = "config"
    results: Annotated[str, Field(min_length=1)] = "results"


@dataclass(frozen=True)
class Project:
    """A project: its folder, and what its table says, as absolute paths."""

    folder: Path
    config_dir: Path | None
    config_name: str
    results: Path

    @property
    def import_folders(self) -> list[Path]:
        """The folders of its modules: its own, and `src` where there is one."""
        return [folder for folder in (self.folder, self.folder / "src") if folder.is_dir()]


def find_project(start: Path) -> Project | None:
    """Return the project that a folder belongs to: the nearest `pyproject.toml` upwards that has `[tool.ablate]`.

    Raises:
        ConfigError: The file cannot be read, or something in the table is wrong.
    """
    for folder in (start, *start.parents):
        file = folder / FILE
        table = _table(file, file.stat().st_mtime_ns) if file.is_file() else None
        if table is not None:
            return _project(folder, table)
    return None


def starts_from_base(config_dir: Path) -> bool:
    """Tell whether a folder has a configuration of another task, as in `defaults: [base, ..]`, beside levels."""
    return any(_has_base(file) for file in sorted(config_dir.glob("*.yaml")))


def _has_base(file: Path) -> bool:
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return False  # Hydra says so, where it reads it
    return isinstance(content, dict) and "base" in (content.get("defaults") or ())


def _project(folder: Path, table: Any) -> Project:
    file = folder / FILE
    if not isinstance(table, dict):
        raise ConfigError(f"{file}: tool.ablate must be a table, [tool.ablate]. Received: {table}")
    try:
        config = validate(ProjectConfig, table, prefix="tool.ablate")
    except ConfigError as error:
        raise ConfigError("\n".join(f"{file}: {line}" for line in str(error).splitlines())) from None
    config_dir = folder / Path(config.config_dir or _CONFIG_DIR).expanduser()
    if config.config_dir is not None and not config_dir.is_dir():
        raise ConfigError(f"{file}: tool.ablate.config_dir={config.config_dir}: there is no such folder")
    return Project(
        folder=folder,
        config_dir=config_dir if config_dir.is_dir() else None,
        config_name=config.config_name,
        results=folder / Path(config.results).expanduser(),
    )


@lru_cache(maxsize=64)
def _table(file: Path, changed: int) -> Any:
    """Return `tool.ablate` of a file, None where it has none.

    Args:
        file: The `pyproject.toml`.
        changed: When it was changed, so that it is read anew then.
    """
    del changed
    try:
        return tomllib.loads(file.read_text(encoding="utf-8")).get("tool", {}).get("ablate")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} cannot be read: {error}") from None
