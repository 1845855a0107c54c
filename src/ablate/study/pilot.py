"""The runs that a plan learns from: finished ones of a study's configurations, whatever study trained them."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import reduce

import numpy as np
import numpy.typing as npt
import pandas as pd

from ablate.config.variant import BASELINE
from ablate.errors import ConfigError
from ablate.statistics.pilot import Pilot, pilot_of
from ablate.study.definition import StudyFile
from ablate.study.examples import by_contents
from ablate.study.planning import PlannedRun
from ablate.tracking.names import EVALUATION_GROUP, metric_name
from ablate.tracking.store import exists, is_open, open_store
from ablate.tracking.study_record import StudyRecord, read_configurations

Array = npt.NDArray[np.float64]

_READERS = 8


@dataclass(frozen=True)
class PilotRuns:
    """What the runs that there are say.

    Attributes:
        variants: Names, the baseline first.
        seeds: Of each variant, those that it has.
        pilot: What they say of the variances; None where no variant has two seeds, or none varies.
    """

    variants: Sequence[str]
    seeds: Sequence[Sequence[int]]
    pilot: Pilot | None

    @property
    def count(self) -> int:
        """How many runs there are."""
        return sum(map(len, self.seeds))


def read_pilot(study: StudyFile, planned: Sequence[PlannedRun]) -> PilotRuns:
    """Read the finished runs of a study's configurations, with any seed and of any study, and what they say.

    Args:
        study: The study.
        planned: Its runs.

    Raises:
        ConfigError: The study has no variant beside the baseline.
        TrackingError: The store cannot be read.
    """
    configurations = {run.label: run.configuration for run in planned}
    names = sorted(configurations, key=lambda name: name != BASELINE)
    if len(names) < 2 or names[0] != BASELINE:
        raise ConfigError(f"study {study.name} has no variant to compare with the baseline")
    record = _record(planned[0].uri, list(configurations.values()))
    places: dict[tuple[int, int], str] = {}
    if record is not None:
        of_configuration = {configurations[name]: place for place, name in enumerate(names)}
        readable = record.runs[record.readable]
        for run_id, configuration, seed in readable[["configuration", "seed"]].itertuples():
            # The newest of a variant and seed comes first.
            places.setdefault((of_configuration[configuration], int(seed)), str(run_id))
    seeds = [sorted(seed for place, seed in places if place == variant) for variant in range(len(names))]
    pilot = _pilot(record, study.metric.name, places, len(names)) if record is not None and places else None
    return PilotRuns(names, seeds, pilot)


def _record(uri: str, configurations: Sequence[str]) -> StudyRecord | None:
    if not exists(uri):
        return None
    if not is_open(uri):
        open_store(uri)
    return read_configurations(configurations, uri)


def _pilot(record: StudyRecord, metric: str, places: Mapping[tuple[int, int], str], variants: int) -> Pilot | None:
    seeds = sorted({seed for _, seed in places})
    column = {seed: place for place, seed in enumerate(seeds)}
    tables = _of_each(record, places, metric)
    values = np.full((variants, len(seeds), len(next(iter(tables.values())))), np.nan)
    for (variant, seed), own in tables.items():
        values[variant, column[seed]] = own
    drawn = _replicates(record, places, metric) if values.shape[2] == 1 else {}
    replicates = None
    if drawn:
        replicates = np.full((variants, len(seeds), len(next(iter(drawn.values())))), np.nan)
        for (variant, seed), own in drawn.items():
            replicates[variant, column[seed]] = own
    return pilot_of(values, replicates)


def _of_each(record: StudyRecord, places: Mapping[tuple[int, int], str], metric: str) -> dict[tuple[int, int], Array]:
    """Return each run's values on the examples that all have; its own value where examples have none."""
    with ThreadPoolExecutor(_READERS) as pool:
        read = pool.map(lambda run: by_contents(record.per_example(run)), places.values())
        tables = dict(zip(places, read, strict=True))
    if all(metric in table for table in tables.values()):
        shared = reduce(pd.Index.intersection, (table.index for table in tables.values()))
        if len(shared):
            return {place: table.loc[shared, metric].to_numpy(np.float64) for place, table in tables.items()}
    name = metric_name(EVALUATION_GROUP, metric)
    return {place: np.array([record.metrics[name][run]], np.float64) for place, run in places.items()}


def _replicates(
    record: StudyRecord, places: Mapping[tuple[int, int], str], metric: str
) -> dict[tuple[int, int], Array]:
    """Return each run's replicates of a metric of the whole set; nothing where not all have as many."""
    with ThreadPoolExecutor(_READERS) as pool:
        tables = dict(zip(places, pool.map(record.replicates, places.values()), strict=True))
    columns = {
        place: table[metric].to_numpy(np.float64)
        for place, table in tables.items()
        if table is not None and metric in table
    }
    return columns if len(columns) == len(places) and len({len(own) for own in columns.values()}) == 1 else {}
