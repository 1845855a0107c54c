"""A study that is killed with SIGKILL at random moments and invoked again, against one that is left alone.

It must end with every run finished once and the same numbers to the last bit. Takes about ten minutes on two cores.

    python benchmarks/chaos.py [kills] [seed] [runs]
"""

import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))

from tests.support.sweeps import assert_same_bits, finish, found, kill, start

STUDY = """question: Does it survive?
baseline: {{output_res: full, dropout: light}}
factors: {{output_res: [full, half, quarter], dropout: [light, heavy]}}
design: full_factorial
seeds: {seeds}
metric: {{name: auc_rebalanced, direction: maximize}}
"""
VARIANTS = 6
SWEEP = ("experiment=chaos", "scale=smoke", "data=sample", "checkpoint.minutes=0.05")


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
    kills, seed, seeds = (int(given) for given in [*sys.argv[1:], *("15", "0", "2")[len(sys.argv) - 1 :]])
    random.seed(seed)
    runs = VARIANTS * seeds
    with tempfile.TemporaryDirectory() as name:
        calm, killed = folders = [Path(name) / kind for kind in ("undisturbed", "killed")]
        for folder in folders:
            (folder / "experiments").mkdir(parents=True)
            (folder / "experiments" / "chaos.yaml").write_text(STUDY.format(seeds=list(range(seeds))))
        begun = time.monotonic()
        finish(start(calm, *SWEEP), calm)
        alone = time.monotonic() - begun
        begun, landed = time.monotonic(), 0
        while landed < kills and killed_after(random.uniform(2, 1.5 * alone / runs + 8), start(killed, *SWEEP)):
            landed += 1
        finish(start(killed, *SWEEP), killed)
        disturbed = time.monotonic() - begun
        expected, results = found(calm, "chaos", runs=runs), found(killed, "chaos", runs=runs)
        assert_same_bits(results, expected)
    print(
        f"{runs} runs, killed {landed} times: each finished once, {expected.results.shape[1]} metrics, "
        f"{len(expected.curves)} curves and {len(expected.tables)} tables of examples the same to the last bit; "
        f"{alone:.0f} s undisturbed, {disturbed:.0f} s killed"
    )


if __name__ == "__main__":
    main()
