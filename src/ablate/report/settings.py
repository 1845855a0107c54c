"""Settings: the keys of the configuration that change a result, with the values that a study's runs have."""

import re

import pandas as pd

from ablate.archive.anonymous import without_places
from ablate.config.result_keys import changes_result
from ablate.config.short_names import shorten

_NONE = "None"
_PLACE = re.compile(r"(~|[A-Za-z]:)?[/\\].*|[a-z0-9+]+://.*")
"""A value that is one place."""


def settings_of(runs: pd.DataFrame, params: pd.DataFrame) -> dict[str, str]:
    """Return by key the value of all runs, or their values in order with semicolons between; no place is whole.

    Args:
        runs: The runs that are compared, index `run_id`, with the column `no_result_keys` where tasks say them.
        params: Their configurations, as text.
    """
    own = params.loc[runs.index]
    said = [str(text) for text in runs.get("no_result_keys", pd.Series(dtype=object)).dropna().unique()]
    irrelevant = [key for text in said for key in text.split()]
    keys = [key for key in sorted(map(str, own)) if changes_result(key, irrelevant)]
    found = {key: "; ".join(_shown(own[key])) for key in keys}
    return {key: shorten(text) for key, text in found.items() if text}


def _shown(values: "pd.Series[str]") -> list[str]:
    known = values.dropna().astype(str)
    different = dict.fromkeys(known)
    return [without_place(text) for text in different if text != _NONE or len(different) > 1]


def without_place(text: str) -> str:
    """Return a text with the last part alone of each place in it, a folder or an address."""
    if _PLACE.fullmatch(text):
        return ".../" + re.split(r"[/\\]", text.rstrip("/"))[-1]
    return without_places(text)
