"""The progress bar of a sweep, in a cell or a terminal, and the lines of its log above it."""

from __future__ import annotations

import re
import sys
import time
import warnings
from types import TracebackType
from typing import Any

from tqdm import TqdmWarning, tqdm

from ablate.study.progress import Progress

_NEWS = re.compile(
    r"\d\d:\d\d:\d\d INFO |\[[^]]*\]\[HYDRA\]|\d{4}/\d\d/\d\d \d\d:\d\d:\d\d INFO "  # the runs, Hydra, MLflow
    r"|[IW]0000 |WARNING: All log messages before absl"  # TensorFlow
)
"""What lines of a log start with that say how a command proceeds, and that nothing is wrong."""
_PRINT_SECONDS = 60.0


class ProgressBar:
    """A bar that is drawn once there is progress; where nothing can be drawn, a line a minute.

    Args:
        shown: Whether there is a bar at all.
        verbose: Whether to print all lines of the log.
    """

    def __init__(self, *, shown: bool = True, verbose: bool = False):
        self._shown = shown
        self._verbose = verbose
        self._bar: Any = None
        self._first: tuple[float, float] | None = None
        self._before: object = None
        self._printed = time.monotonic()

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()

    def show(self, progress: Progress) -> None:
        """Draw the bar as far as the sweep is."""
        text, share = describe(progress, self._seconds_left(progress)), round(progress.share, 2)
        if not self._shown or (text, share) == self._before:
            return
        self._before = (text, share)
        if not _can_draw():
            if time.monotonic() - self._printed > _PRINT_SECONDS:
                self._printed = time.monotonic()
                print(f"{progress.study}: {text}", flush=True)
            return
        if self._bar is None:
            self._bar = _bar(progress)
        self._bar.n, self._bar.unit = share, text
        self._bar.refresh()

    def _seconds_left(self, progress: Progress) -> float | None:
        """Return the estimate of the time left; where there is none, at the speed so far."""
        now = time.monotonic()
        self._first = self._first or (now, progress.share)
        began, share = self._first
        if progress.seconds_left is not None or progress.share <= share:
            return progress.seconds_left
        return (now - began) / (progress.share - share) * (progress.runs - progress.failed - progress.share)

    def write(self, line: str) -> None:
        """Print a line of the command above the bar, if it is for the user."""
        if _NEWS.match(line) and not self._verbose:
            return
        if self._bar is None:
            print(line, flush=True)
        else:
            self._bar.write(line, file=sys.stdout)


def describe(progress: Progress, seconds_left: float | None) -> str:
    """Say how many runs are done, and how much time is left, as in `3 of 8 runs done, 00:40 left`."""
    done = f"{progress.done} of {progress.runs} runs done"
    failed = f", {progress.failed} failed" if progress.failed else ""
    if progress.done + progress.failed == progress.runs:
        return f"{done}{failed}"
    left = "time left unknown" if seconds_left is None else f"{tqdm.format_interval(seconds_left)} left"
    return f"{done}{failed}, {left}"


def _can_draw() -> bool:
    """Tell whether there is a terminal or a cell, where a line is drawn anew."""
    ipython = sys.modules.get("IPython")
    return sys.stderr.isatty() or (ipython is not None and ipython.get_ipython() is not None)


def _bar(progress: Progress) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TqdmWarning)  # a notebook without ipywidgets gets a bar of text
        from tqdm.auto import tqdm as drawn

        return drawn(total=progress.runs, desc=progress.study, bar_format="{l_bar}{bar}| {unit}")
