"""The model card of a run: all that its reader asks, from the run alone."""

import os
from pathlib import Path

import mlflow
import pytest

from ablate.task import DataSummary, Evaluation, Metric, ServedModel
from ablate.tracking.overview import describe_run
from ablate.tracking.run import track
from ablate.tracking.store import open_store
from ablate.tracking.study import record_question
from tests.support.tracked_runs import TABLE

METRICS = (Metric("auc", "AuC | raw", "%", True, "Higher."), Metric("rmse", "RMSE", "", False))
SERVED = ServedModel("lab.serve", {}, {"picture": "binary"}, {"picture": "binary"}, {"temperature": 0.5}, ["aGk="])
CONFIG = {
    "seed": 3,
    "optimizer": {"name": "adam", "learning_rate": 0.001, "weight_decay": None},
    "schedule": {"name": "linear"},
    "training": {"epochs": 4, "batch_size": 32},
    "tracking": {"uri": "http://secret"},
    "task": {"_target_": "lab.digits.Digits"},
    "validation_fraction": None,
}


def card_of(home: Path, variant: str, seed: int, *, model: bool = False, served: ServedModel | None = None) -> str:
    open_store(os.environ["MLFLOW_TRACKING_URI"])
    tags = {"variant": variant, "seed": str(seed), "identity": "i", "setting": "s", "example": "digit"}
    tags |= {"command": "python -m ablate.run depth=shallow training.epochs=4", "devices": "CPU"}
    factors = {"depth": "full" if variant == "baseline" else "shallow"}
    named = {f"ablate.{name}": value for name, value in tags.items()}
    record_question("own", "Does *depth* matter?", home)
    with track(study="own", name="run", tags=named, project=home, factors=factors) as run:
        run.log_config(CONFIG)
        run.log_data(DataSummary("digits", "/home/me/digits", "f" * 64, {"train": 5000, "eval": 40, "leaked": 2}, []))
        run.log_evaluation(
            Evaluation({"auc": 71.25, "rmse": 3.0}, {"no colour": {"auc": 50.0}, "mean": {"rmse": 2.0}}, TABLE),
            METRICS,
        )
        run.log_metrics({"cost/parameters": 1234.0, "cost/wall_seconds": 12.5})
        if model:
            import keras

            run.log_model(keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]))
        run.flush()
        describe_run(run.run_id, METRICS, served, ["Not for tax returns."])
    return mlflow.artifacts.load_text(f"runs:/{run.run_id}/model_card.md")


@pytest.mark.slow
def test_a_card_says_what_its_reader_asks(home: Path) -> None:
    card_of(home, "baseline", 3)
    card = card_of(home, "depth=shallow", 3)
    for said in [
        "# own: depth=shallow\n\nA network that `Digits` trained, one run of the study own, which asks: Does "
        "\\*depth\\* matter?",
        "Differs from the baseline in **depth=shallow** (baseline: full); seed 3.",
        "| digits | training | train 5,000, leaked 2 |\n| digits evaluation | evaluation | eval 40 |",
        f"Fingerprint `{'f' * 64}`",
        "| `optimizer.learning_rate` | 0.001 |",
        "| `schedule.name` | linear |",
        "| `training.epochs` | 4 |",
        "    python -m ablate.run depth=shallow training.epochs=4",
        "|  | this model | mean | no colour |",
        "| AuC \\| raw, % ↑ | 71.25 |  | 50 |\n| RMSE ↓ | 3 | 2 |  |\n\n- AuC \\| raw: Higher.",
        "| parameters | 1,234 |",
        "The model was not kept: `tracking.model=true` keeps it.",
        "- Evaluated on 40 examples (digit)",
        "- Of these, 2 train as well",
        "- RMSE: the trivial baseline mean is better.\n- Not for tax returns.",
        "| devices | CPU |",
    ]:
        assert said in card, card
    for hidden in ("secret", "/home/me", "weight_decay", "validation_fraction", "None"):
        assert hidden not in card
    assert len(card.splitlines()) < 90


@pytest.mark.slow
def test_a_card_says_how_a_model_is_loaded_and_served(home: Path) -> None:
    card = card_of(home, "baseline", 0, model=True)
    assert "mlflow.tensorflow.load_model(" in card
    assert "pyfunc" not in card
    card = card_of(home, "depth=shallow", 1, model=True, served=SERVED)
    run_id = mlflow.search_runs(experiment_names=["own"], max_results=1)["run_id"][0]
    for said in [
        "It takes `picture` (binary); parameters: `temperature` (0.5 where a request does not say).",
        f'    model = mlflow.pyfunc.load_model("runs:/{run_id}/model")\n'
        "    model.predict(model.input_example, params={'temperature': 0.5})",
        f"    mlflow models serve --env-manager local -m runs:/{run_id}/model -p 5001",
        f'    network = mlflow.tensorflow.load_model("runs:/{run_id}/model")',
    ]:
        assert said in card, card
