"""The progress bar of a sweep, in a cell or a terminal, and the lines of its log above it."""

from __future__ import annotations

import re
import sys
import warnings
from types import TracebackType
from typing import Any

from tqdm import TqdmWarning

from ablate.study.progress import Progress

_INFO = re.compile(r"\d\d:\d\d:\d\d INFO |\[[^]]*\]\[HYDRA\]|\d{4}/\d\d/\d\d \d\d:\d\d:\d\d INFO ")
"""What a line of the log starts with that says how a run goes on, which its own log keeps."""


class ProgressBar:
    """A bar that is drawn once there is progress.

    Args:
        shown: Whether there is a bar at all.
        verbose: Whether to print all lines of the log.
    """

    def __init__(self, *, shown: bool = True, verbose: bool = False):
        self._shown = shown
        self._verbose = verbose
        self._bar: Any = None

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()

    def show(self, progress: Progress) -> None:
        """Draw the bar as far as the sweep is."""
        if not self._shown:
            return
        from tqdm import tqdm

        if self._bar is None:
            self._bar = _bar(progress)
        failed = f", {progress.failed} failed" if progress.failed else ""
        left = progress.seconds_left
        time = "" if progress.done == progress.runs else "time left unknown"
        if time and left is not None:
            time = f"{tqdm.format_interval(left)} left"
        self._bar.n = progress.share
        self._bar.unit = ", ".join(filter(None, [f"{progress.done} of {progress.runs} runs done{failed}", time]))
        self._bar.refresh()

    def write(self, line: str) -> None:
        """Print a line of the command above the bar, if it is for the user."""
        if _INFO.match(line) and not self._verbose:
            return
        if self._bar is None:
            print(line, flush=True)
        else:
            self._bar.write(line, file=sys.stdout)


def _bar(progress: Progress) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TqdmWarning)  # a notebook without ipywidgets gets a bar of text
        from tqdm.auto import tqdm

        return tqdm(total=progress.runs, desc=progress.study, bar_format="{l_bar}{bar}| {unit}", file=sys.stderr)
