"""The text of `python -m ablate.plan power=true`."""

from collections.abc import Mapping, Sequence
from typing import Any

from tabulate import tabulate
from tqdm import tqdm

from ablate.config.short_names import shorten


def format_power(power: Mapping[str, Any]) -> str:
    """Return the power of a study as it is printed.

    Args:
        power: As `python -m ablate.plan power=true --json` prints it.
    """
    plans = power["plans"]
    header = f"Study {power['study']}" + (f": {power['question']}" if power["question"] else "")
    quantity = f"{power['label']}, {power['unit']}" if power["unit"] else power["label"]
    rows = [
        [shorten(variant), *(_short(plan["detectable"][variant]) for plan in plans)]
        for variant in plans[0]["detectable"]
    ]
    rows += [
        ["runs", *(f"{plan['runs']}" for plan in plans)],
        ["time", *(_time(plan["hours"]) for plan in plans)],
        ["time left", *(_time(plan["hours_left"]) for plan in plans)],
    ]
    headings = ["seeds", *(str(plan["seeds"]) for plan in plans)]
    table = tabulate(rows, headers=headings, colalign=["left"] + ["right"] * len(plans), disable_numparse=True)
    said = f"True differences in {quantity} that are found with a probability of 80 %, by the number of seeds:"
    return "\n".join([header, said, "", table, "", *power_lines(power)])


def power_lines(power: Mapping[str, Any]) -> list[str]:
    """Return what is said below the table."""
    pilot, unit = power["pilot"], str(power["unit"])
    lines = [f"From {pilot['runs']} finished runs, of {pilot['variants']} variants with up to {pilot['seeds']} seeds"]
    if power["alike"]:
        lines.append(f"Taken to vary as the others do, without two seeds: {_listed(power['alike'])}")
    if power["plans"][0]["hours"] is None:
        lines.append("Time: unknown until a run has finished here; calibrate=true times a few steps of each variant")
    if power["baseline"]:
        lines.append(baseline_line(power["baseline"], power["plans"], unit, planned=power["planned"]))
    if "cheapest" in power:
        lines.append(_cheapest_line(power, unit))
        if power["looks"]:
            lines.append(_looks_line(power["looks"], f"{power['difference']:g} {unit}".rstrip()))
    return lines


def baseline_line(
    baseline: Mapping[str, Any], plans: Sequence[Mapping[str, Any]], unit: str, *, planned: bool = False
) -> str:
    """Say what more seeds for the baseline find, and recommend them where they are not planned.

    Args:
        baseline: The plan with more of them.
        plans: Those with as many seeds of all, among them that with one seed more, if there is one.
        unit: Of the metric, or nothing.
        planned: Whether the study's file asks for them.
    """
    seeds, same = baseline["seeds"], {plan["seeds"]: plan for plan in plans}
    others = (
        f"{count} seeds of all {_middle(same[count], unit)} ({_cost(same[count])})"
        for count in (seeds, seeds + 1)
        if count in same
    )
    found = (
        f"with {seeds} seeds, baseline_seeds: {baseline['baseline_seeds']} finds a difference of "
        f"{_middle(baseline, unit)} ({_cost(baseline)}); {', '.join(others)}"
    )
    return f"As planned, {found}" if planned else f"More seeds for the baseline pay: {found}. Decide before the runs"


def _cheapest_line(power: Mapping[str, Any], unit: str) -> str:
    cheapest, plans = power["cheapest"], power["plans"]
    wanted = f"{power['difference']:g} {unit}".rstrip()
    if cheapest is None:
        most = plans[-1]
        worst = max(most["detectable"], key=lambda variant: most["detectable"][variant])
        return (
            f"No plan of up to {most['seeds']} seeds finds {wanted} in every variant with 80 %: {most['seeds']} seeds "
            f"of all find {_with_unit(most['detectable'][worst], unit)} of {shorten(worst)}"
        )
    text = f"{cheapest['seeds']} seeds of each variant"
    if cheapest["baseline_seeds"]:
        text += f", baseline_seeds: {cheapest['baseline_seeds']}"
    lines = f"Cheapest plan that finds {wanted} in every variant with 80 %: {text} ({_cost(cheapest)})"
    same = [plan for plan in plans if max(plan["detectable"].values()) <= power["difference"]]
    if cheapest["baseline_seeds"] and same:
        lines += f"; with as many seeds of the baseline, {same[0]['seeds']} of all ({_cost(same[0])})"
    return lines


def _looks_line(looks: Mapping[str, Any], wanted: str) -> str:
    hours = "" if looks["hours"] is None else f", {_time(looks['hours'])}"
    return (
        f"With looks, seeds: {{looks: {looks['seeds']}}}: {looks['runs']:.0f} runs{hours} on average where half of "
        f"the variants differ by {wanted} and half not at all, {looks['runs_at_most']} at most; finds "
        f"{100 * looks['found']:.0f} % of the differences"
    )


def _cost(plan: Mapping[str, Any]) -> str:
    return f"{plan['runs']} runs" + ("" if plan["hours"] is None else f", {_time(plan['hours'])}")


def _middle(plan: Mapping[str, Any], unit: str) -> str:
    values = sorted(plan["detectable"].values())
    return _with_unit(values[len(values) // 2], unit)


def _with_unit(value: float, unit: str) -> str:
    return f"{_short(value)} {unit}".rstrip()


def _time(hours: float | None) -> str:
    return "?" if hours is None else tqdm.format_interval(3600 * hours)


def _short(value: float) -> str:
    """Write a difference with two significant digits, from 10 as a whole number."""
    return f"{value:,.0f}" if value >= 10 else f"{value:#.2g}" if value >= 1e-4 else f"{value:.1e}"


def _listed(names: Sequence[str], most: int = 5) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(shorten(name) for name in names[:most]) + more
