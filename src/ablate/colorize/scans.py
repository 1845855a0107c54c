"""The scans of a JPEG file, progressive or not: each is a pass over all of its pixels, in as little as ten bytes."""

from __future__ import annotations

import re
import struct

_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd7\xff]", re.DOTALL)
"""The start of a segment; the others have no content (ITU-T T.81, table B.1)."""
_START, _END, _SCAN = 0xD8, 0xD9, 0xDA


def more_scans_than(most: int, content: bytes) -> bool:
    """Return whether a JPEG file has more than so many scans; what follows its end, such as a film, does not count."""
    place = scans = 0
    while (marker := _MARKER.search(content, place)) and scans <= most:
        place = marker.end()
        kind = content[place - 1]
        if kind == _END:
            break
        scans += kind == _SCAN
        if kind != _START:
            (size,) = struct.unpack(">H", content[place : place + 2].ljust(2, b"\0"))
            place += size
    return scans > most
