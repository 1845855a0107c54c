"""Planned runs: a sweep's runs composed, validated and identified before they start. Imports no TensorFlow."""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from ablate.config.hydra_job import current_hydra_job
from ablate.config.job_variant import factors_of_job, variant_of_job
from ablate.config.schema import validate
from ablate.config.sections import StudyConfig
from ablate.config.short_names import shorten
from ablate.config.validation import ValidConfig, validate_config
from ablate.config.variant import Variant
from ablate.errors import ConfigError
from ablate.execution.identity import configuration, identity_of
from ablate.execution.lease import lease_owner
from ablate.execution.status import STATUS_COLUMNS, RunState, run_state
from ablate.study.compose import compose_runs
from ablate.study.compose_variants import Load
from ablate.task import FoundData, data_config
from ablate.tracking.store import checkpoint_folder, exists, is_open, open_store, store_uri


@dataclass(frozen=True)
class PlannedRun:
    """A run of a sweep.

    Attributes:
        label: What people tell it by among the sweep's runs, apart from its seed: the variant's name where the study
            gives one, else the overrides that not all runs have.
        overrides: What Hydra launches it with.
        load: Hydra's composition of one list of overrides.
        config: Its configuration.
        data: Fingerprint and size of its data set.
        configuration: Its identity apart from the seed.
        identity: Its identity.
        uri: Address of its store.
        folder: Folder of its lease and its checkpoint.
    """

    label: str
    overrides: tuple[str, ...]
    load: Load
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

    @property
    def name(self) -> str:
        """Its label and its seed."""
        return f"{self.label} seed={self.seed}".lstrip()

    @cached_property
    def factors(self) -> dict[str, str]:
        """The levels that are known of it, see `job_variant.factors_of_job`."""
        with current_hydra_job(self.load([*self.overrides])):
            return factors_of_job(self.config)

    @cached_property
    def variant(self) -> Variant:
        """Its variant; Hydra composes the run for it."""
        with current_hydra_job(self.load([*self.overrides])):
            return variant_of_job(self.config)


def plan_runs(load: Load, runs: Sequence[Sequence[str]], project: Path) -> list[PlannedRun]:
    """Compose, validate and identify the runs of a sweep.

    Args:
        load: Hydra's composition of one list of overrides.
        runs: The overrides of each run.
        project: Folder of the default store.

    Raises:
        ConfigError: A run's configuration is wrong, or two different ones have the same variant's name and seed.
        DataError: The data set of a run is not there.
    """
    planned = []
    validator, found, configurations = _Validator(), dict[str, FoundData](), dict[str, str]()
    labels = distinguishing_overrides(runs)
    for overrides, label, values in zip(runs, labels, compose_runs(load, runs), strict=True):
        config = validator.validate(values)
        section = _data_section(config)
        if section not in found:
            data = config.task.find_data()
            # Once it has been read, a task may know better what its data depend on.
            found[section] = found[_data_section(config)] = data
        data = found[section]
        config.run.schedule.check(config.run.training.total_steps(data.examples_per_epoch))
        without_seed = f"{data.fingerprint} {json.dumps(_without_seed_and_study(config.values))}"
        if without_seed not in configurations:
            configurations[without_seed] = configuration(config, data.fingerprint)
        hashed = configurations[without_seed]
        identity = identity_of(hashed, config.run.seed)
        uri = store_uri(config.run.tracking.uri, project)
        folder = checkpoint_folder(uri, project, config.run.checkpoint.dir) / identity
        label = config.run.study.variant or label
        planned.append(PlannedRun(label, tuple(overrides), load, config, data, hashed, identity, uri, folder))
    _check_names(planned)
    return planned


def _data_section(config: ValidConfig) -> str:
    task, fraction = config.task, config.run.validation_fraction
    return json.dumps([type(task).__module__, type(task).__qualname__, data_config(task), fraction], sort_keys=True)


def distinguishing_overrides(runs: Sequence[Sequence[str]]) -> list[str]:
    """Return the overrides of each run that not all runs of the sweep have, without its seed."""
    common = set.intersection(*(set(overrides) for overrides in runs))
    return [
        " ".join(line for line in overrides if line not in common and not line.startswith("seed="))
        for overrides in runs
    ]


def _check_names(planned: Sequence[PlannedRun]) -> None:
    """Refuse one name that a user gave to two configurations: their results could not be distinguished."""
    first = dict[tuple[str, str, str, int], PlannedRun]()
    for run in planned:
        variant = run.config.run.study.variant
        if variant is None:
            continue  # its differences from the defaults name it
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


_SEED_OR_STUDY = re.compile(r"\$\{[^}]*\b(seed|study)\b")
"""An interpolation of the seed or the study in another section."""


class _Validator:
    """Validates configurations; of those that differ in seed and study alone, one, and one with each seed."""

    def __init__(self) -> None:
        self._valid: dict[str, ValidConfig] = {}
        self._seeds: set[Any] = set()

    def validate(self, values: Mapping[str, Any]) -> ValidConfig:
        """Validate the values of one run."""
        rest = json.dumps(_without_seed_and_study(values))
        before = self._valid.get(rest)
        independent = "${" not in json.dumps([values["seed"], values["study"]]) and not _SEED_OR_STUDY.search(rest)
        if before is None or not independent or values["seed"] not in self._seeds:
            config = validate_config(values)
            self._valid.setdefault(rest, config)
            self._seeds.add(values["seed"])
            return config
        study = validate(StudyConfig, values["study"], prefix="study")
        return replace(
            before,
            values={**before.values, "seed": values["seed"], "study": dict(values["study"])},
            run=before.run.model_copy(update={"seed": values["seed"], "study": study}),
        )


def _without_seed_and_study(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key not in ("seed", "study")}


def read_statuses(
    planned: Sequence[PlannedRun], *, alive: bool = True, since: pd.Timestamp | None = None
) -> list[RunState]:
    """Return the status of each run, by its store and its lease.

    Args:
        planned: The runs.
        alive: Whether to read the leases; an owner of one of them does not.
        since: Results of runs that started before do not count; None: all count.

    Raises:
        TrackingError: A store cannot be read.
    """
    # Before the store: a run that ends in between counts as running, and is read again.
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
