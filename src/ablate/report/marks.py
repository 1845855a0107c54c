"""Marks for verdicts: shapes that print in black and white, and that every font of LaTeX has."""

from collections.abc import Iterable

from ablate.report.compare import BETTER, EQUIVALENT, HIGHER, LOWER, NO_DIFFERENCE, WORSE

MARKS = {BETTER: "▲", WORSE: "▼", HIGHER: "↑", LOWER: "↓", EQUIVALENT: "=", NO_DIFFERENCE: "○"}
"""By verdict."""
KINDS = (BETTER, WORSE, EQUIVALENT, NO_DIFFERENCE)
"""Verdicts that a page colours."""


def mark_of(verdict: str) -> str:
    """Return the mark of a verdict; none where it is not one of `MARKS`."""
    return MARKS.get(verdict, "")


def legend(marks: Iterable[str]) -> list[str]:
    """Say what marks mean, those that occur, in one sentence; none where there are none.

    Example:
        >>> legend(["○", "▲", "○"])
        ['Marks: ▲ better, ○ no difference found.']
    """
    shown = set(marks)
    said = ", ".join(f"{mark} {verdict}" for verdict, mark in MARKS.items() if mark in shown)
    return [f"Marks: {said}."] if said else []
