"""Provenance of a measurement: the command, the machine and the versions, without anything that names this machine."""

import importlib.metadata
import os
import platform
import re
import sys
from pathlib import Path

PACKAGES = ("tensorflow", "keras", "numpy", "torch")


def command() -> str:
    """Return the command that is running, without the folders of this machine."""
    arguments = [re.sub(r"(^|=)/\S*/", r"\1", word) for word in sys.argv[1:]]
    return " ".join(["python", f"benchmarks/{Path(sys.argv[0]).name}", *arguments])


def machine() -> dict[str, object]:
    """Return what the figures depend on: the CPU, its usable cores, and whether it has AVX512."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.is_file() else []
    facts = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "cpu": facts.get("model name") or platform.processor() or platform.machine(),
        "cores": cores,
        "avx512": "avx512f" in facts.get("flags", "").split() if lines else None,
    }


def versions() -> dict[str, str]:
    """Return the versions of Python and of what is measured, as far as it is installed."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
