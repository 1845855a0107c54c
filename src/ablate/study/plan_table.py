"""What a sweep will cost and take, run by run: the table of `python -m ablate.plan`. Imports no TensorFlow."""

from collections.abc import Mapping, Sequence

import pandas as pd

from ablate.estimate.runtime import RuntimeEstimate, estimate_runtime, measured_runs
from ablate.execution.status import RunState, Status
from ablate.study.planning import PlannedRun


def plan_table(
    planned: Sequence[PlannedRun],
    found: Sequence[RunState],
    history: pd.DataFrame,
    *,
    devices: str | None,
    steps_done: Sequence[int],
    calibrated: Mapping[str, RuntimeEstimate] | None = None,
) -> pd.DataFrame:
    """Tell of every run where it stands and what it takes.

    Args:
        planned: The runs.
        found: Where each stands.
        history: Earlier runs, see `tracking.study_record.history`.
        devices: What runs will compute with; None: any.
        steps_done: Steps of each that are done and kept.
        calibrated: By configuration, what a few steps on this machine said.

    Returns:
        One row a run: `variant`, `seed`, `state`, `why`, `epoch` (the last that is whole) of `epochs`, `parameters`,
        `gflops_per_image`, `seconds` (all of the run; NaN where there is nothing to tell by), `seconds_left`, `basis`,
        `run_id`, `identity`.
    """
    rows = []
    known = measured_runs(history, devices)
    predictions: dict[str, RuntimeEstimate | None] = {}
    costs: dict[str, Mapping[str, float]] = {}
    for run, one, done in zip(planned, found, steps_done, strict=True):
        training = run.config.run.training
        examples = training.total_examples(run.data.examples_per_epoch)
        if run.configuration not in costs:
            cost = costs[run.configuration] = run.config.task.cost()
            predictions[run.configuration] = (calibrated or {}).get(run.configuration) or estimate_runtime(
                known,
                configuration=run.configuration,
                flops=cost["flops_per_image"],
                examples=examples,
            )
        cost, predicted = costs[run.configuration], predictions[run.configuration]
        seconds = predicted.seconds if predicted else float("nan")
        progress = one.owner.progress if one.owner else {}
        step = int(progress.get("step", done))
        per_epoch = training.steps_in_epoch(run.data.examples_per_epoch)
        share = min(step / (per_epoch * training.epochs), 1.0)
        # A failed run that is not tried again takes no time.
        left = 0.0 if one.finished or one.status == Status.FAILED else seconds * (1 - share)
        variant, _, _ = run.name.rpartition("seed=")
        rows.append(
            {
                "variant": variant.strip() or "defaults",
                "seed": run.seed,
                "state": str(one.status),
                "why": one.reason,
                "epoch": step // per_epoch,
                "epochs": training.epochs,
                "parameters": cost["parameters"],
                "gflops_per_image": cost["flops_per_image"] / 1e9,
                "seconds": seconds,
                "seconds_left": left,
                "basis": predicted.basis if predicted else "",
                "run_id": one.run_id or "",
                "identity": run.identity,
            }
        )
    return pd.DataFrame(rows)
