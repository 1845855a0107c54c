"""Faults that make the site's build fail: links that lead nowhere, files from elsewhere, pages that nobody finds."""

import runpy
from pathlib import Path
from typing import Any

import pytest

SITE = Path(__file__).parents[2] / "docs" / "site"


@pytest.fixture
def links() -> dict[str, Any]:
    return runpy.run_path(str(SITE / "links.py"))


@pytest.fixture
def pages() -> dict[str, Any]:
    return runpy.run_path(str(SITE / "pages.py"))


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ('<a href="other.html#here">', None),
        ('<a href="folder">', None),
        ('<a href="https://example.org/x">', None),
        ('<link rel="canonical" href="https://example.org/">', None),
        ('<a href="gone.html">', "gone.html: there is no such file"),
        ('<a href="other.html#there">', "other.html#there: there is no such place on the page"),
        ('<a href="#there">', "#there: there is no such place on the page"),
        ('<img src="gone.png">', "gone.png: there is no such file"),
        ('<script src="https://example.org/x.js">', "loads https://example.org/x.js from elsewhere"),
        ('<link rel="stylesheet" href="//example.org/x.css">', "loads //example.org/x.css from elsewhere"),
    ],
)
def test_a_broken_link_is_named(tmp_path: Path, links: dict[str, Any], written: str, said: str | None) -> None:
    (tmp_path / "page.html").write_text(written)
    (tmp_path / "other.html").write_text('<h2 id="here">')
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "index.html").write_text("")
    assert links["broken_links"](tmp_path) == ([] if said is None else [f"page.html: {said}"])


def test_every_page_is_in_the_navigation_once(tmp_path: Path, pages: dict[str, Any]) -> None:
    config = SITE / "zensical.toml"
    assert pages["not_in_nav"](config) == []
    text = config.read_text(encoding="utf-8").replace('"data.md"', '"gone.md"')
    (tmp_path / "zensical.toml").write_text(text)
    assert pages["not_in_nav"](tmp_path / "zensical.toml") == [
        "docs/data.md is not in the nav of docs/site/zensical.toml",
        "docs/site/zensical.toml: nav: docs/gone.md is not there",
    ]


def test_files_that_pages_link_to_are_on_the_site(pages: dict[str, Any]) -> None:
    place, root = pages["place"], pages["ROOT"]
    assert place(root / "docs" / "data.md") == "data.md"
    assert place(root / "examples" / "digits") == "files/examples/digits/index.md"
    assert place(root / "conf" / "base.yaml") == "files/conf/base.yaml.md"
    assert place(root / "reports" / "screening" / "report.html") == "files/reports/screening/report.html"
