"""Names of files, as folders, archives and URLs spell them, and which of them are photographs."""

import re
import unicodedata

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
_DRIVE = re.compile(r"[A-Za-z]:(?=[\\/])")


def plain(name: str) -> str:
    r"""Return a file's path below its root with one spelling: `photos/val/a.png`, whoever wrote it.

    Backslashes separate folders, as Windows writes them; drives, a leading `/`, `.` and `..` are dropped, as unzip
    drops them; letters with accents are single characters (Unicode's NFC).

    Example:
        >>> plain("C:\\photos\\.\\val\\a.png"), plain("../../val//a.png")
        ('photos/val/a.png', 'val/a.png')
    """
    parts = _DRIVE.sub("", name, count=1).replace("\\", "/").split("/")
    return unicodedata.normalize("NFC", printable("/".join(part for part in parts if part not in ("", ".", ".."))))


def printable(name: str) -> str:
    """Return a name as one line of text, whatever it holds, with escapes for what is none.

    Bytes that are not UTF-8 could be neither logged nor tracked; new lines would forge lines of a log, controls would
    command a terminal, and marks of direction would show a name in another order.
    """
    return name if name.isprintable() else "".join(map(_visible, name))


def _visible(character: str) -> str:
    if "\udc80" <= character <= "\udcff":  # stands for a byte
        return f"\\x{ord(character) & 0xFF:02x}"
    hidden = unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")
    if hidden or unicodedata.bidirectional(character) in _MARKS:
        return character.encode("unicode_escape").decode()
    return character


_MARKS = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
"""What changes the direction of the text that follows (Unicode Standard Annex 9)."""


def hidden(name: str) -> bool:
    """Return whether a file is none that a person would see; macOS adds `__MACOSX` to archives."""
    return any(part.startswith((".", "__MACOSX")) for part in name.split("/"))


def is_photograph(name: str) -> bool:
    """Return whether a file's name is that of a photograph."""
    return name.lower().endswith(SUFFIXES) and not hidden(name)
