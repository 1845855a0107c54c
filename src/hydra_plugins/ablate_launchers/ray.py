"""Ray's launcher: the runs of a sweep as tasks, one on each GPU of this machine or of a cluster."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, JobStatus, configure_log, filter_overrides, run_job, setup_globals
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf, open_dict

from ablate.errors import ConfigError, RunFailed
from ablate.estimate.packing import ray_shares

log = logging.getLogger(__name__)

_TAKEN_ALONG = ("ABLATE_", "HYDRA_", "MLFLOW_", "TF_")
"""What variables start with that Ray's processes, which others may have started, are to know."""
_SECONDS_TO_END = 60.0


class RayLauncher(Launcher):
    """Launches each job as a task of Ray; one that Ray loses is a failed job, and the others run."""

    def __init__(self, ray: Mapping[str, Mapping[str, Any]]) -> None:
        """Keep the arguments of `ray.init` and of `ray.remote`; a share in `remote` that is null is worked out."""
        self._init, self._remote = _given(ray["init"]), _given(ray["remote"])

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Keep what each job is made from."""
        self._context, self._function, self._config = hydra_context, task_function, config

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Run all jobs, and wait for them.

        Raises:
            ConfigError: Ray is not installed, or there is none at `init.address`.
        """
        try:
            import ray
        except ImportError:
            raise ConfigError('hydra/launcher=ray needs Ray: pip install "ablate[ray]"') from None
        setup_globals()
        configure_log(self._config.hydra.hydra_logging, self._config.hydra.verbose)
        Path(self._config.hydra.sweep.dir).mkdir(parents=True, exist_ok=True)
        if not ray.is_initialized():
            handler = signal.getsignal(signal.SIGTERM)
            try:
                ray.init(**self._init)
            except (ConnectionError, ValueError) as error:
                raise ConfigError(
                    f"hydra.launcher.ray.init: {' '.join(str(error).split())}{self._advice()}"
                ) from error
            # Ray's own would end this process before its runs.
            signal.signal(signal.SIGTERM, handler)
        remote = {**_shares(ray.nodes(), self._remote), **self._remote}
        log.info("Ray runs %d jobs, each with %s", len(job_overrides), remote)
        task = ray.remote(**remote)(_run)
        configs = [self._job(initial_job_idx + index, overrides) for index, overrides in enumerate(job_overrides)]
        refs = [task.remote(*self._packed(config)) for config in configs]
        try:
            return [_returned(ref, config) for ref, config in zip(refs, configs, strict=True)]
        except KeyboardInterrupt:
            # Ctrl-C does not reach Ray's processes; this raises it there, and the runs end in order.
            for ref in refs:
                ray.cancel(ref)
            ray.wait(refs, num_returns=len(refs), timeout=_SECONDS_TO_END)
            raise

    def _advice(self) -> str:
        # Since 2.59 Ray's clusters ask for a token once there is one; a cluster that is named is given it only then.
        if "address" not in self._init or "RAY_AUTH_MODE" in os.environ:
            return ""
        return ". Where `ray start` says that it asks for a token: export RAY_AUTH_MODE=token (docs/launchers.md)"

    def _job(self, number: int, overrides: Sequence[str]) -> DictConfig:
        log.info("\t#%d : %s", number, " ".join(filter_overrides(overrides)))
        config = self._context.config_loader.load_sweep_config(self._config, list(overrides))
        with open_dict(config):
            config.hydra.job.id = f"{config.hydra.job.name}_{number}"
            config.hydra.job.num = number
        return config

    def _packed(self, config: DictConfig) -> tuple[str, dict[str, str], list[str], bytes]:
        from ray import cloudpickle

        environment = {name: value for name, value in os.environ.items() if name.startswith(_TAKEN_ALONG)}
        job = self._context, config, self._function, Singleton.get_state()
        return str(Path.cwd()), environment, sys.path, cloudpickle.dumps(job)


def _given(arguments: Mapping[str, Any]) -> dict[str, Any]:
    plain = OmegaConf.to_container(OmegaConf.create(dict(arguments)), resolve=True)
    assert isinstance(plain, dict)
    return {str(name): value for name, value in plain.items() if value is not None}


def _shares(nodes: Sequence[Mapping[str, Any]], given: Mapping[str, Any]) -> dict[str, float]:
    """Return a job's share of a machine, of those that `ray.nodes()` says, see `ray_shares`."""
    return ray_shares([node["Resources"] for node in nodes if node["Alive"]], given)


def _run(folder: str, environment: Mapping[str, str], path: Sequence[str], packed: bytes) -> JobReturn:
    """Run a job in a process of Ray's as if it had been started where the sweep was."""
    from ray import cloudpickle

    os.chdir(folder)
    os.environ.update(environment)
    sys.path.extend(entry for entry in path if entry not in sys.path)
    setup_globals()
    context, config, function, singletons = cloudpickle.loads(packed)
    Singleton.set_state(singletons)
    HydraConfig.instance().set_config(config)
    return run_job(
        hydra_context=context,
        task_function=function,
        config=config,
        job_dir_key="hydra.sweep.dir",
        job_subdir_key="hydra.sweep.subdir",
    )


def _returned(ref: Any, config: DictConfig) -> JobReturn:
    import ray
    from ray.exceptions import RayError

    try:
        returned: JobReturn = ray.get(ref)
        return returned
    except RayError as error:
        reason = f"Ray lost the run: {type(error).__name__}: {str(error).splitlines()[0].partition('. ')[0]}"
        log.error("#%s: %s", config.hydra.job.num, reason)
        overrides = OmegaConf.to_container(config.hydra.overrides.task)
        assert isinstance(overrides, list)
        lost = JobReturn(overrides=overrides, cfg=config, status=JobStatus.FAILED)
        lost.return_value = RunFailed(reason)
        return lost
