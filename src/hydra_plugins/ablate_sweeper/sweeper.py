"""Hydra's sweep and studies: checked before the first run, and gone on with where an earlier one stopped."""

import logging
import socket
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.config_store import ConfigStore
from hydra.core.utils import JobReturn, JobStatus
from omegaconf import OmegaConf
from tqdm import tqdm

from ablate.config.paths import project_dir
from ablate.errors import AblateError, AlreadyRunning, ConfigError, SweepIncomplete
from ablate.estimate.runtime import HISTORY_COLUMNS, devices_of_host
from ablate.execution.lease import acquire_lease
from ablate.execution.status import RunState, Status, should_train
from ablate.study.definition import StudyFile
from ablate.study.plan_table import plan_table
from ablate.study.planning import PlannedRun, read_statuses
from ablate.study.progress import show_progress
from ablate.study.summary import summarize_sweep
from ablate.study.sweep import plan_sweep
from ablate.tracking.store import check_store

log = logging.getLogger(__name__)

_POLL_SECONDS = 2.0
_ATTEMPTS = 3
"""How often a run is launched whose process vanished without a word, or whose launcher gave up: a lost machine."""


class AblateSweeper(BasicSweeper):
    """Expands `key=a,b` overrides to their combinations, as Hydra does, and `experiment=NAME` to a study's runs.

    What has finished is not launched, what another command trains is waited for, what has stopped goes on.
    """

    def sweep(self, arguments: list[str]) -> list[JobReturn]:
        """Do the runs of a sweep that are not done, and say what became of all of them.

        Raises:
            ConfigError: A run's configuration is wrong; none has started then.
            TrackingError: A store cannot be reached or written.
            SweepIncomplete: There is no result of some runs.
        """
        assert self.config is not None
        assert self.hydra_context is not None
        loader, config = self.hydra_context.config_loader, self.config
        study, planned = plan_sweep(loader, config)
        for uri in sorted({run.uri for run in planned}):
            check_store(uri)
            if study is not None:
                announce(study, uri)
        folder = Path(self.config.hydra.sweep.dir)
        folder.mkdir(parents=True, exist_ok=True)
        OmegaConf.save(self.config, folder / "multirun.yaml")
        sweep = _Sweep(self, planned)
        try:
            with show_progress(planned, sweep.predict(), sweep.look):
                sweep.run()
        except BaseException:
            # What is done is said after Ctrl-C too.
            with suppress(AblateError):
                sweep.summarize()
            raise
        missing = sweep.summarize()
        if missing is not None:
            raise missing
        return sweep.returns


