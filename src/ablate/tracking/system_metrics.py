"""MLflow's system metrics of a run: the load of CPU, memory, disk, network and GPUs meanwhile."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import psutil
from mlflow.environment_variables import MLFLOW_SYSTEM_METRICS_SAMPLES_BEFORE_LOGGING
from mlflow.exceptions import MlflowException
from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

log = logging.getLogger(__name__)

_FIRST, _INTERVAL = 2.0, 10.0
_MOST_SAMPLES = 6
_PATIENCE = 10.0


@contextmanager
def system_metrics(run_id: str, *, resumed: bool) -> Iterator[None]:
    """Record the load of the machine as metrics `system/..` of a run of the open store.

    It is measured every ten seconds. First each measurement is a point, later the mean of a minute: a run of seconds
    has a point or two, one of a week ten thousand. What cannot be recorded is left out, and does not end the run.

    Args:
        run_id: The run.
        resumed: Whether the run has such metrics already, which these follow.
    """
    logger = logging.getLogger(SystemMetricsMonitor.__module__)
    if logger.level == logging.NOTSET and not logging.getLogger().isEnabledFor(logging.DEBUG):
        # It says that it begins and ends, and that there is no GPU.
        logger.setLevel(logging.WARNING)
    try:
        monitor = _Monitor(run_id, resumed=resumed)
    except (ValueError, MlflowException, OSError) as error:
        # ValueError: MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL=often
        log.warning("The machine's load is not recorded: %s", str(error).splitlines()[0])
        yield
        return
    monitor.start()
    try:
        yield
    finally:
        monitor.finish()


class _Monitor(SystemMetricsMonitor):
    """MLflow's, whose points become rarer, and which measures once more when the run ends."""

    def __init__(self, run_id: str, *, resumed: bool):
        super().__init__(run_id, sampling_interval=_INTERVAL, resume_logging=resumed)
        psutil.cpu_percent()  # what it says next is the mean since now
        self._fixed = MLFLOW_SYSTEM_METRICS_SAMPLES_BEFORE_LOGGING.is_set()

    def monitor(self) -> None:
        """Measure until the run ends; not at once, when the run has not begun to work."""
        if not self._shutdown_event.wait(_FIRST):
            super().monitor()

    def publish_metrics(self, metrics: Mapping[str, float]) -> None:
        """Record the means of the last measurements."""
        super().publish_metrics(metrics)
        if not self._fixed:
            self.samples_before_logging = min(self.samples_before_logging + 1, _MOST_SAMPLES)

    def finish(self) -> None:
        """Stop; a thread that waits for a server which does not answer is left behind."""
        thread = self._process
        if thread is None:
            return
        self._shutdown_event.set()
        thread.join(_PATIENCE)
        if thread.is_alive():
            self._process = None
            return
        try:
            self.collect_metrics()
            self.publish_metrics(self.aggregate_metrics())
        except (MlflowException, OSError) as error:
            log.warning("The last system metrics are not recorded: %s", str(error).splitlines()[0])
        super().finish()
