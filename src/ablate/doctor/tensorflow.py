"""TensorFlow: whether it can be imported here, and which of the machine's GPUs it sees."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from ablate.doctor.finding import Finding, Group, note, ok, problem
from ablate.doctor.hidden_modules import rename_advice
from ablate.doctor.installation import requirements, unmet
from ablate.system.gpus import nvidia_cards, visible_gpus

SECONDS = 120.0
"""TensorFlow's import takes a few; tens from a slow disk."""
_INSTALL_GPU = "pip install 'ablate[gpu]', which brings CUDA's libraries: tensorflow[and-cuda]"


@dataclass(frozen=True)
class Seen:
    """What a process saw that imported TensorFlow.

    Attributes:
        error: What the import ended with; empty if it did not.
        killed: Whether the process was killed by it, which would take this one along.
        late: Whether it did not end in time.
        tensorflow: TensorFlow's version.
        keras: Keras' version.
        gpus: The names of the GPUs that TensorFlow sees.
        cuda: The version of CUDA that it was built for; None without CUDA.
    """

    error: str = ""
    killed: bool = False
    late: bool = False
    tensorflow: str = ""
    keras: str = ""
    gpus: Sequence[str] = ()
    cuda: str | None = None


@contextmanager
def probing() -> Iterator[Callable[[], Seen]]:
    """Import TensorFlow in another process; yield what waits for it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "ablate.doctor.tensorflow_probe"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )

    def seen() -> Seen:
        try:
            printed, _ = process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            return Seen(f"it took more than {SECONDS:.0f} s", late=True)
        if process.returncode:
            code = process.returncode
            reason = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
            return Seen(f"the process that imports it {reason}", killed=True)
        with suppress(ValueError, TypeError, IndexError):
            return Seen(**json.loads(printed.splitlines()[-1]))
        return Seen("it printed something else")

    try:
        yield seen
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def examine_tensorflow(seen: Seen, *, only_cpu: bool) -> Group:
    """Examine what TensorFlow sees beside what the machine has.

    Args:
        seen: What it sees.
        only_cpu: Whether runs are to train on the CPU.
    """
    if seen.error:
        return Group("TensorFlow", [problem(f"TensorFlow cannot be imported: {seen.error}", _import_advice(seen))])
    versions = ok(f"TensorFlow {seen.tensorflow}, Keras {seen.keras}")
    nodes = len(list(Path("/dev").glob("nvidia[0-9]*")))
    found = gpu_findings(
        seen,
        nodes=nodes,
        cards=nvidia_cards(),
        visible=visible_gpus(),
        missing=_missing_libraries(),
        only_cpu=only_cpu,
    )
    return Group("TensorFlow", [versions, *found])


def _import_advice(seen: Seen) -> str:
    """Return what to do where TensorFlow cannot be imported."""
    if seen.late:
        return "other programs or a slow disk keep it back: try again when they are done, or install to a local disk"
    if hidden := rename_advice():
        return hidden
    advice = "pip install 'ablate', anew in a new environment"
    return f"{advice}; TensorFlow's packages need a processor with AVX" if seen.killed else advice


def gpu_findings(
    seen: Seen, *, nodes: int, cards: int, visible: Sequence[str], missing: Sequence[str], only_cpu: bool
) -> Iterator[Finding]:
    """Yield which GPUs runs train on, or why on none.

    Args:
        seen: What TensorFlow sees.
        nodes: Number of NVIDIA's devices in `/dev`: those with a driver, that a container lets through.
        cards: Number of NVIDIA's GPUs on the PCI bus.
        visible: Those that `CUDA_VISIBLE_DEVICES` leaves, see `gpus.visible_gpus`.
        missing: Packages of CUDA's libraries that TensorFlow wants and that are not installed.
        only_cpu: Whether runs are to train on the CPU.
    """
    there = f"{max(nodes, cards)} NVIDIA GPU{'s' * (max(nodes, cards) != 1)}"
    if only_cpu:
        yield ok("runs train on the CPU, as hardware.devices says")
    elif seen.gpus:
        yield ok(f"GPU: {', '.join(seen.gpus)} (CUDA {seen.cuda})")
    elif not nodes and not cards:
        yield ok("no GPU: runs train on the CPU")
    elif not nodes:
        yield problem(
            f"{there} on the PCI bus, none as /dev/nvidia0",
            "install NVIDIA's driver; start a container with the GPU, as in `docker run --gpus all`",
        )
    elif not visible:
        hidden = os.environ.get("CUDA_VISIBLE_DEVICES", "")
        yield note(f"CUDA_VISIBLE_DEVICES={hidden} hides {there}", "unset CUDA_VISIBLE_DEVICES to train on them")
    elif seen.cuda is None:
        yield problem(f"{there} that TensorFlow does not see: it is built without CUDA", _INSTALL_GPU)
    elif missing:
        yield problem(f"{there} that TensorFlow does not see: it lacks {', '.join(missing)}", _INSTALL_GPU)
    else:
        yield problem(
            f"{there} that TensorFlow does not see",
            "see whether `nvidia-smi` lists it and its driver is new enough; why, says `TF_CPP_MIN_LOG_LEVEL=0 python "
            "-c \"import tensorflow as tf; tf.config.list_physical_devices('GPU')\"`",
        )


def _missing_libraries() -> list[str]:
    with suppress(metadata.PackageNotFoundError):
        return [each.name for each in requirements("tensorflow", "and-cuda") if unmet(each)]
    return []
