"""The processor's name, its instruction sets, and what it multiplies bfloat16 with."""

import platform
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")
_UNITS = {"avx512_bf16": "AVX512-BF16", "amx_bf16": "AMX"}
_SETS = {"avx": "AVX", "avx2": "AVX2", "avx512f": "AVX512", **_UNITS}


def processor_name(cpuinfo: Path = CPUINFO) -> str:
    """Return the processor's name, as in `AMD EPYC 7763`."""
    return _entry("model name", cpuinfo) or platform.processor() or platform.machine()


def bfloat16_units(cpuinfo: Path = CPUINFO) -> tuple[str, ...]:
    """Return what the processor multiplies bfloat16 with, of AVX512-BF16 and AMX."""
    flags = _entry("flags", cpuinfo).split()
    return tuple(name for flag, name in _UNITS.items() if flag in flags)


def instruction_sets(cpuinfo: Path = CPUINFO) -> tuple[str, ...]:
    """Return the processor's instruction sets of AVX, AVX2, AVX512, AVX512-BF16 and AMX; none where it is no x86."""
    flags = _entry("flags", cpuinfo).split()
    return tuple(name for flag, name in _SETS.items() if flag in flags)


def _entry(name: str, cpuinfo: Path) -> str:
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.partition(":")[0].strip() == name:
                return line.split(":", 1)[1].strip()
    return ""
