"""Names that mean something to a terminal, a log, a page, a database or a command line."""

import os
import re
import socket
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
from PIL import Image

from scenarios.frame import Fault, Place, scenario
from scenarios.pictures import encoded, picture

GROUP = "names"
ODD = (
    'it\'s "quoted".png',
    "new\nline.png",
    "tab\there.png",
    "<script>alert(1)<\xe9>.png",
    "<img src=x onerror=alert(1)>.png",
    "a|b`c`*d*[e](f).png",
    "\\input{x} $y$ %z & #.png",
    "-rf --help.png",
    "=1+1.png",
    "${oc.env:HOME}.png",
    "%s {0} {{1}}.png",
    "'; DROP TABLE runs; --.png",
    "写真 صورة फ़ोटो 📷.png",
    "\u202egpj.exe.png",
    "\x1b[2Jgone.png",
    "n" * 251 + ".png",
)


class Tags(HTMLParser):
    """Collects what a page would run."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts, self.handlers = 0, list[str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Count scripts and note handlers."""
        self.scripts += tag == "script"
        self.handlers += [name for name, _ in attrs if name.startswith("on")]


def tags_of(text: str) -> Tags:
    """Parse a page."""
    tags = Tags()
    tags.feed(text)
    return tags


def plant(place: Place, names: tuple[str | bytes, ...]) -> None:
    """Make photographs with names, all different, that all evaluate, beside others that train."""
    place.photographs("photographs/train")
    folder = place.folder / "photographs" / "val"
    folder.mkdir()
    for number, name in enumerate(names):
        content = encoded(picture(seed=100 + number), "PNG")
        (folder / os.fsdecode(name)).write_bytes(content)


@scenario(
    GROUP, "photographs with quotes, new lines, tabs, HTML, Markdown, LaTeX, SQL, controls, 255 bytes in their names"
)
def odd_names(place: Place) -> str:
    """They come back as they are, each in one line, and a report's page runs none of them."""
    plant(place, (*(name.replace("/", "") for name in ODD),))
    trained = place.train("study.name=odd", "data=folder", "data.root=photographs", says="Evaluated: ")
    if "\x1b[2J" in trained.output:
        raise Fault("a name commands the terminal")
    place.run("ablate.report", "study=odd", "out=report")
    page = (place.folder / "report" / "report.html").read_text(encoding="utf-8")
    place.run("ablate.report", "study=before", "out=plain")
    plain = (place.folder / "plain" / "report.html").read_text(encoding="utf-8")
    found, expected = tags_of(page), tags_of(plain)
    if (found.scripts, found.handlers) != (expected.scripts, expected.handlers):
        raise Fault(f"the page runs a name: {found.scripts} scripts, {found.handlers}")
    return "each name is one line; the report's page has no script but its own"


@scenario(GROUP, "a bad photograph with such a name: it stands in the report's text")
def odd_and_bad(place: Place) -> str:
    """Escaped in HTML, Markdown and LaTeX."""
    plant(place, ("good.png",))
    bad = "<script>alert(1)<b>|$x$ \n# forged.png"
    place.write(f"photographs/train/{bad}", b"")
    place.train(
        "study.name=odd", "data=folder", "data.root=photographs", "data.max_bad_fraction=0.5", says="are left out"
    )
    place.run("ablate.report", "study=odd", "out=report")
    texts = {
        kind: (place.folder / f"report/report.{kind}").read_text(encoding="utf-8") for kind in ("html", "md", "tex")
    }
    if "<script>alert" in texts["html"] or re.search("^# forged", texts["md"], re.MULTILINE) or "$x$" in texts["tex"]:
        raise Fault("a name is part of the report's markup")
    return "the name is text in all forms of the report"


@scenario(GROUP, "a name that is not UTF-8")
def not_utf8(place: Place) -> str:
    """It is escaped."""
    plant(place, (b"caf\xe9.png", "plain.png"))
    place.train("data=folder", "data.root=photographs", says="Evaluated: ")
    return "it is tracked as `caf\\xe9.png`"


@scenario(GROUP, "a variant name of HTML, Markdown and LaTeX")
def odd_variant(place: Place) -> str:
    """Escaped in tables and captions."""
    variant = "<script>alert(1)</script>|*x*\\\\input"
    place.train("study.name=odd", f"study.variant='{variant}'", "data=sample", says="Evaluated: ")
    place.run("ablate.report", "study=odd", "out=report")
    page = (place.folder / "report" / "report.html").read_text(encoding="utf-8")
    if "<script>alert" in page or "\\input" in (place.folder / "report" / "report.tex").read_text(encoding="utf-8"):
        raise Fault("the variant's name is part of the markup")
    return "the name is text in all forms of the report"


@scenario(GROUP, "a study name that is a path or an option")
def path_as_study(place: Place) -> str:
    """Refused before anything is made."""
    place.train("study.name=../../canary", code=1, says="study.name=../../canary")
    place.train("study.name=--help", code=1, says="study.name=--help")
    return "nothing is made"


@scenario(GROUP, "links that form a loop, that lead nowhere, and to themselves")
def links(place: Place) -> str:
    """Loops end, and what is missing is named."""
    root = place.photographs()
    (root / "loop").symlink_to(root)
    (root / "self.png").symlink_to(root / "self.png")
    (root / "nowhere.png").symlink_to(root / "missing.png")
    place.prepare(says="nowhere.png (No such file or directory)")
    return "the ten photographs beside them are prepared, each once"


@scenario(GROUP, "a pipe, a socket and a device called .jpg")
def no_files(place: Place) -> str:
    """They are not opened, which could wait for ever."""
    root = place.photographs()
    os.mkfifo(root / "pipe.jpg")
    with socket.socket(socket.AF_UNIX) as server:
        before = Path.cwd()
        os.chdir(root)  # the address of a socket is short
        try:
            server.bind("socket.jpg")
        finally:
            os.chdir(before)
        (root / "device.jpg").symlink_to("/dev/zero")
        place.prepare(says="3 files neither train nor evaluate: device.jpg, pipe.jpg, socket.jpg", timeout=300)
    return "the ten photographs beside them are prepared"


@scenario(GROUP, "a folder and a file that may not be read")
def unreadable(place: Place) -> str:
    """Permissions hold."""
    root = place.photographs()
    (root / "closed").mkdir(mode=0)
    Image.fromarray(np.zeros((40, 40, 3), np.uint8)).save(root / "secret.png")
    (root / "secret.png").chmod(0)
    place.prepare(says="secret.png (Permission denied)", obeying=True)
    if "closed cannot be read" not in place.ended[-1].output:
        raise Fault("the folder is skipped without a word")
    return "both are named; the ten photographs beside them are prepared"
