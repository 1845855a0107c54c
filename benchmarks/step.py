"""The training step: rows a (against its network alone), b (as it is done elsewhere) and c (against a matrix product).

a   `ablate`'s step with its pipeline, encoding, loss and update; the network alone on a constant batch.
b   Encoding, loss and update from L and ab in memory: `ablate` and `rivals.py`, each in the environment
    that its libraries choose by themselves.
c   FLOPs per second of both of a, three forward passes a step, against one large matrix product in float32.

    python benchmarks/step.py [--data DIR] [--repetitions N] [--seconds S]
    python benchmarks/step.py --profile
"""

import argparse
import contextlib
import math
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ablate.colorization.model.architecture import layer_costs
from ablate.config.environment import fix_environment
from ablate.config.validation import ValidConfig
from side_by_side import Row, Times, faster, interleaved, missing, write
from sizes import SIZES, Size, described, photographs, valid_config
from worker import Worker

if TYPE_CHECKING:
    from ways import Fit

FULL, BARE, PRODUCT = "full step", "network alone", "matrix product"
OWN = "ablate"
ONEDNN = "TF_ENABLE_ONEDNN_OPTS"
RIVALS = {
    "keras": ("Keras", "dense targets, model.fit as it comes"),
    "eager": ("eager Keras", "dense targets by scikit-learn's neighbours"),
    "torch": ("PyTorch", "dense targets, channels last"),
    "own": (OWN, ""),
    "free": ("ablate, not deterministic", ""),
    "xla": ("ablate with XLA, not deterministic", ""),
    "bfloat16": ("ablate in mixed_bfloat16", ""),
}
"""The ways of rivals.py: what they are, and how they do it."""


def target(rival: str, size: Size) -> str:
    """Return how many times as fast as a rival `ablate` should be; empty for what is measured for information."""
    return {"keras": ">= 1.3", "eager": ">= 5", "torch": ">= 1.0" if size.width == 1 else ">= 1.5"}.get(rival, "")


