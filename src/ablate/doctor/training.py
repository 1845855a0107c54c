"""Training as it would be: precision, threads and launcher of the runs, the time of a step and of a run."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace

from tqdm import tqdm

from ablate.config.environment import set_onednn
from ablate.config.training import HardwareConfig
from ablate.doctor.finding import Finding, Group, note, ok, problem
from ablate.doctor.project import Project
from ablate.doctor.size import size_text
from ablate.estimate.packing import Throughput
from ablate.execution.status import RunState, Status
from ablate.execution.throughput import MeasurementFailed, TookTooLong, measure_throughput
from ablate.study.measured_packing import MeasuredPacking
from ablate.study.planning import PlannedRun
from ablate.study.side_by_side import pack
from ablate.system.memory import available_memory
from ablate.system.processor import bfloat16_units
from ablate.system.threads import job_threads
from ablate.task import planned_cost, trains_itself

SECONDS = 60.0
"""How long the first steps, with the data and the compilation before them, may take."""
_LONG = 24 * 3600.0
"""Seconds of a run above which it is called long."""
_MANY = 4
"""Runs a core, of the sweep for which a single run's packing is worked out."""


def examine_training(project: Project, gpus: Sequence[str]) -> Group:
    """Examine how the planned runs would train, and time a few steps of the largest network.

    Args:
        project: With its runs planned.
        gpus: The GPUs that TensorFlow sees.
    """
    cores = job_threads()
    largest = MeasuredPacking(project.planned, 1, cores, None, 0.0, None).largest
    hardware, on_gpu = largest.config.run.hardware, bool(gpus) and not project.only_cpu
    onednn = set_onednn(hardware.onednn) == "1"
    findings = [
        *precision_findings(hardware.precision, on_gpu=on_gpu, units=bfloat16_units() if onednn else ()),
        *_kernels(largest, onednn=onednn, on_gpu=on_gpu),
        *thread_findings(hardware, cores),
        *_launcher(project),
    ]
    return Group("Training", [*findings, *_step(largest, cores)])


def precision_findings(precision: str, *, on_gpu: bool, units: Sequence[str]) -> Iterator[Finding]:
    """Yield what a precision means here.

    Args:
        precision: `hardware.precision`, chosen.
        on_gpu: Whether runs train on a GPU.
        units: What the CPU multiplies bfloat16 with, where that is used.
    """
    faster = "hardware.precision=auto uses that and is faster; it is another result, so take it for all of a study"
    if on_gpu:
        yield ok(f"precision {precision}")
    elif precision == "mixed_float16":
        yield note("precision mixed_float16 is slow on a CPU", "hardware.precision=float32, or auto")
    elif precision == "mixed_bfloat16" and not units:
        yield note("precision mixed_bfloat16 is slow on this CPU", "hardware.precision=float32, or auto")
    elif precision == "float32" and units:
        yield note(f"precision float32, and the CPU multiplies bfloat16 with {' and '.join(units)}", faster)
    else:
        yield ok(f"precision {precision}")


def _kernels(run: PlannedRun, *, onednn: bool, on_gpu: bool) -> Iterator[Finding]:
    """Yield by what the model is computed."""
    if not on_gpu and not onednn:
        told = os.environ.get("TF_ENABLE_ONEDNN_OPTS") == "0" and run.config.run.hardware.onednn
        yield note(
            "oneDNN's kernels are off, which are up to twice as fast on a CPU",
            "unset TF_ENABLE_ONEDNN_OPTS" if told else "hardware.onednn=true",
        )
    elif not on_gpu:
        yield ok("oneDNN's kernels on the CPU")
    elif run.config.run.training.deterministic:
        yield note(
            "training.deterministic=true: the same bits every time, slower on a GPU and without XLA",
            "training.deterministic=false, if differences by rounding do not matter",
        )
    else:
        yield ok("XLA on the GPU")


def thread_findings(hardware: HardwareConfig, cores: int) -> Iterator[Finding]:
    """Yield the threads of a run beside the cores that it may use."""
    threads = hardware.threads or cores
    text = f"{threads} thread{'s' * (threads != 1)} on {cores} core{'s' * (cores != 1)} for a run alone"
    if threads > cores:
        yield note(text, "hardware.threads=null takes as many as there are cores: more get in each other's way")
    else:
        yield ok(text)


def _launcher(project: Project) -> Iterator[Finding]:
    """Yield how many runs a sweep trains at a time, as far as that is known without a measurement."""
    if project.auto is None:
        yield ok(f"a sweep is launched by {project.launcher.rpartition('.')[2]}")
        return
    planned = list(project.planned)
    if len(planned) == 1:
        planned = [replace(planned[0], identity=str(number)) for number in range(_MANY * job_threads())]
    states = [RunState(Status.TODO)] * len(planned)
    found = pack(planned, states, [math.nan] * len(planned), project.auto)
    if found is None:
        yield ok("a sweep measures at its start how many runs at a time train fastest (hydra/launcher=auto)")
    else:
        yield ok(f"a sweep of {len(planned)} runs trains {found.explained}: hydra/launcher=auto")


def _step(run: PlannedRun, cores: int) -> Iterator[Finding]:
    """Yield the time of a step: as it was measured before for a sweep, else from some that are done now."""
    if trains_itself(run.config.task):
        yield ok(f"{type(run.config.task).__name__} trains itself: there are no steps to time")
        return
    threads = run.config.run.hardware.threads or cores
    measured = MeasuredPacking([run], 1, cores, threads, 0.0, None).measured.get((1, threads))
    try:
        found = measured or measure_throughput(run.config.values, 1, threads, patience=SECONDS)
    except TookTooLong as error:
        yield note(f"a step is slow here: {error}", _faster(run))
    except MeasurementFailed as error:
        yield problem(f"no step could be trained: {error}", "mend that; `python -m ablate.check` tries the task")
    else:
        yield from step_findings(run, found, before=measured is not None, available=available_memory())


def step_findings(run: PlannedRun, found: Throughput, *, before: bool, available: int) -> Iterator[Finding]:
    """Yield what the time and the memory of steps mean for a run.

    Args:
        run: The run.
        found: What was measured.
        before: Whether that was before, for a sweep.
        available: Bytes of memory that processes may still take.
    """
    training = run.config.run.training
    seconds = training.batch_size / found.examples_per_second
    total = seconds * training.total_steps(run.data.examples_per_epoch)
    text = (
        f"a step of {training.batch_size} examples takes {_seconds(seconds)}{', as measured before' * before}, "
        f"the steps of a run {tqdm.format_interval(total) if total >= 1 else 'less than a second'}"
    )
    yield note(text, _faster(run)) if total > _LONG else ok(text)
    memory = f"a run takes {size_text(found.memory)} of memory"
    if found.memory > available:
        text = f"{memory}, and {size_text(available)} are free"
        yield problem(text, "end other programs, or a smaller batch or scale=")
    else:
        yield ok(memory)


def _faster(run: PlannedRun) -> str:
    scaled = "scale=laptop or smoke" if "flops_per_example" in planned_cost(run.config.task) else "a smaller network"
    return f"train on a GPU, or less: training.epochs, training.steps_per_epoch, {scaled}"


def _seconds(seconds: float) -> str:
    return f"{seconds:.2g} s" if seconds >= 1 else f"{1000 * seconds:.3g} ms"
