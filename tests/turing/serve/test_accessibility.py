"""Accessibility of all pages: WCAG 2.2 AA, as axe-core finds it in a browser."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from ablate.turing.protocol import Protocol
from tests.support.browsing import asked, begin
from tests.support.bundles import make_bundle
from tests.support.servers import TOKEN, Served

STANDARD = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"]
OPTIONS = {"runOnly": STANDARD, "rules": {"target-size": {"enabled": True}}}


@pytest.fixture(params=[(1280, 1024), (320, 256)], ids=["desktop", "zoom of 400 %"])
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page as large as it comes, and at large zoom."""
    context = browser.new_context(viewport=dict(zip(("width", "height"), request.param, strict=True)))
    yield context.new_page()
    context.close()


def violations(page: Page) -> list[str]:
    """Return what axe finds wrong with a page."""
    found = Axe().run(page, options=OPTIONS).response
    assert len(found["passes"]) > 10
    return [f"{rule['id']}: {node['html'][:200]}" for rule in found["violations"] for node in rule["nodes"]]


@pytest.mark.slow
def test_the_participants_pages(serve: Callable[..., Served], tmp_path: Path, page: Page) -> None:
    # Long enough for axe to look, too.
    long = Protocol(practice=1, test=1, checks=0, exposure_ms=60_000)
    served = serve(make_bundle(tmp_path / "long", "long", protocol=long))
    address = f"{served.address}/e/long/"
    page.route("**/welcome.js", lambda route: route.abort())
    page.goto(address)
    expect(page.get_by_role("heading", name="This browser cannot take part as it is")).to_be_visible()
    assert violations(page) == []
    page.unroute("**/welcome.js")
    page.goto(address)
    expect(page.get_by_role("button", name="Begin")).to_be_visible()
    assert violations(page) == []
    begin(page)
    expect(page.locator("#trial.shown")).to_be_visible()
    assert violations(page) == []
    page.reload()
    expect(page.get_by_role("button", name="I did not see it")).to_be_visible()
    assert violations(page) == []
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".verdict")).to_be_visible()
    assert violations(page) == []
    page.goto(address)
    expect(page.get_by_role("link", name="Continue where you were")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("link", name="Withdraw").click()
    expect(page.get_by_role("button", name="Withdraw and remove")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="Withdraw and remove").click()
    expect(page.get_by_role("heading", name="You have withdrawn")).to_be_visible()
    assert violations(page) == []
    page.goto(f"{address}nothing")
    expect(page.get_by_role("heading", name="That did not work")).to_be_visible()
    assert violations(page) == []


@pytest.mark.slow
@pytest.mark.parametrize("design", ["preference", "rating"])
def test_a_trial_of_the_other_designs(
    serve: Callable[..., Served], tmp_path: Path, page: Page, design: Literal["preference", "rating"]
) -> None:
    long = Protocol(practice=0, test=2, checks=0, exposure_ms=60_000, design=design)
    served = serve(make_bundle(tmp_path / "long", "long", protocol=long, algorithms=("one", "two")))
    page.goto(f"{served.address}/e/long/")
    begin(page)
    expect(page.locator("#trial.shown")).to_be_visible()
    assert violations(page) == []
    page.reload()
    asked(page)
    assert violations(page) == []


@pytest.mark.slow
def test_the_experimenters_pages(served: Served, page: Page) -> None:
    served.visitor().take_part(lambda number: "left")
    page.goto(f"{served.address}/experimenter/")
    page.get_by_label("Token").fill("another token")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    assert violations(page) == []
    page.get_by_label("Token").fill(TOKEN)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Experiments")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("link", name="drawn").click()
    expect(page.get_by_role("heading", name="drawn: open")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("link", name="Participants", exact=True).click()
    expect(page.get_by_role("heading", name="Participants of drawn")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("link", name="Remove").click()
    expect(page.get_by_role("button", name="Remove")).to_be_visible()
    assert violations(page) == []
