"""Hydra's sweep and studies, with every run checked before the first one starts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.config_store import ConfigStore
from hydra.core.override_parser.types import Override

from ablate.config import Checked, check, project_dir
from ablate.errors import ConfigError
from ablate.schema import unknown
from ablate.study.definition import StudyFile, load_study, study_runs
from ablate.tracking.store import check_store, store_uri


class AblateSweeper(BasicSweeper):
    """Expands `key=a,b` overrides to their combinations, as Hydra does, and `experiment=NAME` to a study's runs."""

    study: StudyFile | None = None

    def split_arguments(  # type: ignore[override]  # Hydra calls its static method on the instance
        self, overrides: list[Override], max_batch_size: int | None
    ) -> list[list[list[str]]]:
        """List the overrides of every run, in batches that are launched one after the other.

        Raises:
            ConfigError: There is no such study, something in its file is wrong, or an override contradicts it.
        """
        named = [override for override in overrides if override.key_or_group == "experiment"]
        if not named:
            return super().split_arguments(overrides, max_batch_size)
        name = str(named[-1].value())
        others = [override for override in overrides if override.key_or_group != "experiment"]
        self.study = load_study(name)
        for override in others:
            _check_shared(override, self.study)
            if override.key_or_group == "study.name":
                self.study = self.study.model_copy(update={"name": override.get_value_element_as_str()})
        shared = [override.input_line for override in others if override.key_or_group != "study.name"]
        runs = study_runs(self.study, [line for line in shared if line])
        return [*self.split_overrides_to_chunks([list(run.overrides) for run in runs], max_batch_size)]

    def validate_batch_is_legal(self, batch: Sequence[Sequence[str]]) -> None:
        """Compose and check every run, so that an impossible one is found before any other has trained.

        Args:
            batch: The runs about to be launched; before the first one, those of later batches are checked too.

        Raises:
            ConfigError: A run's configuration is wrong.
            TrackingError: A store cannot be reached or written.
        """
        assert self.config is not None
        assert self.hydra_context is not None
        assert self.overrides is not None
        if self.batch_index > 1:
            return
        stores = set()
        for overrides in _but_for_the_seed(chain.from_iterable(self.overrides)):
            checked = check(self.hydra_context.config_loader.load_sweep_config(self.config, list(overrides)))
            stores.add(store_uri(checked.run.tracking.uri, project_dir()))
            if self.study is not None:
                _check_metric(self.study, checked)
        for uri in sorted(stores):
            check_store(uri)
            if self.study is not None:
                _announce(self.study, uri)


def _announce(study: StudyFile, uri: str) -> None:
    from ablate.tracking.store import open_store
    from ablate.tracking.study import record_study

    aliases = study.expansion().aliases
    print(f"Study {study.name}: {study.question}")
    for aliased in aliases:
        print(f"Not told apart by its design: {aliased}")
    open_store(uri)
    record_study(study.name, study.model_dump(mode="json"), aliases, project_dir())


def _check_shared(override: Override, study: StudyFile) -> None:
    key = override.key_or_group
    if override.is_sweep_override():
        raise ConfigError(
            f"{override.input_line}: experiment={study.name} says what varies; other overrides hold for all"
        )
    if key in study.factors:
        raise ConfigError(f"{override.input_line}: {key} is a factor of experiment={study.name}")
    if key == "seed":
        raise ConfigError(
            f"{override.input_line}: experiment={study.name} has seeds of its own; change them in its file"
        )


def _check_metric(study: StudyFile, checked: Checked) -> None:
    names = [metric.name for metric in checked.task.metrics]
    if study.metric.name not in names:
        raise ConfigError(
            f"{study.name}: metric.name is none that the task measures: {unknown(study.metric.name, names)}"
        )


def _but_for_the_seed(runs: Iterable[Sequence[str]]) -> Iterable[Sequence[str]]:
    """Leave out runs that differ from others in the seed alone, but none that brings a new seed: each takes 0.1 s."""
    seen: set[tuple[str, ...]] = set()
    for overrides in runs:
        parts = [
            tuple(line for line in overrides if line.startswith("seed=")),
            tuple(line for line in overrides if not line.startswith("seed=")),
        ]
        if any(part not in seen for part in parts):
            seen.update(parts)
            yield overrides


@dataclass
class SweeperConfig:
    """The options of Hydra's own sweeper."""

    _target_: str = "hydra_plugins.ablate_sweeper.sweeper.AblateSweeper"
    max_batch_size: int | None = None
    params: dict[str, Any] | None = None


ConfigStore.instance().store(group="hydra/sweeper", name="ablate", node=SweeperConfig, provider="ablate")
