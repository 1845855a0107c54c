"""A tracked run ends in the right state, whatever happens."""

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing, nullcontext
from pathlib import Path

import mlflow
import pytest

from ablate.errors import Diverged, Interrupted, TrackingError
from ablate.system.energy_meter import ESTIMATE, RAPL, EnergyMeter
from ablate.system.phase_clock import Phase, PhaseClock
from ablate.tracking import names
from ablate.tracking.run import fail_orphaned_run, track
from ablate.tracking.study_record import StudyRecord
from ablate.tracking.tracked_run import TrackedRun
from tests.support.clocks import Hand
from tests.support.powercap import Powercap
from tests.support.tracked_runs import TAGS

Study = Callable[[], StudyRecord]


def fail(run: TrackedRun, error: BaseException) -> None:
    run.log_metrics({"train/loss": 1.0}, 1)
    raise error


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (Diverged("NaN"), "FAILED", "diverged"),
        (MemoryError(), "FAILED", "MemoryError"),
        (KeyboardInterrupt(), "KILLED", "interrupted"),
        (Interrupted("SIGTERM"), "KILLED", "interrupted"),
    ],
)
def test_a_run_that_ends_early_keeps_what_was_logged(
    error: BaseException, status: str, reason: str, start: Callable, study: Study
) -> None:
    with pytest.raises(type(error)), start() as run:
        fail(run, error)
    record = study()
    assert (record.runs["status"].iloc[0], record.runs["reason"].iloc[0]) == (status, reason)
    assert record.curve(run.run_id, "train/loss")["value"].tolist() == [1.0]
    assert mlflow.active_run() is None


def test_the_message_of_an_error_is_kept_on_one_line(start: Callable, study: Study) -> None:
    with pytest.raises(ValueError, match="shapes"), start() as run:
        fail(run, ValueError("shapes differ:\n  (3,) and\n  (4,)"))
    assert study().runs["error"].iloc[0] == "shapes differ: (3,) and (4,)"


def log_without_tables(run: TrackedRun, home: Path) -> None:
    with closing(sqlite3.connect(home / "mlflow.db")) as database:
        for table in ("metrics", "latest_metrics", "tags"):
            database.execute(f"DROP TABLE {table}")
    fail(run, ZeroDivisionError())


def test_a_store_that_fails_at_the_end_of_a_run_hides_no_error(
    start: Callable, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ZeroDivisionError), start() as run:
        log_without_tables(run, home)
    assert f"The end of run {run.run_id} could not be tracked" in caplog.text
    # The next run does not begin inside it.
    assert mlflow.active_run() is None


def log_what_is_refused(run: TrackedRun) -> None:
    run.log_metrics({"no name?*": 1.0}, 1)
    run.flush()


def test_a_run_that_the_store_refuses_a_part_of_has_failed(start: Callable, study: Study) -> None:
    with pytest.raises(TrackingError, match="cannot be tracked any more") as error, start() as run:
        log_what_is_refused(run)
    assert "\n" not in str(error.value)
    runs = study().runs
    assert (runs["status"].iloc[0], runs["reason"].iloc[0]) == ("FAILED", "TrackingError")
    assert mlflow.active_run() is None


@pytest.mark.slow
def test_a_lost_run_is_ended_and_one_that_had_ended_is_not(start: Callable, study: Study) -> None:
    with start() as finished:
        pass
    fail_orphaned_run(finished.run_id, "killed")
    client = mlflow.MlflowClient()
    lost = client.create_run(study().experiment_id, tags=TAGS).info.run_id
    fail_orphaned_run(lost, "killed")
    runs = study().runs
    assert runs.loc[finished.run_id, "status"] == "FINISHED"
    assert runs.loc[lost, ["status", "reason"]].tolist() == ["FAILED", "killed"]


def test_the_phases_of_a_run_are_those_of_all_its_attempts(home: Path, start: Callable, study: Study) -> None:
    start()
    now, ended = Hand(), ([1.0, 0.0, 8.0], [2.0, 0.5, 16.0])
    run_id = None
    for attempt, (data, model, steps) in enumerate(ended):
        clock = PhaseClock(now=now)
        with (
            nullcontext() if attempt else pytest.raises(KeyboardInterrupt),
            track(study="adhoc", name="baseline", tags=TAGS, project=home, run_id=run_id, clock=clock) as run,
        ):
            run_id = run.run_id
            for phase, seconds in ((Phase.DATA, data), (Phase.COMPILE, model), (Phase.TRAINING, steps)):
                clock.enter(phase)
                now.seconds += seconds
            run.log_spent()
            run.log_spent(every=60)
            if not attempt:
                raise KeyboardInterrupt
    found = study().metrics.loc[run_id]
    assert found.to_dict() == {
        "cost/time/data_seconds": 3.0,
        "cost/time/compile_seconds": 0.5,
        "cost/time/training_seconds": 24.0,
    }


def test_a_run_without_a_clock_and_a_meter_records_neither(start: Callable, study: Study) -> None:
    with start() as run:
        run.log_spent()
    assert not {*names.PHASE_SECONDS.values(), names.ENERGY} & {*study().metrics}
    assert "energy" not in study().runs


@pytest.mark.slow
def test_the_energy_of_a_run_is_that_of_all_its_attempts(home: Path, start: Callable, study: Study) -> None:
    start()
    run_id, known = None, list[float]()
    for attempt, counters in enumerate((home / "none", Powercap(home / "machine").folder)):
        with (
            nullcontext() if attempt else pytest.raises(KeyboardInterrupt),
            EnergyMeter(counters, every=3600) as meter,
            track(study="adhoc", name="baseline", tags=TAGS, project=home, run_id=run_id, meter=meter) as run,
        ):
            run_id = run.run_id
            sum(range(5_000_000))  # takes longer than the least that is measured
            time.sleep(0.1)
            if not attempt:
                raise KeyboardInterrupt
        known.append(float(study().metrics.loc[run_id, names.ENERGY]))
    assert 0 < known[0] < known[1]
    # Counters that stand still: estimated, and said to be.
    assert study().runs.loc[run_id, "energy"] == f"{RAPL}; {ESTIMATE}"


@pytest.mark.slow
def test_a_run_whose_first_attempt_had_no_meter_has_no_energy(home: Path, start: Callable, study: Study) -> None:
    with pytest.raises(KeyboardInterrupt), start() as first:
        raise KeyboardInterrupt
    with (
        EnergyMeter(home / "none") as meter,
        track(study="adhoc", name="baseline", tags=TAGS, project=home, run_id=first.run_id, meter=meter) as run,
    ):
        run.log_spent()
    assert names.ENERGY not in study().metrics
