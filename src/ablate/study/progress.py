"""The progress line of a sweep: how many runs are done, which ones train, and how much time is left."""

import math
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

from tqdm import tqdm

from ablate.cli.terminal import CLEAR_LINE
from ablate.config.short_names import shorten
from ablate.errors import AblateError
from ablate.execution.lease import LeaseOwner, lease_owner
from ablate.execution.status import RunState, Status
from ablate.study.planning import PlannedRun

_STORE_SECONDS = 15.0
_PRINT_SECONDS = 60.0


@dataclass(frozen=True)
class Progress:
    """How far a sweep is.

    Attributes:
        study: Name of its study.
        uri: Address of its store.
        runs: Its number of runs.
        done: How many have a result.
        failed: How many failed.
        share: How many are done, those in training counted by the share of their steps.
        seconds_left: Estimate of the time that it still takes; None where unknown.
    """

    study: str
    uri: str
    runs: int
    done: int
    failed: int
    share: float
    seconds_left: float | None


LISTENERS: list[Callable[[Progress], None]] = []
"""Are told of the progress, in place of the terminal."""


@contextmanager
def show_progress(
    planned: Sequence[PlannedRun], seconds: Sequence[float], look: Callable[[], list[RunState]]
) -> Iterator[None]:
    """Show a sweep's progress: in a terminal a line that is drawn anew every second, else one line a minute.

    Args:
        planned: The runs.
        seconds: Runtime estimate of each; NaN where unknown.
        look: Returns the status of each.
    """
    ended = threading.Event()
    if LISTENERS:
        _tell_listeners(planned, look(), seconds)
    thread = threading.Thread(target=_show, args=(planned, seconds, look, ended), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(timeout=2)
        if LISTENERS:
            with suppress(AblateError):
                _tell_listeners(planned, look(), seconds)
        if sys.stderr.isatty():
            sys.stderr.write(CLEAR_LINE)


def _tell_listeners(planned: Sequence[PlannedRun], found: Sequence[RunState], seconds: Sequence[float]) -> None:
    done = sum(one.finished for one in found)
    training = [one.owner.progress for one in found if one.owner is not None]
    progress = Progress(
        study=planned[0].study,
        uri=planned[0].uri,
        runs=len(planned),
        done=done,
        failed=sum(one.failed for one in found),
        share=done + sum(one.get("step", 0) / one["steps"] for one in training if one.get("steps")),
        seconds_left=estimate_time_left(found, seconds),
    )
    for listener in LISTENERS:
        listener(progress)


def progress_line(
    planned: Sequence[PlannedRun], found: Sequence[RunState], seconds: Sequence[float], width: int = 200
) -> str:
    """Return the progress line of a sweep.

    Args:
        planned: The runs.
        found: The status of each.
        seconds: Runtime estimate of each; NaN where unknown.
        width: Of the terminal.
    """
    done = sum(one.finished for one in found)
    failed = sum(one.failed for one in found)
    parts = [f"{done} of {len(planned)} runs done" + (f", {failed} failed" if failed else "")]
    for run, one in zip(planned, found, strict=True):
        if one.owner is not None:
            name = shorten(run.name)
            step, steps = one.owner.progress.get("step"), one.owner.progress.get("steps")
            parts.append(f"{name}: {100 * step / steps:.0f} %" if step and steps else f"{name}: starting")
    left = estimate_time_left(found, seconds)
    parts.append("time left unknown" if left is None else f"{tqdm.format_interval(left)} left")
    line = " | ".join(parts)
    if len(line) < width:
        return line
    training = sum(one.owner is not None for one in found)
    return " | ".join([parts[0], *([f"{training} training"] if training else []), parts[-1]])[: width - 1]


def estimate_time_left(found: Sequence[RunState], seconds: Sequence[float]) -> float | None:
    """Estimate how many seconds a sweep still takes, with as many runs at a time as now.

    A running one reports its own time left. One that has yet to start takes its runtime estimate, else the mean of the
    other estimates, else the total time of a running one.
    """
    known = [one for one in seconds if not math.isnan(one)]
    estimates = known or list(filter(None, (_total_seconds(one.owner) for one in found if one.owner)))
    if not estimates:
        return None
    mean = sum(estimates) / len(estimates)
    left, training = 0.0, 0
    for one, estimate in zip(found, seconds, strict=True):
        if one.finished or one.status == Status.FAILED:
            continue
        total = mean if math.isnan(estimate) else estimate
        if one.owner is None:
            left += total
            continue
        training += 1
        reported = one.owner.progress.get("seconds_left")
        left += total if reported is None else float(reported)
    return left / max(training, 1)


def _total_seconds(trainer: LeaseOwner) -> float | None:
    progress = trainer.progress
    left, step, steps = progress.get("seconds_left"), progress.get("step", 0), progress.get("steps", 0)
    return None if left is None or step >= steps else float(left) * steps / (steps - step)


def _show(
    planned: Sequence[PlannedRun],
    seconds: Sequence[float],
    look: Callable[[], list[RunState]],
    ended: threading.Event,
) -> None:
    terminal = sys.stderr.isatty()
    found, read, printed, before = list[RunState](), -math.inf, time.monotonic(), ""
    trained: set[int] = set()
    while not ended.wait(1.0):
        now = time.monotonic()
        owners = [
            None
            if found and found[place].finished
            else lease_owner(run.folder, timeout_minutes=run.config.run.checkpoint.lease_timeout_minutes)
            for place, run in enumerate(planned)
        ]
        training = {place for place, one in enumerate(owners) if one is not None}
        if training != trained or now - read > _STORE_SECONDS:
            try:
                found, read, trained = look(), now, training
            except AblateError:
                continue  # the runs themselves report what is wrong with the store
        found = [
            one if held is None else replace(one, status=Status.RUNNING, owner=held)
            for one, held in zip(found, owners, strict=True)
        ]
        if LISTENERS:
            _tell_listeners(planned, found, seconds)
        elif terminal:
            width = os.get_terminal_size(sys.stderr.fileno()).columns or 120
            sys.stderr.write(f"{CLEAR_LINE}{progress_line(planned, found, seconds, width)}")
            sys.stderr.flush()
        elif now - printed > _PRINT_SECONDS:
            line = progress_line(planned, found, seconds)
            if line != before:
                with suppress(BrokenPipeError):  # the runs continue where nobody reads the output
                    print(line, flush=True)
            printed, before = now, line
