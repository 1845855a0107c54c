"""The launcher of sweeps where no other is asked for: runs side by side on this machine, each in its own process."""

import logging
import os
import queue
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Self

from hydra._internal.core_plugins.basic_launcher import BasicLauncher
from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import JobReturn, configure_log, filter_overrides, run_job, setup_globals
from omegaconf import DictConfig, OmegaConf, open_dict

from ablate.estimate.packing import Packing
from ablate.execution.in_subprocess import SideBySide, beside_others
from ablate.system.signals import SIGNALS, signals_held

log = logging.getLogger(__name__)


class AutoLauncher(BasicLauncher):
    """Launches as many jobs at a time as the sweeper says; one after the other where it does not.

    Attributes:
        packing: What the sweeper says.
        names: What it calls the jobs, in order.
    """

    packing: Packing | None = None
    names: Sequence[str] = ()

    def __init__(self, runs_at_a_time: int | None, runs_per_gpu: int) -> None:
        """Take the options, which the sweeper checks and works the packing out with, see `AutoOptions`."""
        super().__init__()

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Run the jobs, each in a process of its own.

        Raises:
            KeyboardInterrupt: This process or a run was interrupted; all runs have ended in order.
        """
        packing = self.packing
        if packing is None:
            returned: Sequence[JobReturn] = super().launch(job_overrides, initial_job_idx)
            return returned
        return _Jobs(self, packing).run(job_overrides, initial_job_idx)


class _Jobs:
    """Jobs in progress, each waited for by a thread."""

    def __init__(self, launcher: AutoLauncher, packing: Packing):
        assert launcher.config is not None
        self.launcher, self.config, self.packing = launcher, launcher.config, packing
        self._places: queue.Queue[tuple[str, ...]] = queue.Queue()
        for place in packing.gpus or [()] * packing.runs_at_a_time:
            self._places.put(place)
        self._turn = _Turn(self.config)
        self._returned: dict[int, JobReturn] = {}
        self._error: BaseException | None = None

    def run(self, job_overrides: Sequence[Sequence[str]], first: int) -> list[JobReturn]:
        setup_globals()
        configure_log(self.config.hydra.hydra_logging, self.config.hydra.verbose)
        Path(self.config.hydra.sweep.dir).mkdir(parents=True, exist_ok=True)
        names = self.launcher.names or [f"#{number}" for number in range(first, first + len(job_overrides))]
        threads = list[threading.Thread]()
        try:
            for number, (overrides, name) in enumerate(zip(job_overrides, names, strict=True), start=first):
                place = self._places.get()
                if self._error is not None:
                    break
                begun = threading.Event()
                job = partial(self._run, number, overrides, name, place, begun)
                thread = threading.Thread(target=copy_context().run, args=(job,), name=f"job {number}")
                with signals_held():
                    thread.start()
                    threads.append(thread)
                begun.wait()  # jobs begin in order
            for thread in threads:
                thread.join()
        except BaseException as error:  # raised again: Ctrl-C, too, ends what was begun
            self._end(error)
            for thread in threads:
                thread.join()
            raise
        if self._error is not None:
            raise self._error
        return [self._returned[number] for number in sorted(self._returned)]

    def _run(
        self, number: int, overrides: Sequence[str], name: str, place: tuple[str, ...], begun: threading.Event
    ) -> None:
        try:
            with self._turn.taken():
                if self.packing.runs_at_a_time > 1:
                    beside_others.set(SideBySide(name, partial(self._turn.given_up, begun)))
                self._returned[number] = self._run_job(number, overrides, place)
        except BaseException as error:  # raised by the thread that launches
            self._end(error)
        finally:
            begun.set()
            self._places.put(place)

    def _run_job(self, number: int, overrides: Sequence[str], place: tuple[str, ...]) -> JobReturn:
        launcher = self.launcher
        assert launcher.hydra_context is not None
        assert launcher.task_function is not None
        log.info("\t#%d : %s", number, " ".join(filter_overrides(overrides)))
        config = launcher.hydra_context.config_loader.load_sweep_config(self.config, list(overrides))
        with open_dict(config):
            config.hydra.job.id = config.hydra.job.num = number
            self._set_threads(config)
        if place:
            os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(place)
        return run_job(
            hydra_context=launcher.hydra_context,
            task_function=launcher.task_function,
            config=config,
            job_dir_key="hydra.sweep.dir",
            job_subdir_key="hydra.sweep.subdir",
        )

    def _set_threads(self, config: DictConfig) -> None:
        """Set the threads of a job where nobody else has, as an override would that names no folder."""
        threads = self.packing.threads
        if threads is not None and OmegaConf.select(config, "hardware.threads") is None:
            config.hardware.threads = threads
            config.hydra.overrides.task.append(f"hardware.threads={threads}")

    def _end(self, error: BaseException) -> None:
        """Begin no more jobs, and after an interrupt end those that run."""
        self._error = self._error or error
        if isinstance(error, KeyboardInterrupt):
            SIGNALS.interrupt = SIGNALS.interrupt or error


@dataclass(frozen=True)
class _State:
    """What of this process Hydra sets for a job."""

    config: Any
    environment: dict[str, str]
    folder: Path

    @classmethod
    def now(cls) -> Self:
        return cls(HydraConfig.instance().cfg, dict(os.environ), Path.cwd())

    def restore(self) -> None:
        HydraConfig.instance().cfg = self.config
        for name in os.environ.keys() - self.environment.keys():
            del os.environ[name]
        for name, value in self.environment.items():
            if os.environ.get(name) != value:
                os.environ[name] = value
        os.chdir(self.folder)


class _Turn:
    """The turn of one job to have what a process has once: Hydra's job, the environment, the folder and the log."""

    def __init__(self, config: DictConfig):
        self._lock = threading.Lock()
        self._config, self._outside = config, _State.now()

    @contextmanager
    def taken(self) -> Iterator[None]:
        with self._lock:
            try:
                yield
            finally:
                self._outside.restore()
                self._configure_log(None)

    @contextmanager
    def given_up(self, begun: threading.Event) -> Iterator[None]:
        """Let other jobs have it while one waits for its process."""
        inside = _State.now()
        self._outside.restore()
        self._configure_log(None)
        self._lock.release()
        begun.set()
        try:
            yield
        finally:
            self._lock.acquire()
            inside.restore()
            self._configure_log(inside.config)

    def _configure_log(self, job: DictConfig | None) -> None:
        hydra = (job or self._config).hydra
        configure_log(hydra.hydra_logging if job is None else hydra.job_logging, hydra.verbose)
