"""Addresses of runs and stores in MLflow."""

import json
from collections.abc import Callable
from urllib.parse import quote, urlsplit

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
    """Return what gives the address of runs in MLflow: of one its page, of several their comparison."""
    base = results.uri.rstrip("/") if results.uri.startswith("http") else LOCAL_UI

    def link(runs: pd.Index) -> str:
        if len(runs) == 1:
            return f"{base}/#/experiments/{results.experiment_id}/runs/{runs[0]}?{ML}"
        chosen = quote(json.dumps([str(run) for run in runs[:_MOST_RUNS]], separators=(",", ":")))
        experiments = quote(json.dumps([results.experiment_id]))
        return f"{base}/#/compare-runs?runs={chosen}&experiments={experiments}&{ML}"

    return link


def without_password(uri: str) -> str:
    """Leave out the user and password of an address."""
    parts = urlsplit(uri)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl() if "@" in parts.netloc else uri


def store_name(uri: str) -> str:
    """Return what a page that others read says of a store: of a file its name alone."""
    return uri.rpartition("/")[2] if uri.startswith("sqlite:") else without_password(uri)
