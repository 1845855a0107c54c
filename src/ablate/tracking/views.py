"""Views of a study's runs in MLflow: the table with its factors and results as columns, and grouped by variant."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ablate.tracking import names

_TAG = "mlflow.sharedViewState."
"""The tags of an experiment in which MLflow (3.5 to 3.17) keeps views that all share."""
ML = "workflowType=machine_learning"
"""What an address of MLflow says for its pages of trained models to open, not those of GenAI."""
TABLE, VARIANTS = "ablate", "ablate-variants"
"""Keys of the views."""
_MODELS = "attributes.`Models`"
_BEFORE = ("0", "attributes.`Run Name`")
"""Columns as MLflow's table names them: the boxes to choose runs with, and runs' names."""
_BEHIND = ("runDateAndNestInfo", "duration", _MODELS)
_LONGEST = 5000
_MOST_COLUMNS = 40


def view_address(experiment_id: str, key: str = TABLE) -> str:
    """Return the address of a view, from the start page of a server."""
    return f"#/experiments/{experiment_id}/runs?viewStateShareKey={key}&{ML}"


def view_links(experiment_id: str) -> str:
    """Return links to the views, in Markdown."""
    return (
        f"[Runs with factors and results]({view_address(experiment_id)}) · "
        f"[means of each variant]({view_address(experiment_id, VARIANTS)})"
    )


def view_tags(factors: Sequence[str], metrics: Sequence[str]) -> dict[str, str]:
    """Return the tags of an experiment that make the views.

    Args:
        factors: The params to show.
        metrics: The metrics to show, the one that answers first.
    """
    columns = [
        *(f"params.`{factor}`" for factor in factors),
        "params.`seed`",
        *(f"metrics.`{metric}`" for metric in metrics),
    ][:_MOST_COLUMNS]
    state: dict[str, Any] = {
        "searchFilter": f"tags.`{names.TYPE_TAG}` = '{names.TRAINING}'",
        "selectedColumns": [*columns, _MODELS],
        # What is not among the columns is ignored.
        "columnOrder": [*_BEFORE, *columns, *_BEHIND],
    }
    group = {
        "aggregateFunction": "average",
        "groupByKeys": [{"mode": "tag", "groupByData": names.VARIANT_TAG}],
    }
    grouped = {**state, "groupBy": group, "useGroupedValuesInCharts": True}
    views = {
        f"{_TAG}{TABLE}": _view("Factors and results", state),
        f"{_TAG}{VARIANTS}": _view("Means of each variant", grouped),
    }
    return {tag: view for tag, view in views.items() if len(view) <= _LONGEST}


def _view(name: str, state: Mapping[str, Any]) -> str:
    # Always the same date: what does not change is not written again.
    return json.dumps({"name": name, "createdAt": 1, "updatedAt": 1, "state": json.dumps(state)})
