"""Energy counters of processors and their memory: RAPL, as files of Linux's powercap folder."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

POWERCAP = Path("/sys/class/powercap")
_MOST_WATTS = 1000.0
"""Of one zone: more than any draws. A counter that begins anew, as after a suspension, seems to have done more."""


@dataclass(frozen=True)
class Zone:
    """A part of the machine with a counter of its own.

    Attributes:
        folder: Its files.
        name: As the kernel has it: `package-0`, `dram`.
        range_uj: The value after which its counter begins again at 0, microjoules.
    """

    folder: Path
    name: str
    range_uj: int

    def read(self) -> int:
        """Return its counter, microjoules.

        Raises:
            OSError: It cannot be read, as by who is not root.
            ValueError: It is no number.
        """
        return int((self.folder / "energy_uj").read_text())


def rapl_zones(folder: Path = POWERCAP) -> list[Zone]:
    """Return the zones that add up to what processors and their memory take, none of them twice.

    A package contains its zones `core` and `uncore`; `dram` lies beside it in hardware, and below it in the folder.
    `psys` is the whole platform, packages included. `intel-rapl-mmio` has the counters of packages once more.

    Args:
        folder: The powercap folder.

    Returns:
        The packages and their memory; none where a package does not say after which value its counter begins again.
    """
    found = []
    for package in sorted(folder.glob("intel-rapl:*")):
        if package.name.count(":") > 1 or not _name(package).startswith("package"):
            continue
        below = sorted(each for each in package.glob("intel-rapl:*") if _name(each) == "dram")
        found += [(package, _name(package)), *((each, "dram") for each in below)]
    zones = [Zone(place, name, _range(place)) for place, name in found]
    return zones if all(zone.range_uj > 0 for zone in zones) else []


class RaplCounter:
    """The energy of all processors and their memory since it was last asked for.

    Args:
        folder: The powercap folder.

    Attributes:
        has_memory: Whether the memory is counted.
    """

    def __init__(self, folder: Path = POWERCAP) -> None:
        self._zones = rapl_zones(folder)
        self._before = self._read()
        self.has_memory = any(zone.name == "dram" for zone in self._zones)

    def __bool__(self) -> bool:
        """Whether there are counters that can be read."""
        return self._before is not None

    def joules(self, seconds: float) -> float | None:
        """Return the joules since the last call.

        Args:
            seconds: The time since, shorter than a counter's range lasts: ten minutes at 100 W where it is least.

        Returns:
            None where they are not known: a counter cannot be read, does not count, or began anew meanwhile.
        """
        before, now = self._before, self._read()
        self._before = now
        if before is None or now is None:
            return None
        spent = [(now[zone] - before[zone]) % (zone.range_uj + 1) / 1e6 for zone in self._zones]
        # A virtual machine may have files that never change.
        if sum(spent) <= 0 or max(spent) > _MOST_WATTS * seconds:
            return None
        return sum(spent)

    def _read(self) -> Mapping[Zone, int] | None:
        try:
            return {zone: zone.read() for zone in self._zones} or None
        except (OSError, ValueError):
            return None


def _name(zone: Path) -> str:
    try:
        return (zone / "name").read_text().strip()
    except (OSError, ValueError):
        return ""


def _range(zone: Path) -> int:
    try:
        return int((zone / "max_energy_range_uj").read_text())
    except (OSError, ValueError):
        return 0
