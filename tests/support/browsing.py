"""Participants in a real browser, as the tests of the pages need them."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, Page, expect

from ablate.turing.database import Trial
from tests.support.servers import Served


def opened(context: BrowserContext, address: str) -> tuple[Page, list[str]]:
    """Return a page, and the list of what it asks for elsewhere or complains about."""
    page, complaints = context.new_page(), list[str]()
    origin = "{0.scheme}://{0.netloc}/".format(urlsplit(address))
    page.on(
        "request",
        lambda request: None if request.url.startswith((origin, "data:")) else complaints.append(request.url),
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.goto(address)
    return page, complaints


def begin(page: Page) -> None:
    page.get_by_label("Yes, it is normal").check()
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Begin").click()


def asked(page: Page) -> int:
    """Wait until a pair has been seen, and return its number."""
    expect(page.locator("#trial.asking")).to_be_visible(timeout=20_000)
    assert page.locator(".frame img").count() == 0
    return int(page.locator("input[name=number]").input_value())


def choices(served: Served) -> dict[int, str]:
    with served.site.database.reading() as session:
        return {trial.number: trial.choice for trial in session.query(Trial) if trial.choice}


def sides() -> Iterator[str]:
    while True:
        yield from ("left", "right", "right", "left", "left")
