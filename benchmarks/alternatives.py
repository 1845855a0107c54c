"""A whole study by `ablate` and by what one would pick instead, row k: plain Hydra, Ray Tune, Optuna.

Twelve runs (two optimisers, two output resolutions, three seeds) of the same network on the same photographs, each
tool as its documentation recommends, see `alternative_studies/`. The tools take turns. In each round a tool runs the
study twice: undisturbed, and with SIGKILL for all its processes at once, after a share of that time which is drawn for
the round and the same for all; then the same command is given again.

Needs the extra `bench`. On two idle cores a round takes about an hour. What a tool did in a round is written to
FOLDER/ROUND-TOOL.json at once: given again with the same folder, the command does what is left.

    python benchmarks/alternatives.py [--data SET] [--folder DIR] [--rounds N] [--only TOOL ..]
        [--epochs N] [--steps N] [--evaluate N] [--network OVERRIDE ..] [--ours OVERRIDE ..]
"""

import argparse
import importlib.metadata
import json
import random
import shutil
import signal
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from alternative_studies.contenders import HERE, Ablate, Contender, Optuna, PlainHydra, RayTune, Size
from alternative_studies.outcome import equal_bits, once, seconds_beside_training, seconds_trained_twice, side_by_side
from alternative_studies.watch import Watched
from prepare import small_photographs
from side_by_side import ROOT, Row, write

OURS, HYDRA = Ablate.name, PlainHydra.name
PACKAGES = ("hydra-core", "mlflow", "ray", "optuna")


@dataclass(frozen=True)
class Result:
    """What a tool did in a round.

    Attributes:
        seconds: Wall time of the undisturbed study.
        beside_training: See `outcome.seconds_beside_training`.
        side_by_side: Most runs that trained at the same time.
        peak_mib: Most memory of all its processes together.
        once: How many runs had finished exactly once, after the kill and the second launch.
        equal: How many of the runs that finished then have the scores of the undisturbed study, to the last bit.
        repeated_seconds: Seconds of training steps that had to be done again.
        killed_at: Share of the undisturbed time after which it was killed.
        seconds_in_all: Wall time of both launches.
    """

    seconds: float
    beside_training: float
    side_by_side: int
    peak_mib: float
    once: int
    equal: int
    repeated_seconds: float
    killed_at: float
    seconds_in_all: float

    @property
    def studies_an_hour(self) -> float:
        """Undisturbed studies in an hour."""
        return 3600 / self.seconds


