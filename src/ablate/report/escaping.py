"""Text escaped for HTML, Markdown and LaTeX, and where long names in it may be broken."""

import re

from markupsafe import Markup, escape

_SEPARATORS = (
    r"(?<=,)(?=[^\s\d])|(?<=× )",
    r"(?<==)(?=\S)|(?<=/)(?=[^\s\d])",
    r"(?<=_)(?=\S)|(?<=\.)(?=[A-Za-z])",
)
"""After which names are broken, the first where that is enough; never within a number or at a blank."""
_WIDTH = 24
"""Characters of a name that stay together on a page."""


def pieces(name: str, width: int) -> list[str]:
    """Split a name after its separators into pieces that are no longer than a width, where it has such separators.

    Example:
        >>> pieces("activation=leaky_relu,dropout.rate=0.25", 24), pieces("learning.rate=0.25", 12)
        (['activation=leaky_relu,', 'dropout.rate=0.25'], ['learning.', 'rate=', '0.25'])
    """
    parts = [name]
    for separators in _SEPARATORS:
        parts = [piece for part in parts for piece in (re.split(separators, part) if len(part) > width else [part])]
    return parts


def breakable(text: str) -> Markup:
    """Escape a text for HTML, with places where long names in it may be broken."""
    words = re.split(r"(?<=\s)", text)
    return Markup("").join(Markup("<wbr>").join(map(escape, pieces(word, _WIDTH))) for word in words)


def markdown_escaped(text: str) -> str:
    """Escape what Markdown would take for markup; underlines within words are none."""
    return re.sub(r"([\\`*<>|]|\](?=\()|(?<!\w)_|_(?!\w))", r"\\\1", text)


_LATEX_BREAK = re.compile(rf"(?<!\s)(?:{'|'.join(_SEPARATORS)})")  # at a blank, LaTeX breaks by itself
_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "±": r"$\pm$",
    "×": r"$\times$",
    "▲": r"$\bigtriangleup$",
    "▼": r"$\bigtriangledown$",
    "○": r"$\bigcirc$",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    "−": "$-$",
    "∞": r"$\infty$",
    "·": r"$\cdot$",
    **{character: f"\\{character}" for character in "&%$#{}_"},
}


def latex_escaped(text: str) -> str:
    """Escape what LaTeX would take for a command, with places where names may be broken.

    What its fonts lack becomes a question mark.
    """
    return r"\allowbreak{}".join(map(_latex_text, _LATEX_BREAK.split(text)))


def _latex_text(text: str) -> str:
    written = (_LATEX.get(character, character) for character in text)
    return "".join(part if len(part) > 1 or ord(part) < 0x250 else "?" for part in written)
