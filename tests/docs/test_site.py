"""The site: it is built without a warning, and read and searched from disk, on a desktop and on a phone."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

ROOT = Path(__file__).parents[2]
WIDTHS = {"desktop": (1440, 900), "phone": (390, 844)}
SHOWN = (
    "index", "tutorial", "gallery", "statistics", "your-own-model", "coming-from/hydra", "reference/configuration",
    "reference/commands", "reference/stored", "files/examples/digits/index",
)  # fmt: skip
LOCAL = ("file:", "data:", "blob:")


def build(out: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, ROOT / "docs" / "site", out], capture_output=True, text=True, check=False, timeout=300
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built."""
    if shutil.which("zensical", path=str(Path(sys.executable).parent)) is None:
        pytest.skip("there is no Zensical: pip install -e '.[docs]'")
    out = tmp_path_factory.mktemp("built") / "site"
    done = build(out)
    assert done.returncode == 0, done.stdout + done.stderr
    return out


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that fails its test where something is asked for elsewhere, is missing or goes wrong."""
    complaints = list[str]()
    opened = browser.new_page()
    opened.on("request", lambda request: request.url.startswith(LOCAL) or complaints.append(request.url))
    opened.on("requestfailed", lambda request: complaints.append(request.url))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    yield opened
    opened.close()
    assert complaints == []


@pytest.mark.slow
@pytest.mark.parametrize("width", WIDTHS)
def test_pages_are_no_wider_than_the_screen(site: Path, page: Page, width: str) -> None:
    across, high = WIDTHS[width]
    page.set_viewport_size({"width": across, "height": high})
    for name in SHOWN:
        page.goto((site / f"{name}.html").as_uri())
        expect(page.locator("h1").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= across, name


@pytest.mark.slow
@pytest.mark.parametrize("width", WIDTHS)
def test_it_is_searched_from_disk(site: Path, page: Page, width: str) -> None:
    across, high = WIDTHS[width]
    page.set_viewport_size({"width": across, "height": high})
    page.goto((site / "index.html").as_uri())
    page.keyboard.press("/")
    asked = page.get_by_role("combobox")
    expect(asked).to_be_visible()
    expect(page.get_by_text("Loading search")).to_have_count(0, timeout=60_000)
    # Letter by letter, as a reader types.
    asked.press_sequentially("lease timeout")
    expect(asked).to_have_value("lease timeout")
    found = page.locator("a[href*='configuration.html']", has_text="timeout").first
    expect(found).to_be_visible()