def launch(contender: Contender, folder: Path, size: Size, seconds: float | None = None) -> Watched:
    """Run a tool's command in a folder until it ends, or kill it after some seconds.

    Raises:
        RuntimeError: It failed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    command = Watched(contender.command(size), folder, contender.variables(folder, size))
    try:
        ended = command.wait(seconds)
    finally:
        if command.code is None:
            command.kill()
    if ended and command.code:
        raise RuntimeError(f"{contender.name} ended with code {command.code}: see {folder / 'log.txt'}")
    return command


def launch_and_kill(contender: Contender, folder: Path, size: Size, seconds: float) -> Watched:
    """Run a tool's command in a new folder and kill it after some seconds.

    Where it ends before, because the machine has less to do than it had, it begins anew with three quarters of them.
    """
    shutil.rmtree(folder, ignore_errors=True)
    command = launch(contender, folder, size, seconds)
    return command if command.code else launch_and_kill(contender, folder, size, 0.75 * seconds)


def measured(contender: Contender, folder: Path, size: Size, killed_at: float) -> Result:
    """Run the study undisturbed, and killed and launched again, in new folders below one."""
    shutil.rmtree(folder, ignore_errors=True)
    calm, killed = folder / "undisturbed", folder / "killed"
    undisturbed = launch(contender, calm, size)
    seconds = undisturbed.seconds
    expected, attempts = contender.finished(calm), contender.attempts(calm, size)
    if once(expected, size.planned) < len(size.planned):
        raise RuntimeError(f"{contender.name} has not finished all runs once: see {calm / 'log.txt'}")
    first = launch_and_kill(contender, killed, size, killed_at * seconds).seconds
    lost = contender.lost_steps(killed)
    again = launch(contender, killed, size).seconds
    finished = contender.finished(killed)
    return Result(
        seconds=seconds,
        beside_training=seconds_beside_training(seconds, attempts, len(size.planned)),
        side_by_side=side_by_side(attempts),
        peak_mib=undisturbed.peak_mib,
        once=once(finished, size.planned),
        equal=equal_bits(finished, expected),
        repeated_seconds=seconds_trained_twice(contender.repeated_steps(killed, size, lost), attempts),
        killed_at=first / seconds,
        seconds_in_all=first + again,
    )


def rows_of(results: Mapping[str, Sequence[Result]], runs: int, configuration: str) -> list[Row]:
    """Return the rows: what the tools are compared in, round by round.

    Args:
        results: By tool, a result for each round.
        runs: Of the study.
        configuration: Of the study, in words.
    """
    others = [name for name in results if name != OURS]

    def row(
        compared: str, unit: str, value: Callable[[int], float], side: Callable[[Result], float], **more: Any
    ) -> Row:
        found = [value(place) for place in range(len(results[OURS]))]
        return Row(
            letter="k",
            compared=compared,
            configuration=configuration,
            figure=statistics.median(found),
            unit=unit,
            spread=(min(found), max(found)) if len(found) > 1 else None,
            sides={name: statistics.median(map(side, each)) for name, each in results.items()},
            **more,
        )

    def speed(other: str, target: str) -> Row:
        return row(
            f"a study: ablate against {other}",
            "x",
            lambda place: results[other][place].seconds / results[OURS][place].seconds,
            lambda result: result.studies_an_hour,
            target=target,
            sides_unit="studies/h",
        )

    def least(place: int) -> float:
        return min(results[name][place].beside_training for name in others)

    def both(result: Result) -> int:
        return min(result.once, result.equal)

    after_kill = "after SIGKILL of all processes and the same command again: "
    return [
        *(speed(name, ">= 1.8" if name == HYDRA else ">= 1") for name in others),
        row(
            "seconds of a study that a run takes beside its training steps: ablate over the least of the others",
            "x",
            lambda place: results[OURS][place].beside_training / least(place),
            lambda result: result.beside_training,
            target="<= 1",
            sides_unit="s",
        ),
        row(
            "memory of a study at the peak, all processes",
            "MiB",
            lambda place: results[OURS][place].peak_mib,
            lambda result: result.peak_mib,
            sides_unit="MiB",
        ),
        row(
            f"{after_kill}runs that finished exactly once",
            f"of {runs}",
            lambda place: results[OURS][place].once,
            lambda result: result.once,
            target=f">= {runs}",
        ),
        row(
            f"{after_kill}runs with the undisturbed study's scores, to the last bit",
            f"of {runs}",
            lambda place: results[OURS][place].equal,
            lambda result: result.equal,
            target=f">= {runs}",
        ),
        row(
            f"{after_kill}others of whose runs all finished once, with the same bits",
            f"of {len(others)}",
            lambda place: sum(both(results[name][place]) == runs for name in others),
            both,
            target="<= 0",
        ),
        row(
            f"{after_kill}seconds of training steps done again",
            "s",
            lambda place: results[OURS][place].repeated_seconds,
            lambda result: result.repeated_seconds,
            sides_unit="s",
        ),
    ]


def prepared(folder: Path, evaluate: int) -> Path:
    """Return a prepared set of generated pictures, 24 that train for each that evaluates."""
    out = folder / f"generated-{evaluate}"
    if not (out / "manifest.json").is_file():
        small_photographs(25 * evaluate, folder / "generated.zip")
        command = [sys.executable, "-m", "ablate.prepare", "data=folder", "scale=thumbnail", f"out={out}"]
        subprocess.run([*command, f"data.root={folder / 'generated.zip'}"], check=True)
    return out


def as_arrays(data: Path, out: Path, network: Sequence[str]) -> Path:
    """Return the folder of a prepared set's arrays."""
    if not (out / "case.json").is_file():
        command = [sys.executable, "-m", "alternative_studies.arrays", str(data), str(out), *network]
        subprocess.run(command, cwd=HERE.parent, check=True)
    return out


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, help="a set prepared with scale=thumbnail; default: generated pictures")
    parser.add_argument("--folder", type=Path, default=ROOT / "results" / "alternatives", help="of what is measured")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--only", nargs="+", help="tools that are measured now; the rows need all")
    parser.add_argument("--seeds", type=int, default=3, help="of each of the four variants")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--steps", type=int, default=100, help="of an epoch")
    parser.add_argument("--evaluate", type=int, default=2000, help="generated pictures that evaluate")
    parser.add_argument("--network", nargs="*", default=[], help="overrides of the network, of all tools")
    parser.add_argument("--ours", nargs="*", default=[], help="more overrides of ablate's sweep")
    parser.add_argument("--seed", type=int, default=0, help="of the moments of the kills")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that no study is left behind
    folder = options.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    data = (options.data or prepared(folder, options.evaluate)).resolve()
    arrays = as_arrays(data, folder / f"arrays-{data.name}", options.network)
    size = Size(data, arrays, options.seeds, options.epochs, options.steps)
    contenders = [Ablate([*options.network, *options.ours]), PlainHydra(), RayTune(), Optuna()]
    moments = random.Random(options.seed)
    shares = [moments.uniform(0.3, 0.7) for _ in range(options.rounds)]
    results: dict[str, list[Result]] = {contender.name: [] for contender in contenders}
    for turn, share in enumerate(shares):
        for contender in contenders:
            stem = f"{turn}-{contender.name.replace(' ', '-')}"
            kept = folder / f"{stem}.json"
            if not kept.is_file() and (options.only is None or contender.name in options.only):
                result = measured(contender, folder / stem, size, share)
                kept.write_text(json.dumps(asdict(result), indent=1))
                print(f"round {turn + 1}, {contender.name}: {result}", flush=True)
            if kept.is_file():
                results[contender.name].append(Result(**json.loads(kept.read_text())))
    if any(len(each) < options.rounds for each in results.values()):
        print("Not all tools are measured yet: no rows are written")
        return
    case = json.loads((size.arrays / "case.json").read_text())
    count = case["evaluation_photographs"]
    write(
        "alternatives",
        rows_of(
            results,
            len(size.planned),
            f"{len(size.planned)} runs of {options.epochs} epochs of {options.steps} steps, "
            f"{case['side']}x{case['side']}, batch {case['batch_size']}, {count:,} photographs evaluate",
        ),
        data=f"the prepared set {data.name}",
        rounds=options.rounds,
        tools={name: importlib.metadata.version(name) for name in PACKAGES},
        **{"runs side by side": {name: max(one.side_by_side for one in each) for name, each in results.items()}},
    )


if __name__ == "__main__":
    main()
