"""Addresses of runs in MLflow."""

import json
from collections.abc import Callable
from urllib.parse import quote

import pandas as pd

from ablate.report.results import Results
from ablate.tracking.views import ML

LOCAL_UI = "http://localhost:5000"
"""Where `make ui` shows a store that is no server."""
_MOST_RUNS = 50
"""Runs that a link compares in MLflow; an address cannot be much longer."""

Links = Callable[[pd.Index], str]
"""The address in MLflow of some runs."""


def links_to(results: Results) -> Links:
    """Return what gives the address of runs in MLflow, where they were trained: of several, their comparison."""

    def link(runs: pd.Index) -> str:
        origins = [results.origins.get(str(run), results.home) for run in runs]
        base = origins[0].store.rstrip("/") if origins[0].store.startswith("http") else LOCAL_UI
        if len(runs) == 1:
            return f"{base}/#/experiments/{origins[0].experiment_id}/runs/{runs[0]}?{ML}"
        chosen = quote(json.dumps([str(run) for run in runs[:_MOST_RUNS]], separators=(",", ":")))
        experiments = quote(json.dumps(list(dict.fromkeys(origin.experiment_id for origin in origins))))
        return f"{base}/#/compare-runs?runs={chosen}&experiments={experiments}&{ML}"

    return link
