"""The last 200 steps of a short training: how much each metric still moves, by schedule and averaged weights.

A run of `scale=thumbnail` is evaluated every 20 steps from 200 before its end. Averaged weights are evaluated as they
end: in place of the trained ones, with batch norm's statistics estimated for them. The scores are in
results/last_steps.jsonl; the table goes between two markers of docs/learning-rates.md.

    python benchmarks/last_steps.py --data SET [--seeds N] [--epochs N]     trains, adds to the scores
    python benchmarks/last_steps.py                                         writes the table from the scores
"""

import argparse
import json
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from hydra import compose, initialize_config_dir

from ablate.colorization.metrics import METRICS
from ablate.config.paths import conf_dir
from ablate.config.validation import validate_config
from side_by_side import RESULTS, ROOT, number, renewed

PAGE = ROOT / "docs" / "learning-rates.md"
SCORES = RESULTS / "last_steps.jsonl"
BEGIN, END = "<!-- last steps: written by benchmarks/last_steps.py -->", "<!-- end of last steps -->"
LAST, EVERY = 200, 20
AVERAGED = ("+optimizer.use_ema=true", "+optimizer.ema_momentum=0.99")
RECIPES: dict[str, tuple[str, ...]] = {
    "constant": ("schedule=constant",),
    "constant, averaged": ("schedule=constant", *AVERAGED),
    "linear": ("schedule=linear",),
    "linear, averaged": ("schedule=linear", *AVERAGED),
}


def main() -> None:
    """Train, or write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="a prepared data set; without it the table is written")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--recipe", choices=RECIPES, action="append")
    arguments = parser.parse_args()
    if arguments.data is None:
        PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8"), table(read()), BEGIN, END), encoding="utf-8")
        return
    for seed in range(100, 100 + arguments.seeds):
        for recipe in arguments.recipe or RECIPES:
            train_one(recipe, seed, arguments.data, arguments.epochs)


def train_one(recipe: str, seed: int, data: Path, epochs: int) -> None:
    """Train one run, and add its scores to the file."""
    overrides = [
        *("scale=thumbnail", "data=prepared", f"data.root='{data.resolve()}'", f"seed={seed}"),
        *(f"training.epochs={epochs}", "validation_fraction=0.04", "hardware.threads=1", *RECIPES[recipe]),
    ]
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        config = validate_config(compose("config", overrides))
    run, task = config.run, config.task
    from ablate.training.hardware import configure

    hardware = configure(run.hardware, seed=seed, deterministic=True)
    task.load_data()
    import keras

    from ablate.training.averaging import estimate_statistics
    from ablate.training.fit import train

    total = run.training.total_steps(task.examples_per_epoch())
    batches = partial(task.training_batches, seed=seed, batch_size=run.training.batch_size)
    copy = task.build_model(seed)

    class Evaluate(keras.callbacks.Callback):
        """Evaluates in the last steps."""

        step = 0

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.step += 1
            if self.step < total - LAST or (total - self.step) % EVERY:
                return
            model = self.model
            if run.optimizer.use_ema:
                copy.set_weights(model.get_weights())
                averages = model.optimizer._model_variables_moving_average
                for weight, average in zip(copy.trainable_variables, averages, strict=True):
                    weight.assign(average)
                estimate_statistics(copy, batches(first_step=max(0, self.step - 100), steps=100))
                model = copy
            found = task.evaluate(model).metrics
            with SCORES.open("a", encoding="utf-8") as file:
                at = {"recipe": recipe, "seed": seed, "epochs": epochs, "before_end": total - self.step}
                print(json.dumps({**at, **found}), file=file)

    task.callbacks = lambda: [Evaluate()]
    train(
        task,
        optimizer=run.optimizer,
        schedule=run.schedule,
        training=run.training,
        seed=seed,
        log_metrics=lambda metrics, step: None,
        hardware=hardware,
    )


def read() -> pd.DataFrame:
    """Return the scores: one row an evaluation."""
    return pd.DataFrame([json.loads(line) for line in SCORES.read_text(encoding="utf-8").splitlines()])


def table(scores: pd.DataFrame) -> str:
    """Return, for each metric, the mean at the end and two standard deviations, as Markdown."""
    end = scores[scores["before_end"] == 0]
    lines = [f"| metric | {' | '.join(RECIPES)} |", "| --- |" + " --- |" * len(RECIPES)]
    for metric in METRICS:
        cells = []
        for recipe in RECIPES:
            own, last = (frame.loc[frame["recipe"] == recipe] for frame in (scores, end))
            moves = own.groupby("seed")[metric.name].std().mean()
            cells.append(f"{number(last[metric.name].mean())} ({number(moves)})" if len(own) else "")
        lines.append(f"| {metric.label} {metric.unit} | {' | '.join(cells)} |".replace("  ", " "))
    return "\n".join(lines)


if __name__ == "__main__":
    main()
