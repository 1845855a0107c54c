"""The Hydra sweeper: sweeps and studies that are validated before the first run, cached and resumed."""

import logging
import socket
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.config_loader import ConfigLoader
from hydra.core.config_store import ConfigStore
from hydra.core.utils import JobReturn, JobStatus
from omegaconf import DictConfig, OmegaConf
from tqdm import tqdm

from ablate.config.hydra_job import compositions_kept
from ablate.config.paths import results_dir
from ablate.config.precision import same_precision
from ablate.config.short_names import shorten
from ablate.errors import AblateError, AlreadyRunning, ConfigError, SweepIncomplete
from ablate.estimate.packing import Packing, makespan
from ablate.estimate.runtime import HISTORY_COLUMNS, devices_of_host, measured_runs
from ablate.execution.lease import acquire_lease
from ablate.execution.status import RunState, Status, should_train
from ablate.study.definition import StudyFile
from ablate.study.launchers import launch_of
from ablate.study.plan_table import plan_table
from ablate.study.plan_text import choice_lines
from ablate.study.planning import PlannedRun, read_statuses
from ablate.study.progress import show_progress
from ablate.study.search import Search, chosen, plan_chosen, plan_search
from ablate.study.side_by_side import AutoOptions, auto_options, pack_measured, side_by_side
from ablate.study.summary import summarize_sweep
from ablate.study.sweep import plan_sweep
from ablate.study.tuning import Choice
from ablate.tracking.store import check_store, is_open, open_store
from hydra_plugins.ablate_launchers.auto import AutoLauncher

log = logging.getLogger(__name__)

_POLL_SECONDS = 2.0
_MAX_ATTEMPTS = 3
"""Attempts at a run that was orphaned or whose launcher failed: a machine may be lost."""


class AblateSweeper(BasicSweeper):
    """Expands `key=a,b` overrides to their combinations, as Hydra does, and `experiment=NAME` to a study's runs.

    Cached runs are not launched, interrupted ones are resumed. It waits for runs that another command trains.

    Attributes:
        launched: How many jobs were, of all stages: Hydra numbers them.
    """

    launched = 0

    def sweep(self, arguments: list[str]) -> list[JobReturn]:
        """Launch the runs of a sweep that are not done, and print a summary of all.

        Raises:
            ConfigError: A run's configuration is wrong; none has started then.
            TrackingError: A store cannot be reached or written.
            SweepIncomplete: Some runs have no result.
        """
        assert self.config is not None
        assert self.hydra_context is not None
        with same_precision(self.config):
            return self._sweep(self.hydra_context.config_loader, self.config)

    def _sweep(self, loader: ConfigLoader, config: DictConfig) -> list[JobReturn]:
        auto_options(config)  # wrong ones end it before anything is recorded
        study, planned = plan_sweep(loader, config)
        search = plan_search(loader, config, study, planned) if study is not None else None
        for uri in sorted({run.uri for run in planned}):
            check_store(uri)
            if study is not None:
                announce(study, uri)
        folder = Path(config.hydra.sweep.dir)
        folder.mkdir(parents=True, exist_ok=True)
        OmegaConf.save(config, folder / "multirun.yaml")
        if search is not None:
            planned = plan_chosen(loader, config, search, self._choose(search), planned)
        said = list[str]()
        sweep = _Sweep(self, asked_runs(study, planned, said))
        sweep.check()
        with compositions_kept():
            missing = sweep.train()
            while more := sweep.without(asked_runs(study, planned, said)):
                sweep.planned += more
                missing = sweep.train()
        if missing is not None:
            raise missing
        return sweep.returns

    def _choose(self, search: Search) -> Sequence[Choice]:
        """Train the runs of a search, and return what they choose, which the study's record tells from then on.

        Raises:
            SweepIncomplete: Some runs have no result, and have not diverged either.
        """
        from ablate.tracking.study import record_question, record_tuning

        open_store(search.runs[0].uri)
        record_question(search.runs[0].study, search.question, results_dir())
        sweep = _Sweep(self, search.runs)
        sweep.check()
        with compositions_kept():
            missing = sweep.train()
        tuned = chosen(search)
        if tuned is None:
            assert missing is not None
            raise missing
        record_tuning(search.study.name, tuned.plain(search.tuning), results_dir())
        for line in choice_lines(tuned.choices):
            print(line, flush=True)
        return tuned.choices


