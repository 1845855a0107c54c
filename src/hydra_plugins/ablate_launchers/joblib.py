"""Joblib's launcher, with runs that a signal interrupts: joblib alone kills all that its processes have started."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

import psutil
from hydra.core.config_store import ConfigStore
from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

_ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_SECONDS_TO_END = 30.0


class JoblibLauncher(Launcher):
    """Launches the jobs with joblib's launcher."""

    def __init__(self, **parameters: Any) -> None:
        """Take the parameters of joblib's launcher."""
        from hydra_plugins.hydra_joblib_launcher import joblib_launcher

        self._launcher = joblib_launcher.JoblibLauncher(**parameters)

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Pass on what each job is made from."""
        self._launcher.setup(hydra_context=hydra_context, task_function=task_function, config=config)

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Run the jobs."""
        with _runs_interrupted_first():
            returned: Sequence[JobReturn] = self._launcher.launch(job_overrides, initial_job_idx)
            return returned


@contextmanager
def _runs_interrupted_first() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in _ENDS}

    def end(number: int, frame: FrameType | None) -> None:
        for other, handler in before.items():
            signal.signal(other, handler)
        runs = _runs()
        for run in runs:
            with suppress(psutil.Error):
                run.terminate()
        psutil.wait_procs(runs, timeout=_SECONDS_TO_END)
        signal.raise_signal(number)

    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _runs() -> list[psutil.Process]:
    """Return the processes of runs: each of joblib's has a server that they are forked from."""
    level = [psutil.Process()]
    for _ in range(3):
        children = []
        for process in level:
            with suppress(psutil.Error):
                children += process.children()
        level = children
    return level


def register() -> None:
    """Have Hydra take this launcher as `joblib`, if joblib's is installed."""
    with suppress(ImportError):
        from hydra_plugins.hydra_joblib_launcher.config import JobLibLauncherConf

        ConfigStore.instance().store(
            group="hydra/launcher",
            name="joblib",
            node=JobLibLauncherConf(_target_=f"{__name__}.JoblibLauncher", batch_size="1"),
            provider="ablate",
        )
