"""Bundles that are drawn, servers that serve them, and a browser that takes part."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext

from ablate.turing.bundle import Bundle
from ablate.turing.database import Database
from tests.support.bundles import BRIEF, make_bundle
from tests.support.postgresql import postgres, postgres_server
from tests.support.servers import Served, serving

__all__ = ["postgres", "postgres_server"]


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    """A small bundle."""
    return make_bundle(tmp_path / "drawn")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """An empty database."""
    made = Database(f"sqlite:///{tmp_path / 'turing.db'}")
    yield made
    made.engine.dispose()


@pytest.fixture
def serve(database: Database) -> Iterator[Callable[..., Served]]:
    """Serve bundles."""
    with ExitStack() as running:
        yield lambda *bundles, **options: running.enter_context(serving(database, *bundles, **options))


@pytest.fixture
def served(serve: Callable[..., Served], bundle: Bundle) -> Served:
    """The small bundle, served."""
    return serve(bundle)


@pytest.fixture
def brief(serve: Callable[..., Served], tmp_path: Path) -> Served:
    """A bundle with few pairs, served."""
    return serve(make_bundle(tmp_path / "drawn", protocol=BRIEF))


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser that nobody has used; what it complains about fails the test."""
    opened = browser.new_context(viewport={"width": 1200, "height": 800})
    yield opened
    opened.close()
