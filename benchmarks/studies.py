"""A study of many runs in a store of its own, filled by the project's own tracking: nothing is trained.

A full factorial design of two factors and ten seeds. Every run has what a real one has and a report may read: the
configuration, two learning curves, costs, the machine's load, eight metrics of each photograph, sample pictures and
the distribution of colours; no saved model. The numbers are drawn at random, the pictures are gradients.

    python benchmarks/studies.py RUNS DIR
"""

import argparse
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from ablate.colorization.metrics import METRICS
from ablate.study.definition import StudyFile
from ablate.task import DataSummary, Evaluation
from ablate.tracking.run import track
from ablate.tracking.store import open_store
from ablate.tracking.study import record_study
from sizes import SIZES, valid_config

STUDY = "many"
SEEDS, PHOTOGRAPHS, SAMPLES, SIDE, POINTS, CELLS = 10, 500, 64, 32, 100, 44
NAMES = [f"photographs/class-{number % 20:02}/{number:05}.jpg" for number in range(PHOTOGRAPHS)]
DIGESTS = [hashlib.sha256(name.encode()).hexdigest() for name in NAMES]
FACTS = {"examples": "e" * 64, "evaluation": "side 32, samples 64", "scale": "laptop", "code": "c" * 64}
LOAD = (
    "cpu_utilization_percentage",
    "system_memory_usage_megabytes",
    "disk_usage_percentage",
    "network_receive_megabytes",
)


def definition(runs: int, seeds: int) -> StudyFile:
    """Return a study of so many runs: 100 with 10 seeds, for instance, are 5 depths and 2 rates."""
    variants = runs // seeds
    rates = max(rate for rate in range(1, int(variants**0.5) + 1) if variants % rate == 0)
    levels = {"depth": list(range(variants // rates)), "rate": list(range(rates))}
    return StudyFile.model_validate(
        {
            "name": STUDY,
            "question": "Which of many variants is best?",
            "baseline": {factor: of_factor[0] for factor, of_factor in levels.items()},
            "factors": levels,
            "design": "full_factorial",
            "seeds": list(range(seeds)),
            "metric": {"name": METRICS[0].name, "direction": "maximize", "margin": 0.5},
        }
    )


def evaluations(count: int, generator: np.random.Generator) -> Iterator[Evaluation]:
    """Give so many evaluations of the same photographs, all different."""
    shape = (PHOTOGRAPHS, len(METRICS))
    easy = generator.normal(60, 10, shape)
    truth = pictures(generator)
    given = {name: picture.convert("L").convert("RGB") for name, picture in truth.items()}
    centres = np.arange(CELLS) * 5 - 107.5
    a, b = np.meshgrid(centres, centres, indexing="ij")
    places = {"a": a.ravel(), "b": b.ravel()}
    names = [metric.name for metric in METRICS]
    for _ in range(count):
        values = easy + generator.normal(0, 1, len(METRICS)) + generator.normal(0, 3, shape)
        spread = {kind: generator.poisson(200, CELLS**2) for kind in ("truth", "output")}
        yield Evaluation(
            metrics=dict(zip(names, values.mean(axis=0), strict=True)),
            references={"grey": dict.fromkeys(names, 50.0), "mean_color": dict.fromkeys(names, 51.0)},
            per_example=pd.DataFrame({"example": NAMES, "digest": DIGESTS, **dict(zip(names, values.T, strict=True))}),
            samples={"given": given, "truth": truth, "output": pictures(generator)},
            distribution=pd.DataFrame({**places, **spread}),
            figures={"grid": given[NAMES[0]]},
        )


def pictures(generator: np.random.Generator) -> dict[str, Image.Image]:
    """Return a picture of each photograph of which one is kept: colour gradients."""
    corners = generator.integers(0, 256, (SAMPLES, 2, 2, 3), dtype=np.uint8)
    return {
        name: Image.fromarray(each).resize((SIDE, SIDE), Image.Resampling.BILINEAR)
        for name, each in zip(NAMES, corners, strict=False)
    }


def fill(runs: int, folder: Path, seeds: int = SEEDS) -> None:
    """Fill the store of a folder, which is made, with a study of so many runs."""
    folder.mkdir(parents=True, exist_ok=True)
    open_store(f"sqlite:///{(folder / 'mlflow.db').absolute()}")
    study, generator = definition(runs, seeds), np.random.default_rng(0)
    record_study(STUDY, study.plain(), [], folder)
    config = valid_config(SIZES[0], None).values
    data = DataSummary("many", "benchmarks/studies.py", "f" * 64, {"train": 50_000, "eval": PHOTOGRAPHS}, [])
    cells = [(study.variant_of(each).name, seed) for seed in study.seeds for each in study.expansion().variants]
    for (variant, seed), evaluation in zip(cells, evaluations(len(cells), generator), strict=True):
        own = hashlib.sha256(f"{variant} {seed}".encode()).hexdigest()
        facts = {**FACTS, "study": STUDY, "variant": variant, "seed": str(seed), "identity": own, "setting": "s" * 64}
        tags = {f"ablate.{name}": value for name, value in facts.items()}
        with track(study=STUDY, name=f"{variant} seed={seed}", tags=tags, project=folder) as run:
            run.log_config({**config, "seed": seed, "task": {"_target_": config["task"]["_target_"]}})
            run.log_data(data)
            for step, loss in enumerate(4 * np.exp(-np.arange(POINTS) / 30) + generator.uniform(0, 1, POINTS)):
                run.log_metrics({"train/loss": loss, "val/loss": loss + 0.1}, 10 * step)
            run.log_metrics({f"system/{name}": generator.uniform(0, 100) for name in LOAD})
            costs = {
                "parameters": 2e6,
                "flops_per_example": 1e8,
                "examples_per_second": 150.0,
                "peak_memory_mib": 1000.0,
            }
            run.log_metrics({f"cost/{name}": value * (1 + len(variant) % 5) for name, value in costs.items()})
            run.log_metrics({"cost/wall_seconds": generator.uniform(100, 120)})
            run.log_evaluation(evaluation, METRICS)


def main() -> None:
    """Fill."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("runs", type=int, help="how many runs; tens")
    parser.add_argument("folder", type=Path, help="folder of the store")
    options = parser.parse_args()
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    fill(options.runs, options.folder)


if __name__ == "__main__":
    main()
