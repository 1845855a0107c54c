"""`python -m ablate.plan`: status, cost and runtime estimate of a sweep's runs. Imports no TensorFlow."""

from __future__ import annotations

import gc
import json
import math
import socket
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext, redirect_stdout, suppress
from dataclasses import asdict
from functools import partial
from typing import Any

import pandas as pd
from tqdm import tqdm

from ablate.cli.arguments import parse_bool, parse_float, split_arguments
from ablate.cli.command_line import parse_command_line
from ablate.cli.errors import handle_errors
from ablate.cli.terminal import visible
from ablate.errors import AblateError, ConfigError, EmptyStore
from ablate.estimate.energy import estimate_power
from ablate.estimate.packing import makespan
from ablate.estimate.runtime import HISTORY_COLUMNS, RuntimeEstimate, devices_of_host, measured_runs, prediction_error
from ablate.execution.code_version import combine
from ablate.execution.identity import code
from ablate.execution.lease import checkpoint_file
from ablate.study.definition import StudyFile
from ablate.study.launchers import Launch, launch_of
from ablate.study.plan_table import plan_table
from ablate.study.plan_text import choice_lines, format_plan
from ablate.study.planning import PlannedRun, read_statuses
from ablate.study.power_text import format_power
from ablate.study.search import AFTER_SEARCH, Search, chosen, plan_chosen, plan_search
from ablate.study.side_by_side import pack, side_by_side
from ablate.study.sweep import plan_sweep
from ablate.study.tuning import Tuned
from ablate.tracking.phase_shares import phase_shares
from ablate.tracking.store import exists, is_open, open_store
from ablate.training.checkpoint import steps_done

_MOST_VARIANTS = 50
"""Of a study of which a plan says whether more seeds for the baseline pay: it takes a while."""
HELP = """What a study would run, what is done, and what it costs.

  python -m ablate.plan experiment=NAME                      a study from experiments/NAME.yaml
  python -m ablate.plan optimizer=adam,adadelta seed=0,1     a sweep, with the overrides that run would get
  python -m ablate.plan experiment=NAME calibrate=true       times a few real steps of each variant first
  python -m ablate.plan experiment=NAME power=true           what it would find with 3 to 12 seeds, and the hours
  python -m ablate.plan experiment=NAME power=true difference=0.5   the cheapest plan that finds this difference
  python -m ablate.plan experiment=NAME code=true            lists the modules and libraries that results depend on
  python -m ablate.plan experiment=NAME --json               for programs
  python -m ablate.plan --config-dir DIR optimizer=mine      with the options of run that say which configuration

Every run is one line: its status (to do, running, interrupted, done, cached, failed) with the reason, parameters,
GFLOPs of one example's forward pass, and its runtime, estimated from earlier runs on the same kind of device.

power=true simulates the study with more seeds, from how much its finished runs vary over seeds and examples: a pilot
of two or three seeds, or what other studies have trained of the same configurations. Of each variant it gives the true
difference that is found with a probability of 80 %."""


def main() -> None:
    """Run the command."""
    arguments = sys.argv[1:]
    # The process ends soon: collecting garbage among a million small nodes takes an eighth of its time.
    gc.disable()
    with handle_errors("docs/reference/configuration.md"):
        if "--help" in arguments or "-h" in arguments:
            print(HELP)
            return
        for_programs = "--json" in arguments
        # What the module of a task prints is none of the JSON.
        with redirect_stdout(sys.stderr) if for_programs else nullcontext():
            plan = _plan([argument for argument in arguments if argument != "--json"])
        text = format_power if "plans" in plan else format_plan
        print(json.dumps(plan, indent=2) if for_programs else visible(text(plan)))


