"""RAPL's counters: what is added, what would be counted twice, and what cannot be read."""

from pathlib import Path

import pytest

from ablate.system.rapl import RaplCounter, rapl_zones
from tests.support.powercap import RANGE, Powercap

ALL = ("intel-rapl:0", "intel-rapl:0:0", "intel-rapl:0:1", "intel-rapl:1", "intel-rapl:2", "intel-rapl-mmio:0")


@pytest.fixture
def powercap(tmp_path: Path) -> Powercap:
    return Powercap(tmp_path)


def test_packages_and_memory_add_up_and_nothing_is_counted_twice(powercap: Powercap) -> None:
    zones = rapl_zones(powercap.folder)
    assert [(zone.folder.name, zone.name) for zone in zones] == [
        ("intel-rapl:0", "package-0"),
        ("intel-rapl:0:1", "dram"),
        ("intel-rapl:1", "package-1"),
        ("intel-rapl:1:1", "dram"),
    ]
    counter = RaplCounter(powercap.folder)
    assert counter
    assert counter.has_memory
    powercap.add(100, *ALL)
    # Two packages and the memory of one: neither cores, nor the platform, nor a package by its other driver.
    assert counter.joules(30) == pytest.approx(300)
    powercap.add(5, "intel-rapl:1:1")
    assert counter.joules(30) == pytest.approx(5)


def test_a_counter_that_begins_again_at_0_goes_on(powercap: Powercap) -> None:
    powercap.file("intel-rapl:0").write_text(f"{RANGE - 10_000_000}\n")
    counter = RaplCounter(powercap.folder)
    powercap.add(70, "intel-rapl:0")
    assert int(powercap.file("intel-rapl:0").read_text()) < 70_000_000
    assert counter.joules(1) == pytest.approx(70)


def test_without_counters_there_is_none(tmp_path: Path) -> None:
    assert not RaplCounter(tmp_path / "absent")
    (tmp_path / "empty").mkdir()
    assert not RaplCounter(tmp_path / "empty")
    assert RaplCounter(tmp_path / "empty").joules(1) is None
    # A board's counter alone: what of it the processor takes is not known.
    assert not RaplCounter(Powercap(tmp_path / "board", {"intel-rapl/intel-rapl:0": "psys"}).folder)


@pytest.mark.parametrize("damage", ["gone", "a folder", "empty", "text"])
def test_a_counter_that_cannot_be_read_says_nothing_and_is_tried_again(damage: str, powercap: Powercap) -> None:
    counter, file = RaplCounter(powercap.folder), powercap.file("intel-rapl:1:1")
    file.unlink()
    if damage == "a folder":
        file.mkdir()
    elif damage != "gone":
        file.write_text("" if damage == "empty" else "many\n")
    assert counter.joules(1) is None
    assert not RaplCounter(powercap.folder)
    if damage == "a folder":
        file.rmdir()
    file.write_text("1000\n")
    powercap.add(1, "intel-rapl:0")
    assert counter.joules(1) is None  # since when is not known
    powercap.add(1, "intel-rapl:0")
    assert counter.joules(1) == pytest.approx(1)


def test_without_its_range_a_counter_is_of_no_use(powercap: Powercap) -> None:
    powercap.file("intel-rapl:0", "max_energy_range_uj").write_text("0\n")
    assert not RaplCounter(powercap.folder)


def test_counters_that_stand_still_or_began_anew_are_not_believed(powercap: Powercap) -> None:
    counter = RaplCounter(powercap.folder)
    assert counter.joules(30) is None
    powercap.add(50, "intel-rapl:0")
    assert counter.joules(30) == pytest.approx(50)
    # After a suspension: seen as having passed its range, 262 kJ in half a minute.
    powercap.file("intel-rapl:0").write_text("0\n")
    assert counter.joules(30) is None
    powercap.add(50, "intel-rapl:0")
    assert counter.joules(30) == pytest.approx(50)