class _Sweep:
    """A sweep in progress."""

    def __init__(self, sweeper: AblateSweeper, planned: Sequence[PlannedRun]):
        self.sweeper = sweeper
        self.planned = list(planned)
        self.rerun = planned[0].config.run.rerun
        self.began = time.time()
        self.returns: list[JobReturn] = []
        self.errors: dict[str, BaseException] = {}
        # With `all`, only this sweep's own results count.
        self._since = pd.Timestamp.now(tz="UTC") if self.rerun == "all" else None
        self._attempts = Counter[int]()
        self._launcher_failed = set[int]()
        self._launched = 0
        self._linked = 0
        self._step_seconds: float | None = None

    def without(self, runs: Sequence[PlannedRun]) -> list[PlannedRun]:
        """Return those of some runs that it does not have yet."""
        known = {run.identity for run in self.planned}
        return [run for run in runs if run.identity not in known]

    def check(self) -> None:
        """Try a step and an evaluation of every level before the first run, where that is asked for."""
        if self.planned[0].config.run.check:
            from ablate.testing.before_sweep import try_before_sweep

            self._step_seconds = try_before_sweep(self.planned, self.read_statuses())

    def train(self) -> SweepIncomplete | None:
        """Launch the runs that are not done, show the progress, and print a summary.

        Returns:
            The error that names runs without a result, if any.
        """
        try:
            with show_progress(self.planned, self.estimate(), self.read_statuses):
                self.run()
        except BaseException:  # raised again
            # The summary comes after Ctrl-C too.
            with suppress(AblateError):
                self.summarize()
            raise
        return self.summarize()

    def read_statuses(self) -> list[RunState]:
        """Return the status of each run."""
        return read_statuses(self.planned, since=self._since)

    def estimate(self) -> list[float]:
        """Return the runtime estimate of each run in seconds, and print the time left."""
        from ablate.tracking.run_records import history

        found, earlier = self.read_statuses(), history(HISTORY_COLUMNS)
        devices = devices_of_host(earlier, socket.gethostname())
        table = partial(plan_table, self.planned, found, earlier, devices=devices, steps_done=[0] * len(found))
        assert self.sweeper.config is not None
        seconds = [float(each) for each in table()["seconds"]]
        packing = launch_of(self.sweeper.config, self.planned, partial(self._pack, found, seconds)).packing
        estimated = table(threads=packing.threads if packing else None)
        finished, left = sum(one.finished for one in found), estimated["seconds_left"]
        at_a_time = side_by_side(packing, measured_runs(earlier, devices))
        training = self._seconds_of_training(packing, found)
        if left.notna().all():
            unsure = packing is None or packing.runs_at_a_time > at_a_time
            about = "at most about" if unsure else "about"
            time_left = f"{about} {tqdm.format_interval(makespan(left, at_a_time))} left"
        elif training is not None:
            time_left = f"{tqdm.format_interval(training)} of training left"
        else:
            time_left = "time left unknown"
        how = f", {packing}" if packing is not None and finished < len(found) else ""
        runs = f"{len(found)} run{'s' * (len(found) != 1)}"
        print(f"Study {self.planned[0].study}: {runs}, {finished} done{how}, {time_left}", flush=True)
        return [float(each) for each in estimated["seconds"]]

    def _seconds_of_training(self, packing: Packing | None, found: Sequence[RunState]) -> float | None:
        """Return what training alone takes by the throughput that was measured; None where none was."""
        if packing is None or packing.examples_per_second is None:
            return None
        left = [run for run, one in zip(self.planned, found, strict=True) if should_train(one, self.rerun)]
        examples = sum(run.config.run.training.total_examples(run.data.examples_per_epoch) for run in left)
        return examples / packing.examples_per_second

    def _pack(self, found: Sequence[RunState], seconds: Sequence[float], options: AutoOptions) -> Packing:
        """Return how many runs train at a time, and let the launcher know."""
        launcher = self.sweeper.launcher
        assert isinstance(launcher, AutoLauncher)
        launcher.packing = pack_measured(
            self.planned,
            found,
            seconds,
            options,
            earlier=found if self._since is None else read_statuses(self.planned),
            step_seconds=self._step_seconds,
        )
        return launcher.packing

    def run(self) -> None:
        """Launch the runs to do, until there are none left and none to wait for."""
        waiting = False
        while True:
            found = self.read_statuses()
            self._link_cached(found)
            todo = self._runs_to_launch(found)
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

    def _runs_to_launch(self, found: Sequence[RunState]) -> list[int]:
        """Return the positions of the runs to launch, each once; an orphaned one is retried.

        Runs with the same identity are one run, except with `rerun=all`.
        """
        seen, positions = set[str](), []
        for position, (run, one) in enumerate(zip(self.planned, found, strict=True)):
            same = run.identity in seen and self.rerun != "all"
            if one.status == Status.RUNNING or same or not should_train(one, self.rerun):
                continue
            retry = one.status == Status.INTERRUPTED and (one.orphaned or position in self._launcher_failed)
            if self._attempts[position] < (_MAX_ATTEMPTS if retry else 1):
                seen.add(run.identity)
                positions.append(position)
        return positions

    def _launch(self, positions: Sequence[int], before: Sequence[RunState]) -> None:
        results = self._results_of_launch(positions)
        after = self.read_statuses()
        changed = any(before[position] != after[position] for position in positions)
        for number, position in enumerate(positions):
            result = results[number] if results else None
            error = result._return_value if result is not None and result.status == JobStatus.FAILED else None
            if isinstance(error, AlreadyRunning):
                continue
            if error is not None:
                self.errors[self.planned[position].identity] = error
            # A launcher that fails midway has not started all runs.
            if results or not changed or after[position].status != Status.TODO:
                self._attempts[position] += 1
        (self._launcher_failed.difference_update if results else self._launcher_failed.update)(positions)
        self.returns += results

    def _results_of_launch(self, positions: Sequence[int]) -> Sequence[JobReturn]:
        assert self.sweeper.launcher is not None
        lines = [list(self.planned[position].overrides) for position in positions]
        if isinstance(self.sweeper.launcher, AutoLauncher):
            self.sweeper.launcher.names = [shorten(self.planned[position].name) for position in positions]
        first = self.sweeper.launched
        self.sweeper.launched += len(positions)
        self._launched += len(positions)
        try:
            return list(self.sweeper.launcher.launch(lines, initial_job_idx=first))
        except ConfigError:
            raise  # the launcher's configuration is wrong
        except Exception as error:
            # Launchers raise where a process or a machine is lost, or cannot start: the store has the statuses.
            log.error("The launcher failed: %s", " ".join(str(error).split())[:1000] or type(error).__name__)
            for position in positions:
                self.errors.setdefault(self.planned[position].identity, error)
            return []

    def _link_cached(self, found: Sequence[RunState]) -> None:
        """Link cached results of other studies to this one."""
        from ablate.tracking.cached_run import link_cached_run

        for run, one in zip(self.planned, found, strict=True):
            if one.status != Status.CACHED or one.study == run.study:
                continue
            with acquire_lease(run.folder, timeout_minutes=run.config.run.checkpoint.lease_timeout_minutes) as lease:
                # Another command may have done it meanwhile.
                (now,) = read_statuses([run], alive=False, since=self._since)
                if lease is not None and now.run_id is not None and now.study != run.study:
                    link_cached_run(
                        now.run_id,
                        study=run.study,
                        variant=run.variant.name,
                        project=results_dir(),
                        factors=run.factors,
                    )
                    self._linked += 1

    def summarize(self) -> SweepIncomplete | None:
        """Print the summary, and return the error that names runs without a result, if any."""
        self._describe()
        lines, missing = summarize_sweep(self.planned, self.read_statuses(), self.errors, began=self.began)
        print("\n".join(lines), flush=True)
        return missing

    def _describe(self) -> None:
        """Bring what MLflow shows of the study up to date, where something has changed."""
        from ablate.tracking.overview import update_study

        if self._launched or self._linked:
            for uri, study in sorted({(run.uri, run.study) for run in self.planned}):
                if not is_open(uri):
                    open_store(uri)
                update_study(study)


