"""The machine: its processor, the CPUs and the memory that a container leaves, and its load."""

import os
import platform
from collections.abc import Iterator, Mapping

import joblib
import psutil

from ablate.doctor.finding import Finding, Group, note, ok, problem
from ablate.doctor.size import size_text
from ablate.estimate.packing import UNKNOWN_MEMORY
from ablate.system.memory import address_limit, available_memory, memory_limit
from ablate.system.processor import CPUINFO, instruction_sets, processor_name
from ablate.system.rapl import POWERCAP, RaplCounter, rapl_zones
from ablate.system.threads import SHARES, job_threads, share_of

_X86 = ("x86_64", "AMD64")
_BUSY = 0.5
"""Of the CPUs: with a load above that, what is timed takes longer than on an idle machine."""


def examine_machine() -> Group:
    """Examine processor, CPUs, memory and load."""
    findings = [*processor_findings(instruction_sets()), *_cpus(), *memory_findings(available_memory())]
    findings += address_findings(address_limit())
    load = load_findings(os.getloadavg()[0], joblib.cpu_count())
    return Group("Machine", [*findings, *load, *energy_findings(bool(rapl_zones()), bool(RaplCounter()))])


def processor_findings(sets: tuple[str, ...], machine: str = platform.machine()) -> Iterator[Finding]:
    """Yield what the processor's instruction sets mean.

    Args:
        sets: See `processor.instruction_sets`.
        machine: Its architecture.
    """
    name = processor_name()
    if machine not in _X86 or not CPUINFO.is_file():
        yield ok(f"{name}, {machine}")
    elif "AVX" not in sets:
        yield problem(
            f"{name} has no AVX, which TensorFlow's packages need", "use another machine, or build TensorFlow for it"
        )
    elif "AVX2" not in sets:
        yield note(f"{name} has no AVX2: a step takes several times as long as on processors since 2013")
    else:
        yield ok(f"{name}: {', '.join(sets)}")


def _cpus() -> Iterator[Finding]:
    there, usable, share = os.cpu_count() or 1, int(joblib.cpu_count()), job_threads()
    if usable < there:
        yield note(
            f"{usable} of the machine's {there} CPUs: the container, the scheduler or taskset leaves no more",
            "start it with more, as in `docker run --cpus`, if there are more to have",
        )
    else:
        yield ok(f"{there} CPU{'s' * (there != 1)}")
    if share < usable:
        yield note(
            f"{share} of them for a run, as OMP_NUM_THREADS or SLURM_CPUS_PER_TASK says",
            "unset OMP_NUM_THREADS to use all, or give hardware.threads",
        )
    yield from share_findings(os.environ)


def share_findings(environment: Mapping[str, str]) -> Iterator[Finding]:
    """Yield which variables should name a number of threads, and do not."""
    for name in SHARES:
        if name in environment and share_of(environment[name]) is None:
            yield note(
                f"{name}={environment[name]} is no number of threads from 1: it counts as none", f"unset {name}"
            )


def memory_findings(available: int, limit: int | None = None) -> Iterator[Finding]:
    """Yield what the free memory means.

    Args:
        available: Bytes that processes may still take.
        limit: Bytes that a container allows; None asks the system.
    """
    limit = limit or memory_limit()
    whole = limit or psutil.virtual_memory().total
    total = f"the {'container' if limit else 'machine'}'s {size_text(whole)}"
    text = f"{size_text(available)} of {total} of memory are free"
    if available < UNKNOWN_MEMORY:
        yield note(text, "end other programs: a small run takes about 1 to 2 GB, and a sweep trains few at a time")
    else:
        yield ok(text)


def address_findings(limit: int | None) -> Iterator[Finding]:
    """Yield what `ulimit -v` means: TensorFlow asks for far more addresses than it fills with memory.

    Args:
        limit: Bytes of addresses that a process may have; None without a limit.
    """
    if limit is not None:
        yield note(
            f"a process may have {size_text(limit)} of addresses (ulimit -v), and TensorFlow takes many more than it "
            "fills with memory",
            "ulimit -v unlimited, or more, if runs end without memory while there is some",
        )


def energy_findings(there: bool, readable: bool) -> Iterator[Finding]:
    """Yield what the processor's energy counters mean.

    Args:
        there: Whether it has some.
        readable: Whether this user may read them.
    """
    if there and not readable:
        yield note(
            "the processor counts its energy, and only root may read that: cost/energy_kwh is an estimate",
            f"sudo chmod a+r {POWERCAP}/intel-rapl:*/energy_uj, anew after each start of the machine",
        )
    elif there:
        yield ok("the processor's energy is measured")


def load_findings(load: float, cpus: int) -> Iterator[Finding]:
    """Yield that other processes keep the CPUs busy.

    Args:
        load: Processes that ran or waited to, on average over the last minute.
        cpus: CPUs that this process may use.
    """
    if load > _BUSY * cpus:
        yield note(
            f"other processes keep the CPUs busy (load {load:.1f} on {cpus}): all takes longer than it would alone",
            "wait for them, or give runs fewer threads: hardware.threads=N",
        )
