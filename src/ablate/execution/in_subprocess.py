"""The execution of a run in a subprocess: its crash, its leaks and its settings end with it."""

from __future__ import annotations

import gc
import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from contextvars import ContextVar
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerContext, SpawnContext
from multiprocessing.process import BaseProcess
from typing import Any

from hydra.core.utils import configure_log
from tqdm import tqdm

from ablate.cli.terminal import TerminalFormatter
from ablate.config.environment import set_onednn
from ablate.config.hydra_job import restore_job
from ablate.errors import AblateError, AlreadyRunning, Interrupted, RunFailed
from ablate.execution.in_process import execute
from ablate.execution.job import Job
from ablate.system.phase_clock import process_age
from ablate.system.signals import SIGNALS, signals_held

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SideBySide:
    """A run beside others.

    Attributes:
        name: What its lines of the log start with.
        waiting: Surrounds the wait for its process: others begin meanwhile.
    """

    name: str
    waiting: Callable[[], AbstractContextManager[None]]


beside_others: ContextVar[SideBySide | None] = ContextVar("beside_others", default=None)
"""Set where a launcher has several runs at a time."""
processes_lock = threading.Lock()
"""Held where a process is started or joined: starting one looks at all, and two threads may not look at once."""


def execute_in_subprocess(job: Job) -> None:
    """Execute a run in a process of its own, so that it measures its own memory, and takes no other with it.

    The process is forked off a server that has imported what runs need, TensorFlow if they do, which spares each run
    of a sweep that.

    Raises:
        AblateError: What the run ended with, `RunFailed` where its process was killed.
        KeyboardInterrupt: This process was interrupted; the run's has ended in order.
    """
    context = process_context(job.values["hardware"]["onednn"], trains_itself=job.trains_itself)
    beside = beside_others.get()
    label = f"{beside.name}: " if beside is not None else ""
    sent, code = run_process(context, _child, (job, dict(os.environ), label), name="ablate run")
    run_ids = [one for one in sent if isinstance(one, str)]
    for error in sent:
        if isinstance(error, BaseException):
            raise error
    if code:
        raise _record_orphaned(job, run_ids[-1] if run_ids else None, code)


def run_process(
    context: ForkServerContext | SpawnContext,
    function: Callable[..., None],
    arguments: tuple[Any, ...],
    *,
    name: str,
) -> tuple[list[Any], int | None]:
    """Run a function in a process until it ends, which it does in order where this one is interrupted.

    Args:
        context: See `process_context`.
        function: Of a module; it gets the arguments, and a connection to send through as the last one.
        arguments: The others.
        name: Of the process.

    Returns:
        What it has sent, and the code that it ended with.
    """
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=function, args=(*arguments, sender), name=name)
    try:
        with signals_held(), processes_lock:
            process.start()
            sender.close()
        beside = beside_others.get()
        with beside.waiting() if beside is not None else nullcontext():
            return _sent(process, receiver), process.exitcode
    except BaseException:  # raised again: nobody else would end the process, after Ctrl-C neither
        if process.pid is not None:
            end_process(process)
        raise


def _sent(process: BaseProcess, receiver: Connection) -> list[Any]:
    """Return what a process sends until it has ended."""
    try:
        sent = list(_received(receiver))
        _join(process)
        return sent
    except BaseException:
        # Ctrl-C has reached the other process as well, another signal perhaps only this one. Submitit's handlers raise
        # errors of their own.
        end_process(process)
        raise


def end_process(process: BaseProcess) -> None:
    """Ask a process to end in order, and wait until it has."""
    process.terminate()
    _join(process)


def _join(process: BaseProcess) -> None:
    wait([process.sentinel])
    with processes_lock:
        process.join()


