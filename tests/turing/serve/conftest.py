"""Where a server keeps its answers, and a browser that takes part."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.support.postgresql import postgres

__all__ = ["postgres"]


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser that nobody has used; what it complains about fails the test."""
    opened = browser.new_context(viewport={"width": 1200, "height": 800})
    yield opened
    opened.close()
