"""Runs of a task without pictures, filled by hand: digits that are recognised or not."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from ablate.study.definition import StudyFile
from ablate.task import DataSummary, Evaluation, Metric
from ablate.tracking.run import track
from ablate.tracking.study import record_study

ACCURACY = Metric("accuracy", "Accuracy", "%", True, "Share of digits that are recognised.")
NLL = Metric("nll", "Cross-entropy", "nats", False, "Of the right class.")
MACRO_F1 = Metric("macro_f1", "Macro F1", "", True, "Mean over classes.")
DIGITS = 400
REPLICATES = 200
LONG = "activation=leaky_relu,dropout.rate=0.25"
STUDY = {
    "name": "digits",
    "question": "Which part of the network matters?",
    "baseline": {"activation": "relu", "dropout.rate": 0.1},
    "factors": {"activation": ["relu", "leaky_relu"], "dropout.rate": [0.1, 0.25]},
    "design": "full_factorial",
    "seeds": [0, 1, 2],
    "metric": {"name": "accuracy", "direction": "maximize"},
}


def add_digits(
    home: Path,
    variant: str,
    seed: int,
    *,
    skill: float = 0.0,
    metrics: tuple[Metric, ...] = (ACCURACY, NLL, MACRO_F1),
    replicates: bool = True,
    change: Mapping[str, float] | None = None,
    tags: Mapping[str, str] | None = None,
    leaked: int = 0,
) -> str:
    """Track a run of which a higher `skill` recognises more digits.

    Args:
        home: Where artifacts are.
        variant: Its name.
        seed: Its seed.
        skill: See above; about one in five is not recognised with 0.
        metrics: What is measured: `MACRO_F1` has no value for each digit.
        replicates: Whether it has bootstrap replicates of `MACRO_F1`.
        change: Values of metrics to set, of the whole run and in the table those of the first digit.
        tags: More tags.
        leaked: How many digits that evaluate train as well.
    """
    random = np.random.default_rng([seed, *variant.encode()])
    hard = np.random.default_rng(7).normal(1.5, 1.5, DIGITS)
    margin = hard + skill + random.normal(0, 0.1) + random.normal(0, 1, DIGITS)
    right = margin > 0
    labels = np.arange(DIGITS) % 10
    guessed = np.where(right, labels, (labels + 1) % 10)
    columns = {"accuracy": 100.0 * right, "nll": np.log1p(np.exp(-margin))}
    table = pd.DataFrame({"example": [f"digit {place}" for place in range(DIGITS)]})
    table = table.assign(**{metric.name: columns[metric.name] for metric in metrics if metric.name in columns})
    draws = np.random.default_rng(0).integers(0, DIGITS, (REPLICATES, DIGITS))
    values = {name: float(own.mean()) for name, own in columns.items()} | {"macro_f1": macro_f1(labels, guessed)}
    for name, value in (change or {}).items():
        values[name] = value
        if name in table:
            table.loc[0, name] = value
    with_replicates = replicates and MACRO_F1 in metrics
    evaluation = Evaluation(
        metrics={metric.name: values[metric.name] for metric in metrics},
        references={},
        per_example=table if len(table.columns) > 1 else table.iloc[:0],
        replicates=pd.DataFrame({"macro_f1": [macro_f1(labels[draw], guessed[draw]) for draw in draws]})
        if with_replicates
        else None,
    )
    own = {
        "study": "digits",
        "variant": variant,
        "seed": str(seed),
        "identity": f"{variant}{seed}",
        "configuration": variant,
        "setting": "s",
        "example": "digit",
        "evaluation": "",
        "commit": "c" * 40,
        "code": "c0de",
        **(tags or {}),
    }
    named = {f"ablate.{name}": value for name, value in own.items()}
    with track(study="digits", name=variant, tags=named, project=home) as run:
        run.log_data(DataSummary("digits", "here", "d" * 64, {"train": 800, "eval": DIGITS, "leaked": leaked}, []))
        run.log_metrics({"plan/examples": 1, "cost/examples_per_second": 0.1})
        run.log_evaluation(evaluation, metrics)
        return run.run_id


def macro_f1(labels: np.ndarray, guessed: np.ndarray) -> float:
    """Return the mean over classes of the F1 score."""
    scores = []
    for label in range(10):
        hits = np.sum((labels == label) & (guessed == label))
        scores.append(2 * hits / max(np.sum(labels == label) + np.sum(guessed == label), 1))
    return float(np.mean(scores))


def record_digits(home: Path, **changes: object) -> None:
    """Record the study's file."""
    study = StudyFile.model_validate({**STUDY, **changes})
    record_study(study.name, study.model_dump(mode="json"), study.expansion().aliases, home)
