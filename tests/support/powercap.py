"""Energy counters in a folder of files, as Linux lays them out: nested devices, and links to each."""

from collections.abc import Mapping
from pathlib import Path

RANGE = 262_143_328_850
"""Microjoules after which the counter of a package begins again."""
TWO_SOCKETS = {
    "intel-rapl/intel-rapl:0": "package-0",
    "intel-rapl/intel-rapl:0/intel-rapl:0:0": "core",
    "intel-rapl/intel-rapl:0/intel-rapl:0:1": "dram",
    "intel-rapl/intel-rapl:1": "package-1",
    "intel-rapl/intel-rapl:1/intel-rapl:1:0": "uncore",
    "intel-rapl/intel-rapl:1/intel-rapl:1:1": "dram",
    "intel-rapl/intel-rapl:2": "psys",
    "intel-rapl-mmio/intel-rapl-mmio:0": "package-0",
}


class Powercap:
    """The counters of a machine.

    Args:
        root: An empty folder.
        zones: By its place among devices, the name of each zone.
        counters: The first value of each.

    Attributes:
        folder: What `/sys/class/powercap` is.
    """

    def __init__(self, root: Path, zones: Mapping[str, str] = TWO_SOCKETS, counters: int = 1000) -> None:
        self._devices, self.folder = root / "devices/virtual/powercap", root / "class/powercap"
        self.folder.mkdir(parents=True)
        for place, name in zones.items():
            zone = self._devices / place
            zone.mkdir(parents=True)
            (zone / "name").write_text(f"{name}\n")
            (zone / "max_energy_range_uj").write_text(f"{RANGE}\n")
            (zone / "energy_uj").write_text(f"{counters}\n")
            (self.folder / zone.name).symlink_to(zone)
        for control in {place.partition("/")[0] for place in zones}:
            (self.folder / control).symlink_to(self._devices / control)

    def file(self, zone: str, name: str = "energy_uj") -> Path:
        """Return a file of a zone, by the zone's own name: intel-rapl:0."""
        return self.folder / zone / name

    def add(self, joules: float, *zones: str) -> None:
        """Let counters go on, as the hardware does: after the last value comes 0."""
        for zone in zones:
            value = int(self.file(zone).read_text()) + round(1e6 * joules)
            self.file(zone).write_text(f"{value % (RANGE + 1)}\n")
