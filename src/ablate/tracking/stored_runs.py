"""Runs as MLflow stores them: searched, checked for edits, and whether their results can be read."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

import mlflow
from mlflow.entities import Experiment, Run, ViewType

from ablate.system.garbage import collection_paused
from ablate.tracking import names
from ablate.tracking.sqlite import local_folder, located

log = logging.getLogger(__name__)

OURS = f"tags.`{names.IDENTITY_TAG}` LIKE '%'"
"""The filter for runs of `ablate`."""
_IDENTIFYING = (names.IDENTITY_TAG, names.VARIANT_TAG, names.SEED_TAG)
"""Tags that a run cannot be used without; a finished one has its data's fingerprint too."""
_RESULT_FILES = (names.METRIC_SPECS_FILE, names.PER_EXAMPLE_FILE, names.SAMPLES_FILE)
"""The artifacts without which there is no result."""
_AT_ONCE = 200


@collection_paused()
def search(
    experiments: Sequence[Experiment],
    where: str = "",
    *,
    limit: int | None = None,
    client: mlflow.MlflowClient | None = None,
    view: int = ViewType.ACTIVE_ONLY,
) -> list[Run]:
    """Return the runs of experiments, newest first.

    Args:
        experiments: At least one.
        where: MLflow's filter.
        limit: Most runs to return; None for all.
        client: A client of the store that is to be asked, None for the open one.
        view: Whether deleted ones are among them.
    """
    client = client or mlflow.MlflowClient()
    found, token = list[Run](), None
    while True:
        page = client.search_runs(
            [experiment.experiment_id for experiment in experiments],
            filter_string=where,
            run_view_type=view,
            max_results=limit or 1000,
            order_by=["attributes.start_time DESC"],
            page_token=token,
        )
        found += page
        token = page.token
        if not token or (limit and len(found) >= limit):
            return found


def problem(run: Run) -> str | None:
    """Return why a run cannot be used, as where a tag was edited in MLflow; None where it can."""
    tags = run.data.tags
    fingerprint = (names.FINGERPRINT_TAG,) if run.info.status == "FINISHED" else ()
    for name in (*_IDENTIFYING, *fingerprint):
        if not tags.get(name):
            return f"its tag {name} is missing"
    seed = tags[names.SEED_TAG]
    try:
        number = int(seed)
    except ValueError:
        return f"its tag {names.SEED_TAG} is no number: {seed}"
    # Parameters cannot be edited.
    trained = run.data.params.get("seed", seed)
    if trained not in (str(number), seed):
        return f"its tag {names.SEED_TAG} is {seed}, its seed was {trained}"
    return None


def usable(runs: Iterable[Run], *, foreign: bool = False) -> list[Run]:
    """Return the runs that can be used; a warning names each other one that is, or was, of `ablate`.

    Args:
        runs: Runs of any kind.
        foreign: Whether to name the others as well, which somebody has put beside a study's.
    """
    kept = list[Run]()
    for run in runs:
        ours = any(name in run.data.tags for name in _IDENTIFYING)
        wrong = problem(run) if ours else None
        if wrong is not None:
            _leave_out(run, f"{wrong}. Set it right in MLflow, or it is trained again")
        elif ours:
            kept.append(run)
        elif foreign and not any(name.startswith(names.TAG_PREFIX) for name in run.data.tags):
            _leave_out(run, "it is none of `python -m ablate.run`")
    return kept


def _leave_out(run: Run, reason: str) -> None:
    _warn_once(f"Run {run.info.run_id} ({run.info.run_name}) is left out: {reason}")


@cache
def _warn_once(message: str) -> None:
    # A sweep looks at its runs every few seconds.
    log.warning("%s", message)


def source_of(run: Run) -> str:
    """Return the id of the run that has a result: another study's where it is cached, unless it was imported."""
    if names.ORIGIN_RUN_TAG in run.data.tags:
        return str(run.info.run_id)
    return names.current_tags(run.data.tags).get(names.CACHED_FROM_TAG, str(run.info.run_id))


def artifacts_of(runs: Sequence[Run], uri: str, client: mlflow.MlflowClient | None = None) -> dict[str, str | None]:
    """Return by run the address of the folder of its artifacts: that of another run where its result is cached.

    It is None where that run is gone. The store is asked only for runs that are not among those given, many at a time.
    """
    client = client or mlflow.MlflowClient()
    known = {run.info.run_id: run for run in runs}
    sources = {run.info.run_id: source_of(run) for run in runs}
    others = sorted(set(sources.values()) - known.keys())
    if others:
        experiments = client.search_experiments(view_type=ViewType.ALL)
        for start in range(0, len(others), _AT_ONCE):
            some = ", ".join(f"'{run_id}'" for run_id in others[start : start + _AT_ONCE])
            # What is deleted can be read until it is collected.
            found = search(experiments, f"attributes.run_id IN ({some})", client=client, view=ViewType.ALL)
            known.update({run.info.run_id: run for run in found})
    return {
        run_id: located(known[source].info.artifact_uri, uri) if source in known else None
        for run_id, source in sources.items()
    }


def missing(run: Run, artifacts: str | None) -> str | None:
    """Return why the result of a finished run cannot be read; None where it can, or where there is none yet.

    What a server keeps is taken to be there: asking for each run would take long.

    Args:
        run: The run.
        artifacts: Address of the folder of its artifacts, see `artifacts_of`.
    """
    if run.info.status != "FINISHED":
        return None
    if artifacts is None:
        return f"run {source_of(run)}, whose result it shows, is gone"
    if not any(names.group_of(name) == names.EVALUATION_GROUP for name in run.data.metrics):
        return "it has no evaluation metrics"
    folder = local_folder(artifacts)
    if folder is None:
        return None
    gone = [file for name in _RESULT_FILES if not _filled(file := folder / name)]
    return f"{gone[0]} is gone" if gone else None


def _filled(file: Path) -> bool:
    try:
        return file.stat().st_size > 0
    except OSError:
        return False


def unreadable(runs: Sequence[Run], artifacts: Mapping[str, str | None]) -> dict[str, str]:
    """Return by run why its result cannot be read; runs whose results can be read are left out."""
    reasons = {run.info.run_id: missing(run, artifacts[run.info.run_id]) for run in runs}
    return {run_id: reason for run_id, reason in reasons.items() if reason}
