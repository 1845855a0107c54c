"""The search of a study's `tune`: its runs, and what their results choose, without training."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pandas as pd
import pytest

from ablate.cli.command_line import CommandLine
from ablate.errors import AblateError, Diverged
from ablate.study.planning import PlannedRun
from ablate.study.search import Search, chosen, plan_chosen, plan_search
from ablate.study.sweep import plan_sweep
from ablate.task import Evaluation, Metric
from ablate.tracking.run import track
from ablate.tracking.store import open_store

RATE = "optimizer.learning_rate"
STUDY = """\
question: Does it matter?
baseline: {optimizer: adam}
factors: {optimizer: [adam, sgd]}
design: one_at_a_time
seeds: [4, 5]
metric: {name: auc_raw, direction: maximize}
tune:
  grid:
    optimizer.learning_rate: {optimizer=adam: [1e-3, 1e-2], optimizer=sgd: [0.1, 1.0]}
  seeds: [7, 8]
  fraction: 0.2
"""
Planned = tuple[CommandLine, Search, list[PlannedRun]]


@pytest.fixture
def planned(home: Path) -> Planned:
    """The study's search and its own runs."""
    (home / "experiments").mkdir()
    (home / "experiments" / "mine.yaml").write_text(STUDY)
    given = CommandLine(["-m", "scale=smoke", "depth=shallow", "experiment=mine", "study.name=ours"])
    study, runs = plan_sweep(given.loader, given.compose_sweep())
    assert study is not None
    search = plan_search(given.loader, given.compose_sweep(), study, runs)
    assert search is not None
    open_store(runs[0].uri)
    return given, search, runs


def add_results(
    home: Path, search: Search, values: Mapping[tuple[str, float], tuple[float | None, float | None]]
) -> None:
    """Track a result for each run: by optimiser and rate the metric with both seeds; None where it diverged."""
    for run in search.runs:
        config = run.config.values
        value = values[config["optimizer"]["name"], config["optimizer"]["learning_rate"]][run.seed - 7]
        tags = {"variant": run.label, "seed": str(run.seed), "identity": run.identity, "data.fingerprint": "f"}
        named = {f"ablate.{name}": text for name, text in tags.items()}
        with suppress(Diverged), track(study=run.study, name="run", tags=named, project=home) as tracked:
            if value is None:
                raise Diverged("the loss is NaN")
            tracked.log_metrics({"data/eval": 12})
            table = pd.DataFrame({"example": ["a"], "digest": ["a"], "auc_raw": [value]})
            tracked.log_evaluation(Evaluation({"auc_raw": value}, {}, table), [Metric("auc_raw", "AuC", "%", True)])


@pytest.mark.slow
def test_its_runs_are_apart_from_the_study_s(planned: Planned) -> None:
    _, search, own = planned
    assert search.question == f"Which {RATE} does each variant of ours run with?"
    assert {run.study for run in search.runs} == {"ours.tune"}
    assert [(run.seed, run.label) for run in search.runs] == [
        (seed, name)
        for seed in (7, 8)
        for name in (
            f"{RATE}=0.001",
            f"{RATE}=0.01",
            f"{RATE}=0.1,optimizer=sgd",
            f"{RATE}=1.0,optimizer=sgd",
        )
    ]
    assert {run.config.run.validation_fraction for run in search.runs} == {0.2}
    assert {run.config.run.validation_fraction for run in own} == {None}
    assert {run.identity for run in search.runs}.isdisjoint(run.identity for run in own)
    assert {run.data.fingerprint for run in search.runs}.isdisjoint(run.data.fingerprint for run in own)
    assert chosen(search) is None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("adam", "sgd", "rates"),
    [
        (((1.0, 2.0), (3.0, 1.0)), ((5.0, 5.0), (4.0, 4.0)), (0.01, 0.1)),
        (((2.0, 2.0), (3.0, 1.0)), ((None, 9.0), (1.0, 1.0)), (0.001, 1.0)),
    ],
)
def test_the_best_mean_over_seeds_is_chosen_for_each_variant(
    home: Path, planned: Planned, adam: tuple, sgd: tuple, rates: tuple[float, float]
) -> None:
    given, search, own = planned
    results = {("adam", 1e-3): adam[0], ("adam", 1e-2): adam[1], ("sgd", 0.1): sgd[0], ("sgd", 1.0): sgd[1]}
    add_results(home, search, results)
    tuned = chosen(search)
    assert tuned is not None
    assert tuned.examples == 12
    assert [choice.values[RATE] for choice in tuned.choices] == list(rates)
    runs = plan_chosen(given.loader, given.compose_sweep(), search, tuned.choices, own)
    assert [run.config.values["optimizer"]["learning_rate"] for run in runs] == [*rates, *rates]
    assert [(run.name, run.study) for run in runs] == [(run.name, run.study) for run in own]
    assert {run.data.fingerprint for run in runs} == {run.data.fingerprint for run in own}


@pytest.mark.slow
def test_where_all_values_diverged_there_is_none_to_choose(home: Path, planned: Planned) -> None:
    results = {("adam", 1e-3): (1.0, 1.0), ("adam", 1e-2): (1.0, 1.0)}
    add_results(home, planned[1], {**results, ("sgd", 0.1): (None, 1.0), ("sgd", 1.0): (None, None)})
    with pytest.raises(AblateError, match="ours: of optimizer=sgd all values diverged: `tune` needs others"):
        chosen(planned[1])
