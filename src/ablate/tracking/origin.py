"""The origin of a run: the store where it was trained, and what it is called there."""

from collections.abc import Mapping
from dataclasses import dataclass

from mlflow.entities import Run

from ablate.tracking import names
from ablate.tracking.store import store_name


@dataclass(frozen=True)
class Origin:
    """Where a run was trained.

    Attributes:
        run_id: Its id there. A store gives each run an id of its own, so an imported run has two.
        experiment_id: The experiment of its study there.
        store: What a page that others read says of that store, see `store.store_name`.
        imported: Whether it is another store than the one where the run was found.
    """

    run_id: str
    experiment_id: str
    store: str
    imported: bool = False


def origin_of(run: Run, uri: str) -> Origin:
    """Return the origin of a run.

    Args:
        run: The run.
        uri: Address of the store where it was found.
    """
    tags = run.data.tags
    if is_imported(tags):
        return Origin(
            tags[names.ORIGIN_RUN_TAG],
            tags.get(names.ORIGIN_EXPERIMENT_TAG, ""),
            tags.get(names.ORIGIN_STORE_TAG, ""),
            imported=True,
        )
    return Origin(str(run.info.run_id), str(run.info.experiment_id), store_name(uri))


def origin_tags(origin: Origin) -> dict[str, str]:
    """Return the tags that tell an imported run its origin."""
    return {
        names.ORIGIN_RUN_TAG: origin.run_id,
        names.ORIGIN_EXPERIMENT_TAG: origin.experiment_id,
        names.ORIGIN_STORE_TAG: origin.store,
    }


def is_imported(tags: Mapping[str, str]) -> bool:
    """Return whether a run was imported: what it needs of a run that it was cached from came with it."""
    return names.ORIGIN_RUN_TAG in tags
