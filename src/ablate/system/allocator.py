"""The C library's allocator of memory."""

import ctypes
from contextlib import suppress

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_KEPT, _LARGE = 2**23, 2**22


def keep_freed_memory() -> None:
    """Have glibc keep a few megabytes that were freed for what is asked for next; other C libraries stay as they are.

    A picture takes several arrays of about a megabyte. Given back to the system after each picture, their pages are
    asked for anew, and cleared, for the next one.
    """
    with suppress(AttributeError, OSError, TypeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_TRIM_THRESHOLD, _KEPT)
        mallopt(_MMAP_THRESHOLD, _LARGE)
