"""The summary of a sweep: how many runs have which status, and which have no result."""

import time
from collections.abc import Mapping, Sequence

from tqdm import tqdm

from ablate.cli.terminal import visible_line
from ablate.config.short_names import shorten
from ablate.errors import SweepIncomplete
from ablate.execution.status import RunState, Status
from ablate.study.planning import PlannedRun

_ALWAYS = (Status.DONE, Status.CACHED, Status.FAILED)
_IF_ANY = (Status.INTERRUPTED, Status.RUNNING, Status.TODO)


def summarize_sweep(
    planned: Sequence[PlannedRun], found: Sequence[RunState], errors: Mapping[str, BaseException], *, began: float
) -> tuple[list[str], SweepIncomplete | None]:
    """Count the runs of a sweep by status, and name those without a result.

    Args:
        planned: The runs.
        found: The status of each.
        errors: By identity, the error of a run that the store does not know of.
        began: When the sweep began, in seconds since the epoch.

    Returns:
        Lines to print; and the error to end with where results are missing.
    """
    statuses = [Status.FAILED if one.failed else one.status for one in found]
    counted = [*_ALWAYS, *(status for status in _IF_ANY if status in statuses)]
    counts = ", ".join(f"{statuses.count(status)} {status}" for status in counted)
    took = tqdm.format_interval(time.time() - began)
    lines = [f"Study {planned[0].study}: {len(planned)} run{'s' * (len(planned) != 1)}: {counts}; {took}"]
    for run, one, status in zip(planned, found, statuses, strict=True):
        if not one.finished:
            error = " ".join(str(errors.get(run.identity, "")).split())
            reason = error if error and one.orphaned else one.reason or error
            lines.append(visible_line(f"  {status:11} {shorten(run.name)}{f': {reason}' if reason else ''}"))
    missing = sum(not one.finished for one in found)
    if not missing:
        return lines, None
    failed = sum(one.status == Status.FAILED for one in found)
    retry = f"; rerun=failed retries the {failed} that failed" if failed else ""
    return lines, SweepIncomplete(
        f"{missing} of {len(planned)} runs have no result: the same command resumes the study{retry}"
    )