def asked_runs(study: StudyFile | None, planned: Sequence[PlannedRun], said: list[str]) -> list[PlannedRun]:
    """Return the runs that a study asks for so far, and say what its looks found; all where it has one look.

    Args:
        study: The study; None for a sweep without a file.
        planned: All runs that it may have.
        said: The lines that were printed before; new ones are added.
    """
    if study is None or len(study.seed_plan.looks) == 1:
        return list(planned)
    from ablate.report.look_at import look_at

    found = look_at(study, planned)
    for line in found.lines:
        if line not in said:
            print(line, flush=True)
    said += found.lines
    return found.asked


def announce(study: StudyFile, uri: str) -> None:
    """Print the question of a study and the aliased effects of its design, and record it in a store."""
    from ablate.tracking.study import record_study

    aliases = study.expansion().aliases
    print(f"Study {study.name}: {study.question}")
    for aliased in aliases:
        print(f"Aliased by its design: {aliased}")
    open_store(uri)
    record_study(study.name, study.plain(), aliases, results_dir())


@dataclass
class SweeperConfig:
    """The options of Hydra's basic sweeper."""

    _target_: str = "hydra_plugins.ablate_sweeper.sweeper.AblateSweeper"
    max_batch_size: int | None = None
    params: dict[str, Any] | None = None


ConfigStore.instance().store(group="hydra/sweeper", name="ablate", node=SweeperConfig, provider="ablate")
