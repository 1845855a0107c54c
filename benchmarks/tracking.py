"""Cost of tracking, row g: the time that a run spends in the calls of `ablate.tracking`, as a share of two minutes.

Counted, of real short runs on the sample photographs in a temporary SQLite store, is the wall time of the run's thread
inside: opening the store, reading what it knows of earlier runs, starting and ending the run, and every public method
of `TrackedRun`, the saved model and the pictures among them. Added is what two minutes have more than a short run: a
flush every five seconds and at every epoch's checkpoint, with as many records as the default `training.log_points`
makes. The first run does not count: it imports MLflow, which a sweep does once for all its runs, and makes the
schema of a new store. A row of its own says what it takes, all of that included.

    python benchmarks/tracking.py [--repetitions N]
"""

import argparse
import contextlib
import functools
import os
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ablate.config.environment import fix_environment
from side_by_side import Row, write
from sizes import SIZES, valid_config

SECONDS = 120
FLUSH_SECONDS = 5
ARGUMENTS = ("data=sample", "training.epochs=2", "data.repeats=32", "rerun=all")
STUDY = "tracked"


class Clock:
    """Adds up the time inside functions, by name; of nested ones, each second counts once, for the inner one.

    Attributes:
        spent: Seconds by name.
    """

    def __init__(self) -> None:
        self.spent: Counter[str] = Counter()
        self._inside: list[str] = []
        self._since = 0.0

    @contextlib.contextmanager
    def counting(self, name: str) -> Iterator[None]:
        """Count what is done inside."""
        self._settle()
        self._inside.append(name)
        try:
            yield
        finally:
            self._settle()
            self._inside.pop()

    def _settle(self) -> None:
        now = time.perf_counter()
        if self._inside:
            self.spent[self._inside[-1]] += now - self._since
        self._since = now

    def wrap(self, owner: Any, name: str) -> None:
        """Count the time inside a function of a module or class, from now on."""
        function = getattr(owner, name)

        @functools.wraps(function)
        def counted(*arguments: Any, **options: Any) -> Any:
            with self.counting(name):
                return function(*arguments, **options)

        setattr(owner, name, counted)

    def wrap_context(self, owner: Any, name: str) -> None:
        """Count the time that a context manager takes to enter and to leave."""
        function = getattr(owner, name)

        @contextlib.contextmanager
        def counted(*arguments: Any, **options: Any) -> Iterator[Any]:
            context = function(*arguments, **options)
            with self.counting(name):
                entered = context.__enter__()
            failed: tuple[Any, Any, Any] = (None, None, None)
            try:
                yield entered
            except BaseException as error:
                failed = (type(error), error, error.__traceback__)
                raise
            finally:
                with self.counting(name):
                    context.__exit__(*failed)

        setattr(owner, name, counted)


def seconds_of(work: Callable[[], object]) -> float:
    """Return how long something takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def train() -> None:
    """Train one short run as `python -m ablate.run` does, in this process."""
    from ablate.run import main

    sys.argv = ["ablate.run", f"study.name={STUDY}", *ARGUMENTS]
    main()


def flush_seconds(project: Path, records: int, times: int) -> float:
    """Return what it takes to note and write some records, the median over some times."""
    from ablate.tracking.run import track

    def once(step: int) -> None:
        for place in range(records):
            run.log_metrics({"train/loss": 1.0 / (place + 1)}, step * records + place)
        run.flush()

    with track(study=f"{STUDY}-flushes", name="flushes", tags={}, project=project) as run:
        return statistics.median(seconds_of(functools.partial(once, step)) for step in range(times))


def measured(repetitions: int, folder: Path) -> list[Row]:
    """Return the rows, measured in a store in an empty folder."""
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    os.environ["MLFLOW_TRACKING_URI"] = uri
    # What every run needs, tracked or not, is imported first, so that MLflow's import is MLflow's alone.
    from ablate.training.hardware import import_tensorflow

    import_tensorflow()
    imported = seconds_of(lambda: __import__("ablate.tracking.run"))
    from ablate.tracking import run, run_records, store

    opened = seconds_of(lambda: store.open_store(uri))
    clock = Clock()
    for owner, name in ((store, "open_store"), (run_records, "runs_of"), (run_records, "history")):
        clock.wrap(owner, name)
    for name in [name for name in vars(run.TrackedRun) if not name.startswith("_")]:
        clock.wrap(run.TrackedRun, name)
    clock.wrap_context(run, "track")
    rounds = []
    for _ in range(1 + repetitions):
        clock.spent.clear()
        train()
        rounds.append(dict(clock.spent))
    first = {"importing MLflow": imported, "making the schema": opened, **rounds.pop(0)}
    training = valid_config(SIZES[0], None).run.training
    flushes = SECONDS // FLUSH_SECONDS + training.epochs
    records = -(-training.log_points // flushes)
    flushing = flushes * flush_seconds(folder, records, flushes)
    more = {f"{flushes} flushes more": flushing}
    shares = [share({**each, **more}) for each in rounds]
    sides = {name: statistics.median(each.get(name, 0.0) for each in rounds) for name in rounds[0]}
    return [
        Row(
            letter="g",
            compared="tracking of a run, everything that is tracked by default",
            configuration=f"a run of {SECONDS} s",
            figure=statistics.median(shares),
            unit="% of the run",
            target="<= 1",
            spread=(min(shares), max(shares)),
            sides=longest_first({**sides, **more}),
            sides_unit="s",
            note=f"from {repetitions} short runs, {flushes} flushes of {records} records added",
        ),
        Row(
            letter="g",
            compared="the same of the first run, with MLflow's import and the schema of a new store",
            configuration=f"a run of {SECONDS} s",
            figure=share({**first, **more}),
            unit="% of the run",
            sides=longest_first({**first, **more}),
            sides_unit="s",
            note="measured once",
        ),
    ]


def share(spent: dict[str, float]) -> float:
    """Return what so many seconds are in percent of the run."""
    return 100 * sum(spent.values()) / SECONDS


def longest_first(spent: dict[str, float], least: float = 0.005) -> dict[str, float]:
    """Order seconds by name, leaving out what takes next to nothing."""
    return {name: taken for name, taken in sorted(spent.items(), key=lambda side: -side[1]) if taken >= least}


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repetitions", type=int, default=5, help="runs that count")
    repetitions = parser.parse_args().repetitions
    arguments = sys.argv.copy()
    fix_environment()
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as name:
        os.chdir(name)
        try:
            rows = measured(repetitions, Path(name))
        finally:
            os.chdir(before)
    sys.argv = arguments
    write("tracking", rows, repetitions=repetitions)


if __name__ == "__main__":
    main()
