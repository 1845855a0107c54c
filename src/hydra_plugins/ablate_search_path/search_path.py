"""Hydra's search path: a user's folders first, so that a level there replaces a shipped one."""

from hydra._internal.config_search_path_impl import ConfigSearchPathImpl
from hydra.core.config_search_path import ConfigSearchPath, SearchPathQuery
from hydra.plugins.search_path_plugin import SearchPathPlugin

from ablate.config.paths import conf_dir

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


class AblateSearchPath(SearchPathPlugin):
    """Searches the configuration of `ablate` last; other programs that use Hydra do not change."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Change how folders are added: Hydra creates the search path, and adds a user's folders later."""
        main = [element.path for element in search_path.get_path() if element.provider == "main"]
        if main == [str(conf_dir())]:
            search_path.__class__ = UsersFirst
