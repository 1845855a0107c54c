"""Memory that processes may still take: the machine's, within the limits of a container, a scheduler and a shell."""

import resource
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath

import psutil

_GROUPS, _OWN = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")
_FILES = (
    ("memory.max", "memory.current", "memory.stat"),
    ("memory.limit_in_bytes", "memory.usage_in_bytes", "memory.stat"),
)
"""Of a control group, version 2 and 1: its limit, what it uses, and of what that consists."""
_OF_FILES = ("active_file", "inactive_file")
_CONTROLLER = "memory"
"""Of version 1, which has a folder for it."""


def available_memory(groups: Path = _GROUPS, own: Path = _OWN) -> int:
    """Return how many bytes are free: the least of the machine's and of what limits leave.

    Args:
        groups: The folder of control groups, where a container sees its own.
        own: The file that names those of this process: that of a scheduler's job lies below others.
    """
    left = [psutil.virtual_memory().available]
    for folder in _folders(groups, own):
        for limit, used, consists in _FILES:
            try:
                parts = _numbers((folder / consists).read_text())
                # What is kept of files makes room where it is needed.
                files = sum(
                    parts.get(f"total_{name}", parts.get(name, 0)) for name in ("active_file", "inactive_file")
                )
                left.append(int((folder / limit).read_text()) - int((folder / used).read_text()) + files)
            except (OSError, ValueError):
                continue  # none, or `max`
    return max(0, min(left))


def memory_limit(groups: Path = _GROUPS, own: Path = _OWN) -> int | None:
    """Return the bytes that a container or a scheduler allows; None without a limit below the machine's memory.

    Args:
        groups: See `available_memory`.
        own: See `available_memory`.
    """
    limits = []
    for folder in _folders(groups, own):
        for limit, _, _ in _FILES:
            with suppress(OSError, ValueError):
                limits.append(int((folder / limit).read_text()))
    least = min(limits, default=None)
    return least if least is not None and least < psutil.virtual_memory().total else None


def address_limit() -> int | None:
    """Return the bytes of addresses that a process may have, `ulimit -v`; None without a limit."""
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    return None if limit == resource.RLIM_INFINITY else limit


def _folders(groups: Path, own: Path) -> Iterator[Path]:
    """Yield the control groups of this process, and those above them."""
    found = {groups: None, groups / _CONTROLLER: None}
    with suppress(OSError, ValueError):
        for line in own.read_text().splitlines():
            _, controllers, name = line.split(":", 2)
            if controllers and _CONTROLLER not in controllers.split(","):
                continue
            base, path = groups / _CONTROLLER if controllers else groups, PurePosixPath(name.lstrip("/"))
            found |= dict.fromkeys(base / each for each in (path, *path.parents))
    yield from found


def _numbers(text: str) -> Mapping[str, int]:
    return {name: int(number) for name, number in (line.split() for line in text.splitlines())}
