"""The energy of a process: its share of what counters say, an estimate without them, and what is said of it."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ablate.system.energy_meter import (
    ESTIMATE,
    NO_GPU,
    NVML,
    RAPL,
    RAPL_PACKAGE,
    WATTS,
    Energy,
    EnergyMeter,
    energy_kind,
    machine_cpu_seconds,
    methods_of,
    methods_text,
    own_cpu_seconds,
)
from ablate.system.gpu_energy import share_of_gpu
from tests.support.powercap import Powercap

NEVER = 3600.0


def work(seconds: float) -> None:
    """Take CPU time, and as much of the clock's at least."""
    until = own_cpu_seconds() + seconds
    while own_cpu_seconds() < until:
        sum(range(1000))


@pytest.mark.slow
def test_without_counters_it_is_cpu_time_by_the_watts_of_a_thread(tmp_path: Path) -> None:
    before = own_cpu_seconds()
    with EnergyMeter(tmp_path / "absent") as meter:
        work(0.2)
        first = meter.spent()
        assert first.methods == {ESTIMATE}
        work(0.2)
    spent = meter.spent()
    assert first.kwh < spent.kwh
    took = WATTS * (own_cpu_seconds() - before) / 3.6e6
    assert 0.5 * took < spent.kwh <= took * (1 + 1e-9)


@pytest.mark.slow
def test_of_the_machine_s_counters_it_is_given_its_share_of_cpu_time(tmp_path: Path) -> None:
    powercap, own, everything = Powercap(tmp_path), own_cpu_seconds(), machine_cpu_seconds()
    with EnergyMeter(powercap.folder, every=NEVER) as meter:
        powercap.add(60, "intel-rapl:0", "intel-rapl:0:1")
        work(0.3)
        share = (own_cpu_seconds() - own) / (machine_cpu_seconds() - everything)
        spent = meter.spent()
    assert spent.methods == {RAPL}
    assert spent.kwh * 3.6e6 <= 120
    # What the machine's clocks tick meanwhile is the difference.
    assert spent.kwh * 3.6e6 == pytest.approx(120 * min(share, 1), rel=0.3)


@pytest.mark.slow
def test_what_counters_miss_is_estimated_and_said_so(tmp_path: Path) -> None:
    zones = {"intel-rapl/intel-rapl:0": "package-0"}
    powercap = Powercap(tmp_path, zones)
    with EnergyMeter(powercap.folder, every=NEVER) as meter:
        powercap.add(30, "intel-rapl:0")
        work(0.12)
        counted = meter.spent()
        assert counted.methods == {RAPL_PACKAGE}
        powercap.file("intel-rapl:0").unlink()
        work(0.12)
    spent = meter.spent()
    assert spent.methods == {RAPL_PACKAGE, ESTIMATE}
    assert energy_kind(spent.methods) == "partly estimated"
    assert 0.1 * WATTS < (spent.kwh - counted.kwh) * 3.6e6 < 30


@pytest.mark.slow
def test_counters_are_read_meanwhile(tmp_path: Path) -> None:
    powercap = Powercap(tmp_path, {"intel-rapl/intel-rapl:0": "package-0"})
    with EnergyMeter(powercap.folder, every=0.15) as meter:
        work(0.1)
        while meter._spent.kwh == 0:
            powercap.add(1, "intel-rapl:0")
            time.sleep(0.02)
    assert RAPL_PACKAGE in meter.spent().methods


@pytest.mark.slow
def test_the_time_of_children_counts(tmp_path: Path) -> None:
    before, alone = own_cpu_seconds(), sum(os.times()[:2])
    busy = "import time\nwhile time.process_time() < 0.3: pass\nprint(flush=True)\ninput()"
    child = subprocess.Popen([sys.executable, "-c", busy], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.readline()
    running = own_cpu_seconds() - before
    child.communicate(b"\n")
    ended = own_cpu_seconds() - before
    assert 0.25 < running <= ended + 0.02
    assert sum(os.times()[:2]) - alone < ended


def test_how_it_is_known_is_text_that_is_read_again() -> None:
    whole = Energy(1.0, frozenset({ESTIMATE})) + Energy(2.0, frozenset({NVML, RAPL}))
    assert whole.kwh == 3.0
    assert methods_text(whole.methods) == (
        "processor and memory measured by RAPL; processor estimated, 4 W while a hardware thread is busy; "
        "GPU measured by NVML"
    )
    assert methods_of(methods_text(whole.methods)) == whole.methods
    assert methods_of("") == frozenset()
    assert methods_text({"made up later", NVML}) == "GPU measured by NVML; made up later"


@pytest.mark.parametrize(
    ("methods", "kind"),
    [
        ([RAPL], "measured"),
        ([RAPL_PACKAGE, NVML], "measured"),
        ([ESTIMATE], "estimated"),
        ([ESTIMATE, NO_GPU], "estimated without GPU"),
        ([RAPL, NO_GPU], "measured without GPU"),
        ([ESTIMATE, NVML], "partly estimated"),
        ([RAPL, ESTIMATE], "partly estimated"),
    ],
)
def test_its_kind_is_a_word(methods: list[str], kind: str) -> None:
    assert energy_kind(methods) == kind


@pytest.mark.parametrize(
    ("computing", "own", "share"),
    [
        (set(), {1}, 0.0),
        ({1}, {1}, 1.0),
        ({1, 2}, {1}, 0.5),
        # As a container sees them: none of these numbers is a process here.
        ({99_999_998, 99_999_999}, {1}, 0.5),
        # Somebody else's, who is seen.
        ({1}, {99_999_999}, 0.0),
    ],
)
def test_a_gpu_is_shared_by_those_that_compute_on_it(computing: set[int], own: set[int], share: float) -> None:
    assert share_of_gpu(computing, own) == share
