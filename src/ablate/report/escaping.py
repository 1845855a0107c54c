"""Text escaped for Markdown and LaTeX."""

import re


def markdown_escaped(text: str) -> str:
    """Escape what Markdown would take for markup."""
    return re.sub(r"([\\`*<>|]|\](?=\())", r"\\\1", text)


_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "±": r"$\pm$",
    "×": r"$\times$",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    "−": "$-$",
    "∞": r"$\infty$",
    "·": r"$\cdot$",
    ",": r",\allowbreak{}",
    **{character: f"\\{character}" for character in "&%$#_{}"},
}


def latex_escaped(text: str) -> str:
    """Escape what LaTeX would take for a command; what its fonts lack becomes a question mark."""
    written = (_LATEX.get(character, character) for character in text)
    return "".join(part if len(part) > 1 or ord(part) < 0x250 else "?" for part in written)