_READ_AT_IMPORT = ("CUDA_", "KERAS_", "KMP_", "OMP_", "TF_", "XLA_")
"""What the variables start with that TensorFlow and its libraries read when they are imported."""
PRELOADED = (
    *("ablate.execution.preload", "ablate.execution.attempt", "ablate.training.own_loop"),
    *("ablate.tracking.cached_run", "ablate.tasks.function_task", "ablate.execution.preload_code"),
    *("mlflow.store.tracking.sqlalchemy_store", "mlflow.tracing.processor.base_mlflow", "alembic.script", "git"),
    *("sqlalchemy.dialects.sqlite", "pandas.io.parquet", "pyarrow.parquet"),
)
"""What the server imports, where it is installed; the first one comes first."""
PRELOADED_FOR_KERAS = (
    *("ablate.execution.preload_tensorflow", "ablate.training.fit", "mlflow.tensorflow", "mlflow.pyfunc"),
    *("ablate.tasks.array_task", "ablate.tasks.dataset_task", "ablate.tracking.preload_packages"),
)
_served: dict[str, str] = {}
"""Those that runs are forked off with: what was set when the first one was."""


def variables_read_at_import() -> dict[str, str]:
    """Return the variables that TensorFlow and its libraries read when they are imported, as they are now."""
    return {name: value for name, value in os.environ.items() if name.startswith(_READ_AT_IMPORT)}


def process_context(onednn: bool, *, trains_itself: bool) -> ForkServerContext | SpawnContext:
    """Return how to start a run's process: forked where TensorFlow is imported as it needs it, else a new one."""
    set_onednn(onednn)
    # Launchers give each run its GPU by CUDA_VISIBLE_DEVICES, and may use this process for several.
    needed = variables_read_at_import()
    if not _served:
        _served.update(needed)
    if _served != needed:
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*PRELOADED, *(() if trains_itself else PRELOADED_FOR_KERAS)])
    return context


def _received(receiver: Connection) -> Iterator[Any]:
    """Yield what a process sends until it ends."""
    while True:
        try:
            # Ray interrupts a thread without a signal, which an endless wait would not notice.
            if receiver.poll(1):
                yield receiver.recv()
        except EOFError:
            return
        interrupt = SIGNALS.poll()
        if interrupt is not None:  # a library has swallowed it
            raise interrupt


def _child(job: Job, environment: Mapping[str, str], label: str, sender: Connection) -> None:
    error: BaseException | None = None
    gc.freeze()  # nothing that the server has imported is garbage
    try:
        SIGNALS.install()
        # The server may have been started under another one; a job of Hydra's can have variables of its own.
        os.environ.clear()
        os.environ.update(environment)
        hydra = restore_job(job.hydra_job).hydra
        configure_log(hydra.hydra_logging, hydra.verbose)  # which `hydra/job_logging=none` leaves as it is
        configure_log(hydra.job_logging, hydra.verbose)
        TerminalFormatter.label = label
        # The bar's own lock is one between processes, which a killed one would leave behind.
        tqdm.set_lock(threading.RLock())
        end_with_the_parent()
        execute(replace(job, owns_terminal=False), started=sender.send, age=process_age())
    except AlreadyRunning as failure:
        log.info("%s", failure)
        error = failure
    except AblateError as failure:
        log.error("%s", failure)
        error = failure
    except KeyboardInterrupt as interrupt:
        reason = str(interrupt) or "Interrupted"
        log.error("%s: what was tracked is kept", reason)
        error = Interrupted(reason)
    except Exception as failure:  # whatever the code of a user raises: logged here, told to the process that waits
        log.exception("The run failed")
        error = RunFailed(f"{type(failure).__name__}: {failure}")
    if error is not None:
        # Nobody listens where the process that waited is gone.
        with suppress(OSError):
            sender.send(error)
    sender.close()


def end_with_the_parent() -> None:
    """Interrupt this process when the one that waits for it is gone: nobody would know of the run."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()


def _record_orphaned(job: Job, run_id: str | None, exit_code: int) -> RunFailed:
    """Record the end of a run whose process could not do it itself."""
    reason = f"killed by {signal.Signals(-exit_code).name}" if exit_code < 0 else f"ended with code {exit_code}"
    if exit_code == -signal.SIGKILL:
        reason += ", as the system does when memory runs out"
    failure = RunFailed(f"{job}: the process of the run was {reason}")
    log.error("%s", failure)
    if run_id is not None:
        from ablate.tracking.run import fail_orphaned_run
        from ablate.tracking.store import open_store

        open_store(job.uri)
        fail_orphaned_run(run_id, reason)
    return failure
