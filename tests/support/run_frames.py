"""Frames of runs."""

from typing import Any

import pandas as pd

from ablate.report.selection import Selection

Run = tuple[str, str, int]


def frame(*rows: Run, **columns: Any) -> pd.DataFrame:
    """Make runs, newest first, of (status, variant, seed); run0 is the newest."""
    runs = pd.DataFrame(rows, columns=["status", "variant", "seed"])
    runs["reason"] = ["diverged" if status == "FAILED" else None for status in runs["status"]]
    runs.index = pd.Index([f"run{place}" for place in range(len(rows))], name="run_id")
    return runs.assign(**columns)


def finished(*cells: tuple[str, int], **columns: Any) -> Selection:
    return Selection(frame(*[("FINISHED", variant, seed) for variant, seed in cells], **columns), [])


def all_evaluated(runs: pd.DataFrame) -> pd.Series:
    return pd.Series(True, index=runs.index)


FOUR = [("baseline", 0), ("baseline", 1), ("a=1", 0), ("a=1", 1)]
