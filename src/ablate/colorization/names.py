"""Names of files, as folders, archives and URLs spell them, and which of them are photographs."""

import os
import re
import unicodedata

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
_DRIVE = re.compile(r"[A-Za-z]:(?=[\\/])")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


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
    """Return a name as a line of text: what is not UTF-8, from an old archive, could be neither logged nor tracked."""
    text = os.fsencode(name).decode("utf-8", "backslashreplace")
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def hidden(name: str) -> bool:
    """Return whether a file is none that a person would see; macOS adds `__MACOSX` to archives."""
    return any(part.startswith((".", "__MACOSX")) for part in name.split("/"))


def is_photograph(name: str) -> bool:
    """Return whether a file's name is that of a photograph."""
    return name.lower().endswith(SUFFIXES) and not hidden(name)
