"""`hardware.precision=auto`: bfloat16 where the hardware multiplies it, and the same for all runs of a sweep."""

from pathlib import Path
from typing import Any

import pytest

from ablate.config import precision
from ablate.config.precision import BFLOAT16, FLOAT32, PRECISION_OF_SWEEP, chosen_precision, same_precision
from ablate.execution.identity import identity
from ablate.system.gpus import gpus_multiply_bfloat16
from ablate.system.processor import bfloat16_units, instruction_sets, processor_name
from tests.support.configs import valid_config

CPU = {"precision": "auto", "devices": None, "onednn": True}
DATA = "f" * 64


@pytest.fixture(autouse=True)
def told_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PRECISION_OF_SWEEP, raising=False)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    precision._of_machine.cache_clear()


@pytest.mark.parametrize(
    ("flags", "units"),
    [
        ("fpu avx512f avx512_bf16", ("AVX512-BF16",)),
        ("amx_tile amx_bf16 avx512_bf16", ("AVX512-BF16", "AMX")),
        ("fpu avx2 avx512f", ()),
    ],
)
def test_a_processor_says_what_it_multiplies_with(tmp_path: Path, flags: str, units: tuple[str, ...]) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(f"processor\t: 0\nmodel name\t: Some CPU: fast\nflags\t\t: {flags}\nbugs\t: x\n")
    assert bfloat16_units(cpuinfo) == units
    assert processor_name(cpuinfo) == "Some CPU: fast"
    assert instruction_sets(cpuinfo)[-len(units) :] == units or not units
    assert ("AVX512" in instruction_sets(cpuinfo)) == ("avx512f" in flags)
    assert bfloat16_units(tmp_path / "none") == instruction_sets(tmp_path / "none") == ()


@pytest.mark.parametrize(
    ("gpus", "units", "hardware", "chosen"),
    [
        (None, ("AMX",), {}, BFLOAT16),
        (None, (), {}, FLOAT32),
        (None, ("AMX",), {"onednn": False}, FLOAT32),
        (True, (), {}, BFLOAT16),
        (False, ("AMX",), {}, FLOAT32),
        (True, (), {"devices": "cpu"}, FLOAT32),
        (False, ("AMX",), {"devices": "cpu:2"}, BFLOAT16),
    ],
)
def test_auto_is_bfloat16_where_it_is_fast(
    monkeypatch: pytest.MonkeyPatch, gpus: bool | None, units: tuple[str, ...], hardware: dict[str, Any], chosen: str
) -> None:
    monkeypatch.setattr(precision, "gpus_multiply_bfloat16", lambda: gpus)
    monkeypatch.setattr(precision, "bfloat16_units", lambda: units)
    assert chosen_precision({**CPU, **hardware}) == chosen


def test_without_visible_gpus_there_is_none() -> None:
    assert gpus_multiply_bfloat16() is None


@pytest.mark.slow
def test_auto_is_the_same_result_as_what_it_stands_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PRECISION_OF_SWEEP, BFLOAT16)
    config = valid_config("hardware.precision=auto")
    assert config.values["hardware"]["precision"] == config.run.hardware.precision == BFLOAT16
    assert identity(config, DATA) == identity(valid_config("hardware.precision=mixed_bfloat16"), DATA)


def test_a_sweep_tells_its_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "bfloat16_units", lambda: ("AMX",))
    with same_precision({"hardware": CPU}):
        monkeypatch.setattr(precision, "bfloat16_units", lambda: ())
        precision._of_machine.cache_clear()
        assert chosen_precision(CPU) == BFLOAT16
    assert chosen_precision(CPU) == FLOAT32
    with same_precision({"hardware": {**CPU, "precision": "float32"}}):
        assert chosen_precision(CPU) == FLOAT32
