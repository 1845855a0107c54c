"""The shipped configuration for a project that starts from `base`: what all tasks share."""

from pathlib import Path

from hydra._internal.core_plugins.file_config_source import FileConfigSource
from hydra.core.object_type import ObjectType

from ablate.config.paths import conf_dir

SHARED = frozenset({"base", "hydra", "optimizer", "schedule", "tracking"})
"""`conf/base.yaml`, and the groups that it uses."""


class SharedSource(FileConfigSource):
    """The shipped configuration without the groups that a user has: `dropout=heavy` is no level of a user's `dropout`.

    Args:
        provider: Whose it is in the search path.
        path: The user's folder.
    """

    def __init__(self, provider: str, path: str):
        folder = Path(path.removeprefix(f"{self.scheme()}://"))
        self._hidden = {group.name for group in folder.iterdir() if group.is_dir()} - SHARED
        super().__init__(provider, f"{self.scheme()}://{conf_dir()}")

    @staticmethod
    def scheme() -> str:
        """Return the name that it has in a search path."""
        return "ablate"

    def is_group(self, config_path: str) -> bool:
        """Tell whether a path is a group."""
        return _first(config_path) not in self._hidden and bool(super().is_group(config_path))

    def is_config(self, config_path: str) -> bool:
        """Tell whether a path is a configuration."""
        return _first(config_path) not in self._hidden and bool(super().is_config(config_path))

    def list(self, config_path: str, results_filter: ObjectType | None) -> list[str]:
        """Return the names of what a group has; at the top, what all tasks share."""
        names: list[str] = super().list(config_path, results_filter)
        return names if config_path else [name for name in names if _first(name) in SHARED]


def _first(config_path: str) -> str:
    return config_path.partition("/")[0].removesuffix(".yaml")