class _Sweep:
    """The runs of a sweep under way."""

    def __init__(self, sweeper: AblateSweeper, planned: Sequence[PlannedRun]):
        self.sweeper = sweeper
        self.planned = planned
        self.rerun = planned[0].config.run.rerun
        self.began = time.time()
        self.returns: list[JobReturn] = []
        self.errors: dict[str, BaseException] = {}
        # With `all`, only this sweep's own results count.
        self._since = pd.Timestamp.now(tz="UTC") if self.rerun == "all" else None
        self._tried = Counter[int]()
        self._given_up = set[int]()
        self._launched = 0

    def look(self) -> list[RunState]:
        """Say where each run stands."""
        return read_statuses(self.planned, since=self._since)

    def predict(self) -> list[float]:
        """Return how many seconds each run is predicted to take, and say what is ahead."""
        from ablate.tracking.run_records import history

        found, before = self.look(), history(HISTORY_COLUMNS)
        devices = devices_of_host(before, socket.gethostname())
        table = plan_table(self.planned, found, before, devices=devices, steps_done=[0] * len(found))
        finished, left = sum(one.finished for one in found), table["seconds_left"]
        time_left = f"about {tqdm.format_interval(left.sum())} left" if left.notna().all() else "time left unknown"
        print(f"Study {self.planned[0].study}: {len(found)} runs, {finished} finished, {time_left}", flush=True)
        return [float(seconds) for seconds in table["seconds"]]

    def run(self) -> None:
        """Launch what is to be done, until nothing is left to do or to wait for."""
        waiting = False
        while True:
            found = self.look()
            self._reuse(found)
            todo = self._todo(found)
            if todo:
                self._launch(todo[: self.sweeper.max_batch_size], found)
                continue
            others = [run for run, one in zip(self.planned, found, strict=True) if one.status == Status.RUNNING]
            if not others:
                return
            if not waiting:
                log.info("Waiting for %d runs that another command trains", len(others))
                waiting = True
            time.sleep(_POLL_SECONDS)

    def _todo(self, found: Sequence[RunState]) -> list[int]:
        """Return the places of the runs to launch, each once; one that stopped through no fault of its own, again.

        Runs of one identity, which differ in what changes no result, are one; not with `rerun=all`.
        """
        seen, places = set[str](), []
        for place, (run, one) in enumerate(zip(self.planned, found, strict=True)):
            same = run.identity in seen and self.rerun != "all"
            if one.status == Status.RUNNING or same or not should_train(one, self.rerun):
                continue
            again = one.status == Status.INTERRUPTED and (one.orphaned or place in self._given_up)
            if self._tried[place] < (_ATTEMPTS if again else 1):
                seen.add(run.identity)
                places.append(place)
        return places

    def _launch(self, places: Sequence[int], before: Sequence[RunState]) -> None:
        results = self._launched_results(places)
        after = self.look()
        moved = any(before[place] != after[place] for place in places)
        for number, place in enumerate(places):
            result = results[number] if results else None
            error = result._return_value if result is not None and result.status == JobStatus.FAILED else None
            if isinstance(error, AlreadyRunning):
                continue
            if error is not None:
                self.errors[self.planned[place].identity] = error
            # Where a launcher gives up in the middle, some runs never had their turn.
            if results or not moved or after[place].status != Status.TODO:
                self._tried[place] += 1
        (self._given_up.difference_update if results else self._given_up.update)(places)
        self.returns += results

    def _launched_results(self, places: Sequence[int]) -> Sequence[JobReturn]:
        assert self.sweeper.launcher is not None
        lines = [list(self.planned[place].overrides) for place in places]
        first, self._launched = self._launched, self._launched + len(places)
        try:
            return list(self.sweeper.launcher.launch(lines, initial_job_idx=first))
        except ConfigError:
            raise  # the launcher itself is set up wrongly
        except Exception as error:
            # Launchers raise where a process or a machine is lost, or where they cannot start: the store knows more.
            log.error("The launcher gave up: %s", " ".join(str(error).split())[:1000] or type(error).__name__)
            for place in places:
                self.errors.setdefault(self.planned[place].identity, error)
            return []

    def _reuse(self, found: Sequence[RunState]) -> None:
        """Let results of other studies be results of this one as well."""
        from ablate.tracking.cached_run import link_cached_run

        for run, one in zip(self.planned, found, strict=True):
            if one.status != Status.CACHED or one.study == run.study:
                continue
            with acquire_lease(run.folder, timeout_minutes=run.config.run.checkpoint.lease_timeout_minutes) as lease:
                # Another command may just have done it.
                (now,) = read_statuses([run], alive=False, since=self._since)
                if lease is not None and now.run_id is not None and now.study != run.study:
                    link_cached_run(now.run_id, study=run.study, variant=run.variant.name, project=project_dir())

    def summarize(self) -> SweepIncomplete | None:
        """Print what became of the runs, and return the error that says which are missing, if any."""
        lines, missing = summarize_sweep(self.planned, self.look(), self.errors, began=self.began)
        print("\n".join(lines), flush=True)
        return missing


def announce(study: StudyFile, uri: str) -> None:
    """Print what a study asks and what its design cannot tell apart, and write it to a store."""
    from ablate.tracking.store import open_store
    from ablate.tracking.study import record_study

    aliases = study.expansion().aliases
    print(f"Study {study.name}: {study.question}")
    for aliased in aliases:
        print(f"Not told apart by its design: {aliased}")
    open_store(uri)
    record_study(study.name, study.model_dump(mode="json"), aliases, project_dir())


@dataclass
class SweeperConfig:
    """The options of Hydra's own sweeper."""

    _target_: str = "hydra_plugins.ablate_sweeper.sweeper.AblateSweeper"
    max_batch_size: int | None = None
    params: dict[str, Any] | None = None


ConfigStore.instance().store(group="hydra/sweeper", name="ablate", node=SweeperConfig, provider="ablate")
