"""Texts of participants, without what databases, tables and spreadsheets cannot bear."""

import re
import unicodedata

_LINE_ENDS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_FORMULAS = ("=", "+", "-", "@")
"""How a spreadsheet tells a formula, in letters of any width."""
_JOINERS = "\u200c\u200d"
"""Inside words of Persian and Hindi, and between the parts of an emoji."""


def plain_text(text: str) -> str:
    """Return a text without what neither databases nor tables can have; spreadsheets take none for a formula."""
    kept = "".join(map(_kept, _LINE_ENDS.sub("\n", text))).strip()
    return f" {kept}" if unicodedata.normalize("NFKC", kept[:1]) in _FORMULAS else kept


def _kept(letter: str) -> str:
    """Return a letter, or what stands for it: spaces of all widths stay, control characters do not."""
    if letter == "\n" or letter in _JOINERS or letter.isprintable() or unicodedata.category(letter) == "Zs":
        return letter
    return " " if letter == "\t" else ""
