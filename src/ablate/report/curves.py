"""Learning curves, read from the store: those of the loss, or where none are tracked those of another quantity."""

from collections.abc import Callable, Sequence

import pandas as pd

from ablate.tracking.names import LEARNING_RATE, TRAINING_GROUP, VALIDATION_GROUP, group_of, metric_name

LOSS = "loss"
COLUMNS = ["variant", "seed", "part", "step", "value", "quantity"]

Read = Callable[[str], dict[str, pd.DataFrame]]
"""Returns the history of a metric, columns step and value, of each run that is drawn, by its id."""


def drawn_quantity(metrics: Sequence[str]) -> str | None:
    """Return what a report draws curves of: the loss, else the first by name; None where nothing is tracked.

    Args:
        metrics: The metrics that the runs have, as in `train/loss`.
    """
    known = {
        name.partition("/")[2]
        for name in metrics
        if group_of(name) in (TRAINING_GROUP, VALIDATION_GROUP) and name != LEARNING_RATE
    }
    return LOSS if LOSS in known else min(known, default=None)


def read_curves(runs: pd.DataFrame, metrics: Sequence[str], examples: str, read: Read) -> pd.DataFrame:
    """Read the curves that a report draws.

    Args:
        runs: Index `run_id`, columns variant and seed.
        metrics: See `drawn_quantity`.
        examples: What several examples are called.
        read: See `Read`.

    Returns:
        Columns variant, seed, part (training, or evaluation), step, value and quantity.
    """
    quantity = drawn_quantity(metrics)
    frames = list[pd.DataFrame]()
    for group, part in ((TRAINING_GROUP, "training"), (VALIDATION_GROUP, f"evaluation {examples}")):
        metric = metric_name(group, str(quantity))
        histories = read(metric) if metric in metrics else {}
        frames += [
            histories[str(run)].assign(variant=row["variant"], seed=row["seed"], part=part, quantity=quantity)
            for run, row in runs.iterrows()
            if str(run) in histories
        ]
    # Points alone, as where values were tracked once, at the end, are no curves.
    if not any(len(frame) > 1 for frame in frames):
        return pd.DataFrame(columns=COLUMNS)
    return pd.concat([frame[COLUMNS] for frame in frames if len(frame)], ignore_index=True)
