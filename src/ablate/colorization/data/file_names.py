"""File names in one spelling, and which of them are photographs."""

import re
import unicodedata

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
_DRIVE = re.compile(r"[A-Za-z]:(?=[\\/])")


def normalized_name(name: str) -> str:
    r"""Return a file's path below its root with one spelling: `photos/val/a.png`, whoever wrote it.

    Backslashes separate folders, as Windows writes them; drives, a leading `/`, `.` and `..` are dropped, as unzip
    drops them; letters with accents are single characters (Unicode's NFC).

    Example:
        >>> normalized_name("C:\\photos\\.\\val\\a.png"), normalized_name("../../val//a.png")
        ('photos/val/a.png', 'val/a.png')
    """
    parts = _DRIVE.sub("", name, count=1).replace("\\", "/").split("/")
    return unicodedata.normalize("NFC", printable("/".join(part for part in parts if part not in ("", ".", ".."))))


def printable(name: str) -> str:
    """Return a name as one line of printable text, with escapes for everything else.

    Bytes that are not UTF-8 could be neither logged nor tracked; new lines would forge lines of a log, controls would
    command a terminal, and marks of direction would show a name in another order.
    """
    return name if name.isprintable() else "".join(map(_visible, name))


def _visible(character: str) -> str:
    if "\udc80" <= character <= "\udcff":  # stands for a byte
        return f"\\x{ord(character) & 0xFF:02x}"
    control = unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")
    if control or unicodedata.bidirectional(character) in _MARKS:
        return character.encode("unicode_escape").decode()
    return character


_MARKS = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
"""What changes the direction of the text that follows (Unicode Standard Annex 9)."""


def is_hidden(name: str) -> bool:
    """Return whether a file or one of its folders is hidden; macOS adds `__MACOSX` to archives."""
    return any(part.startswith((".", "__MACOSX")) for part in name.split("/"))


def is_photograph(name: str) -> bool:
    """Return whether a file's name is that of a photograph."""
    return name.lower().endswith(SUFFIXES) and not is_hidden(name)
