"""Text escaped for HTML, Markdown and LaTeX, and where long names in it may be broken."""

import re
import unicodedata

from markupsafe import Markup, escape

from ablate.cli.terminal import visible

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
    """Escape what Markdown would take for markup, on one line; underlines within words are none."""
    line = visible(" ".join(text.splitlines()))
    line = re.sub(r"([\\`*<>|$~]|\](?=\()|&(?=#?\w+;)|(?<!\w)_|_(?!\w))", r"\\\1", line)
    return re.sub(r"^(\d*)([#+.)-])(?=[# ])", r"\1\\\2", line)


def without_controls(value: object) -> object:
    """Return what is written into HTML, with escapes for control characters and marks of direction."""
    if isinstance(value, Markup):
        return Markup(visible(value))
    return visible(value) if isinstance(value, str) else value


_LATEX_BREAK = re.compile(rf"(?<!\s)(?:{'|'.join(_SEPARATORS)})")  # at a blank, LaTeX breaks by itself
_GREEK = {
    **dict(zip("αβγδεζηθικλμνξπρςστυφχψωϵ", (
        r"\alpha", r"\beta", r"\gamma", r"\delta", r"\varepsilon", r"\zeta", r"\eta", r"\theta", r"\iota", r"\kappa",
        r"\lambda", r"\mu", r"\nu", r"\xi", r"\pi", r"\rho", r"\varsigma", r"\sigma", r"\tau", r"\upsilon", r"\varphi",
        r"\chi", r"\psi", r"\omega", r"\epsilon",
    ), strict=True)),
    **dict(zip("ΓΔΘΛΞΠΣΦΨΩ", (
        r"\Gamma", r"\Delta", r"\Theta", r"\Lambda", r"\Xi", r"\Pi", r"\Sigma", r"\Phi", r"\Psi", r"\Omega",
    ), strict=True)),
}  # fmt: skip
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
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "≠": r"$\neq$",
    "≈": r"$\approx$",
    "∈": r"$\in$",
    "∂": r"$\partial$",
    "∇": r"$\nabla$",
    "√": r"$\surd$",
    "ℓ": r"$\ell$",
    **{letter: f"${command}$" for letter, command in _GREEK.items()},
    **{character: f"\\{character}" for character in "&%$#{}_"},
}
_LATEX_FONT = {*map(chr, range(0x20, 0x7F)), *map(chr, range(0xA0, 0x180)), *"–—‘’‚“”„•…€™→←ȘșȚț"} - {*"ĦħĸĿŀŉŦŧſ"}
"""What LaTeX writes as it stands, with the encoding T1."""
_LATEX_LIGATURE = re.compile(r"([-,'`])(?=\1)|[!?](?=`)")
"""What LaTeX would join: two hyphens to a dash."""


def latex_escaped(text: str) -> str:
    """Escape what LaTeX would take for a command, with places where names may be broken.

    What its fonts lack loses its accents, or becomes a question mark.
    """
    text = " ".join(unicodedata.normalize("NFC", text).splitlines())
    escaped = r"\allowbreak{}".join(map(_latex_text, _LATEX_BREAK.split(text)))
    # Behind the end of a row these two are its options.
    return f"{{}}{escaped}" if escaped.startswith(("[", "*")) else escaped


def _latex_text(text: str) -> str:
    return "".join(map(_latex_character, _LATEX_LIGATURE.sub("\\g<0>\0", text)))


def _latex_character(character: str) -> str:
    if character == "\0":
        return "{}"
    if character in _LATEX:
        return _LATEX[character]
    if character in _LATEX_FONT:
        return character
    plain = unicodedata.normalize("NFKD", character)
    if plain != character:
        return "".join(_latex_character(each) for each in plain if not unicodedata.combining(each))
    category = unicodedata.category(character)
    return " " if category == "Cc" else "" if category in ("Cf", "Mn") else "?"
