"""The table of `python -m ablate.plan`: status, cost and runtime estimate of each run. Imports no TensorFlow."""

from collections.abc import Mapping, Sequence

import pandas as pd

from ablate.estimate.runtime import RuntimeEstimate, estimate_runtime, measured_runs
from ablate.execution.status import RunState, Status
from ablate.study.planning import PlannedRun
from ablate.task import planned_cost


def plan_table(
    planned: Sequence[PlannedRun],
    found: Sequence[RunState],
    history: pd.DataFrame,
    *,
    devices: str | None,
    steps_done: Sequence[int],
    calibrated: Mapping[str, RuntimeEstimate] | None = None,
    threads: int | None = None,
) -> pd.DataFrame:
    """Return a table of all runs with status, cost and runtime estimate.

    Args:
        planned: The runs.
        found: The status of each.
        history: Earlier runs, see `tracking.run_records.history`.
        devices: Devices that runs will use; None: any.
        steps_done: Steps in the checkpoint of each.
        calibrated: By configuration, the estimate from a few steps on this machine.
        threads: Threads that runs will have, where that is known.

    Returns:
        One row a run: `variant` (its label), `seed`, `status`, `reason`, `epoch` (the last complete one) of `epochs`,
        `parameters` and `gflops_per_example` (NaN where counting needs TensorFlow), `seconds` (of the whole run; NaN
        where unknown), `seconds_left`, `basis` (of the estimate), `run_id`, `identity`.
    """
    rows = []
    measured = measured_runs(history, devices, threads)
    estimates: dict[str, RuntimeEstimate | None] = {}
    costs: dict[str, Mapping[str, float]] = {}
    for run, one, done in zip(planned, found, steps_done, strict=True):
        training = run.config.run.training
        examples = training.total_examples(run.data.examples_per_epoch)
        if run.configuration not in costs:
            cost = costs[run.configuration] = planned_cost(run.config.task)
            estimates[run.configuration] = (calibrated or {}).get(run.configuration) or estimate_runtime(
                measured,
                configuration=run.configuration,
                flops=cost.get("flops_per_example"),
                examples=examples,
            )
        cost, estimate = costs[run.configuration], estimates[run.configuration]
        seconds = estimate.seconds if estimate else float("nan")
        progress = one.owner.progress if one.owner else {}
        step = int(progress.get("step", done))
        per_epoch = training.steps_in_epoch(run.data.examples_per_epoch)
        share = min(step / (per_epoch * training.epochs), 1.0)
        # A failed run that is not tried again takes no time.
        left = 0.0 if one.finished or one.status == Status.FAILED else seconds * (1 - share)
        rows.append(
            {
                "variant": run.label or "defaults",
                "seed": run.seed,
                "status": str(one.status),
                "reason": one.reason,
                "epoch": step // per_epoch,
                "epochs": training.epochs,
                "parameters": cost.get("parameters", float("nan")),
                "gflops_per_example": cost.get("flops_per_example", float("nan")) / 1e9,
                "seconds": seconds,
                "seconds_left": left,
                "basis": estimate.basis if estimate else "",
                "run_id": one.run_id or "",
                "identity": run.identity,
            }
        )
    return pd.DataFrame(rows)
