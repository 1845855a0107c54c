"""Memory that processes may still take: the machine's, within the limit of a container."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import psutil

_FILES = (
    ("memory.max", "memory.current", "memory.stat"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat"),
)
"""Of a control group, version 2 and 1: its limit, what it uses, and of what that consists."""


def available_memory(groups: Path = Path("/sys/fs/cgroup")) -> int:
    """Return how many bytes are free: the least of the machine's and of what the container's limit leaves.

    Args:
        groups: The folder of the control group, as a container sees its own.
    """
    left = [psutil.virtual_memory().available]
    for limit, used, consists in _FILES:
        try:
            parts = _numbers((groups / consists).read_text())
            # What is kept of files makes room where it is needed.
            files = sum(parts.get(f"total_{name}", parts.get(name, 0)) for name in ("active_file", "inactive_file"))
            left.append(int((groups / limit).read_text()) - int((groups / used).read_text()) + files)
        except (OSError, ValueError):
            continue  # none, or `max`
    return max(0, min(left))


def memory_limit(groups: Path = Path("/sys/fs/cgroup")) -> int | None:
    """Return the bytes that a container's limit allows; None without one that is below the machine's memory.

    Args:
        groups: The folder of the control group, as a container sees its own.
    """
    limits = []
    for limit, _, _ in _FILES:
        with suppress(OSError, ValueError):
            limits.append(int((groups / limit).read_text()))
    least = min(limits, default=None)
    return least if least is not None and least < psutil.virtual_memory().total else None


def _numbers(text: str) -> Mapping[str, int]:
    return {name: int(number) for name, number in (line.split() for line in text.splitlines())}
