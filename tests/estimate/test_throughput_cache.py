"""The cache of measured throughputs."""

from pathlib import Path

import pytest

from ablate.estimate.packing import Throughput
from ablate.estimate.throughput_cache import cache_file, read_measured, write_measured

MEASURED = {(1, 2): Throughput(1500.0, 2**30), (2, 1): Throughput(1930.5, 2**29)}


def test_it_keeps_what_was_measured(tmp_path: Path) -> None:
    file = cache_file(tmp_path, {"task": "digits"}, {"cores": 2})
    assert read_measured(file) == {}
    write_measured(file, MEASURED, task="Digits")
    assert read_measured(file) == MEASURED
    assert '"task": "Digits"' in file.read_text()
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_every_network_and_every_machine_has_a_file(tmp_path: Path) -> None:
    files = {
        cache_file(tmp_path, {"task": task}, {"cores": cores}) for task in ("digits", "other") for cores in (2, 4)
    }
    assert len(files) == 4


@pytest.mark.parametrize(
    "damaged",
    [
        "",
        "{",
        "[]",
        "null",
        '{"measured": 3}',
        '{"measured": [{"runs_at_a_time": 1}]}',
        '{"measured": [{"runs_at_a_time": 1, "threads": 2, "examples_per_second": NaN, "memory": 3}]}',
        '{"measured": [{"runs_at_a_time": 1, "threads": 2, "examples_per_second": 0, "memory": 3}]}',
        '{"measured": [{"runs_at_a_time": 1, "threads": 2, "examples_per_second": 7, "memory": null}]}',
        '{"measured": [{"runs_at_a_time": 1, "threads": 2, "examples_per_second": 7, "memory": Infinity}]}',
        '{"measured": [{"runs_at_a_time": 1, "threads": 2, "examples_per_second": Infinity, "memory": 3}]}',
        "[" * 10**6,
    ],
)
def test_a_damaged_file_holds_nothing(tmp_path: Path, damaged: str) -> None:
    file = tmp_path / "file.json"
    file.write_text(damaged)
    assert read_measured(file) == {}
    file.write_bytes(b"\xff\xfe")
    assert read_measured(file) == {}