def _plan(arguments: Sequence[str]) -> dict[str, Any]:
    options, others = split_arguments(arguments, ("calibrate", "code", "power", "difference"))
    calibrate, listed, power = (parse_bool(options, name, False) for name in ("calibrate", "code", "power"))
    if "difference" in options and not (power and parse_float(options, "difference", 0.0) > 0):
        raise ConfigError(f"difference= needs power=true and a number above 0. Received: {options['difference']}")
    command = parse_command_line(others, ["--json", "--help"])
    config = command.compose_sweep()
    study, planned = plan_sweep(command.loader, config)
    _open_to_read(planned[0].uri)
    search = plan_search(command.loader, config, study, planned) if study is not None else None
    tuned = chosen(search) if search is not None else None
    if search is not None and tuned is not None:
        planned = plan_chosen(command.loader, config, search, tuned.choices, planned)
    planned, looks = _asked(study, planned)
    history = _history(planned[0].uri)
    devices = devices_of_host(history, socket.gethostname())
    # What is not chosen yet is not there, whatever its first values have found.
    waiting = search is not None and tuned is None
    statuses = [AFTER_SEARCH] * len(planned) if waiting else read_statuses(planned)
    calibrated = _calibrated(planned) if calibrate else {}
    steps = [steps_done(checkpoint_file(run.folder)) for run in planned]
    estimated = partial(
        plan_table, planned, statuses, history, devices=devices, steps_done=steps, calibrated=calibrated
    )
    launch = launch_of(config, planned, partial(pack, planned, statuses, list(estimated()["seconds"])))
    used = history[:0] if calibrate else measured_runs(history, devices)  # steps are timed alone
    table = estimated(threads=launch.packing.threads if launch.packing else None)
    if power:
        if waiting:
            raise ConfigError("power=true needs the values that tune: searches for: run the study first")
        return _power(study, planned, table, parse_float(options, "difference", 0.0))
    newest, rows = history.dropna(subset=["predicted"]), _rows(table)
    searched = _search(search, tuned, history, devices) if search is not None else None
    stages = [*([searched["runs"]] if searched else []), rows]
    return {
        "study": planned[0].study,
        "question": study.question if study else None,
        "budget_hours": study.budget_hours if study else None,
        "devices": devices,
        "runs": rows,
        "total": _total(table),
        "packing": _packing(launch, stages, side_by_side(launch.packing, used)),
        "search": searched,
        "looks": looks,
        "phases": _phases(planned, history, devices),
        "energy": _energy(planned, history, devices),
        "code": _code(planned) if listed else None,
        "baseline": _baseline(study, planned, table) if study is not None and not waiting else None,
        "last_prediction": {
            "study": newest["study"].iloc[0],
            **prediction_error(history[history["study"] == newest["study"].iloc[0]]),
        }
        if not newest.empty
        else None,
    }


def _packing(launch: Launch, stages: Sequence[Sequence[Mapping[str, Any]]], at_a_time: int) -> dict[str, Any]:
    """Return how the runs are launched, and the time until all are done.

    Args:
        launch: How they are launched.
        stages: The rows of the runs; those of a stage begin when those before it are done.
        at_a_time: The runs at a time that their times are known for, see `side_by_side.side_by_side`.
    """
    took = {
        key: None
        if any(run[key] is None for runs in stages for run in runs)
        else sum(makespan((run[key] for run in runs), at_a_time) for runs in stages)
        for key in ("seconds", "seconds_left")
    }
    known = asdict(launch.packing) if launch.packing is not None else {"runs_at_a_time": None}
    return {**known, "text": launch.text, "timed_at_a_time": at_a_time, **took}


def _search(search: Search, tuned: Tuned | None, history: pd.DataFrame, devices: str | None) -> dict[str, Any]:
    """Return the runs of a search, and what it has chosen."""
    done = [steps_done(checkpoint_file(run.folder)) for run in search.runs]
    table = plan_table(search.runs, read_statuses(search.runs), history, devices=devices, steps_done=done)
    return {
        "study": search.runs[0].study,
        "runs": _rows(table),
        "total": _total(table),
        "chosen": choice_lines(tuned.choices) if tuned is not None else None,
    }


