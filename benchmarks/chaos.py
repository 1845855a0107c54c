"""A study that is killed with SIGKILL at random moments and invoked again, against one that is left alone.

It must end with every run finished once and the same numbers to the last bit. On two cores it takes about ten minutes
for the task that ships, and a few for an example.

    python benchmarks/chaos.py [colorization|digits|own_loop] [--kills N] [--seed N] [--seeds N]
"""

import argparse
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))

from tests.support.sweeps import assert_same_bits, finish, found, kill, start

ROOT = Path(__file__).parents[1]
STUDY = """question: Does it survive?
baseline: {baseline}
factors: {factors}
design: {design}
seeds: {seeds}
metric: {{name: {metric}, direction: maximize}}
"""


@dataclass(frozen=True)
class Subject:
    """What is killed: the factors of a study, its design, its metric, and the overrides of the sweep."""

    factors: Mapping[str, Sequence[object]]
    design: str
    variants: int
    metric: str
    sweep: Sequence[str]

    def write(self, folder: Path, name: str, seeds: int) -> None:
        """Write the study into a folder, and the example's project."""
        if name != "colorization":
            shutil.copytree(ROOT / "examples" / name, folder, ignore=shutil.ignore_patterns("results"))
        (folder / "experiments").mkdir(parents=True, exist_ok=True)
        values = {
            "baseline": {factor: levels[0] for factor, levels in self.factors.items()},
            "factors": {factor: list(levels) for factor, levels in self.factors.items()},
            "design": self.design,
            "seeds": list(range(seeds)),
            "metric": self.metric,
        }
        (folder / "experiments" / "chaos.yaml").write_text(STUDY.format(**values))


SUBJECTS = {
    "colorization": Subject(
        factors={"output_res": ["full", "half", "quarter"], "dropout": ["light", "heavy"]},
        design="full_factorial",
        variants=6,
        metric="auc_rebalanced",
        sweep=("scale=smoke", "data=sample"),
    ),
    "digits": Subject(
        factors={"dropout": ["half", "none"], "augmentation": ["shift", "none"]},
        design="one_at_a_time",
        variants=3,
        metric="accuracy",
        sweep=("training.epochs=30",),
    ),
    "own_loop": Subject(
        factors={"optimizer": ["adam", "sgd"], "network.width": [64, 16]},
        design="one_at_a_time",
        variants=3,
        metric="accuracy",
        sweep=("training.epochs=150",),
    ),
}
SWEEP = ("experiment=chaos", "checkpoint.minutes=0.05")


def killed_after(seconds: float, process: subprocess.Popen[bytes]) -> bool:
    """Kill a study after some seconds, all of its processes or only the command; return whether it was killed."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        if random.random() < 0.75:
            kill(process)
        else:
            process.kill()
            process.wait()
    return process.returncode == -signal.SIGKILL


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("name", nargs="?", choices=SUBJECTS, default="colorization")
    parser.add_argument("--kills", type=int, default=15)
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--seeds", type=int, default=2, help="of each variant")
    options = parser.parse_args()
    random.seed(options.seed)
    subject = SUBJECTS[options.name]
    runs, sweep = subject.variants * options.seeds, (*SWEEP, *subject.sweep)
    with tempfile.TemporaryDirectory() as name:
        calm, killed = folders = [Path(name) / kind for kind in ("undisturbed", "killed")]
        for folder in folders:
            subject.write(folder, options.name, options.seeds)
        begun = time.monotonic()
        finish(start(calm, *sweep), calm)
        alone = time.monotonic() - begun
        begun, landed = time.monotonic(), 0
        while landed < options.kills and killed_after(
            random.uniform(2, 1.5 * alone / runs + 8), start(killed, *sweep)
        ):
            landed += 1
        finish(start(killed, *sweep), killed)
        disturbed = time.monotonic() - begun
        expected, results = found(calm, "chaos", runs=runs), found(killed, "chaos", runs=runs)
        assert_same_bits(results, expected)
    print(
        f"{options.name}: {runs} runs, killed {landed} times: each finished once after {results.attempts.sum()} "
        f"attempts, {expected.results.shape[1]} metrics, {len(expected.curves)} curves and {len(expected.tables)} "
        f"tables of examples the same to the last bit; {alone:.0f} s undisturbed, {disturbed:.0f} s killed"
    )


if __name__ == "__main__":
    main()
