"""`python -m ablate.plan`: what a study or a sweep would run, what is done, and what it costs. No TensorFlow."""

from __future__ import annotations

import gc
import json
import math
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import pandas as pd
from tabulate import tabulate
from tqdm import tqdm

from ablate.cli.arguments import parse_arguments, parse_bool
from ablate.cli.command_line import parse_command_line
from ablate.cli.errors import handle_errors
from ablate.config.short_names import shorten
from ablate.estimate.runtime import HISTORY_COLUMNS, RuntimeEstimate, devices_of_host, prediction_error
from ablate.execution.code_version import joined
from ablate.execution.identity import code
from ablate.execution.lease import checkpoint_file
from ablate.study.plan_table import plan_table
from ablate.study.planning import PlannedRun, read_statuses
from ablate.study.sweep import plan_sweep
from ablate.tracking.store import exists
from ablate.training.checkpoint import steps_done

HELP = """What a study would run, what is done, and what it costs.

  python -m ablate.plan experiment=NAME                      a study from experiments/NAME.yaml
  python -m ablate.plan optimizer=adam,adadelta seed=0,1     a sweep, with the overrides that run would get
  python -m ablate.plan experiment=NAME calibrate=true       times a few real steps of each variant first
  python -m ablate.plan experiment=NAME code=true            lists the modules and libraries that results depend on
  python -m ablate.plan experiment=NAME --json               for programs
  python -m ablate.plan --config-dir DIR optimizer=mine      with the options of run that say which configuration

Every run is one line: where it stands (to do, running, interrupted, done, cached, failed and why), parameters, GFLOPs
of one example's forward pass, and how long it takes, judged by earlier runs on the same kind of device."""


def main() -> None:
    """Run the command."""
    arguments = sys.argv[1:]
    # The process is about to end: looking for garbage among a million small nodes takes an eighth of its time.
    gc.disable()
    with handle_errors():
        if "--help" in arguments or "-h" in arguments:
            print(HELP)
            return
        plan = _plan([argument for argument in arguments if argument != "--json"])
        print(json.dumps(plan, indent=2) if "--json" in arguments else _shown(plan))


def _plan(arguments: Sequence[str]) -> dict[str, Any]:
    own = [argument for argument in arguments if argument.startswith(("calibrate=", "code="))]
    chosen = parse_arguments(own, ("calibrate", "code"))
    calibrate, listed = (parse_bool(chosen, name, "false") for name in ("calibrate", "code"))
    given = parse_command_line([argument for argument in arguments if argument not in own], ["--json", "--help"])
    study, planned = plan_sweep(given.loader, given.compose_sweep())
    found = read_statuses(planned)
    before = _history(planned[0].uri)
    devices = devices_of_host(before, socket.gethostname())
    calibrated = _calibrated(planned) if calibrate else {}
    table = plan_table(
        planned,
        found,
        before,
        devices=devices,
        steps_done=[steps_done(checkpoint_file(run.folder)) for run in planned],
        calibrated=calibrated,
    )
    # The newest study with predictions says how good they are.
    newest = before.dropna(subset=["predicted"])
    return {
        "study": planned[0].study,
        "question": study.question if study else None,
        "budget_hours": study.budget_hours if study else None,
        "devices": devices,
        "runs": [{key: _plain(value) for key, value in row.items()} for row in table.to_dict("records")],
        "total": _total(table),
        "code": _code(planned) if listed else None,
        "last_prediction": {
            "study": newest["study"].iloc[0],
            **prediction_error(before[before["study"] == newest["study"].iloc[0]]),
        }
        if not newest.empty
        else None,
    }


def _history(uri: str) -> pd.DataFrame:
    if not exists(uri):
        return pd.DataFrame(columns=list(HISTORY_COLUMNS))
    from ablate.tracking.run_records import history

    return history(HISTORY_COLUMNS)


def _calibrated(planned: Sequence[PlannedRun]) -> Mapping[str, RuntimeEstimate]:
    from ablate.estimate.calibration import calibrate

    first = {run.configuration: run for run in reversed(planned)}
    return {
        configuration: calibrate(run.config.values, run.data.examples_per_epoch)
        for configuration, run in tqdm(first.items(), desc="Calibrating", unit="variant", disable=None, leave=False)
    }


def _code(planned: Sequence[PlannedRun]) -> dict[str, Any]:
    """Return what the results of all variants depend on."""
    return asdict(joined(*(code(run.config) for run in {run.configuration: run for run in planned}.values())))


def _total(table: pd.DataFrame) -> dict[str, Any]:
    known = table["seconds"].notna()
    return {
        "runs": len(table),
        "states": {str(state): int(count) for state, count in table["state"].value_counts().items()},
        "seconds": _plain(table["seconds"].sum()) if known.all() else None,
        "seconds_left": _plain(table["seconds_left"].sum()) if table["seconds_left"].notna().all() else None,
    }


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return None if math.isnan(value) else round(float(value), 6)
    return value.item() if hasattr(value, "item") else value


def _shown(plan: Mapping[str, Any]) -> str:
    rows = [
        {
            "variant": shorten(run["variant"]),
            "seed": run["seed"],
            "state": _state(run),
            "parameters": f"{run['parameters']:,.0f}",
            "GFLOPs/image": f"{run['gflops_per_image']:.4g}",
            "time": "?" if run["seconds"] is None else tqdm.format_interval(run["seconds"]),
        }
        for run in plan["runs"]
    ]
    total, last = plan["total"], plan["last_prediction"]
    lines = [f"Study {plan['study']}" + (f": {plan['question']}" if plan["question"] else "")]
    lines += [tabulate(rows, headers="keys", colalign=("left", "right", "left", "right", "right", "right")), ""]
    lines.append(f"{total['runs']} runs: " + ", ".join(f"{count} {state}" for state, count in total["states"].items()))
    if total["seconds_left"] is None:
        lines.append(
            "Time: not known before a run has finished here; calibrate=true times a few steps of each variant"
        )
    else:
        bases = ", ".join(sorted({run["basis"] for run in plan["runs"] if run["basis"]}))
        where = plan["devices"] or "other devices: none has run here"
        left, seconds = total["seconds_left"], total["seconds"]
        whole = f" of {tqdm.format_interval(seconds)}" if seconds is not None else ""
        lines.append(f"Time left: {tqdm.format_interval(left)}{whole}, one run after the other ({bases}; {where})")
        budget = plan["budget_hours"]
        if budget is not None and seconds is not None:
            lines.append(f"Budget: {budget:g} h, {'enough' if seconds <= 3600 * budget else 'NOT ENOUGH'}")
    if last:
        lines.append(
            f"The last predictions, of {last['runs']:.0f} runs of study {last['study']}: off by "
            f"{100 * last['median_error']:.0f} % in the median, {100 * last['total_error']:+.0f} % in sum"
        )
    if plan["code"]:
        lines += ["", "Results depend on:"]
        lines += [f"  {digest}  {name}" for name, digest in sorted(plan["code"]["modules"].items())]
        lines += [f"  {version:16}  {name}" for name, version in sorted(plan["code"]["libraries"].items())]
    return "\n".join(lines)


def _state(run: Mapping[str, Any]) -> str:
    state, why = run["state"], run["why"]
    if state == "interrupted":
        state = f"interrupted at epoch {run['epoch']} of {run['epochs']}"
    elif state == "running":
        state = f"running, epoch {min(run['epoch'] + 1, run['epochs'])} of {run['epochs']}"
    shown = f"{state}: {why}" if why else state
    return shown if len(shown) <= 100 else f"{shown[:97]}..."


if __name__ == "__main__":
    main()
