"""The text of `python -m ablate.status`."""

from datetime import UTC, datetime

from tabulate import tabulate
from tqdm import tqdm

from ablate.cli.terminal import visible_line
from ablate.config.short_names import shorten
from ablate.status.read import StoreStatus, StudyStatus, Training, Unseen

_AROUND = 5
"""Lines around the rows of the table: the store, an empty one, two of the head, and how many more there are."""


def format_status(status: StoreStatus, *, height: int | None = None) -> str:
    """Return how far the studies of a store are, as it is printed.

    Args:
        status: That.
        height: Lines that there are: the studies with the oldest runs make room for what trains.
    """
    below = _below(status)
    lines = [f"Store {status.store}"]
    if not status.studies:
        lines += ["", "There are no runs yet: `python -m ablate.run` makes one"]
    else:
        most = len(status.studies) if height is None else max(1, height - len(below) - _AROUND)
        table = [_row(study) for study in status.studies[:most]]
        aligned = ["left", *["right"] * (len(table[0]) - 1)]
        lines += ["", *tabulate(table, headers="keys", colalign=aligned, disable_numparse=True).splitlines()]
        more = len(status.studies) - len(table)
        lines += [f"and {more} more stud{'y' if more == 1 else 'ies'}"] if more else []
    return "\n".join(map(visible_line, [*lines, *below]))


def _below(status: StoreStatus) -> list[str]:
    """Return what stands below the table of studies."""
    lines = list[str]()
    if any(study.todo is None for study in status.studies):
        lines += ["?: a sweep without a study file; `python -m ablate.plan` with its overrides knows"]
    if status.running:
        lines += ["", "Running", *(f"  {_training(one)}" for one in status.running)]
    if status.orphaned:
        lines += ["", "Orphaned leases: their processes are gone, and the command of the sweep resumes them"]
        lines += [f"  {_training(one, gone=True)}" for one in status.orphaned]
    if status.unseen:
        lines += ["", "Running as the store has it, without a lease that this machine sees: elsewhere, or lost"]
        lines += [f"  {_unseen(one)}" for one in status.unseen]
    return lines


def _row(study: StudyStatus) -> dict[str, str]:
    counts = {"done": study.done, "running": study.running, "interrupted": study.interrupted, "failed": study.failed}
    totals = {"to do": study.todo, "of": study.runs}
    return {
        "study": shorten(study.study),
        **{name: str(count) for name, count in counts.items()},
        **{name: "?" if count is None else str(count) for name, count in totals.items()},
        "newest began": _local(study.started),
    }


def _training(run: Training, *, gone: bool = False) -> str:
    parts = [_name(run.study, run.variant, run.seed) if run.study else f"not tracked yet, {run.identity[:12]}"]
    parts.append(f"process {run.process} on {run.host}" + (f" since {_local(run.since)}" if run.since else ""))
    if run.epoch is not None and run.epochs is not None and run.epochs > 1:
        parts.append(f"epoch {run.epoch} of {run.epochs}")
    if run.step is not None and run.steps is not None:
        parts.append(f"step {run.step} of {run.steps}")
    elif not gone:
        parts.append("starting")
    if not gone and run.seconds_left is not None:
        parts.append(f"{tqdm.format_interval(run.seconds_left)} left")
    return "; ".join(parts)


def _unseen(run: Unseen) -> str:
    place = f"; on {run.host}" if run.host else ""
    return f"{_name(run.study, run.variant, run.seed)}{place}; began {_local(run.started)}"


def _name(study: str | None, variant: str | None, seed: int | None) -> str:
    return f"{study}: {shorten(variant or '')}, seed {seed}"


def _local(time: str | None) -> str:
    """Return a time in UTC as this machine's clocks show it; without the day where that is today's."""
    shown, now = datetime.fromisoformat(time or "").astimezone(), datetime.now(UTC).astimezone()
    return f"{shown:%H:%M}" if shown.date() == now.date() else f"{shown:%Y-%m-%d %H:%M}"