def _phases(planned: Sequence[PlannedRun], history: pd.DataFrame, devices: str | None) -> dict[str, Any] | None:
    """Return where the time of a run goes; None where no run like these has recorded it."""
    scale = planned[0].config.values.get("scale")
    found = phase_shares(
        history,
        configurations={run.configuration for run in planned},
        scale=str(scale["name"]) if scale else None,
        devices=devices,
    )
    return found.plain() if found is not None else None


def _energy(planned: Sequence[PlannedRun], history: pd.DataFrame, devices: str | None) -> dict[str, Any] | None:
    """Return the power that a run takes; None where no run here has recorded its energy."""
    found = estimate_power(measured_runs(history, devices), {run.configuration for run in planned})
    return found.plain() if found is not None else None


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): _json_value(value) for key, value in row.items()} for row in table.to_dict("records")]


def _power(
    study: StudyFile | None, planned: Sequence[PlannedRun], table: pd.DataFrame, difference: float
) -> dict[str, Any]:
    from ablate.study.power import study_power

    if study is None:
        raise ConfigError("power=true needs experiment=NAME: a study's file names the baseline and the metric")

    def progress(counts: Iterable[int]) -> Iterable[int]:
        return tqdm(counts, desc="Simulating", unit="plan", disable=None, leave=False)

    return study_power(study, planned, table, difference=difference or None, progress=progress)


def _baseline(study: StudyFile, planned: Sequence[PlannedRun], table: pd.DataFrame) -> dict[str, Any] | None:
    left = (table["seconds_left"] != 0).any()
    if not left or not 2 <= table["variant"].nunique() <= _MOST_VARIANTS or not exists(planned[0].uri):
        return None
    from ablate.study.power import study_baseline

    # It is advice: a plan does without it where results cannot be read.
    with suppress(AblateError):
        return study_baseline(study, planned, table)
    return None


def _asked(study: StudyFile | None, planned: list[PlannedRun]) -> tuple[list[PlannedRun], dict[str, Any] | None]:
    """Return the runs that a study asks for so far, and how often it looks at its results; None for once."""
    if study is None or len(study.seed_plan.looks) == 1:
        return planned, None
    from ablate.report.look_at import look_at

    found = look_at(study, planned)
    later = 0 if found.over else len(planned) - len(found.asked)
    return found.asked, {"seeds": list(study.seed_plan.looks), "found": list(found.lines), "runs_at_most": later}


def _history(uri: str) -> pd.DataFrame:
    if not exists(uri):
        return pd.DataFrame(columns=list(HISTORY_COLUMNS))
    from ablate.tracking.run_records import history

    if not is_open(uri):
        open_store(uri)
    return history(HISTORY_COLUMNS)


def _open_to_read(uri: str) -> None:
    """Open the store only to read it, where there is something to read: its disk may be full, or another's."""
    if exists(uri) and not is_open(uri):
        with suppress(EmptyStore):
            open_store(uri, to_read=True)


def _calibrated(planned: Sequence[PlannedRun]) -> Mapping[str, RuntimeEstimate]:
    from ablate.estimate.calibration import calibrate

    first = {run.configuration: run for run in reversed(planned)}
    return {
        configuration: calibrate(run.config.values, run.data.examples_per_epoch)
        for configuration, run in tqdm(first.items(), desc="Calibrating", unit="variant", disable=None, leave=False)
    }


def _code(planned: Sequence[PlannedRun]) -> dict[str, Any]:
    """Return the code that the results of all variants depend on."""
    return asdict(combine(*(code(run.config) for run in {run.configuration: run for run in planned}.values())))


def _total(table: pd.DataFrame) -> dict[str, Any]:
    known = table["seconds"].notna()
    return {
        "runs": len(table),
        "statuses": {str(status): int(count) for status, count in table["status"].value_counts().items()},
        "seconds": _json_value(table["seconds"].sum()) if known.all() else None,
        "seconds_left": _json_value(table["seconds_left"].sum()) if table["seconds_left"].notna().all() else None,
    }


def _json_value(value: Any) -> Any:
    if isinstance(value, float):
        return None if math.isnan(value) else round(float(value), 6)
    return value.item() if hasattr(value, "item") else value


if __name__ == "__main__":
    main()
