"""The links of a built site: each leads to a file and a place that are there, and nothing is loaded from elsewhere."""

from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}
"""By element, the attribute whose file a browser loads."""
NAMED = ("canonical", "prev", "next", "alternate")
"""Kinds of `link` that are not loaded."""

NOT_CHECKED = ("report.html", "404.html")
"""Reports are pages of their own; a server shows the other one at any address."""


class _Page(HTMLParser):
    """What a page has: places that links can lead to, its links, and the files that it loads."""

    def __init__(self, file: Path):
        super().__init__()
        self.places, self.links, self.loaded = {"", "top"}, list[str](), list[str]()
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take what an element says."""
        values = {name: value or "" for name, value in attrs}
        self.places.update(values[name] for name in ("id", "name") if name in values)
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        if tag in LOADED and LOADED[tag] in values and not set(NAMED).intersection(values.get("rel", "").split()):
            self.loaded.append(values[LOADED[tag]])


def broken_links(site: Path) -> list[str]:
    """Return what is wrong with the links of a site's pages, a line each."""
    pages = {file: _Page(file) for file in sorted(site.rglob("*.html")) if file.name not in NOT_CHECKED}
    return [
        f"{file.relative_to(site)}: {problem}"
        for file, page in pages.items()
        for problem in dict.fromkeys(_problems(file, page, pages))
    ]


def _problems(file: Path, page: _Page, pages: dict[Path, _Page]) -> Iterator[str]:
    for address in page.loaded:
        if urlsplit(address).netloc:
            yield f"loads {address} from elsewhere"
    for address in [*page.links, *page.loaded]:
        parts = urlsplit(address)
        if parts.scheme or parts.netloc:
            continue
        target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
        target = target / "index.html" if target.is_dir() else target
        if not target.is_file():
            yield f"{address}: there is no such file"
        elif target in pages and unquote(parts.fragment) not in pages[target].places:
            yield f"{address}: there is no such place on the page"
