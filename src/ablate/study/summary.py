"""What became of the runs of a sweep, in words."""

import time
from collections.abc import Mapping, Sequence

from tqdm import tqdm

from ablate.config.short_names import shorten
from ablate.errors import SweepIncomplete
from ablate.execution.status import RunState, Status
from ablate.study.planning import PlannedRun


def summarize_sweep(
    planned: Sequence[PlannedRun], found: Sequence[RunState], errors: Mapping[str, BaseException], *, began: float
) -> tuple[list[str], SweepIncomplete | None]:
    """Count the runs of a sweep that are done, cached, failed and left, and name those without a result.

    Args:
        planned: The runs.
        found: Where each stands.
        errors: By identity, what a run that never got to the store ended with.
        began: When the sweep began, in seconds since the epoch.

    Returns:
        Lines to print; and the error to end with where there are results missing.
    """
    kinds = [_kind(one) for one in found]
    counts = ", ".join(f"{kinds.count(kind)} {kind}" for kind in ("done", "cached", "failed", "left"))
    took = tqdm.format_interval(time.time() - began)
    lines = [f"Study {planned[0].study}: {len(planned)} runs: {counts}; {took}"]
    for run, one, kind in zip(planned, found, kinds, strict=True):
        if kind in ("failed", "left"):
            said = " ".join(str(errors.get(run.identity, "")).split())
            why = said if said and one.orphaned else one.reason or said
            lines.append(f"  {kind:6} {shorten(run.name)}{f': {why}' if why else ''}")
    missing = kinds.count("failed") + kinds.count("left")
    if not missing:
        return lines, None
    never = sum(one.status == Status.FAILED for one in found)
    advice = "the same command resumes the study" + (
        f"; with rerun=failed, {never} that failed are tried again" if never else ""
    )
    return lines, SweepIncomplete(f"{missing} of {len(planned)} runs have no result: {advice}")


def _kind(one: RunState) -> str:
    if one.finished:
        return one.status.value
    return "failed" if one.failed else "left"
