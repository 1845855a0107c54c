"""A ledger of comparisons: every change that was tried, in order, with the level that it was judged at.

It lies in the tracking store, in the experiment of its name, by default the study's. One change, the same runs by the
same metric and margin, has one entry, however often the command is given.
"""

import hashlib
import json
import random
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock

from ablate.compare.judge import Change, Judgement, judge
from ablate.errors import TrackingError
from ablate.statistics.online import next_level
from ablate.tracking.store import open_store, store_lock
from ablate.tracking.study import study_experiment
from ablate.tracking.study_artifacts import log_study_artifacts, read_study_artifacts

KIND = "comparison"
FILE = "comparison.json"
_MOST_SECONDS = 1.0


@dataclass(frozen=True)
class Entry:
    """A change that was tried.

    Attributes:
        number: Its place, from 1.
        key: What tells it from others, see `key_of`.
        at: When it was first judged, in UTC.
        before: Name of the earlier state.
        after: Name of the later one.
        variant: The variant.
        metric: The metric that decided.
        difference: What was found.
        p: Its p-value.
        level: What the p-value had to be at most, to be better.
        judgement: What was said.
    """

    number: int
    key: str
    at: str
    before: str
    after: str
    variant: str
    metric: str
    difference: float
    p: float
    level: float
    judgement: Judgement


def key_of(change: Change) -> str:
    """Return what tells a change from others: its runs on both sides, the metric and the margin."""
    parts = [change.variant, change.identities, change.metric, change.margin]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


def read_ledger(experiment_id: str, uri: str) -> list[Entry]:
    """Read the ledger of a study from the open store, in order.

    Raises:
        TrackingError: The store cannot be read, or an entry of it.
    """
    entries = []
    for kept in read_study_artifacts(experiment_id, uri, KIND):
        try:
            said = json.loads((kept.folder / FILE).read_text(encoding="utf-8"))
            entries.append(Entry(**{**said, "judgement": Judgement(said["judgement"])}))
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise TrackingError(
                f"the entry {kept.run_id} of the ledger of comparisons cannot be read: {error}"
            ) from None
    return sorted(entries, key=lambda entry: (entry.number, entry.at, entry.key))


def enter(change: Change, name: str, uri: str, project: Path) -> Entry:
    """Judge a change as the next one of a ledger, and write that to the store; or return the entry that it has.

    A change of nothing, with the same runs on both sides, is no try: it has the number 0, and is not written.

    Args:
        change: What was found.
        name: The ledger's: that of a study, or of an experiment of its own, which is made.
        uri: Address of the store.
        project: Where artifacts are kept, see `tracking.run.track`.

    Raises:
        TrackingError: The ledger cannot be read or written. Nothing was judged then.
    """
    key = key_of(change)
    if change.identical:
        return _entry(change, key, 0, 0.0)
    open_store(uri)
    with FileLock(store_lock(uri, "ledger")):  # one try of this machine at a time
        experiment_id = study_experiment(name, project).experiment_id
        ledger = read_ledger(experiment_id, uri)
        there = next((entry for entry in ledger if entry.key == key), None)
        if there is not None:
            return there
        while True:
            entry = _entry(change, key, *next_place(ledger))
            _write(entry, name)
            # Another machine may have taken the same place at once. Of two, at least the later to write sees both, and
            # makes way: the other may have ended.
            ledger = [each for each in read_ledger(experiment_id, uri) if each.key != key]
            if all(each.number != entry.number for each in ledger):
                return entry
            time.sleep(random.uniform(0, _MOST_SECONDS))  # that both make way in turn


def next_place(ledger: Sequence[Entry]) -> tuple[int, float]:
    """Return the place of the change that comes after those of a ledger, and its level.

    It is behind all that are taken. One that two tries took, of which one was killed before it made way, counts twice;
    one that nobody has any more passes on no level.
    """
    number = 1 + max([len(ledger), *(entry.number for entry in ledger)])
    better = {entry.number for entry in ledger if entry.judgement == Judgement.BETTER}
    return number, next_level([place in better for place in range(1, number)])


def _entry(change: Change, key: str, number: int, level: float) -> Entry:
    return Entry(
        number=number,
        key=key,
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        before=change.before,
        after=change.after,
        variant=change.variant,
        metric=change.metric,
        difference=float(change.row["difference"]),
        p=float(change.row["p"]),
        level=level,
        judgement=judge(change, level),
    )


def _write(entry: Entry, name: str) -> None:
    with tempfile.TemporaryDirectory(prefix="ablate-compare-") as folder:
        file = Path(folder) / FILE
        file.write_text(json.dumps(asdict(entry), indent=1), encoding="utf-8")
        log_study_artifacts(name, KIND, Path(folder), [file], name=entry.key)
