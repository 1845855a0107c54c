"""The plan of a sweep as a notebook shows it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import pandas as pd

from ablate.study.plan_text import format_plan, plan_lines, plan_rows, search_lines

_NUMBERS = ("parameters", "gflops_per_example", "seconds", "seconds_left")


class Plan:
    """What a sweep would run, what of it is done, and what it costs.

    Args:
        values: As `python -m ablate.plan --json` prints it.
    """

    def __init__(self, values: Mapping[str, Any]):
        self.values = values

    @property
    def study(self) -> str:
        """Name of the study."""
        return str(self.values["study"])

    @property
    def question(self) -> str | None:
        """The question that it asks; None for a sweep without a study file."""
        question = self.values["question"]
        return None if question is None else str(question)

    @property
    def seconds_left(self) -> float:
        """Estimate of the time that it still takes, with as many runs at a time as is known; NaN where unknown."""
        left = self.values["packing"]["seconds_left"]
        return float("nan") if left is None else float(left)

    @cached_property
    def runs(self) -> pd.DataFrame:
        """One row a run.

        Columns: `variant`; `seed`; `status`: to do, running, interrupted, done, cached or failed, with the `reason`;
        `epoch`, the last complete one, of `epochs`; `parameters` and `gflops_per_example`, of a forward pass, NaN
        where counting them needs TensorFlow; `seconds`, the estimate for the whole run, and `seconds_left`, NaN where
        unknown; `basis` of the estimate; `run_id` in MLflow, empty where there is none; `identity`.
        """
        frame = pd.DataFrame(self.values["runs"])
        return frame.astype(dict.fromkeys(_NUMBERS, "float64"))

    def __len__(self) -> int:
        return len(self.runs)

    def __repr__(self) -> str:
        return format_plan(self.values)

    def _repr_html_(self) -> str:
        from ablate.notebook.page import as_html

        header, lines = format_plan(self.values).splitlines()[0], plan_lines(self.values)
        return as_html([header, *search_lines(self.values), *lines], pd.DataFrame(plan_rows(self.values)))
