"""Cost of a report, row i: wall time and memory of `python -m ablate.report` on studies of 100, 300 and 1,000 runs.

Each study is in a SQLite store of its own, filled as `studies.py` says: ten seeds of each variant, 500 photographs.
Each measurement is the whole command in a process of its own: imports, reading, comparing, drawing, writing.

    python benchmarks/report.py [--store DIR] [--repetitions N]
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from side_by_side import Row, write

COUNTS = (100, 300, 1_000)
FILLED = "filled"
"""A file of this name says that a store has all of its runs."""


@dataclass(frozen=True)
class ReportCost:
    """The cost of a report: wall time in seconds, and the most memory of its process in MiB."""

    seconds: float
    mib: float


def filled_store(runs: int, folder: Path) -> Path:
    """Return the folder of a store with a study of so many runs, filled unless it is already."""
    if not (folder / FILLED).exists():
        print(f"filling {folder.name} with {runs} runs", flush=True)
        # Elsewhere, so that this process stays small: a child's peak is not less than what it is started from.
        subprocess.run([sys.executable, Path(__file__).with_name("studies.py"), str(runs), folder], check=True)
        (folder / FILLED).touch()
    return folder


def report(store: Path, out: Path) -> ReportCost:
    """Run the command on a folder's store, which `filled_store` has filled.

    Raises:
        RuntimeError: It fails.
    """
    uri = f"sqlite:///{(store / 'mlflow.db').absolute()}"
    command = [sys.executable, "-m", "ablate.report", "study=many", f"uri={uri}", f"out={out}", "track=false"]
    begun = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with code {process.returncode}")
    return ReportCost(
        time.perf_counter() - begun, usage.ru_maxrss * (1 if sys.platform == "darwin" else 2**10) / 2**20
    )


def rows_of(rounds: Sequence[Mapping[int, ReportCost]]) -> list[Row]:
    """Return the rows.

    Args:
        rounds: What each report of a round took, by the number of runs.
    """
    least, *_, most = sorted(rounds[0])
    large = f"{most:,} runs of 500 photographs"
    seconds = {runs: [each[runs].seconds for each in rounds] for runs in sorted(rounds[0])}
    memory = {runs: [each[runs].mib for each in rounds] for runs in sorted(rounds[0])}
    growth = [(great / most) / (small / least) for small, great in zip(seconds[least], seconds[most], strict=True)]

    def of_the_most(compared: str, taken: Mapping[int, Sequence[float]], unit: str, target: str) -> Row:
        return Row(
            letter="i",
            compared=compared,
            configuration=large,
            figure=statistics.median(taken[most]),
            unit=unit,
            target=target,
            spread=(min(taken[most]), max(taken[most])),
            sides={f"{runs:,} runs": statistics.median(each) for runs, each in taken.items()},
            sides_unit=unit,
        )

    return [
        of_the_most("the report: wall time", seconds, "s", "<= 60"),
        of_the_most("the report: memory at the peak", memory, "MiB", "<= 2048"),
        Row(
            letter="i",
            compared=f"the report: time for each run, of {most:,} against of {least:,}",
            configuration="500 photographs",
            figure=statistics.median(growth),
            unit="x",
            target="<= 1.1",
            spread=(min(growth), max(growth)),
        ),
    ]


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--store", type=Path, help="folder in which the stores are kept, and found the next time")
    parser.add_argument("--repetitions", type=int, default=3, help="rounds that count")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        stores = {runs: filled_store(runs, (options.store or Path(name)) / str(runs)) for runs in COUNTS}
        # The first does not count: it reads the packages from the disk.
        report(stores[COUNTS[0]], Path(name) / "out")
        rounds = [
            {runs: report(store, Path(name) / "out") for runs, store in stores.items()}
            for _ in range(options.repetitions)
        ]
    write("report", rows_of(rounds), repetitions=options.repetitions)


if __name__ == "__main__":
    main()
