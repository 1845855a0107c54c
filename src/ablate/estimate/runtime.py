"""Runtime estimates from earlier runs on the same kind of device, and their error. Pure functions on frames."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from ablate.tracking.names import PHASE_SECONDS

BASES = ("the same runs before", "runs of about the same cost", "calibration")
_NEAREST = 5
HISTORY_COLUMNS = (
    *("study", "started", "host", "devices", "threads", "configuration", "scale"),
    *("flops", "examples", "examples_per_second", "seconds", "predicted", "energy", "energy_kwh"),
    *PHASE_SECONDS.values(),
)
"""Columns of the history of earlier runs, see `tracking.run_records.history`."""


@dataclass(frozen=True)
class RuntimeEstimate:
    """The estimated runtime of a run.

    Attributes:
        seconds: Of data, compilation, training and evaluation together.
        basis: One of `BASES`: where the estimate comes from.
    """

    seconds: float
    basis: str


def devices_of_host(history: pd.DataFrame, host: str) -> str | None:
    """Return the devices of a machine: those of its newest run; None where it has no run."""
    here = history[history["host"] == host].dropna(subset=["devices"])
    return None if here.empty else str(here.sort_values("started")["devices"].iloc[-1])


def measured_runs(history: pd.DataFrame, devices: str | None, threads: int | None = None) -> pd.DataFrame:
    """Return the runs of a history with all measurements, on some devices; None: on any.

    Where some of them had so many threads, only those are returned: with others they take another time.
    """
    measured = ["examples", "examples_per_second", "seconds"]
    runs = history.dropna(subset=measured)
    runs = runs[(runs[measured] > 0).all(axis=1)]
    runs = runs if devices is None else runs[runs["devices"] == devices]
    same = runs[runs["threads"] == str(threads)] if threads is not None else runs
    return runs if same.empty else same


def estimate_runtime(
    history: pd.DataFrame, *, configuration: str, flops: float | None, examples: int
) -> RuntimeEstimate | None:
    """Estimate the runtime of a run.

    The time of a run is examples / throughput + the rest (data, compilation, evaluation). Throughput and rest are the
    medians of earlier runs with the same configuration; else the throughput follows from the FLOPs per second that the
    up to five runs nearest in cost achieved, which grow slowly with the cost. Where its FLOPs are not known, only runs
    with the same configuration tell.

    Args:
        history: Finished runs on its devices, one a row, see `measured_runs`: `configuration`, `flops` (of one
            example's forward pass), `examples` (that it trained on), `examples_per_second`, `seconds`.
        configuration: Its identity apart from the seed.
        flops: FLOPs of one example's forward pass, None where they are not known.
        examples: How many it trains on.

    Returns:
        The estimate, or None where no run has finished.
    """
    same = history["configuration"] == configuration
    costed = history["flops"] > 0
    if not same.any() and (flops is None or not costed.any()):
        return None
    rest = (history["seconds"] - history["examples"] / history["examples_per_second"]).clip(lower=0)
    if same.any():
        throughput, basis = float(history.loc[same, "examples_per_second"].median()), BASES[0]
        near = history.index[same]
    else:
        assert flops is not None
        distance = (history.loc[costed, "flops"].astype(float) / flops).map(lambda ratio: abs(math.log(ratio)))
        near = distance.sort_values(kind="stable").index[:_NEAREST]
        achieved = history.loc[near, "flops"] * history.loc[near, "examples_per_second"]
        throughput, basis = float(achieved.median()) / flops, BASES[1]
    return RuntimeEstimate(examples / throughput + float(rest.loc[near].median()), basis)


def prediction_error(history: pd.DataFrame) -> Mapping[str, float]:
    """Return the error of earlier estimates.

    Args:
        history: Finished runs: `predicted` and `seconds`; NaN where there was no estimate.

    Returns:
        `runs`, their number; `median_error`, the median of |predicted - real| / real; and `total_error`,
        (predicted - real) / real of their sums. Empty where there was no estimate.
    """
    known = history.dropna(subset=["predicted", "seconds"])
    if known.empty:
        return {}
    error = (known["predicted"] - known["seconds"]) / known["seconds"]
    total = float(known["predicted"].sum() / known["seconds"].sum() - 1)
    return {"runs": float(len(known)), "median_error": float(error.abs().median()), "total_error": total}
