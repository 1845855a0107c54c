"""Hydra's search path: a user's folders first, so that a level there replaces a shipped one; and launchers' names."""

from pathlib import Path

from hydra._internal.config_search_path_impl import ConfigSearchPathImpl
from hydra.core.config_search_path import ConfigSearchPath, SearchPathQuery
from hydra.plugins.search_path_plugin import SearchPathPlugin

from ablate.config.paths import conf_dir
from ablate.config.project import starts_from_base
from hydra_plugins.ablate_launchers import joblib, submitit
from hydra_plugins.ablate_search_path.shared_source import SharedSource

_SHIPPED = SearchPathQuery(provider="main")


class UsersFirst(ConfigSearchPathImpl):
    """A search path that has the folders of `--config-dir` and `hydra.searchpath` before the program's own."""

    def append(self, provider: str, path: str, anchor: SearchPathQuery | None = None) -> None:
        """Add a folder; Hydra gives those of `hydra.searchpath` one by one, in order."""
        if provider.startswith("hydra.searchpath"):
            super().prepend(provider, path, _SHIPPED)
        else:
            super().append(provider, path, anchor)

    def prepend(self, provider: str, path: str, anchor: SearchPathQuery | str | None = None) -> None:
        """Add a folder; Hydra gives that of `--config-dir` as one to stand at the end."""
        super().prepend(provider, path, _SHIPPED if provider == "command-line" else anchor)
        folder = path.removeprefix("file://")
        if provider == "command-line" and starts_from_base(Path(folder)):
            shipped = self.get_path()[self.find_first_match(_SHIPPED)]
            shipped.path = f"{SharedSource.scheme()}://{folder}"


class AblateSearchPath(SearchPathPlugin):
    """Searches the configuration of `ablate` last; other programs that use Hydra do not change."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Change how folders are added: Hydra creates the search path, and adds a user's folders later."""
        main = [element.path for element in search_path.get_path() if element.provider == "main"]
        if main == [str(conf_dir())]:
            search_path.__class__ = UsersFirst
            # Hydra has executed all plug-ins by now, in an order that depends on where they are installed: those whose
            # names these launchers take have registered theirs.
            joblib.register()
            submitit.register()
