"""Participants in a real browser, as the tests of the pages need them."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, Page, expect

from ablate.turing.database import Trial
from tests.support.servers import Served

STAGES = """
  window.stages = [];
  new MutationObserver(() => {
    const form = document.getElementById("trial"), said = document.getElementById("said");
    if (!form || !said) return;
    const stage = [form.className, said.textContent, form.querySelectorAll(".frame img").length];
    if (String(stage) === String(stages.at(-1))) return;
    stages.push(stage);
    dispatchEvent(new CustomEvent("stage", { detail: form.className }));
  }).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["class"] });
"""
"""Keeps the form's class, what is said and the number of pictures, whenever they change: what is there for less than a
second may be gone when a test looks. With the event `stage`, a test does something at that very moment."""


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
    expect(page.locator("#trial.asking")).to_be_visible()
    assert page.locator(".frame img").count() == 0
    return int(page.locator("input[name=number]").input_value())


def choices(served: Served) -> dict[int, str]:
    with served.site.database.reading() as session:
        return {trial.number: trial.choice for trial in session.query(Trial) if trial.choice}


def sides() -> Iterator[str]:
    while True:
        yield from ("left", "right", "right", "left", "left")