def random_batch(size: Size) -> tuple[np.ndarray, np.ndarray]:
    """Return L as the network sees it and ab, of colours that spread as far as those of photographs do."""
    generator = np.random.default_rng(0)
    L = generator.normal(0, 0.5, (size.batch, size.side, size.side, 1)).clip(-0.5, 0.5)
    ab = generator.normal(0, 20, (size.batch, size.side // 4, size.side // 4, 2)).clip(-100, 100)
    return L.astype(np.float32), ab.repeat(4, axis=1).repeat(4, axis=2).astype(np.float32)


def steps_of(size: Size, run: ValidConfig, L: np.ndarray, seconds: float) -> int:
    """Return how many steps of the network alone take so many seconds, at least 3."""
    from ways import bare

    step = bare(run, L, 1)
    step()
    begun = time.perf_counter()
    step()
    step()
    return max(3, math.ceil(2 * seconds / (time.perf_counter() - begun)))


def pipeline_and_arithmetic(size: Size, run: ValidConfig, steps: int, repetitions: int, seconds: float) -> list[Row]:
    """Measure rows a and c at a size."""
    from ways import MATRIX_SIDE, Fit, bare, matrix_product

    product = 2 * MATRIX_SIDE**3 / 1e9
    products = max(1, round(seconds * 150 / product))
    ways = {FULL: Fit(run, steps), BARE: bare(run, random_batch(size)[0], steps), PRODUCT: matrix_product(products)}
    times = interleaved(ways, repetitions)
    forward = sum(cost.flops for cost in layer_costs(run.task.layers, size.side)) / 1e9
    flops = {FULL: 3 * forward * size.batch * steps, PRODUCT: product * products}
    flops[BARE] = flops[FULL]
    rows = [
        faster(
            times,
            FULL,
            BARE,
            amount=steps * size.batch,
            sides_unit="images/s",
            letter="a",
            compared="full training step against the network alone",
            configuration=str(size),
            target=">= 0.90",
        )
    ]
    for way in (BARE, FULL):
        rows.append(
            faster(
                times,
                way,
                PRODUCT,
                amount=flops,
                sides_unit="GFLOP/s",
                letter="c",
                compared=f"arithmetic of the {way} against a {MATRIX_SIDE}x{MATRIX_SIDE} matrix product",
                configuration=str(size),
                target=">= 0.75" if size.side == 64 else "",
            )
        )
    return rows


@contextlib.contextmanager
def rivals(run: ValidConfig, L: np.ndarray, ab: np.ndarray, steps: int, own: "Fit") -> Iterator[Mapping[str, Worker]]:
    """Start the rivals on the network, weights and batch of `own`, which has not trained yet."""
    from rivals import Case

    adam, loss = run.run.optimizer.model_dump(), own.model.loss
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        case = Path(folder) / "case.npz"
        weights = own.model.get_weights()
        Case.save(
            case,
            L=L,
            ab=ab,
            class_weights=loss.class_weights,
            layers=run.task.layers,
            weights=weights,
            loss=float(loss(ab, own.model(L, training=True))),
            steps=steps,
            adam=(adam["learning_rate"], adam["beta_1"], adam["beta_2"]),
        )
        yield {rival: stack.enter_context(Worker("rivals.py", rival, str(case), unset=[ONEDNN])) for rival in RIVALS}


def as_elsewhere(size: Size, run: ValidConfig, steps: int, repetitions: int) -> list[Row]:
    """Measure row b at a size."""
    from ways import Fit

    L, ab = random_batch(size)
    with rivals(run, L, ab, steps, Fit(run, steps)) as started:
        ways: dict[str, Any] = {RIVALS[rival][0]: way for rival, way in started.items() if way.missing is None}
        times = interleaved(ways, repetitions)
    rows = [_against(rival, worker, times, size, steps) for rival, worker in started.items() if target(rival, size)]
    others = [name for rival, (name, _) in RIVALS.items() if name != OWN and not target(rival, size)]
    return rows + [
        faster(
            times,
            other,
            OWN,
            amount=steps * size.batch,
            sides_unit="images/s",
            letter="b",
            compared=f"encode, loss, update: {other} against {OWN}",
            configuration=str(size),
        )
        for other in others
    ]


def _against(rival: str, worker: Worker, times: Times, size: Size, steps: int) -> Row:
    name, how = RIVALS[rival]
    row = {
        "letter": "b",
        "compared": f"encode, loss, update: ablate against {name}, {how}",
        "configuration": str(size),
        "target": target(rival, size),
    }
    if worker.missing is not None:
        return missing(worker.missing, **row)
    note = {True: "Keras chose XLA", False: "Keras chose no XLA", None: ""}[worker.facts.get("xla")]
    return faster(times, OWN, name, amount=steps * size.batch, sides_unit="images/s", **row, note=note)


def profile(runs: Mapping[Size, ValidConfig]) -> None:
    """Print what the full step and the network alone spend their time on."""
    from operations import shares
    from ways import Fit, bare

    for size, run in runs.items():
        for name, way in {FULL: Fit(run, 5), BARE: bare(run, random_batch(size)[0], 5)}.items():
            way()
            print(f"\n{size}, {name}: share of the time of all operations")
            for kind, share in shares(way):
                print(f"  {share:6.1%}  {kind}")


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=photographs(), help="folder of photographs")
    parser.add_argument("--repetitions", type=int, default=7, help="rounds that count")
    parser.add_argument("--seconds", type=float, default=3.0, help="about how long one measurement takes")
    parser.add_argument("--profile", action="store_true", help="print what a step spends its time on, and end")
    options = parser.parse_args()
    fix_environment()
    runs = {size: valid_config(size, options.data) for size in SIZES}
    from ablate.training.hardware import configure

    run = runs[SIZES[0]].run
    hardware = configure(run.hardware, seed=run.seed, deterministic=run.training.deterministic)
    for each in runs.values():
        each.task.load_data()
    if options.profile:
        profile(runs)
        return
    rows: list[Row] = []
    for size, run in runs.items():
        steps = steps_of(size, run, random_batch(size)[0], options.seconds)
        print(f"Measuring {size}: {options.repetitions} rounds of {steps} steps", flush=True)
        found = pipeline_and_arithmetic(size, run, steps, options.repetitions, options.seconds)
        found += as_elsewhere(size, run, steps, options.repetitions)
        print(*found, sep="\n", flush=True)
        rows += found
    print("All sizes:")
    setting = ", ".join(f"{name} {value}" for name, value in hardware.facts.items() if name != "devices")
    write("step", rows, data=described(options.data), repetitions=options.repetitions, setting=setting)


if __name__ == "__main__":
    main()
