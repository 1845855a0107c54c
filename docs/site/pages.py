"""The pages of the site: those of docs/, and the files of the repository that they link to, as pages or as they are.

Pages link to files as they lie in the repository. On the site a text file is a page that shows it, a folder one that
lists its texts, and any other file is copied; all of them are in `files/`.
"""

import os
import re
import shutil
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
LANGUAGES = {
    ".cff": "yaml", ".md": "markdown", ".py": "python", ".sh": "bash", ".toml": "toml", ".txt": "text",
    ".yaml": "yaml",
}  # fmt: skip
"""Of text files, by what their names end in."""
WIDE = "coming-from/"
"""Pages that show programs side by side: the table of contents gives them its room."""
_LINK = re.compile(r"(\]\()([^)\s#]+)(#[^)\s]*)?(\))")
_FENCED = re.compile(r"(^```.*?^```$)", re.M | re.S)
_COMMENT = re.compile(r"^(<!--.*-->)\n(?=\S)", re.M)


def write_pages(folder: Path) -> None:
    """Write all pages into a folder, as Zensical takes them.

    Raises:
        FileNotFoundError: A page links to a file that is not there; the message names both.
    """
    waiting = sorted(path for path in DOCS.rglob("*.md") if DOCS / "site" not in path.parents)
    done = set[Path]()
    while waiting:
        source = waiting.pop(0)
        if source in done:
            continue
        done.add(source)
        target = folder / place(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir() or source.suffix in LANGUAGES:
            text, linked = _page(source)
            target.write_text(text, encoding="utf-8")
            waiting += linked
        else:
            shutil.copy(source, target)


def place(source: Path) -> str:
    """Return where a file or a folder of the repository is, among the pages."""
    if source.is_relative_to(DOCS) and source.suffix in (".md", ".png"):
        return source.relative_to(DOCS).as_posix()
    name = source.relative_to(ROOT).as_posix()
    if source.is_dir():
        return f"files/{name}/index.md"
    return f"files/{name}" if source.suffix not in LANGUAGES or source.suffix == ".md" else f"files/{name}.md"


def not_in_nav(config: Path) -> list[str]:
    """Return what is wrong with the navigation: a page of docs/ that is not in it, or one that is not there."""
    listed = list(_leaves(tomllib.loads(config.read_text(encoding="utf-8"))["project"]["nav"]))
    pages = {place(path) for path in DOCS.rglob("*.md") if DOCS / "site" not in path.parents}
    return [
        *(f"docs/{page} is not in the nav of docs/site/zensical.toml" for page in sorted(pages - set(listed))),
        *(f"docs/site/zensical.toml: nav: docs/{page} is not there" for page in sorted(set(listed) - pages)),
    ]


def _leaves(nav: object) -> list[str]:
    if isinstance(nav, str):
        return [nav]
    inner = nav.values() if isinstance(nav, dict) else nav
    return [leaf for each in inner for leaf in _leaves(each)]


def _page(source: Path) -> tuple[str, list[Path]]:
    """Return the text of a page, and the files and folders that it links to."""
    here = place(source)
    if source.is_dir():
        return _listing(source, here)
    text = source.read_text(encoding="utf-8")
    if source.suffix == ".md":
        linked = list[Path]()
        text = _rewritten(text, source, here, linked)
        return ("---\nhide: [toc]\n---\n\n" + text if here.startswith(WIDE) else text), linked
    name = source.relative_to(ROOT).as_posix()
    shown = f"````{LANGUAGES[source.suffix]}\n{text.rstrip()}\n````\n"
    return f"---\nsearch:\n  exclude: true\n---\n\n# `{name}`\n\n{shown}", []


def _listing(folder: Path, here: str) -> tuple[str, list[Path]]:
    """Return the page of a folder: its README, and links to its texts."""
    readme, linked = folder / "README.md", list[Path]()
    name = folder.relative_to(ROOT).as_posix()
    said = readme.read_text(encoding="utf-8") if readme.is_file() else f"# `{name}`\n"
    text = _rewritten(said, readme, here, linked)
    texts = [
        path
        for path in sorted(folder.rglob("*"))
        if path.suffix in LANGUAGES and path != readme and not {"results", "__pycache__"}.intersection(path.parts)
    ]
    links = [f"- [`{path.relative_to(folder).as_posix()}`]({_relative(place(path), here)})" for path in texts]
    return "\n".join([text, "## Files", "", *links, ""]), [*linked, *texts]


def _rewritten(text: str, source: Path, here: str, linked: list[Path]) -> str:
    """Return a page's text with its links to files as the site has them; the files are added to `linked`."""

    def link(found: re.Match[str]) -> str:
        before, target, anchor, after = found.groups()
        if ":" in target:
            return found[0]
        path = _meant(source.parent / target)
        if not path.exists():
            raise FileNotFoundError(f"{source.relative_to(ROOT)} links to {target}, which is not there")
        linked.append(path)
        return f"{before}{_relative(place(path), here)}{anchor or ''}{after}"

    parts = _FENCED.split(text)
    # Behind a line of a comment, Markdown needs an empty one to continue.
    return "".join(part if at % 2 else _LINK.sub(link, _COMMENT.sub(r"\1\n\n", part)) for at, part in enumerate(parts))


def _meant(path: Path) -> Path:
    """Return the file or folder whose page a link opens: a folder's README is the folder's page."""
    path = path.resolve()
    if path == ROOT / "README.md":
        return DOCS / "index.md"
    return path.parent if path.name == "README.md" and path.parent != ROOT else path


def _relative(target: str, here: str) -> str:
    return os.path.relpath(target, os.path.dirname(here)).replace(os.sep, "/")  # noqa: PTH120
