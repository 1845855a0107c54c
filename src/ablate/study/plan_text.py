"""The text of `python -m ablate.plan`."""

from collections.abc import Mapping, Sequence
from typing import Any

from tabulate import tabulate
from tqdm import tqdm

from ablate.config.level import level_text
from ablate.config.short_names import shorten
from ablate.estimate.energy import energy_line
from ablate.estimate.runtime import BASES
from ablate.study.power_text import baseline_line
from ablate.study.tuning import Choice
from ablate.tracking.phase_shares import UNKNOWN, phases_text


def format_plan(plan: Mapping[str, Any]) -> str:
    """Return the plan as it is printed.

    Args:
        plan: As `python -m ablate.plan --json` prints it.
    """
    header = f"Study {plan['study']}" + (f": {plan['question']}" if plan["question"] else "")
    search, said = plan.get("search"), search_lines(plan)
    before = [*said, *([] if search["chosen"] else [_table(search), ""])] if search else []
    return "\n".join([header, *before, _table(plan), "", *plan_lines(plan)])


def _table(plan: Mapping[str, Any]) -> str:
    rows = plan_rows(plan)
    aligned = ["left" if name in ("variant", "status") else "right" for name in rows[0]]
    return tabulate(rows, headers="keys", colalign=aligned)


def search_lines(plan: Mapping[str, Any]) -> list[str]:
    """Return what is said of a search before the study's own runs: how far it is, and what it has chosen."""
    search = plan.get("search")
    if not search:
        return []
    return [f"First a search, {search['study']}: {_counts(search['total'])}", *(search["chosen"] or ())]


def plan_rows(plan: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what is shown of each run, by heading; costs of which none is known are left out."""
    rows = [
        {
            "variant": shorten(run["variant"]),
            "seed": run["seed"],
            "status": _status(run),
            "parameters": _number(run["parameters"], ",.0f"),
            "GFLOPs/example": _number(run["gflops_per_example"], ".4g"),
            "time": "?" if run["seconds"] is None else tqdm.format_interval(run["seconds"]),
        }
        for run in plan["runs"]
    ]
    empty = {name for name in ("parameters", "GFLOPs/example") if not any(row[name] for row in rows)}
    return [{name: text for name, text in row.items() if name not in empty} for row in rows]


def plan_lines(plan: Mapping[str, Any]) -> list[str]:
    """Return what is said below the runs: how many there are, and how long they take."""
    total, last = _with_search(plan), plan["last_prediction"]
    lines, packing = [_counts(total)], plan["packing"]
    if total["seconds_left"] is None:
        lines.append("Time: unknown until a run has finished here; calibrate=true times a few steps of each variant")
    else:
        bases = ", ".join(sorted({run["basis"] for run in plan["runs"] if run["basis"]}))
        devices = plan["devices"] or "other devices: none has run here"
        left, seconds = (packing or total)["seconds_left"], (packing or total)["seconds"]
        whole = f" of {tqdm.format_interval(seconds)}" if seconds is not None else ""
        lines.append(f"Time left: {tqdm.format_interval(left)}{whole}, {_order(packing)} ({bases}; {devices})")
        budget = plan["budget_hours"]
        if budget is not None and seconds is not None:
            lines.append(f"Budget: {budget:g} h, {'enough' if seconds <= 3600 * budget else 'NOT ENOUGH'}")
    if packing:
        lines.append(f"Launched {packing['text']}")
    if plan["phases"]:
        took = plan["phases"]
        what = f"median of {took['runs']} run{'s' * (took['runs'] > 1)}: {took['basis']}"
        lines.append(f"A run takes {phases_text(took['seconds'], took['shares'])} ({what})")
    elif {run["basis"] for run in plan["runs"]} & {*BASES[:2]}:
        lines.append(UNKNOWN)
    if plan["energy"] and total["seconds_left"]:
        lines.append(energy_line(plan["energy"], total["seconds_left"]))
    if plan["baseline"]:
        lines.append(baseline_line(plan["baseline"], plan["baseline"]["plans"], plan["baseline"]["unit"]))
    looks = plan["looks"]
    if looks:
        more = (
            f"at most {looks['runs_at_most']} more runs later" if looks["runs_at_most"] else "none asks for more runs"
        )
        *some, final = looks["seeds"]
        lines += [*looks["found"], f"Looks at {', '.join(map(str, some))} and {final} seeds: {more}"]
    if last:
        lines.append(
            f"Prediction error of the last {last['runs']:.0f} runs, of study {last['study']}: median "
            f"{100 * last['median_error']:.0f} %, in total {100 * last['total_error']:+.0f} %"
        )
    if plan["code"]:
        lines += ["", "Results depend on:"]
        lines += [f"  {digest}  {name}" for name, digest in sorted(plan["code"]["modules"].items())]
        lines += [f"  {version:16}  {name}" for name, version in sorted(plan["code"]["libraries"].items())]
    return lines


def _order(packing: Mapping[str, Any] | None) -> str:
    """Return the order of the runs that the time of all is for."""
    timed = packing["timed_at_a_time"] if packing else 1
    if timed > 1:
        return f"{timed} runs at a time"
    if packing is None or packing["runs_at_a_time"] == 1:
        return "one run after the other"
    return "if one run came after the other: how long they take side by side is not known yet"


def _counts(total: Mapping[str, Any]) -> str:
    counts = (f"{count} {status}" for status, count in total["statuses"].items())
    return f"{total['runs']} run{'s' * (total['runs'] != 1)}: {', '.join(counts)}"


def _with_search(plan: Mapping[str, Any]) -> dict[str, Any]:
    """Return the totals of a plan, its search included."""
    own, search = plan["total"], (plan.get("search") or {}).get("total")
    if search is None:
        return dict(own)
    statuses = {**search["statuses"]}
    for status, count in own["statuses"].items():
        statuses[status] = statuses.get(status, 0) + count
    times = {
        key: None if own[key] is None or search[key] is None else own[key] + search[key]
        for key in ("seconds", "seconds_left")
    }
    return {"runs": own["runs"] + search["runs"], "statuses": statuses, **times}


def choice_lines(choices: Sequence[Choice]) -> list[str]:
    """Return a line for each variant: the values that its search has chosen, and of how many."""
    lines = []
    for choice in choices:
        values = ", ".join(f"{key.lstrip('+')}={level_text(value)}" for key, value in choice.values.items())
        lines.append(f"Chosen for {shorten(choice.variant)}: {values}, of {len(choice.scores)} tried")
    return lines


def _number(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)


def _status(run: Mapping[str, Any]) -> str:
    status, reason = run["status"], run["reason"]
    if status == "interrupted":
        status = f"interrupted at epoch {run['epoch']} of {run['epochs']}"
    elif status == "running":
        status = f"running, epoch {min(run['epoch'] + 1, run['epochs'])} of {run['epochs']}"
    text = f"{status}: {reason}" if reason else status
    return text if len(text) <= 100 else f"{text[:97]}..."
