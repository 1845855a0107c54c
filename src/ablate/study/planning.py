"""The runs of a sweep before they start: config, identified, and where each stands. Imports no TensorFlow."""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from ablate.config.schema import validate
from ablate.config.sections import StudyConfig
from ablate.config.short_names import shorten
from ablate.config.validation import ValidConfig, validate_config
from ablate.errors import ConfigError
from ablate.execution.identity import configuration, identity_of
from ablate.execution.lease import lease_owner
from ablate.execution.status import STATUS_COLUMNS, RunState, run_state
from ablate.study.compose import Load, compose_runs
from ablate.task import FoundData
from ablate.tracking.store import checkpoint_folder, exists, is_open, open_store, store_uri


@dataclass(frozen=True)
class PlannedRun:
    """A run of a sweep.

    Attributes:
        name: What it is called among the sweep's runs.
        overrides: What Hydra launches it with.
        config: Its configuration.
        data: What is known of its data set.
        configuration: Its identity but for the seed.
        identity: Its identity.
        uri: Address of its store.
        folder: Where it is claimed and kept while it has not finished.
    """

    name: str
    overrides: tuple[str, ...]
    config: ValidConfig
    data: FoundData
    configuration: str
    identity: str
    uri: str
    folder: Path

    @property
    def study(self) -> str:
        """Name of its study."""
        return self.config.run.study.name

    @property
    def seed(self) -> int:
        """Its seed."""
        return self.config.run.seed


def plan_runs(load: Load, runs: Sequence[Sequence[str]], project: Path) -> list[PlannedRun]:
    """Compose, check and identify the runs of a sweep.

    Args:
        load: Hydra's composition of one list of overrides.
        runs: The overrides of each run.
        project: Folder of the default store.

    Raises:
        ConfigError: A run's configuration is wrong, or two that differ have one name and one seed.
        DataError: The data set of one is not there.
    """
    planned = []
    checks, found, configurations = _Checks(), dict[str, FoundData](), dict[str, str]()
    for overrides, ours, values in zip(runs, distinguishing_overrides(runs), compose_runs(load, runs), strict=True):
        config = checks(values)
        # What a data set is, its section says.
        place = json.dumps([type(config.task).__qualname__, config.values.get("data", config.values["task"])])
        if place not in found:
            found[place] = config.task.find_data()
        data = found[place]
        apart_from_the_seed = f"{data.fingerprint} {json.dumps(_without_plain(config.values))}"
        if apart_from_the_seed not in configurations:
            configurations[apart_from_the_seed] = configuration(config, data.fingerprint)
        hashed = configurations[apart_from_the_seed]
        identity = identity_of(hashed, config.run.seed)
        uri = store_uri(config.run.tracking.uri, project)
        folder = checkpoint_folder(uri, project, config.run.checkpoint.dir) / identity
        # A study names its variants; of another sweep's, the name is known to Hydra's job.
        name = f"{config.run.study.variant or ours} seed={config.run.seed}".lstrip()
        planned.append(PlannedRun(name, tuple(overrides), config, data, hashed, identity, uri, folder))
    _check_names(planned)
    return planned


def distinguishing_overrides(runs: Sequence[Sequence[str]]) -> list[str]:
    """Return what tells each run of a sweep from the others, but for its seed: the overrides that not all have."""
    common = set.intersection(*(set(overrides) for overrides in runs))
    return [
        " ".join(line for line in overrides if line not in common and not line.startswith("seed="))
        for overrides in runs
    ]


def _check_names(planned: Sequence[PlannedRun]) -> None:
    """Refuse one given name for two configurations: nothing would tell their results apart."""
    first = dict[tuple[str, str, str, int], PlannedRun]()
    for run in planned:
        variant = run.config.run.study.variant
        if variant is None:
            continue  # then its differences from the defaults are its name
        same = first.setdefault((run.uri, run.study, variant, run.seed), run)
        if same.identity != run.identity:
            one, other = (
                shorten(" ".join(line for line in mine.overrides if line not in others.overrides))
                for mine, others in ((same, run), (run, same))
            )
            raise ConfigError(
                f"study.variant={shorten(variant)} names two configurations: {one or 'none of these'} and "
                f"{other or 'none of these'}. Leave it out, and each is named by its differences from the defaults"
            )


_REFERS = re.compile(r"\$\{[^}]*\b(seed|study)\b")
"""What a configuration looks like whose other sections take from the seed or the study."""


class _Checks:
    """Checks configurations; of those that differ in seed and name alone, the first, and one for each seed."""

    def __init__(self) -> None:
        self._seen: dict[str, ValidConfig] = {}
        self._seeds: set[Any] = set()

    def __call__(self, values: Mapping[str, Any]) -> ValidConfig:
        shape = json.dumps(_without_plain(values))
        before = self._seen.get(shape)
        resolved = "${" not in json.dumps([values["seed"], values["study"]]) and not _REFERS.search(shape)
        if before is None or not resolved or values["seed"] not in self._seeds:
            config = validate_config(values)
            self._seen.setdefault(shape, config)
            self._seeds.add(values["seed"])
            return config
        study = validate(StudyConfig, values["study"], prefix="study")
        return replace(
            before,
            values={**before.values, "seed": values["seed"], "study": dict(values["study"])},
            run=before.run.model_copy(update={"seed": values["seed"], "study": study}),
        )


def _without_plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key not in ("seed", "study")}


def read_statuses(
    planned: Sequence[PlannedRun], *, alive: bool = True, since: pd.Timestamp | None = None
) -> list[RunState]:
    """Say where each run stands, by what its store and its claim say.

    Args:
        planned: The runs.
        alive: Whether to ask for the claims; who holds one of them does not.
        since: Results of runs that started before count as not there; None: all count.

    Raises:
        TrackingError: A store cannot be read.
    """
    # Before the store: a run that ends in between counts as running, and is looked at again.
    owners = {
        run.folder: lease_owner(run.folder, timeout_minutes=run.config.run.checkpoint.lease_timeout_minutes)
        for run in planned
        if alive
    }
    found = {uri: _runs_in(uri, [run for run in planned if run.uri == uri]) for uri in {run.uri for run in planned}}
    if since is not None:
        found = {
            uri: runs[(runs["status"] != "FINISHED") | (pd.to_datetime(runs["started"], utc=True) >= since)]
            for uri, runs in found.items()
        }
    groups = {uri: dict(list(frame.groupby("identity", sort=False))) for uri, frame in found.items()}
    return [
        run_state(
            groups[run.uri].get(run.identity, found[run.uri].iloc[:0]), study=run.study, owner=owners.get(run.folder)
        )
        for run in planned
    ]


def _runs_in(uri: str, planned: Sequence[PlannedRun]) -> pd.DataFrame:
    if not exists(uri):
        return pd.DataFrame(columns=list(STATUS_COLUMNS))
    from ablate.tracking.run_records import runs_of

    if not is_open(uri):
        open_store(uri)
    study = Counter(run.study for run in planned).most_common(1)[0][0]
    return runs_of(sorted({run.identity for run in planned}), study, STATUS_COLUMNS)
